//! The verifier's answer: the certification path, what became of trust, and what the rules found.
//!
//! A negative answer is data and not an error. Trust is settled before anybody looks at findings: a
//! caller that passes over findings cannot make an untrusted certificate trusted.

use std::fmt;

use crate::certificate::Certificate;
use crate::finding::{Finding, Severity, worst_first};

/// The role of a certificate in a certification path (RFC 5280 section 6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a path has no other places")]
pub enum Place {
    /// The certificate that is verified.
    Leaf,
    /// A CA between the leaf and the anchor, not trusted in itself.
    Intermediate,
    /// One of the CAs that the verifier was told to trust.
    Anchor,
}

impl Place {
    /// The word that people and programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Intermediate => "intermediate",
            Self::Anchor => "anchor",
        }
    }
}

/// What is known about the signature on a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match every case")]
pub enum SignatureStatus {
    /// The key of the next certificate in the path made it.
    Verified,
    /// The key of the next certificate in the path did not make it.
    Invalid,
    /// Its algorithm is not supported, or does not fit the key, so nobody checked it.
    Unsupported,
    /// Nothing stands above the certificate: it is the anchor, or its issuer is not known.
    NotChecked,
}

impl SignatureStatus {
    /// The word that people and programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::NotChecked => "not-checked",
        }
    }
}

/// One certificate of a certification path.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PathCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// Its role in the path.
    pub place: Place,
    /// What is known about the signature on it.
    pub signature: SignatureStatus,
}

/// Why rustls-webpki cannot accept a path, whatever it holds. Such a path is validated by RFC 5280
/// section 6.1 without it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PathLimit {
    /// A certificate begins before 1970.
    Before1970,
    /// The leaf is a CA.
    CaAsLeaf,
    /// A self-issued CA stands below name constraints.
    ConstrainedSelfIssuedCa,
    /// A CA constrains names that are neither DNS names nor addresses.
    ConstraintKind,
    /// An extension on policies is critical.
    CriticalPolicies,
    /// A path length is above 255.
    LargePathLen,
    /// More than six CAs stand between leaf and anchor.
    Length,
    /// A self-issued CA stands below a path length.
    SelfIssuedBelowPathLen,
    /// A certificate is larger than 64 KiB.
    Size,
    /// A certificate has an issuerUniqueID or a subjectUniqueID.
    UniqueIds,
    /// The leaf is an X.509 version 1 or 2 certificate.
    Version,
}

impl fmt::Display for PathLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before1970 => "a certificate begins before 1970",
            Self::CaAsLeaf => "the certificate is a CA",
            Self::ConstrainedSelfIssuedCa => "a self-issued CA stands below name constraints",
            Self::ConstraintKind => {
                "a CA constrains email addresses, URIs, directory names or other names"
            }
            Self::CriticalPolicies => "an extension on policies is critical",
            Self::LargePathLen => "a path length is above 255",
            Self::Length => "more than six CAs stand between leaf and anchor",
            Self::SelfIssuedBelowPathLen => "a self-issued CA stands below a path length",
            Self::Size => "a certificate is larger than 64 KiB",
            Self::UniqueIds => "a certificate has an issuerUniqueID or a subjectUniqueID",
            Self::Version => "the certificate is not an X.509 version 3 certificate",
        })
    }
}

/// Whether the signatures of a path lead from the leaf to an anchor.
///
/// Nothing that is ignored and no severity changes it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match both answers")]
pub enum Trust {
    /// Every signature below the anchor verifies, and every issuer below it is a CA.
    Accepted,
    /// The path is not trusted, for the reason that the finding gives.
    Refused(Box<Finding>),
}

/// The path from a leaf towards a trust anchor, and whether it is trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct CertificationPath {
    certificates: Vec<PathCertificate>,
    limit: Option<PathLimit>,
    trust: Trust,
}

impl CertificationPath {
    pub(crate) const fn new(
        certificates: Vec<PathCertificate>,
        limit: Option<PathLimit>,
        trust: Trust,
    ) -> Self {
        Self { certificates, limit, trust }
    }

    /// The certificates, the leaf first. The last one is an anchor if the path leads to one.
    pub fn certificates(&self) -> &[PathCertificate] {
        &self.certificates
    }

    /// The certificate that was verified.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first().map(|first| &first.certificate)
    }

    /// The anchor that the path is trusted by.
    pub fn anchor(&self) -> Option<&Certificate> {
        let last = self.certificates.last().filter(|_| self.is_trusted());
        last.map(|last| &last.certificate)
    }

    /// Why rustls-webpki has no say about this path.
    pub const fn limit(&self) -> Option<PathLimit> {
        self.limit
    }

    /// What became of trust.
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// True when the path leads to an anchor.
    pub const fn is_trusted(&self) -> bool {
        matches!(self.trust, Trust::Accepted)
    }

    /// Why the path is not trusted.
    pub fn refusal(&self) -> Option<&Finding> {
        match &self.trust {
            Trust::Accepted => None,
            Trust::Refused(finding) => Some(finding),
        }
    }
}

/// The subjects, the leaf first.
impl fmt::Display for CertificationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.certificates.iter().enumerate() {
            if index > 0 {
                f.write_str(" <- ")?;
            }
            write!(f, "{}", one.certificate.subject)?;
        }
        Ok(())
    }
}

/// Everything that was found about one certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct Report {
    path: CertificationPath,
    findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(path: CertificationPath, mut findings: Vec<Finding>) -> Self {
        worst_first(&mut findings);
        Self { path, findings }
    }

    /// The path that was judged, and whether it is trusted.
    pub const fn path(&self) -> &CertificationPath {
        &self.path
    }

    /// Why the path is not trusted, unless a finding explains it, then what the rules found, worst first.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let explained = |refusal: &&Finding| self.findings.iter().any(|one| one.explains(refusal));
        self.path.refusal().filter(|refusal| !explained(refusal)).into_iter().chain(&self.findings)
    }

    /// True when the path is trusted and nothing that was found is an error.
    pub fn is_ok(&self) -> bool {
        self.path.is_trusted() && self.worst() < Some(Severity::Error)
    }

    /// The severity of the worst finding.
    pub fn worst(&self) -> Option<Severity> {
        self.findings().map(|finding| finding.severity).max()
    }

    /// The path, and what the rules found, for a caller that counts findings in its own way.
    pub fn into_parts(self) -> (CertificationPath, Vec<Finding>) {
        (self.path, self.findings)
    }

    /// The same report, except for what a rule found.
    #[cfg(feature = "manifest")]
    pub(crate) fn without(mut self, rule: &str) -> Self {
        self.findings.retain(|finding| finding.rule.id != rule);
        self
    }

    /// Adds what was found about the certificate apart from its path.
    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
        worst_first(&mut self.findings);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}
