//! Facts about certificates, requests and keys with stable field names. `--format json` prints them, and
//! text output is generated from them. docs/json.md describes them.

use pki_core::{
    Certificate, CertificateRequest, Crl, Evidence, Extensions, Finding, PublicKey,
    RevocationReason, signature_algorithm_name,
};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::inventory::decimal;

pub(crate) fn moment(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

fn strings<T: ToString>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Facts {
    Certificate(Box<CertificateFacts>),
    CertificateRequest(Box<RequestFacts>),
    Crl(CrlFacts),
    PrivateKey(KeyFacts),
    EncryptedKey {},
    Other { label: String },
}

#[derive(Debug, Serialize)]
pub(crate) struct CertificateFacts {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) serial: String,
    pub(crate) version: u32,
    pub(crate) not_before: String,
    pub(crate) not_after: String,
    pub(crate) key: KeyFacts,
    pub(crate) signature_algorithm: String,
    pub(crate) sha256: String,
    pub(crate) extensions: ExtensionFacts,
}

#[derive(Debug, Serialize)]
pub(crate) struct RequestFacts {
    pub(crate) subject: String,
    pub(crate) key: KeyFacts,
    pub(crate) signature_algorithm: String,
    /// Whether the request is signed with its own key.
    pub(crate) signature_valid: bool,
    pub(crate) extensions: ExtensionFacts,
}

#[derive(Debug, Serialize)]
pub(crate) struct CrlFacts {
    pub(crate) issuer: String,
    /// The cRLNumber in decimal.
    pub(crate) number: Option<String>,
    pub(crate) this_update: String,
    pub(crate) next_update: Option<String>,
    pub(crate) authority_key_id: Option<String>,
    pub(crate) revoked: Vec<RevokedFacts>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RevokedFacts {
    pub(crate) serial: String,
    pub(crate) revoked_at: String,
    pub(crate) reason: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct KeyFacts {
    pub(crate) algorithm: String,
    pub(crate) key_id: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ExtensionFacts {
    pub(crate) ca: bool,
    pub(crate) path_len: Option<u32>,
    pub(crate) key_usage: Option<Vec<String>>,
    pub(crate) extended_key_usage: Option<Vec<String>>,
    pub(crate) subject_alt_name: Option<Vec<String>>,
    pub(crate) subject_key_id: Option<String>,
    pub(crate) authority_key_id: Option<String>,
    pub(crate) permitted: Vec<String>,
    pub(crate) excluded: Vec<String>,
    pub(crate) crl_distribution_points: Vec<String>,
    pub(crate) authority_info_access: Vec<AccessFacts>,
    pub(crate) certificate_policies: Vec<String>,
    /// Every extension, unchanged and in order.
    pub(crate) all: Vec<RawExtension>,
}

#[derive(Debug, Serialize)]
pub(crate) struct AccessFacts {
    pub(crate) method: String,
    pub(crate) location: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct RawExtension {
    pub(crate) oid: String,
    pub(crate) name: Option<&'static str>,
    pub(crate) critical: bool,
    /// DER, in hexadecimal.
    pub(crate) value: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct FindingFacts {
    pub(crate) rule: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) subject: String,
    pub(crate) evidence: String,
    /// The values in the evidence that programs may need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) values: Option<Value>,
    pub(crate) impact: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) citation: &'static str,
    /// The reason given with `--ignore`, if the finding is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ignored: Option<String>,
}

pub(crate) fn findings(findings: &[Finding]) -> Vec<FindingFacts> {
    findings.iter().map(FindingFacts::from).collect()
}

impl From<&Finding> for FindingFacts {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.id,
            severity: finding.severity.as_str(),
            subject: finding.subject.clone(),
            evidence: finding.evidence.to_string(),
            values: values(&finding.evidence),
            impact: finding.rule.impact,
            remedy: finding.rule.remedy,
            citation: finding.rule.citation,
            ignored: None,
        }
    }
}

/// The limit on names in text: a hostile certificate can have tens of thousands.
const MOST_NAMES: usize = 100;

fn values(evidence: &Evidence) -> Option<Value> {
    Some(match evidence {
        Evidence::Expired { not_after, at } => {
            json!({ "not_after": moment(*not_after), "at": moment(*at) })
        }
        Evidence::NotYetValid { not_before, at } => {
            json!({ "not_before": moment(*not_before), "at": moment(*at) })
        }
        Evidence::ExpiresSoon { not_after, left, threshold } => json!({
            "not_after": moment(*not_after),
            "seconds_left": left.whole_seconds(),
            "threshold_seconds": threshold.whole_seconds(),
        }),
        Evidence::NotValidFor { host, names } => {
            let names: Vec<&String> = names.iter().take(MOST_NAMES).collect();
            json!({ "host": host, "names": names })
        }
        Evidence::OtherKeyId { found, expected } => {
            json!({ "found": found, "expected": expected })
        }
        Evidence::UnknownIssuer { issuer, trusted } => {
            json!({ "issuer": issuer, "trusted": trusted })
        }
        Evidence::NotSignedBy { tried } => {
            let tried = tried.iter().map(|(ca, key_id)| json!({ "ca": ca, "key_id": key_id }));
            json!({ "tried": tried.collect::<Vec<_>>() })
        }
        _ => return None,
    })
}

impl From<&Certificate> for CertificateFacts {
    fn from(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: certificate.serial.to_string(),
            version: certificate.version,
            not_before: moment(certificate.not_before),
            not_after: moment(certificate.not_after),
            key: KeyFacts::from(&certificate.public_key),
            signature_algorithm: signature_algorithm_name(&certificate.signature_algorithm)
                .to_owned(),
            sha256: certificate.fingerprint(),
            extensions: ExtensionFacts::from(&certificate.extensions),
        }
    }
}

