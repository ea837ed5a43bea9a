//! Encodes values as structures with an empty signature, which contain the bytes to sign. Only this module uses the encoders.
//!
//! rcgen writes the parts that this crate creates: validity, extensions, the entries of CRLs, the attributes of
//! requests. It signs while it encodes, without a step in between. It therefore gets a key that returns an empty
//! signature, and the to-be-signed part is extracted from its output.
//!
//! Names, keys and algorithm identifiers are existing bytes, or values that rcgen does not support (several values of one
//! attribute type). They replace what rcgen wrote, unchanged ([`carried`]).

mod carried;
mod crl;
mod extensions;
mod name;
mod renewal;
mod request;

use der::Encode;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, DistinguishedName, IsCa, Issuer,
    KeyIdMethod, NameConstraints, PublicKeyData, SanType, SigningKey,
};

pub(crate) use self::carried::{signed, unsigned_certificate, unsigned_crl, unsigned_request};
pub(crate) use self::crl::crl;
pub(crate) use self::renewal::{Replacements, renewed};
pub(crate) use self::request::{CsrTemplate, request};

use self::carried::{TbsCertificate, body, element, identifier, unsigned};
use crate::certificate::{Certificate, SerialNumber};
use crate::error::{Error, Input};
use crate::key::{KeyId, PublicKey, SignatureAlgorithm};
use crate::name::San;
use crate::oid::Oid;
use crate::template::Template;

/// The issuer's name and key identifier, and the algorithm of its key.
struct Signatory<'a> {
    name: &'a [u8],
    algorithm: SignatureAlgorithm,
    key_id: Option<&'a KeyId>,
}

impl<'a> Signatory<'a> {
    fn ca(ca: &'a Certificate) -> Result<Self, Error> {
        Ok(Self {
            name: ca.subject.der(),
            algorithm: signature_algorithm(&ca.public_key)?,
            key_id: ca.extensions.subject_key_id.as_ref(),
        })
    }
}

/// The certificate for a template, a serial number and an issuer, with an empty signature. Without a CA, it is self-issued.
pub(crate) fn certificate(
    template: &Template,
    serial: &SerialNumber,
    ca: Option<&Certificate>,
) -> Result<Vec<u8>, Error> {
    let subject = name::encode(&template.subject)?;
    let signatory = match ca {
        Some(ca) => Signatory::ca(ca)?,
        None => Signatory {
            name: &subject,
            algorithm: signature_algorithm(&template.public_key)?,
            key_id: None,
        },
    };
    let mut params = params(template, serial)?;
    params.use_authority_key_identifier_extension = signatory.key_id.is_some();
    let issuer = issuer_params(signatory.key_id);
    let written = params
        .signed_by(&NoKey, &Issuer::from_params(&issuer, NoKey))
        .map_err(|error| failed(&error))?;
    let algorithm = signatory.algorithm.identifier();
    let body: TbsCertificate<'_> = body(written.der())?;
    let tbs = TbsCertificate {
        signature: identifier(&algorithm)?,
        issuer: element(signatory.name)?,
        subject: element(&subject)?,
        public_key: element(template.public_key.spki_der())?,
        extensions: body.extensions.map(extensions::sorted).transpose()?,
        ..body
    };
    unsigned(&tbs.to_der().map_err(|error| failed(&error))?, tbs.signature)
}

/// The algorithm that a key signs with.
pub(crate) fn signature_algorithm(key: &PublicKey) -> Result<SignatureAlgorithm, Error> {
    SignatureAlgorithm::of(key).ok_or_else(|| {
        Error::invalid("key", key.algorithm_name(), "a key that this crate cannot sign with")
            .hinted("use ECDSA P-256, P-384 or P-521, Ed25519, or RSA with 2048 to 8192 bits")
            .of(Input::Authority)
    })
}

/// Takes the place of every key, because rcgen does not need to see one.
struct NoKey;

impl PublicKeyData for NoKey {
    fn der_bytes(&self) -> &[u8] {
        &[]
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl SigningKey for NoKey {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}

/// An encoder failed on values that were checked before.
fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("cannot encode: {error}"))
}

fn unwritable_oid(oid: &Oid, input: Input) -> Error {
    Error::invalid("OID", oid.as_str(), "an OID with a number that is too large to encode")
        .hinted("remove the field with this OID")
        .of(input)
}

/// An issuer with an empty name, which is replaced later, and with the key identifier for the authorityKeyIdentifier.
fn issuer_params(key_id: Option<&KeyId>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.key_identifier_method =
        KeyIdMethod::PreSpecified(key_id.map(|id| id.0.clone()).unwrap_or_default());
    params
}

fn params(template: &Template, serial: &SerialNumber) -> Result<CertificateParams, Error> {
    // No `..`: a field of the template that is not written would be lost silently.
    let Template {
        subject,
        names,
        not_before,
        not_after,
        public_key,
        key_usages,
        extended_key_usages,
        ca,
        permitted,
        excluded,
        urls,
        ocsp_no_check,
        policies,
        copied,
    } = template;
    let mut params = CertificateParams::default();
    // RFC 5280 section 4.2.1.6: the names are critical if the subject is empty. Otherwise rcgen's own
    // default takes the place of the subject.
    if subject.is_empty() {
        params.distinguished_name = DistinguishedName::new();
    }
    params.subject_alt_names = names.iter().map(san).collect::<Result<_, _>>()?;
    params.not_before = *not_before;
    params.not_after = *not_after;
    params.serial_number = Some(serial.as_bytes().to_vec().into());
    // rcgen hashes the whole SubjectPublicKeyInfo; RFC 5280 section 4.2.1.2 requires only the key bits.
    params.key_identifier_method = KeyIdMethod::PreSpecified(public_key.key_id().0);
    params.key_usages = key_usages.iter().map(extensions::key_usage).collect();
    params.extended_key_usages =
        extended_key_usages.iter().map(extensions::extended_key_usage).collect::<Result<_, _>>()?;
    params.is_ca = match ca {
        // rcgen writes a leaf's subjectKeyIdentifier only together with an explicit CA:FALSE.
        None => IsCa::ExplicitNoCa,
        Some(constraint) => IsCa::Ca(match constraint.path_len {
            None => BasicConstraints::Unconstrained,
            Some(length) => BasicConstraints::Constrained(length),
        }),
    };
    if !(permitted.is_empty() && excluded.is_empty()) {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: permitted.iter().map(extensions::subtree).collect(),
            excluded_subtrees: excluded.iter().map(extensions::subtree).collect(),
        });
    }
    if let Some(url) = &urls.crl {
        params.crl_distribution_points =
            vec![CrlDistributionPoint { uris: vec![url.as_str().to_owned()] }];
    }
    params.custom_extensions.extend(extensions::authority_info_access(urls)?);
    params.custom_extensions.extend(extensions::certificate_policies(policies)?);
    if *ocsp_no_check {
        params.custom_extensions.push(extensions::ocsp_no_check()?);
    }
    for extension in copied {
        params.custom_extensions.push(extensions::copy(extension)?);
    }
    Ok(params)
}

fn san(name: &San) -> Result<SanType, Error> {
    let ia5 = |text: &str| text.try_into().map_err(|error: rcgen::Error| failed(&error));
    Ok(match name {
        San::Dns(name) => SanType::DnsName(ia5(name.as_str())?),
        San::Email(address) => SanType::Rfc822Name(ia5(address.as_str())?),
        San::Ip(ip) => SanType::IpAddress(*ip),
        San::Uri(uri) => SanType::URI(ia5(uri.as_str())?),
    })
}
