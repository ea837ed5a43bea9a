//! Template to bytes: the only place that knows the encoder.
//!
//! rcgen signs while it encodes and has no step between. It is given a key that answers with an
//! empty signature, so that it writes a certificate to be read and judged; the real signature then
//! takes the place of the empty one, and no other byte changes.

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CrlDistributionPoint, CustomExtension,
    DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, NameConstraints, PublicKeyData, SanType, SigningKey,
    SubjectPublicKeyInfo,
};
use rustls_pki_types::CertificateDer;
use x509_cert::der::asn1::{AnyRef, BitStringRef, Ia5String, ObjectIdentifier};
use x509_cert::der::{Any, Decode, Encode, Tag};
use x509_cert::ext::pkix::certpolicy::{DisplayText, PolicyQualifierInfo, UserNotice};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, CertificatePolicies,
    certpolicy::PolicyInformation as EncoderPolicy,
};

use crate::certificate::{Certificate, SerialNumber};
use crate::error::Error;
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::name::{San, Uri};
use crate::oid::Oid;
use crate::subject::{Attribute, StringType, Subject, string_type};
use crate::template::{NameConstraint, PolicyInformation, PolicyQualifier, Template, Urls};
use crate::usage::{ExtendedKeyUsage, KeyUsages};

/// Who signs: a CA, or for a root its own key.
pub(crate) enum IssuedBy<'a> {
    Ca(&'a Ca),
    Itself,
}

/// A CA as the encoder has it, read once for all that it issues.
#[derive(Debug)]
pub(crate) struct Ca {
    issuer: Issuer<'static, EmptyKey>,
    /// The encoder copies the CA's subjectKeyIdentifier; where there is none it would make one up by
    /// a method of its own, and the leaf goes without.
    has_key_id: bool,
}

impl Ca {
    pub(crate) fn new(ca: &Certificate) -> Result<Self, Error> {
        let unwritable = || unwritable(&ca.subject.to_string());
        if !ca.subject.is_rewritable() {
            return Err(unwritable());
        }
        let der = CertificateDer::from(ca.der());
        let issuer = Issuer::from_ca_cert_der(&der, EmptyKey::new(&ca.public_key)?)
            .map_err(|_| unwritable())?;
        Ok(Self { issuer, has_key_id: ca.extensions.subject_key_id.is_some() })
    }
}

/// The certificate that a template, a serial number and an issuer make, with an empty signature.
pub(crate) fn unsigned(
    template: &Template,
    serial: &SerialNumber,
    issued_by: &IssuedBy<'_>,
) -> Result<Vec<u8>, Error> {
    let mut params = params(template, serial)?;
    let certificate = match issued_by {
        IssuedBy::Itself => params.self_signed(&EmptyKey::new(&template.public_key)?),
        IssuedBy::Ca(ca) => {
            params.use_authority_key_identifier_extension = ca.has_key_id;
            params.signed_by(&encoder_key(&template.public_key)?, &ca.issuer)
        }
    };
    Ok(certificate.map_err(|e| encoder_failed(&e))?.der().to_vec())
}

/// The same certificate with this signature in place of the empty one.
pub(crate) fn signed(unsigned: &[u8], signature: &[u8]) -> Result<Vec<u8>, Error> {
    // RFC 5280 section 4.1: the signature stands last. A BIT STRING without bits is tag, length and
    // the count of unused bits.
    const EMPTY: [u8; 3] = [0x03, 0x01, 0x00];
    let failed = |e| encoder_failed(&e);
    let whole = AnyRef::from_der(unsigned).map_err(failed)?;
    let Some(before) = whole.value().strip_suffix(&EMPTY) else {
        return Err(Error::Internal("the encoder wrote a signature of its own".to_owned()));
    };
    let signature = BitStringRef::from_bytes(signature).and_then(|bits| bits.to_der());
    let contents = [before, &signature.map_err(failed)?].concat();
    AnyRef::new(Tag::Sequence, &contents).and_then(|whole| whole.to_der()).map_err(failed)
}

