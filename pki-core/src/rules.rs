//! The rules: one table that both `issue` and `verify` apply.
//!
//! Rules are in groups, one file for each. A new rule is one row in a group, one function in the same
//! file, and an example: the same input with and without the fault.

mod ca;
#[cfg(feature = "manifest")]
mod client_config;
#[cfg(feature = "manifest")]
mod client_files;
mod clients;
#[cfg(feature = "manifest")]
mod cluster;
#[cfg(feature = "manifest")]
mod config;
mod constraints;
#[cfg(feature = "manifest")]
mod crls;
mod endpoint;
#[cfg(feature = "manifest")]
mod files;
mod form;
mod go;
mod itself;
mod keys;
mod names;
mod options;
mod path;
#[cfg(feature = "manifest")]
mod peers;
#[cfg(feature = "manifest")]
mod pem;
mod policies;
#[cfg(feature = "manifest")]
mod reach;
#[cfg(feature = "manifest")]
mod remarks;
mod revocation;
mod row;
#[cfg(feature = "manifest")]
mod servers;
mod symptoms;
#[cfg(feature = "manifest")]
mod trust;
mod usages;
mod validity;

#[cfg(feature = "manifest")]
use std::collections::HashSet;
use std::sync::LazyLock;

use self::row::{AtIssue, Check, Row};
use crate::certificate::Certificate;
#[cfg(feature = "manifest")]
use crate::deployment::Deployment;
use crate::error::Error;
use crate::evidence::{Evidence, listed, moment};
use crate::finding::{Finding, Rule, Severity, Source};
use crate::report::Place;
use crate::subject::Attribute;
use crate::suggest;
use crate::usage::{ExtendedKeyUsage, Purpose};

pub use self::endpoint::EndpointFault;
#[cfg(feature = "manifest")]
pub(crate) use self::files::MANIFEST_DRIFT;
#[cfg(feature = "manifest")]
pub use self::files::unreadable_file;
use self::go::GoCertificate;
pub use self::go::{Demand as GoDemand, crl_damage, go_demands, pem_damage};
pub(crate) use self::go::{is_in_go_chain, too_many_candidates, unsendable, unused_violations};
pub(crate) use self::itself::OwnViolations;
pub use self::options::{Policy, VerifyOptions};
pub(crate) use self::path::{
    CHAIN_ORDER, PATH_REJECTED, PATH_SIGNATURE, PATH_TOO_DEEP, PATH_UNKNOWN_AUTHORITY, not_der,
};
pub(crate) use self::revocation::{
    check_crl_before_signing, unused_crls, violations as revocation_violations,
};
#[cfg(feature = "manifest")]
pub(crate) use self::row::Violation;
pub use self::symptoms::rules_behind;

/// One certificate in its path, and what to check it against.
pub(crate) struct CertificateInPath<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) place: Place,
    /// The CAs above it, starting with its issuer.
    pub(crate) above: &'a [&'a Certificate],
    /// How many CAs that are not self-issued are below it.
    pub(crate) cas_below: usize,
    /// How many CAs are below it, including self-issued ones.
    pub(crate) all_cas_below: usize,
    pub(crate) options: &'a VerifyOptions,
}

impl CertificateInPath<'_> {
    fn issuer(&self) -> Option<&Certificate> {
        self.above.first().copied()
    }

    /// True above the leaf, and of a leaf that is verified as a CA.
    fn is_to_sign(&self) -> bool {
        !self.is_leaf() || self.options.purpose == Purpose::Ca
    }

    fn is_leaf(&self) -> bool {
        self.place == Place::Leaf
    }

    /// True for a leaf certificate that is verified for this purpose.
    fn is_asked_as(&self, purpose: Purpose) -> bool {
        self.is_leaf() && self.options.purpose == purpose
    }

    /// RFC 5280 section 4.2.1.12: without the extension, every usage is allowed. Go reads an empty one in the same
    /// way, and `eku-form` reports it.
    fn allows(&self, required: &ExtendedKeyUsage) -> bool {
        match &self.certificate.extensions.extended_key_usage {
            Some(usages) => {
                usages.is_empty() || usages.iter().any(|usage| usage == required || usage.is_any())
            }
            None => true,
        }
    }
}

/// The table, group by group. Findings of the same severity are in this order.
static GROUPS: &[&[Row]] = &[
    validity::ROWS,
    ca::ROWS,
    constraints::ROWS,
    policies::ROWS,
    form::ROWS,
    keys::ROWS,
    usages::ROWS,
    names::ROWS,
    path::ROWS,
    go::ROWS,
    revocation::ROWS,
    #[cfg(feature = "manifest")]
    files::ROWS,
    #[cfg(feature = "manifest")]
    pem::ROWS,
    // With manifests, the rule is checked on the files of hosts too.
    #[cfg(not(feature = "manifest"))]
    &[Row::whole(&CHAIN_ORDER), Row::whole(&go::PEM_DAMAGED), Row::whole(&go::FOREIGN_BLOCK)],
    #[cfg(feature = "manifest")]
    trust::ROWS,
    #[cfg(feature = "manifest")]
    servers::ROWS,
    #[cfg(feature = "manifest")]
    peers::ROWS,
    clients::ROWS,
    #[cfg(feature = "manifest")]
    client_files::ROWS,
    #[cfg(feature = "manifest")]
    client_config::ROWS,
    #[cfg(feature = "manifest")]
    remarks::ROWS,
    #[cfg(feature = "manifest")]
    config::ROWS,
    #[cfg(feature = "manifest")]
    crls::ROWS,
    #[cfg(feature = "manifest")]
    cluster::ROWS,
    endpoint::ROWS,
];