impl From<&CertificateRequest> for RequestFacts {
    fn from(request: &CertificateRequest) -> Self {
        Self {
            subject: request.subject.to_string(),
            key: KeyFacts::from(&request.public_key),
            signature_algorithm: signature_algorithm_name(&request.signature_algorithm).to_owned(),
            signature_valid: request.is_self_signed(),
            extensions: ExtensionFacts::from(&request.extensions),
        }
    }
}

impl TryFrom<&Crl> for CrlFacts {
    type Error = pki_core::Error;

    fn try_from(crl: &Crl) -> Result<Self, pki_core::Error> {
        let key_id = crl.extensions.authority_key_id.as_ref().and_then(|aki| aki.key_id.as_ref());
        let revoked = crl.entries()?.into_iter().map(|entry| RevokedFacts {
            serial: entry.serial.to_string(),
            revoked_at: moment(entry.revoked_at),
            reason: entry.reason.map(RevocationReason::as_str),
        });
        Ok(Self {
            issuer: crl.issuer.to_string(),
            number: crl.number.as_deref().map(decimal),
            this_update: moment(crl.this_update),
            next_update: crl.next_update.map(moment),
            authority_key_id: key_id.map(ToString::to_string),
            revoked: revoked.collect(),
        })
    }
}

impl From<&PublicKey> for KeyFacts {
    fn from(key: &PublicKey) -> Self {
        Self { algorithm: key.algorithm_name(), key_id: key.key_id().to_string() }
    }
}

impl From<&Extensions> for ExtensionFacts {
    fn from(extensions: &Extensions) -> Self {
        let constraints = extensions.basic_constraints;
        let aki = extensions.authority_key_id.as_ref().and_then(|aki| aki.key_id.as_ref());
        let names = extensions.name_constraints.clone().unwrap_or_default();
        let access = extensions.authority_info_access.iter().flatten();
        let points = extensions.crl_distribution_points.iter().flatten();
        Self {
            ca: constraints.is_some_and(|constraints| constraints.ca),
            path_len: constraints.and_then(|constraints| constraints.path_len),
            key_usage: extensions.key_usage.map(|usage| strings(usage.names())),
            extended_key_usage: extensions.extended_key_usage.as_ref().map(strings),
            subject_alt_name: extensions.subject_alt_name.as_ref().map(strings),
            subject_key_id: extensions.subject_key_id.as_ref().map(ToString::to_string),
            authority_key_id: aki.map(ToString::to_string),
            permitted: strings(&names.permitted),
            excluded: strings(&names.excluded),
            crl_distribution_points: strings(points.flat_map(|point| &point.names)),
            authority_info_access: access
                .map(|access| AccessFacts {
                    method: match access.method.as_str() {
                        "1.3.6.1.5.5.7.48.1" => "ocsp".to_owned(),
                        "1.3.6.1.5.5.7.48.2" => "caIssuers".to_owned(),
                        other => other.to_owned(),
                    },
                    location: access.location.to_string(),
                })
                .collect(),
            certificate_policies: strings(extensions.certificate_policies.iter().flatten()),
            all: extensions
                .all
                .iter()
                .map(|extension| RawExtension {
                    oid: extension.oid.to_string(),
                    name: extension_name(extension.oid.as_str()),
                    critical: extension.critical,
                    value: hex(&extension.value),
                })
                .collect(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    pki_core::KeyId(bytes.to_vec()).to_string()
}

fn extension_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.3.6.1.5.5.7.1.1" => "authorityInfoAccess",
        "1.3.6.1.5.5.7.48.1.5" => "ocspNoCheck",
        "2.5.29.14" => "subjectKeyIdentifier",
        "2.5.29.15" => "keyUsage",
        "2.5.29.17" => "subjectAltName",
        "2.5.29.19" => "basicConstraints",
        "2.5.29.30" => "nameConstraints",
        "2.5.29.31" => "cRLDistributionPoints",
        "2.5.29.32" => "certificatePolicies",
        "2.5.29.33" => "policyMappings",
        "2.5.29.35" => "authorityKeyIdentifier",
        "2.5.29.36" => "policyConstraints",
        "2.5.29.37" => "extKeyUsage",
        "2.5.29.54" => "inhibitAnyPolicy",
        _ => return None,
    })
}