/// A key that signs nothing: it stands for the CA's, which the encoder never sees.
struct EmptyKey {
    public: SubjectPublicKeyInfo,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl EmptyKey {
    fn new(public: &PublicKey) -> Result<Self, Error> {
        Ok(Self { public: encoder_key(public)?, algorithm: encoder_algorithm(public)? })
    }
}

impl PublicKeyData for EmptyKey {
    fn der_bytes(&self) -> &[u8] {
        self.public.der_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for EmptyKey {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}

fn encoder_failed(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("encoding a certificate: {error}"))
}

fn encoder_algorithm(key: &PublicKey) -> Result<&'static rcgen::SignatureAlgorithm, Error> {
    match SignatureAlgorithm::of(key) {
        Some(SignatureAlgorithm::EcdsaP256Sha256) => Ok(&rcgen::PKCS_ECDSA_P256_SHA256),
        Some(SignatureAlgorithm::EcdsaP384Sha384) => Ok(&rcgen::PKCS_ECDSA_P384_SHA384),
        Some(SignatureAlgorithm::EcdsaP521Sha512) => Ok(&rcgen::PKCS_ECDSA_P521_SHA512),
        Some(SignatureAlgorithm::Ed25519) => Ok(&rcgen::PKCS_ED25519),
        Some(SignatureAlgorithm::RsaSha256) => Ok(&rcgen::PKCS_RSA_SHA256),
        Some(SignatureAlgorithm::RsaSha384) => Ok(&rcgen::PKCS_RSA_SHA384),
        Some(SignatureAlgorithm::RsaSha512) => Ok(&rcgen::PKCS_RSA_SHA512),
        None => Err(unsupported_key(key)),
    }
}

fn unsupported_key(key: &PublicKey) -> Error {
    Error::invalid("public key", key.algorithm_name(), "no key that can be certified")
        .hinted("use ECDSA P-256, P-384, P-521, Ed25519, or RSA from 2048 bits")
}

fn encoder_key(key: &PublicKey) -> Result<SubjectPublicKeyInfo, Error> {
    let encoder_key =
        SubjectPublicKeyInfo::from_der(&key.spki()).map_err(|_| unsupported_key(key))?;
    // The encoder writes the algorithm anew; what it would write must be what was given.
    if encoder_key.subject_public_key_info() != key.spki().as_ref() {
        return Err(unsupported_key(key));
    }
    Ok(encoder_key)
}

/// A CA whose name the encoder would write differently, or not at all, as an issuer.
pub(crate) fn unwritable(subject: &str) -> Error {
    Error::invalid(
        "CA subject",
        subject,
        "a name that cannot be written again byte for byte, as Go demands of an issuer",
    )
    .hinted(
        "make a new CA (etcdpki init-ca) whose name has one value a type, in UTF8String or \
         PrintableString without a question mark",
    )
}

fn params(template: &Template, serial: &SerialNumber) -> Result<CertificateParams, Error> {
    // No `..`: a field of the template that is not written would be lost in silence.
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
    params.distinguished_name = distinguished_name(subject)?;
    params.subject_alt_names = names.iter().map(san).collect::<Result<_, _>>()?;
    params.not_before = *not_before;
    params.not_after = *not_after;
    // Absent, rcgen takes a hash of the key: a renewal with the same key would repeat it.
    params.serial_number = Some(serial.as_bytes().to_vec().into());
    // rcgen hashes the whole SubjectPublicKeyInfo; RFC 5280 section 4.2.1.2 means the key bits.
    params.key_identifier_method = KeyIdMethod::PreSpecified(public_key.key_id().0);
    params.key_usages = key_usages.iter().map(key_usage).collect();
    params.extended_key_usages =
        extended_key_usages.iter().map(extended_key_usage).collect::<Result<_, _>>()?;
    params.is_ca = match ca {
        // rcgen writes a leaf's subjectKeyIdentifier only beside an explicit CA:FALSE.
        None => IsCa::ExplicitNoCa,
        Some(constraint) => IsCa::Ca(match constraint.path_len {
            None => BasicConstraints::Unconstrained,
            Some(length) => BasicConstraints::Constrained(length),
        }),
    };
    if !(permitted.is_empty() && excluded.is_empty()) {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: permitted.iter().map(subtree).collect(),
            excluded_subtrees: excluded.iter().map(subtree).collect(),
        });
    }
    if let Some(url) = &urls.crl {
        params.crl_distribution_points =
            vec![CrlDistributionPoint { uris: vec![url.as_str().to_owned()] }];
    }
    params.custom_extensions.extend(authority_info_access(urls)?);
    params.custom_extensions.extend(certificate_policies(policies)?);
    if *ocsp_no_check {
        // RFC 6960 section 4.2.2.2.1: the value is NULL.
        params
            .custom_extensions
            .push(custom(&Oid::trusted("1.3.6.1.5.5.7.48.1.5"), vec![0x05, 0x00])?);
    }
    for extension in copied {
        let mut copy = custom(&extension.oid, extension.value.clone())?;
        copy.set_criticality(extension.critical);
        params.custom_extensions.push(copy);
    }
    Ok(params)
}

