//! The totals, and the exit code that follows from them.

use std::fmt;

use pki_core::{CertificationPath, Severity};
use serde::Serialize;

use super::outcome::Verified;
use crate::failure::{Failure, Kind};

/// A file in a folder that is not a certificate to verify.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Skipped {
    Key,
    Request,
    Crl,
    /// Only CAs: they are trusted, not verified.
    TrustFile,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "a private key",
            Self::Request => "a certification request",
            Self::Crl => "a CRL",
            Self::TrustFile => "only CA certificates",
        })
    }
}

/// The counts of a run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Totals {
    /// Files and endpoints.
    pub(crate) files: usize,
    pub(crate) ok: usize,
    /// Certificates whose path leads to a trusted CA.
    pub(crate) trusted: usize,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) ignored: usize,
    /// Files and endpoints that could not be verified.
    pub(crate) failed: usize,
    #[serde(skip)]
    pub(super) with_errors: usize,
    #[serde(skip)]
    pub(super) skipped: SkippedCounts,
    #[serde(skip)]
    pub(super) code: u8,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct SkippedCounts {
    pub(super) keys: usize,
    pub(super) requests: usize,
    pub(super) crls: usize,
    pub(super) trust_files: usize,
}

impl Totals {
    /// The totals of one outcome.
    pub(super) fn of(result: &Result<Verified, Failure>) -> Self {
        let mut totals = Self::default();
        totals.count(result);
        totals
    }

    fn count(&mut self, result: &Result<Verified, Failure>) {
        self.files += 1;
        match result {
            Ok(verified) => {
                let ok = verified.is_ok();
                self.ok += usize::from(ok);
                let trusted = verified.path.as_ref().is_some_and(CertificationPath::is_trusted);
                self.trusted += usize::from(trusted);
                self.with_errors += usize::from(!ok);
                self.errors += verified.count(Severity::Error);
                self.warnings += verified.count(Severity::Warning);
                self.ignored += verified.ignored().count();
                self.code = self.code.max(if ok { 0 } else { Kind::Refused.exit_code() });
            }
            Err(failure) => {
                self.failed += 1;
                // An input that was not verified is worse than a finding: 3, then 2, then 1.
                self.code = self.code.max(failure.kind.exit_code());
            }
        }
    }

    pub(super) fn skip(&mut self, what: Skipped) {
        let counts = &mut self.skipped;
        *match what {
            Skipped::Key => &mut counts.keys,
            Skipped::Request => &mut counts.requests,
            Skipped::Crl => &mut counts.crls,
            Skipped::TrustFile => &mut counts.trust_files,
        } += 1;
    }

    pub(super) fn add(&mut self, one: &Self) {
        self.files += one.files;
        self.ok += one.ok;
        self.trusted += one.trusted;
        self.with_errors += one.with_errors;
        self.errors += one.errors;
        self.warnings += one.warnings;
        self.ignored += one.ignored;
        self.failed += one.failed;
        self.code = self.code.max(one.code);
    }

    pub(super) const fn is_ok(&self) -> bool {
        self.code == 0
    }
}
