//! Rules, and what is found where a certificate violates one.

use std::fmt;

use crate::evidence::Evidence;
use crate::quote;

/// How much a finding matters to the cluster.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "callers match every severity")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Works today, breaks later or elsewhere.
    Warning,
    /// Breaks now, or is a hole.
    Error,
}

impl Severity {
    /// The word that people and programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose demand a rule carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// What etcd, the Kubernetes API server and the programs around them need beyond RFC 5280.
    Etcd,
    /// What Go's crypto/x509 and crypto/tls need, which etcd and the Kubernetes API server are built with.
    Go,
    /// RFC 5280 and the algorithm RFCs beside it.
    Rfc5280,
}

impl Source {
    /// The word that people and programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Go => "Go",
            Self::Rfc5280 => "RFC 5280",
        }
    }
}

/// One thing that a certificate must be, with what happens when it is not.
#[derive(Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "rules are written as literals in one table")]
pub struct Rule {
    /// Stable identifier, lower case with hyphens.
    pub id: &'static str,
    /// How much a violation matters.
    pub severity: Severity,
    /// Whose demand it is.
    pub source: Source,
    /// One sentence: what breaks in the cluster.
    pub impact: &'static str,
    /// One sentence: how to mend it.
    pub remedy: &'static str,
    /// Where the demand is written down or was observed.
    pub citation: &'static str,
}

/// A rule that a certificate breaks, with the evidence.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// The rule's severity, raised where the policy in force says so.
    pub severity: Severity,
    /// Which certificate, by its subject.
    pub subject: String,
    /// What was found, and what is required.
    pub evidence: Evidence,
}

impl Finding {
    pub(crate) fn new(
        rule: &'static Rule,
        subject: impl Into<String>,
        evidence: impl Into<Evidence>,
    ) -> Self {
        let (subject, evidence) = (quote::name(&subject.into()), evidence.into().bounded());
        Self { rule, severity: rule.severity, subject, evidence }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}] {}: {}", self.severity, self.rule.id, self.subject, self.evidence)
    }
}

/// Sorts findings, worst first. Findings of one severity keep the order of path and table.
pub(crate) fn worst_first(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
}