fn distinguished_name(subject: &Subject) -> Result<DistinguishedName, Error> {
    let mut name = DistinguishedName::new();
    for (attribute, value) in subject.attributes() {
        let value = match string_type(attribute, value) {
            StringType::Ia5 => DnValue::Ia5String(ia5(value)?),
            StringType::Printable => DnValue::PrintableString(
                value.as_str().try_into().map_err(|e: rcgen::Error| encoder_failed(&e))?,
            ),
            StringType::Utf8 => DnValue::Utf8String(value.clone()),
        };
        name.push(dn_type(attribute)?, value);
    }
    Ok(name)
}

fn dn_type(attribute: &Attribute) -> Result<DnType, Error> {
    Ok(match attribute {
        Attribute::CommonName => DnType::CommonName,
        Attribute::Country => DnType::CountryName,
        Attribute::Locality => DnType::LocalityName,
        Attribute::Organization => DnType::OrganizationName,
        Attribute::OrganizationalUnit => DnType::OrganizationalUnitName,
        Attribute::State => DnType::StateOrProvinceName,
        other => DnType::CustomDnType(arcs(&other.oid())?),
    })
}

fn arcs(oid: &Oid) -> Result<Vec<u64>, Error> {
    oid.arcs().ok_or_else(|| Error::invalid("OID", oid.as_str(), "no OID that can be written"))
}

fn ia5(text: &str) -> Result<rcgen::string::Ia5String, Error> {
    text.try_into().map_err(|e: rcgen::Error| encoder_failed(&e))
}

fn san(name: &San) -> Result<SanType, Error> {
    Ok(match name {
        San::Dns(name) => SanType::DnsName(ia5(name.as_str())?),
        San::Email(address) => SanType::Rfc822Name(ia5(address.as_str())?),
        San::Ip(ip) => SanType::IpAddress(*ip),
        San::Uri(uri) => SanType::URI(ia5(uri.as_str())?),
    })
}

fn key_usage(bit: KeyUsages) -> KeyUsagePurpose {
    match bit {
        KeyUsages::DIGITAL_SIGNATURE => KeyUsagePurpose::DigitalSignature,
        KeyUsages::CONTENT_COMMITMENT => KeyUsagePurpose::ContentCommitment,
        KeyUsages::KEY_ENCIPHERMENT => KeyUsagePurpose::KeyEncipherment,
        KeyUsages::DATA_ENCIPHERMENT => KeyUsagePurpose::DataEncipherment,
        KeyUsages::KEY_AGREEMENT => KeyUsagePurpose::KeyAgreement,
        KeyUsages::KEY_CERT_SIGN => KeyUsagePurpose::KeyCertSign,
        KeyUsages::CRL_SIGN => KeyUsagePurpose::CrlSign,
        KeyUsages::ENCIPHER_ONLY => KeyUsagePurpose::EncipherOnly,
        _ => KeyUsagePurpose::DecipherOnly,
    }
}

