//! Compares the certificates of a host with the manifest.

use time::OffsetDateTime;

use super::specs::CertificateSpec;
use crate::ca_set::CaSet;
use crate::certificate::{Certificate, GeneralName};
use crate::error::Error;
use crate::key::PublicKey;
use crate::lifetime::renewal_margin;
use crate::profile::Profile;

/// What to do about a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// The host does not have it.
    Create,
    /// The host has one that differs from the manifest.
    Reissue {
        /// Every difference.
        drift: Vec<Drift>,
    },
    /// The host has it, and it expires soon.
    Renew {
        /// When it expires.
        not_after: OffsetDateTime,
    },
    /// The host has a certificate that is up to date.
    Keep,
}

impl Action {
    /// The reason for a file that contains no readable certificate.
    pub fn replace_unreadable(problem: String) -> Self {
        let drift = Drift { field: "file", found: problem, expected: "a certificate".to_owned() };
        Self::Reissue { drift: vec![drift] }
    }

    /// The reason for a certificate that the CA has revoked.
    pub fn replace_revoked() -> Self {
        let (found, expected) = ("revoked".to_owned(), "not revoked".to_owned());
        Self::Reissue { drift: vec![Drift { field: "status", found, expected }] }
    }
}

/// One difference between a certificate and the manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Drift {
    /// The field.
    pub field: &'static str,
    /// The value in the host's certificate.
    pub found: String,
    /// The value in the manifest.
    pub expected: String,
}

/// A certificate as a host holds it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct Held<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// The certificates after it in its file.
    pub chain: &'a [Certificate],
    /// The public half of the key beside it, if the key can be read.
    pub key: Option<&'a PublicKey>,
}

impl CertificateSpec {
    /// Compares the certificate of a host with the one that `cas` would issue now.
    pub fn compare(
        &self,
        held: Option<Held<'_>>,
        cas: &CaSet,
        profile: &Profile,
        now: OffsetDateTime,
    ) -> Result<Action, Error> {
        let Some(Held { certificate, chain, key }) = held else {
            return Ok(Action::Create);
        };
        let mut drift = Vec::new();
        let mut differ = |field, found: String, expected: String| {
            if found != expected {
                drift.push(Drift { field, found, expected });
            }
        };
        // The contents of a certificate that is issued now, from the code that issues certificates.
        let request = self.request(certificate.public_key.clone());
        let template = profile.admit(&request, Some(cas.issuing()), now)?.template;
        differ("subject", certificate.subject.to_string(), template.subject.to_string());
        differ("names", sorted(found_names(certificate)), sorted(texts(&template.names)));
        differ("key", certificate.public_key.algorithm_name(), self.key.to_string());
        let usages = certificate.extensions.extended_key_usage.as_deref().unwrap_or_default();
        differ("extKeyUsage", sorted(texts(usages)), sorted(texts(&template.extended_key_usages)));
        // Without the backdate, because the manifest counts from the time of issuance, and other tools do not backdate.
        let lifetime = |from: OffsetDateTime, to: OffsetDateTime| to - from - profile.backdate;
        let found = lifetime(certificate.not_before, certificate.not_after);
        let expected = lifetime(template.not_before, template.not_after);
        let is_same = found == expected || found + profile.backdate == expected;
        // The certificate was shortened to the end of its CA, and a new one would not be valid for longer.
        let ca = cas.issuing();
        let ends_with_ca = certificate.not_after == ca.not_after
            && ca.not_after <= template.not_after
            && found <= expected;
        differ(
            "lifetime",
            if is_same || ends_with_ca { expected } else { found }.to_string(),
            expected.to_string(),
        );
        let (mut found, expected) = (certificate.issuer.to_string(), ca.subject.to_string());
        if found == expected && !certificate.is_signed_by(&ca.public_key) {
            found.push_str(", whose key did not sign it");
        }
        differ("issuer", found, expected);
        differ("chain", sent_with(chain), sent_with(cas.intermediates()));
        let key_id =
            |key: Option<&PublicKey>| key.map_or("none".to_owned(), |k| k.key_id().to_string());
        differ("key file", key_id(key), key_id(Some(&certificate.public_key)));
        if !drift.is_empty() {
            return Ok(Action::Reissue { drift });
        }
        if certificate.not_after - now < renewal_margin(self.renew_before, self.expiry) {
            return Ok(Action::Renew { not_after: certificate.not_after });
        }
        Ok(Action::Keep)
    }
}

fn found_names(certificate: &Certificate) -> Vec<String> {
    let names = certificate.extensions.subject_alt_name.iter().flatten();
    names.map(GeneralName::to_string).collect()
}

/// The CAs that a leaf is sent with. A root among them changes nothing (RFC 8446 section 4.4.2).
fn sent_with(chain: &[Certificate]) -> String {
    let sent = chain.iter().filter(|ca| !ca.is_self_issued());
    let sent: Vec<String> =
        sent.map(|ca| format!("{} (serial {})", ca.subject, ca.serial)).collect();
    if sent.is_empty() { "none".to_owned() } else { sent.join(", ") }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn sorted(mut items: Vec<String>) -> String {
    items.sort();
    items.join(", ")
}
