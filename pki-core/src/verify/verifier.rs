//! What a verifier knows before it sees a certificate: anchors, intermediates, CRLs and options.

use std::sync::OnceLock;

use time::OffsetDateTime;

use super::algorithms::Algorithms;
use super::anchors::WebpkiAnchors;
use super::known::KnownCa;
use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::error::Error;
use crate::finding::Finding;
use crate::rules::{self, Policy, finding};

/// Verifies certificates against trust anchors, with intermediates, CRLs and a policy.
///
/// [`Verifier::builder`] makes one, and [`Verifier::check`] verifies with it; many threads can share it. The
/// [documentation of the crate](crate#verifying) has an example.
pub struct Verifier {
    pub(super) anchors: Vec<Certificate>,
    pub(super) webpki_anchors: WebpkiAnchors,
    pub(super) algorithms: Algorithms,
    pub(super) intermediates: Vec<Certificate>,
    /// What the rules find in the anchors and then in the intermediates.
    pub(super) known_cas: Vec<KnownCa>,
    /// The findings about the anchors outside the path, one list for each.
    pub(super) unused_violations: OnceLock<Vec<Vec<Finding>>>,
    pub(super) crls: Vec<Crl>,
    pub(super) max_depth: Option<usize>,
    pub(super) policy: Policy,
}

/// Builds a [`Verifier`]. [`Verifier::builder`] starts one.
#[must_use]
pub struct VerifierBuilder {
    anchors: Vec<Certificate>,
    intermediates: Vec<Certificate>,
    crls: Vec<Crl>,
    max_depth: Option<usize>,
    policy: Policy,
}

impl VerifierBuilder {
    /// Adds intermediates: CAs that are not trusted themselves and may be between a leaf certificate and an anchor.
    pub fn intermediates(mut self, certificates: impl IntoIterator<Item = Certificate>) -> Self {
        self.intermediates.extend(certificates);
        self
    }

    /// Adds a CRL in DER. Certificates of its issuer that it lists are rejected. If all CRLs of an issuer have expired, or
    /// cannot be relied on for another reason, all its certificates are rejected.
    pub fn crl(mut self, der: &[u8]) -> Result<Self, Error> {
        self.crls.push(Crl::from_der(der)?);
        Ok(self)
    }

    /// Limits the number of CAs between a leaf certificate and an anchor. Self-issued CAs do not count, but there are never
    /// more than ten CAs in total.
    pub fn max_depth(mut self, cas: impl Into<Option<usize>>) -> Self {
        self.max_depth = cas.into();
        self
    }

    /// Chooses the rules to apply.
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Builds the verifier. Returns an error if there is no anchor.
    pub fn build(self) -> Result<Verifier, Error> {
        let Self { anchors, intermediates, crls, max_depth, policy } = self;
        if anchors.is_empty() {
            return Err(Error::malformed("a trust store", "it contains no certificate")
                .hinted("pass the certificate of the CA to trust"));
        }
        let webpki_anchors = WebpkiAnchors::new(&anchors);
        let algorithms = Algorithms::new(&anchors);
        let known_cas = anchors.iter().chain(&intermediates).map(|_| KnownCa::default()).collect();
        Ok(Verifier {
            anchors,
            webpki_anchors,
            algorithms,
            intermediates,
            known_cas,
            unused_violations: OnceLock::new(),
            crls,
            max_depth,
            policy,
        })
    }
}

impl Verifier {
    /// Starts a verifier that trusts these CAs.
    pub fn builder(anchors: impl IntoIterator<Item = Certificate>) -> VerifierBuilder {
        VerifierBuilder {
            anchors: anchors.into_iter().collect(),
            intermediates: Vec::new(),
            crls: Vec::new(),
            max_depth: None,
            policy: Policy::default(),
        }
    }

    /// The rules that this verifier applies.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// The trusted CAs.
    pub fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    /// What is known about a CA of this verifier. `None` for another certificate.
    pub(super) fn known_ca(&self, certificate: &Certificate) -> Option<&KnownCa> {
        let mut cas = self.anchors.iter().chain(&self.intermediates);
        cas.position(|ca| std::ptr::eq(ca, certificate)).map(|at| &self.known_cas[at])
    }

    pub(super) fn revocation(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        at: OffsetDateTime,
    ) -> impl Iterator<Item = Finding> {
        let is_signed = |list: &Crl| list.is_signed_by(&issuer.public_key);
        let lists = self.crls.iter();
        let violations =
            rules::revocation_violations(certificate, issuer, lists, is_signed, at, self.policy);
        let subject = move || certificate.subject.to_string();
        violations
            .into_iter()
            .map(move |(rule, evidence)| finding(rule, self.policy, subject(), evidence))
    }
}

/// True if the bytes are a CRL in DER that [`VerifierBuilder::crl`] would accept.
pub fn is_crl(der: &[u8]) -> bool {
    Crl::from_der(der).is_ok()
}
