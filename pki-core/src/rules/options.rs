//! What a certificate is verified for, and by which rules.

use rustls_pki_types::ServerName;
use time::{Duration, OffsetDateTime};

use crate::evidence::Evidence;
use crate::finding::{Finding, Rule, Severity};
use crate::key::PublicKey;
use crate::usage::Purpose;

/// What to verify a certificate for, and at which time. [`VerifyOptions::at`] makes one; the other fields can be set
/// afterwards.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// The time to verify at.
    pub at: OffsetDateTime,
    /// The role to verify the certificate for.
    pub purpose: Purpose,
    /// The host names and addresses that the certificate must be valid for.
    pub hosts: Vec<ServerName<'static>>,
    /// The public key that the certificate must contain.
    pub key: Option<PublicKey>,
    /// Warn if the certificate expires within this time.
    pub expires_within: Option<Duration>,
}

impl VerifyOptions {
    /// Verifies at a time, for any purpose and without further requirements.
    pub const fn at(at: OffsetDateTime) -> Self {
        Self { at, purpose: Purpose::Any, hosts: Vec::new(), key: None, expires_within: None }
    }
}

/// Which rules to apply.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Policy {
    /// RFC 5280, and what else etcd and the API server require
    #[default]
    Etcd,
    /// Only RFC 5280, with every violation an error
    Rfc5280,
}

/// A finding under a policy.
pub(crate) fn finding(
    rule: &'static Rule,
    policy: Policy,
    subject: String,
    evidence: impl Into<Evidence>,
) -> Finding {
    let mut finding = Finding::new(rule, subject, evidence);
    if policy == Policy::Rfc5280 {
        finding.severity = Severity::Error;
    }
    finding
}
