//! The verifier: rustls-webpki finds the paths, and the rules give the reasons.
//!
//! webpki finds the paths and can reject them. The rules check each path that it finds, and can only reject more: webpki
//! knows only the name, the key and the name constraints of a trust anchor, so the rules check its dates and whether it
//! may sign.
//!
//! There are valid paths that webpki cannot accept ([`PathLimit`]). Only for a path that meets one of these limits, this
//! crate's own walk replaces webpki, and the same rules check the path. docs/verification.md explains why this does not
//! accept anything invalid.
//!
//! Trust is independent of the rules: either the signatures lead to an anchor, or they do not. It is therefore also known
//! for an expired certificate, and a caller that ignores findings cannot change it.
//!
//! [`PathLimit`]: crate::report::PathLimit

mod algorithms;
mod builder;
mod explain;
mod go_search;
mod known;
mod limits;
mod search;
mod walk;

use std::sync::OnceLock;

use time::OffsetDateTime;

use self::algorithms::Algorithms;
use self::builder::WebpkiAnchors;
use self::known::KnownCa;
use self::search::{Best, Question};
use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::error::Error;
use crate::finding::Finding;
use crate::report::Report;
use crate::rules::{self, Policy, VerifyOptions, finding};
use crate::usage::Purpose;

/// Trust anchors, intermediates, CRLs and options.
pub struct Verifier {
    anchors: Vec<Certificate>,
    webpki_anchors: WebpkiAnchors,
    algorithms: Algorithms,
    intermediates: Vec<Certificate>,
    /// What the rules find in the anchors and then in the intermediates.
    known_cas: Vec<KnownCa>,
    /// The findings about the anchors outside the path, one list for each.
    unused_violations: OnceLock<Vec<Vec<Finding>>>,
    crls: Vec<Crl>,
    max_depth: Option<usize>,
    policy: Policy,
}

/// Builds a [`Verifier`].
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

    /// Verifies a leaf certificate. `chain` contains the other certificates in its file, or those that a server sends with it.
    pub fn check(
        &self,
        leaf: &Certificate,
        chain: &[Certificate],
        options: &VerifyOptions,
    ) -> Report {
        let signed = |c: &Certificate| !c.is_ca() && c.issuer.der() == leaf.subject.der();
        let misplaced = chain.iter().position(signed);
        match misplaced.filter(|_| self.policy == Policy::Etcd && leaf.is_ca()) {
            None => self.check_in_order(leaf, chain.iter(), options),
            Some(at) => {
                // Verified as if the order were correct, with a finding about the order.
                let others = chain.iter().enumerate().filter(|(index, _)| *index != at);
                let others = others.map(|(_, certificate)| certificate);
                let mut report = self.check_in_order(&chain[at], others.chain([leaf]), options);
                let evidence = format!("the CA {} comes before it", leaf.subject);
                let subject = chain[at].subject.to_string();
                report.add(finding(&rules::CHAIN_ORDER, self.policy, subject, evidence));
                report
            }
        }
    }

    fn check_in_order<'q>(
        &'q self,
        leaf: &'q Certificate,
        chain: impl Iterator<Item = &'q Certificate> + Clone,
        options: &'q VerifyOptions,
    ) -> Report {
        let known = chain.clone().chain(&self.intermediates).collect();
        let question = Question { verifier: self, leaf, known, options };
        let mut report = search(&question);
        if self.policy == Policy::Etcd {
            self.check_unused(chain.clone(), &mut report);
        }
        // A path that the rules accept, but that Go does not find or cannot receive.
        if self.policy == Policy::Etcd && report.is_ok() {
            if go_search::gives_up(&question) {
                report.add(rules::too_many_candidates(leaf));
            } else if options.purpose != Purpose::Ca {
                for found in rules::unsendable(leaf, chain) {
                    report.add(found);
                }
            }
        }
        report
    }

    /// Adds why Go cannot parse a certificate that is in a file of a certificate in the path, but not in the path itself.
    fn check_unused<'q>(&self, chain: impl Iterator<Item = &'q Certificate>, report: &mut Report) {
        let of_anchors = self
            .unused_violations
            .get_or_init(|| self.anchors.iter().map(rules::unused_violations).collect());
        let is_unused = |certificate: &Certificate| {
            let mut path = report.path().certificates().iter();
            !path.any(|used| used.certificate.der() == certificate.der())
        };
        let anchors = self.anchors.iter().zip(of_anchors);
        let anchors = anchors.filter(|(anchor, found)| !found.is_empty() && is_unused(anchor));
        let mut unused: Vec<Finding> = anchors.flat_map(|(_, found)| found).cloned().collect();
        unused.extend(chain.filter(|one| is_unused(one)).flat_map(rules::unused_violations));
        for found in unused {
            report.add(found);
        }
    }

    /// What is known about a CA of this verifier. `None` for another certificate.
    fn known_ca(&self, certificate: &Certificate) -> Option<&KnownCa> {
        let mut cas = self.anchors.iter().chain(&self.intermediates);
        cas.position(|ca| std::ptr::eq(ca, certificate)).map(|at| &self.known_cas[at])
    }

    fn revocation(
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

/// The report on the best path.
fn search(question: &Question<'_>) -> Report {
    let mut best = Best::default();
    if let Err(webpki_says) = builder::find(question, &mut best) {
        walk::find(question, &mut best);
        return best.report.unwrap_or_else(|| explain::report(question, &webpki_says));
    }
    // webpki accepts only paths that were checked, so there is a report.
    best.report.unwrap_or_else(|| explain::report(question, &webpki::Error::UnknownIssuer))
}

/// True if the bytes are a CRL in DER that [`VerifierBuilder::crl`] would accept.
pub fn is_crl(der: &[u8]) -> bool {
    Crl::from_der(der).is_ok()
}
