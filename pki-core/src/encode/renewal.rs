//! Renewals: only what the issuer decides again is new, and everything else is copied.

use der::{AnyRef, Encode};
use rcgen::{IsCa, Issuer, KeyIdMethod};
use time::OffsetDateTime;
use x509_cert::ext::Extension;

use super::carried::{TbsCertificate, body, carried, element, identifier, unsigned};
use super::errors::failed;
use super::signatory::{NoKey, Signatory, issuer_params, signature_algorithm};
use crate::certificate::{AuthorityKeyId, Certificate, GeneralName, SerialNumber};
use crate::error::Error;
use crate::key::{KeyId, PublicKey};

const SUBJECT_KEY_ID: &str = "2.5.29.14";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";

/// What differs between a certificate and its renewal.
pub(crate) struct Replacements<'a> {
    pub(crate) serial: &'a SerialNumber,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) public_key: &'a PublicKey,
    /// The issuer; `None` for a root, which is its own.
    pub(crate) ca: Option<&'a Certificate>,
}

/// `old` with these replacements and an empty signature. The subject, every extension and their order do not change. The subjectKeyIdentifier changes with the key, and the authorityKeyIdentifier if it names another
/// CA certificate than the issuer's.
pub(crate) fn renewed(old: &Certificate, new: &Replacements<'_>) -> Result<Vec<u8>, Error> {
    let old_tbs = carried(old.der())?;
    let same_key = old.public_key == *new.public_key;
    let new_key_id = Some(new.public_key.key_id());
    let own_key_id = if same_key { &old.extensions.subject_key_id } else { &new_key_id };
    let (signatory, issuer) = if let Some(ca) = new.ca {
        (Signatory::ca(ca)?, NamedIssuer::ca(ca))
    } else {
        let algorithm = signature_algorithm(new.public_key)?;
        let (name, key_id) = (old.subject.der(), own_key_id.as_ref());
        (
            Signatory { name, algorithm, key_id },
            NamedIssuer { key_id, issuer: old.issuer.der(), serial: new.serial },
        )
    };
    let written = written(new, &signatory)?;
    let made: TbsCertificate<'_> = body(&written)?;
    let made_extension = |oid| extension(&made, oid);
    let mut extensions = Vec::new();
    let known = old.extensions.all.iter().map(|extension| extension.oid.as_str());
    for (oid, carried) in known.zip(old_tbs.extensions.iter().flatten()) {
        let kept = match oid {
            SUBJECT_KEY_ID => same_key,
            AUTHORITY_KEY_ID => {
                old.extensions.authority_key_id.as_ref().is_none_or(|aki| issuer.is_named_by(aki))
            }
            _ => true,
        };
        extensions.extend(if kept { Some(*carried) } else { made_extension(oid)? });
    }
    let algorithm = signatory.algorithm.identifier();
    let tbs = TbsCertificate {
        serial: made.serial,
        signature: identifier(&algorithm)?,
        issuer: element(signatory.name)?,
        validity: made.validity,
        public_key: element(new.public_key.spki_der())?,
        extensions: old_tbs.extensions.is_some().then_some(extensions),
        ..old_tbs
    };
    unsigned(&tbs.to_der().map_err(|error| failed(&error))?, tbs.signature)
}

/// A certificate by rcgen of which the serial number, the validity and the key identifiers are used.
fn written(new: &Replacements<'_>, signatory: &Signatory<'_>) -> Result<Vec<u8>, Error> {
    let mut params = issuer_params(None);
    params.serial_number = Some(new.serial.as_bytes().to_vec().into());
    params.not_before = new.not_before;
    params.not_after = new.not_after;
    params.key_identifier_method = KeyIdMethod::PreSpecified(new.public_key.key_id().0);
    params.use_authority_key_identifier_extension = signatory.key_id.is_some();
    params.is_ca = IsCa::ExplicitNoCa;
    let issuer = issuer_params(signatory.key_id);
    let written = params.signed_by(&NoKey, &Issuer::from_params(&issuer, NoKey));
    Ok(written.map_err(|error| failed(&error))?.der().to_vec())
}

fn extension<'a>(tbs: &TbsCertificate<'a>, oid: &str) -> Result<Option<AnyRef<'a>>, Error> {
    for extension in tbs.extensions.iter().flatten() {
        let read: Extension = extension.decode_as().map_err(|error| failed(&error))?;
        if read.extn_id.to_string() == oid {
            return Ok(Some(*extension));
        }
    }
    Ok(None)
}

/// The certificate of an issuer as an authorityKeyIdentifier may name it (RFC 5280 section 4.2.1.1).
struct NamedIssuer<'a> {
    key_id: Option<&'a KeyId>,
    issuer: &'a [u8],
    serial: &'a SerialNumber,
}

impl<'a> NamedIssuer<'a> {
    fn ca(ca: &'a Certificate) -> Self {
        let key_id = ca.extensions.subject_key_id.as_ref();
        Self { key_id, issuer: ca.issuer.der(), serial: &ca.serial }
    }

    fn is_named_by(&self, aki: &AuthorityKeyId) -> bool {
        let is_issuer = |name: &GeneralName| matches!(name, GeneralName::Directory(name) if name.der() == self.issuer);
        let key_fits = aki.key_id.is_none() || aki.key_id.as_ref() == self.key_id;
        let name_fits = aki.issuer.is_empty() || aki.issuer.iter().any(is_issuer);
        let serial_fits = aki.serial.as_ref().is_none_or(|serial| serial == self.serial);
        key_fits && name_fits && serial_fits
    }
}
