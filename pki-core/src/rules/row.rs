//! A row of the table: a rule, and how it is checked.

use super::CertificateInPath;
use super::go::GoCertificate;
#[cfg(feature = "manifest")]
use crate::deployment::{Deployment, Member};
use crate::evidence::Evidence;
use crate::finding::Rule;

/// A row of the table.
pub(super) struct Row {
    pub(super) rule: &'static Rule,
    pub(super) check: Check,
    pub(super) at_issue: AtIssue,
}

impl Row {
    /// A rule that is checked on each certificate. Each string is the evidence of one violation.
    pub(super) const fn certificate(
        rule: &'static Rule,
        check: fn(&CertificateInPath<'_>) -> Vec<String>,
    ) -> Self {
        Self { rule, check: Check::Certificate(check), at_issue: AtIssue::BySeverity }
    }

    /// The same, with values in the evidence that a program may want.
    pub(super) const fn typed(
        rule: &'static Rule,
        check: fn(&CertificateInPath<'_>) -> Vec<Evidence>,
    ) -> Self {
        Self { rule, check: Check::Typed(check), at_issue: AtIssue::BySeverity }
    }

    /// A rule that is checked on a certificate wherever it is, also outside the path.
    pub(super) const fn certificate_itself(
        rule: &'static Rule,
        check: fn(&GoCertificate<'_>) -> Vec<String>,
    ) -> Self {
        Self { rule, check: Check::CertificateItself(check), at_issue: AtIssue::BySeverity }
    }

    /// A rule that is checked only under [`Policy::Rfc5280`], because a violation is known to be harmless
    /// in Go and therefore in etcd. RFC 5280 does not define what it means, so it is only a warning.
    pub(super) const fn only_rfc5280(
        rule: &'static Rule,
        check: fn(&CertificateInPath<'_>) -> Vec<String>,
    ) -> Self {
        Self { rule, check: Check::Rfc5280(check), at_issue: AtIssue::BySeverity }
    }

    /// A rule that the verifier checks on a whole path, or the audit on a file.
    pub(super) const fn whole(rule: &'static Rule) -> Self {
        Self { rule, check: Check::Whole, at_issue: AtIssue::BySeverity }
    }

    /// A rule that is checked only on a certificate that is about to be signed.
    pub(super) const fn at_issue(
        rule: &'static Rule,
        check: fn(&CertificateInPath<'_>) -> Vec<String>,
    ) -> Self {
        Self { rule, check: Check::AtIssue(check), at_issue: AtIssue::BySeverity }
    }

    /// A rule about the files of all hosts of a cluster.
    #[cfg(feature = "manifest")]
    pub(super) const fn deployment(
        rule: &'static Rule,
        check: fn(&Deployment<'_>) -> Vec<Violation>,
    ) -> Self {
        Self { rule, check: Check::Deployment(check), at_issue: AtIssue::BySeverity }
    }

    pub(super) const fn refused_at_issue(self) -> Self {
        Self { at_issue: AtIssue::Refuse, ..self }
    }
}

/// What the check of a rule is given.
pub(super) enum Check {
    AtIssue(fn(&CertificateInPath<'_>) -> Vec<String>),
    Certificate(fn(&CertificateInPath<'_>) -> Vec<String>),
    CertificateItself(fn(&GoCertificate<'_>) -> Vec<String>),
    #[cfg(feature = "manifest")]
    Deployment(fn(&Deployment<'_>) -> Vec<Violation>),
    Rfc5280(fn(&CertificateInPath<'_>) -> Vec<String>),
    Typed(fn(&CertificateInPath<'_>) -> Vec<Evidence>),
    Whole,
}

/// A violation of a rule about a deployment.
#[cfg(feature = "manifest")]
#[derive(Clone, Eq, Hash, PartialEq)]
pub(crate) struct Violation {
    /// `HOST/FILE`
    pub(crate) file: String,
    pub(crate) subject: String,
    pub(crate) evidence: String,
}

#[cfg(feature = "manifest")]
impl Violation {
    /// A violation in the configuration of a member, in the file of this name.
    pub(super) fn about(member: &Member<'_>, name: &str, evidence: String) -> Self {
        let file = format!("{}/{name}", member.host.name);
        Self { file, subject: name.to_owned(), evidence }
    }
}

/// How a violation affects issuing.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum AtIssue {
    /// Errors refuse to issue; other severities warn.
    BySeverity,
    /// Refuse to issue, although a verifier only warns.
    Refuse,
}
