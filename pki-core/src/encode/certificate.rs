//! Encodes certificates.

use der::Encode;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, DistinguishedName, IsCa, Issuer,
    KeyIdMethod, NameConstraints,
};

use super::carried::{TbsCertificate, body, element, identifier, unsigned};
use super::errors::failed;
use super::signatory::{NoKey, Signatory, issuer_params, signature_algorithm};
use super::{extensions, name};
use crate::certificate::{Certificate, SerialNumber};
use crate::error::Error;
use crate::template::Template;

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
    params.subject_alt_names = names.iter().map(extensions::san).collect::<Result<_, _>>()?;
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
