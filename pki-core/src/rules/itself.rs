//! What the rules find in a certificate itself, wherever it is, also outside a path: every program that loads it must be
//! able to read it.

use super::go::{GO_UNUSED, GoCertificate, Role, faults_of_unused};
use super::row::{Check, Row};
use super::table::ROWS_OF_CERTIFICATES;
use crate::certificate::Certificate;
use crate::finding::Finding;

/// The violations of the rules about a certificate itself. They do not depend on a path or on options, so a verifier finds
/// them once for each of its CAs.
pub(crate) struct OwnViolations(Vec<(&'static Row, String)>);

impl OwnViolations {
    pub(crate) fn of(certificate: &Certificate) -> Self {
        Self::in_role(certificate, Role::InPath)
    }

    /// Those because of which Go cannot parse a certificate that it does not use.
    fn of_unused(certificate: &Certificate) -> Self {
        Self::in_role(certificate, Role::Unused)
    }

    fn in_role(certificate: &Certificate, role: Role) -> Self {
        let certificate = GoCertificate::read(certificate, role);
        let mut violations = Vec::new();
        for row in ROWS_OF_CERTIFICATES.iter().copied() {
            if let Check::CertificateItself(check) = row.check {
                violations.extend(check(&certificate).into_iter().map(|evidence| (row, evidence)));
            }
        }
        Self(violations)
    }

    /// The evidence of all.
    fn evidence(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, evidence)| evidence.as_str())
    }

    /// The evidence of those of one row.
    pub(super) fn of_row(&self, row: &'static Row) -> Vec<String> {
        let of_row = self.0.iter().filter(|(violated, _)| std::ptr::eq(*violated, row));
        of_row.map(|(_, evidence)| evidence.clone()).collect()
    }
}

/// Why Go cannot parse a certificate outside the path.
pub(crate) fn unused_violations(certificate: &Certificate) -> Vec<Finding> {
    let own = OwnViolations::of_unused(certificate);
    let faults =
        own.evidence().map(str::to_owned).chain(faults_of_unused(certificate).map(str::to_owned));
    let subject = certificate.subject.to_string();
    let findings = faults.map(|fault| {
        let evidence = format!("no path uses this certificate, and Go cannot parse it: {fault}");
        Finding::new(&GO_UNUSED, subject.clone(), evidence)
    });
    findings.collect()
}
