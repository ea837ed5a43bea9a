//! What the rules find in a certificate itself, wherever it is, also outside a path: every program that loads it must be
//! able to read it.

use super::go::{GoCertificate, Role};
use super::{Check, ROWS_OF_CERTIFICATES, Row};
use crate::certificate::Certificate;

/// The violations of the rules about a certificate itself. They do not depend on a path or on options, so a verifier finds
/// them once for each of its CAs.
pub(crate) struct OwnViolations(Vec<(&'static Row, String)>);

impl OwnViolations {
    pub(crate) fn of(certificate: &Certificate) -> Self {
        Self::in_role(certificate, Role::InPath)
    }

    /// Those because of which Go cannot parse a certificate that it does not use.
    pub(crate) fn of_unused(certificate: &Certificate) -> Self {
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
    pub(super) fn evidence(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, evidence)| evidence.as_str())
    }

    /// The evidence of those of one row.
    pub(super) fn of_row(&self, row: &'static Row) -> Vec<String> {
        let of_row = self.0.iter().filter(|(violated, _)| std::ptr::eq(*violated, row));
        of_row.map(|(_, evidence)| evidence.clone()).collect()
    }
}
