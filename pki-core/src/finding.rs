//! Rules, and the findings for certificates that violate them.

use std::fmt;

use crate::evidence::Evidence;
use crate::quote;

/// The importance of a finding for the cluster.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "callers match every severity")]
pub enum Severity {
    /// Good to know; no action is needed.
    Info,
    /// Works now, but fails later or in other programs.
    Warning,
    /// Fails now, or is a security hole.
    Error,
}

impl Severity {
    /// The name in output.
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

/// Who requires a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// etcd, the Kubernetes API server and related programs, in addition to RFC 5280.
    Etcd,
    /// Go's crypto/x509 and crypto/tls, which etcd and the Kubernetes API server use.
    Go,
    /// RFC 5280 and the RFCs about algorithms.
    Rfc5280,
}

impl Source {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Go => "Go",
            Self::Rfc5280 => "RFC 5280",
        }
    }
}

/// A requirement, and what happens if it is violated.
#[derive(Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "rules are written as literals in one table")]
pub struct Rule {
    /// The stable identifier, in lower case with hyphens.
    pub id: &'static str,
    /// The importance of a violation.
    pub severity: Severity,
    /// Who requires it.
    pub source: Source,
    /// What fails in the cluster, for whom and when.
    pub impact: &'static str,
    /// How to fix it, with the command to run.
    pub remedy: &'static str,
    /// Where the requirement is defined or was observed.
    pub citation: &'static str,
}

/// A violation of a rule, with the evidence.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The violated rule.
    pub rule: &'static Rule,
    /// The rule's severity, or a higher one under a stricter policy.
    pub severity: Severity,
    /// The subject of the certificate, or the name of the file or endpoint.
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

/// Sorts findings, worst first. Findings of the same severity keep the order of the path and of the table.
pub(crate) fn worst_first(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
}
