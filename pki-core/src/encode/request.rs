//! Certification requests, PKCS #10 (RFC 2986).

use der::Encode;
use rcgen::{BasicConstraints, CertificateParams, IsCa};

use super::carried::{CertificationRequestInfo, body, element, identifier, unsigned};
use super::errors::failed;
use super::signatory::{NoKey, signature_algorithm};
use super::{extensions, name};
use crate::certificate::Extension;
use crate::error::Error;
use crate::key::PublicKey;
use crate::name::San;
use crate::subject::Subject;
use crate::template::CaConstraint;

/// The contents of a certification request.
pub(crate) struct CsrTemplate<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) names: &'a [San],
    pub(crate) ca: Option<CaConstraint>,
    pub(crate) extensions: &'a [Extension],
    pub(crate) public_key: &'a PublicKey,
}

/// The request, with an empty signature. A CA asks for basicConstraints, and for nothing else that its issuer
/// decides.
pub(crate) fn request(template: &CsrTemplate<'_>) -> Result<Vec<u8>, Error> {
    let CsrTemplate { subject, names, ca, extensions: copied, public_key } = template;
    // In a certificate with an empty subject, the names are critical. The issuer decides that, so like in cfssl, a request
    // does not ask for it.
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.iter().map(extensions::san).collect::<Result<_, _>>()?;
    if let Some(constraint) = ca {
        params.is_ca = IsCa::Ca(match constraint.path_len {
            None => BasicConstraints::Unconstrained,
            Some(length) => BasicConstraints::Constrained(length),
        });
    }
    for extension in *copied {
        params.custom_extensions.push(extensions::copy(extension)?);
    }
    let written = params.serialize_request(&NoKey).map_err(|error| failed(&error))?;
    let subject = name::encode(subject)?;
    let info = CertificationRequestInfo {
        subject: element(&subject)?,
        public_key: element(public_key.spki_der())?,
        ..body(written.der())?
    };
    let algorithm = signature_algorithm(public_key)?.identifier();
    unsigned(&info.to_der().map_err(|error| failed(&error))?, identifier(&algorithm)?)
}
