//! The rules: one table, used by issue and by verify alike.
//!
//! A new rule is one row in `table.rs`, one function in `rfc5280.rs` or `etcd.rs`, and two test
//! certificates: one that breaks it and one that does not.

mod constraints;
mod etcd;
mod rfc5280;
mod table;

use rustls_pki_types::ServerName;
use time::{Duration, OffsetDateTime};

use crate::certificate::Certificate;
use crate::key::PublicKey;
use crate::report::{Finding, Rule, Severity, Source};

pub(crate) use self::table::{
    CA_KEY_ON_NODE, CA_NAME_CONSTRAINTS, CA_PATHLEN, CRL_UNUSABLE, DN_BYTES, FILE_MISSING,
    FILE_MODE, LEAF_REVOKED, MANIFEST_DRIFT, PATH_REJECTED, PATH_SIGNATURE, PATH_TOO_DEEP,
    PATH_UNKNOWN_AUTHORITY, SERIAL_DUP, SHARED_KEY, WORKER_CREDENTIAL,
};

/// What a certificate is asked to be good for, and when.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Question {
    /// The moment that is asked about.
    pub at: OffsetDateTime,
    /// The part that the certificate plays.
    pub purpose: Purpose,
    /// The host names and addresses that peers will dial.
    pub hosts: Vec<ServerName<'static>>,
    /// The public half of the key that should go with the certificate.
    pub key: Option<PublicKey>,
    /// Warn when the certificate ends within this time.
    pub expires_within: Option<Duration>,
}

impl Question {
    /// Asks about a moment, and about nothing else.
    pub const fn at(at: OffsetDateTime) -> Self {
        Self { at, purpose: Purpose::Any, hosts: Vec::new(), key: None, expires_within: None }
    }
}

/// The part that a certificate plays in an etcd cluster.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Purpose {
    /// No part in particular
    #[default]
    Any,
    /// A client of etcd, such as the Kubernetes API server
    Client,
    /// A member towards the other members (port 2380)
    Peer,
    /// A member towards its clients (port 2379)
    Server,
}

/// Whose rules count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Policy {
    /// RFC 5280, and what etcd and the API server need beyond it
    #[default]
    Etcd,
    /// RFC 5280 alone, every rule an error
    Rfc5280,
}

/// Where a certificate stands in its path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Position {
    Anchor,
    Intermediate,
    Leaf,
}

/// One certificate in its path, with the question that is asked.
pub(crate) struct Case<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) position: Position,
    /// The CAs above it, its issuer first.
    pub(crate) above: &'a [&'a Certificate],
    /// How many CAs that are not self-issued stand below it.
    pub(crate) cas_below: usize,
    pub(crate) question: &'a Question,
    /// The hosts of the question that no name of the leaf matches.
    pub(crate) unmatched: &'a [String],
}

impl Case<'_> {
    fn issuer(&self) -> Option<&Certificate> {
        self.above.first().copied()
    }

    fn is_leaf(&self) -> bool {
        self.position == Position::Leaf
    }
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) rule: &'static Rule,
    pub(crate) check: Check,
    pub(crate) at_issue: AtIssue,
}

/// How a rule is checked.
pub(crate) enum Check {
    /// On each certificate; every string is the evidence of one breach.
    Certificate(fn(&Case<'_>) -> Vec<String>),
    /// On the path or on the cluster as a whole, by the verifier or the audit.
    Whole,
}

/// What issuing makes of a breach.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum AtIssue {
    /// Errors refuse, the rest warns.
    BySeverity,
    /// Refuse, though a verifier only warns.
    Refuse,
}

/// Every rule, in the order of the table.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    table::ROWS.iter().map(|row| row.rule)
}

/// Applies the table to one certificate.
pub(crate) fn judge(case: &Case<'_>, policy: Policy) -> Vec<Finding> {
    judge_rows(case, policy).map(|(_, finding)| finding).collect()
}

/// Applies the table to a certificate that is about to be signed: the findings, and whether one of
/// them forbids signing.
pub(crate) fn judge_before_signing(case: &Case<'_>) -> (Vec<Finding>, bool) {
    let mut refused = false;
    let findings = judge_rows(case, Policy::Etcd)
        .map(|(row, finding)| {
            refused |= finding.severity == Severity::Error || row.at_issue == AtIssue::Refuse;
            finding
        })
        .collect();
    (findings, refused)
}

fn judge_rows<'a>(
    case: &'a Case<'_>,
    policy: Policy,
) -> impl Iterator<Item = (&'static Row, Finding)> + 'a {
    table::ROWS
        .iter()
        .filter(move |row| policy == Policy::Etcd || row.rule.source == Source::Rfc5280)
        .flat_map(move |row| {
            let evidence = match row.check {
                Check::Certificate(check) => check(case),
                Check::Whole => Vec::new(),
            };
            evidence.into_iter().map(move |evidence| {
                let subject = case.certificate.subject.to_string();
                (row, finding(row.rule, policy, subject, evidence))
            })
        })
}

/// A finding under a policy.
pub(crate) fn finding(
    rule: &'static Rule,
    policy: Policy,
    subject: String,
    evidence: String,
) -> Finding {
    let mut finding = Finding::new(rule, subject, evidence);
    if policy == Policy::Rfc5280 {
        finding.severity = Severity::Error;
    }
    finding
}
