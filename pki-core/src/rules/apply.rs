//! The table applied to a certificate, to one that is about to be signed, and to the files of all hosts.

#[cfg(feature = "manifest")]
use std::collections::HashSet;

#[cfg(feature = "manifest")]
use super::row::Violation;
use super::row::{AtIssue, Check, Row};
use super::table::ROWS_OF_CERTIFICATES;
#[cfg(feature = "manifest")]
use super::table::rows;
use super::{CertificateInPath, OwnViolations, Policy, finding};
#[cfg(feature = "manifest")]
use crate::deployment::Deployment;
use crate::evidence::Evidence;
use crate::finding::{Finding, Severity, Source};

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