fn extended_key_usage(usage: &ExtendedKeyUsage) -> Result<ExtendedKeyUsagePurpose, Error> {
    Ok(ExtendedKeyUsagePurpose::Other(arcs(&usage.0)?))
}

fn subtree(constraint: &NameConstraint) -> GeneralSubtree {
    match constraint {
        NameConstraint::Dns(name) => GeneralSubtree::DnsName(name.as_str().to_owned()),
        NameConstraint::Email(text) => GeneralSubtree::Rfc822Name(text.clone()),
        NameConstraint::Ip(cidr) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(cidr.address(), cidr.prefix()))
        }
    }
}

fn custom(oid: &Oid, content: Vec<u8>) -> Result<CustomExtension, Error> {
    let arcs = arcs(oid)?;
    Ok(CustomExtension::from_oid_content(&arcs, content))
}

/// RFC 5280 section 4.2.2.1; OCSP first, as cfssl and Go write it.
fn authority_info_access(urls: &Urls) -> Result<Option<CustomExtension>, Error> {
    const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
    const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");
    let ocsp = urls.ocsp.iter().map(|uri| (OCSP, uri));
    let issuers = urls.issuer.iter().map(|uri| (CA_ISSUERS, uri));
    let descriptions: Vec<AccessDescription> = ocsp
        .chain(issuers)
        .map(|(method, uri)| {
            Ok(AccessDescription {
                access_method: method,
                access_location: GeneralName::UniformResourceIdentifier(der_ia5(uri)?),
            })
        })
        .collect::<Result<_, Error>>()?;
    if descriptions.is_empty() {
        return Ok(None);
    }
    let content =
        AuthorityInfoAccessSyntax(descriptions).to_der().map_err(|e| encoder_failed(&e))?;
    custom(&Oid::trusted("1.3.6.1.5.5.7.1.1"), content).map(Some)
}

fn der_ia5(uri: &Uri) -> Result<Ia5String, Error> {
    Ia5String::new(uri.as_str()).map_err(|e| encoder_failed(&e))
}

/// RFC 5280 section 4.2.1.4
fn certificate_policies(policies: &[PolicyInformation]) -> Result<Option<CustomExtension>, Error> {
    const CPS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.1");
    const USER_NOTICE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.2");
    if policies.is_empty() {
        return Ok(None);
    }
    let qualifier = |qualifier: &PolicyQualifier| -> Result<PolicyQualifierInfo, Error> {
        let (id, value) = match qualifier {
            PolicyQualifier::Cps(uri) => (CPS, Any::encode_from(&der_ia5(uri)?)),
            PolicyQualifier::UserNotice(text) => {
                let notice = UserNotice {
                    notice_ref: None,
                    explicit_text: Some(DisplayText::Utf8String(text.clone())),
                };
                (USER_NOTICE, Any::encode_from(&notice))
            }
        };
        Ok(PolicyQualifierInfo {
            policy_qualifier_id: id,
            qualifier: Some(value.map_err(|e| encoder_failed(&e))?),
        })
    };
    let information = |policy: &PolicyInformation| -> Result<EncoderPolicy, Error> {
        let id = policy.id.as_str();
        let qualifiers: Vec<_> =
            policy.qualifiers.iter().map(qualifier).collect::<Result<_, _>>()?;
        Ok(EncoderPolicy {
            policy_identifier: ObjectIdentifier::new(id)
                .map_err(|_| Error::invalid("Policies", id, "an OID that is too long"))?,
            policy_qualifiers: (!qualifiers.is_empty()).then_some(qualifiers),
        })
    };
    let policies: Vec<_> = policies.iter().map(information).collect::<Result<_, _>>()?;
    let content = CertificatePolicies(policies).to_der().map_err(|e| encoder_failed(&e))?;
    custom(&Oid::trusted("2.5.29.32"), content).map(Some)
}