/// The rows that are checked on a certificate.
static ROWS_OF_CERTIFICATES: LazyLock<Vec<&'static Row>> = LazyLock::new(|| {
    let is_of_certificate = |row: &&Row| match row.check {
        Check::AtIssue(_)
        | Check::Certificate(_)
        | Check::CertificateItself(_)
        | Check::Rfc5280(_)
        | Check::Typed(_) => true,
        #[cfg(feature = "manifest")]
        Check::Deployment(_) => false,
        Check::Whole => false,
    };
    rows().filter(is_of_certificate).collect()
});

fn rows() -> impl Iterator<Item = &'static Row> {
    GROUPS.iter().copied().flatten()
}

/// Every rule, in the order of the table.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    rows().map(|row| row.rule)
}

/// The rule with this id.
pub fn rule(id: &str) -> Result<&'static Rule, Error> {
    rules().find(|rule| rule.id == id).ok_or_else(|| {
        let near = suggest::nearest(id, rules().map(|rule| rule.id));
        let error = Error::invalid("rule", id, "unknown rule");
        error.hinted(match near {
            Some(near) => format!("did you mean {near:?}?"),
            None => "run `etcdpki explain` to list all rules".to_owned(),
        })
    })
}

/// Applies the table to one certificate. `own` is what the rules find in it, wherever it is.
pub(crate) fn check(
    in_path: &CertificateInPath<'_>,
    own: &OwnViolations,
    policy: Policy,
) -> Vec<Finding> {
    let found = apply_rows(in_path, own, policy, Stage::Issued);
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Applies the table to a certificate that is about to be signed. A finding that forbids signing is an
/// error, whatever its severity is once the certificate is issued.
pub(crate) fn check_before_signing(in_path: &CertificateInPath<'_>) -> Vec<Finding> {
    let own = OwnViolations::of(in_path.certificate);
    let found = apply_rows(in_path, &own, Policy::Etcd, Stage::Draft).into_iter();
    let raised = found.map(|(row, finding)| match row.at_issue {
        AtIssue::BySeverity => finding,
        AtIssue::Refuse => Finding { severity: Severity::Error, ..finding },
    });
    raised.collect()
}

/// Whether a certificate is already signed.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stage {
    Draft,
    Issued,
}

/// Uses loops instead of a chain of iterators, which would cost more here than the checks themselves:
/// almost all of them find nothing.
fn apply_rows(
    in_path: &CertificateInPath<'_>,
    own: &OwnViolations,
    policy: Policy,
    stage: Stage,
) -> Vec<(&'static Row, Finding)> {
    let mut found = Vec::new();
    for row in ROWS_OF_CERTIFICATES.iter().copied() {
        if policy == Policy::Rfc5280 && row.rule.source != Source::Rfc5280 {
            continue;
        }
        let evidence = match row.check {
            Check::Typed(check) => check(in_path),
            Check::Certificate(check) => texts(check(in_path)),
            Check::CertificateItself(_) => texts(own.of_row(row)),
            Check::AtIssue(check) if stage == Stage::Draft => texts(check(in_path)),
            Check::Rfc5280(check) if policy == Policy::Rfc5280 => texts(check(in_path)),
            _ => continue,
        };
        for evidence in evidence {
            let subject = in_path.certificate.subject.to_string();
            let mut finding = finding(row.rule, policy, subject, evidence);
            if matches!(row.check, Check::Rfc5280(_)) {
                finding.severity = row.rule.severity;
            }
            found.push((row, finding));
        }
    }
    found
}

fn texts(evidence: Vec<String>) -> Vec<Evidence> {
    if evidence.is_empty() {
        return Vec::new();
    }
    evidence.into_iter().map(Evidence::Text).collect()
}

/// Applies the table to the files of all hosts. Returns each finding with the file that it is about.
#[cfg(feature = "manifest")]
pub(crate) fn check_deployment(deployment: &Deployment<'_>) -> Vec<(String, Finding)> {
    let mut findings = Vec::new();
    for row in rows() {
        let Check::Deployment(check) = row.check else { continue };
        // One file may have two roles.
        let mut known: HashSet<Violation> = HashSet::new();
        for violation in check(deployment) {
            if known.insert(violation.clone()) {
                let Violation { file, subject, evidence } = violation;
                findings.push((file, Finding::new(row.rule, subject, evidence)));
            }
        }
    }
    findings
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

/// The common names of a certificate's subject.
fn common_names(certificate: &Certificate) -> impl Iterator<Item = &str> {
    let attributes = certificate.subject.attributes.iter();
    attributes.filter(|a| a.attribute == Attribute::CommonName).map(|a| a.value.as_str())
}

/// The evidence of one violation if the rule is broken.
fn when<E>(broken: bool, evidence: impl FnOnce() -> E) -> Vec<E> {
    if broken { vec![evidence()] } else { Vec::new() }
}
