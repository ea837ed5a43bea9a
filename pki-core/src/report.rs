//! The result of verification: the certification path, the trust, and the findings of the rules.
//!
//! A negative result is data, not an error. Trust is decided independently of the findings: a caller that
//! ignores findings cannot make an untrusted certificate trusted.

use std::fmt;

use crate::certificate::Certificate;
use crate::finding::{Finding, Severity, worst_first};

/// The role of a certificate in a certification path (RFC 5280 section 6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a path has no other roles")]
pub enum Place {
    /// The certificate to verify.
    Leaf,
    /// A CA between the leaf certificate and the anchor that is not trusted itself.
    Intermediate,
    /// One of the verifier's trusted CAs.
    Anchor,
}

impl Place {
    /// The name in output.
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
    /// It was made with the key of the next certificate in the path.
    Verified,
    /// It was not made with the key of the next certificate in the path.
    Invalid,
    /// Its algorithm is not supported or does not fit the key, so it was not checked.
    Unsupported,
    /// There is no certificate above: this is the anchor, or its issuer is unknown.
    NotChecked,
}

impl SignatureStatus {
    /// The name in output.
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

/// Why rustls-webpki cannot accept a path even if it is valid. Such a path is validated by RFC 5280 section
/// 6.1 without it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PathLimit {
    /// A certificate begins before 1970.
    Before1970,
    /// The leaf is a CA.
    CaAsLeaf,
    /// A self-issued CA is below name constraints.
    ConstrainedSelfIssuedCa,
    /// A CA constrains names other than DNS names and IP addresses.
    ConstraintKind,
    /// An extension on policies is critical.
    CriticalPolicies,
    /// A path length is above 255.
    LargePathLen,
    /// There are more than six CAs between the leaf certificate and the anchor.
    Length,
    /// A self-issued CA is below a CA with a path length.
    SelfIssuedBelowPathLen,
    /// A certificate is larger than 64 KiB.
    Size,
    /// A certificate has an issuerUniqueID or a subjectUniqueID.
    UniqueIds,
    /// The leaf or the anchor is an X.509 version 1 or 2 certificate.
    Version,
}

impl fmt::Display for PathLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before1970 => "a certificate begins before 1970",
            Self::CaAsLeaf => "the certificate is a CA",
            Self::ConstrainedSelfIssuedCa => "a self-issued CA is below name constraints",
            Self::ConstraintKind => {
                "a CA constrains email addresses, URIs, directory names or other names"
            }
            Self::CriticalPolicies => "an extension on policies is critical",
            Self::LargePathLen => "a path length is above 255",
            Self::Length => "there are more than six CAs between leaf and anchor",
            Self::SelfIssuedBelowPathLen => "a self-issued CA is below a CA with a path length",
            Self::Size => "a certificate is larger than 64 KiB",
            Self::UniqueIds => "a certificate has an issuerUniqueID or a subjectUniqueID",
            Self::Version => {
                "the certificate or the trusted CA is not an X.509 version 3 certificate"
            }
        })
    }
}

/// Whether the signatures of a path lead from the leaf to an anchor.
///
/// It does not depend on ignored findings or on severities.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match both results")]
pub enum Trust {
    /// Every signature below the anchor is valid, and every issuer below it is a CA.
    Accepted,
    /// The path is not trusted; the finding is the reason.
    Refused(Box<Finding>),
}

/// The path from a leaf certificate to a trust anchor, and whether it is trusted.
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

    /// The certificates, starting with the leaf. The last one is an anchor if the path leads to one.
    pub fn certificates(&self) -> &[PathCertificate] {
        &self.certificates
    }

    /// The verified certificate.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first().map(|first| &first.certificate)
    }

    /// The anchor of a trusted path.
    pub fn anchor(&self) -> Option<&Certificate> {
        let last = self.certificates.last().filter(|_| self.is_trusted());
        last.map(|last| &last.certificate)
    }

    /// Why rustls-webpki cannot validate this path, if that is so.
    pub const fn limit(&self) -> Option<PathLimit> {
        self.limit
    }

    /// Whether the path is trusted.
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// True if the path is trusted.
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

/// The subjects, starting with the leaf.
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

/// The result for one certificate.
/// ```
/// use pki_core::{Evidence, Severity, Trust, Verifier, VerifyOptions};
/// # use pki_core::{Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, SerialNumber, Signer, Subject};
/// # use pki_core::time::{Duration, macros::datetime};
/// # let now = datetime!(2027-01-01 12:00 UTC);
/// # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// # let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
/// # let context = IssuanceContext { now, serial: SerialNumber::from_random([7; 20]) };
/// # let ca = Authority::draft_root(&request, key.public_key(), &context)?.sign(&key)?.certificate;
///
/// let verifier = Verifier::builder([ca.clone()]).build()?;
/// let report = verifier.check(&ca, &[], &VerifyOptions::at(now + Duration::days(4000)));
/// // The CA is its own issuer and is trusted, but it has expired.
/// assert!(matches!(report.path().trust(), Trust::Accepted) && !report.is_ok());
/// assert_eq!(report.worst(), Some(Severity::Error));
/// for finding in report.findings() {
///     println!("{}: {} Fix: {}", finding.rule.id, finding.rule.impact, finding.rule.remedy);
///     if let Evidence::Expired { not_after, .. } = finding.evidence {
///         assert_eq!(not_after, ca.not_after);
///     }
/// }
/// # Ok::<(), pki_core::Error>(())
/// ```
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

    /// The path, and whether it is trusted.
    pub const fn path(&self) -> &CertificationPath {
        &self.path
    }

    /// The reason why the path is not trusted, unless a finding explains it, and then the findings of the rules,
    /// worst first.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let explained = |refusal: &&Finding| self.findings.iter().any(|one| one.explains(refusal));
        self.path.refusal().filter(|refusal| !explained(refusal)).into_iter().chain(&self.findings)
    }

    /// True if the path is trusted and no finding is an error.
    pub fn is_ok(&self) -> bool {
        self.path.is_trusted() && self.worst() < Some(Severity::Error)
    }

    /// The severity of the worst finding.
    pub fn worst(&self) -> Option<Severity> {
        self.findings().map(|finding| finding.severity).max()
    }

    /// The path and the findings of the rules, for a caller that counts findings itself.
    pub fn into_parts(self) -> (CertificationPath, Vec<Finding>) {
        (self.path, self.findings)
    }

    /// The same report, except for what a rule found.
    #[cfg(feature = "manifest")]
    pub(crate) fn without(mut self, rule: &str) -> Self {
        self.findings.retain(|finding| finding.rule.id != rule);
        self
    }

    /// Adds findings about the certificate that do not depend on its path.
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
