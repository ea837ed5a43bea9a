//! The verifier: paths by rustls-webpki, reasons by the rules.
//!
//! webpki finds the paths and has the right to say no. The rules judge each path that it finds, and
//! only ever take acceptance away: webpki knows of a trust anchor nothing but name, key and name
//! constraints, so that its dates and its right to sign are for the rules to check.
//!
//! There are valid paths that webpki cannot accept, whatever they hold ([`PathLimit`]). Only where a path
//! meets one of these limits, a walk of our own takes webpki's place, and the same rules judge it.
//! docs/verification.md argues why that accepts nothing that is invalid.
//!
//! Trust is settled apart from the rules: signatures lead to an anchor, or they do not. So it is known
//! also for a certificate that has expired, and nothing that a caller ignores can change it.
//!
//! [`PathLimit`]: crate::report::PathLimit

mod builder;
mod explain;
mod limits;
mod search;
mod walk;

use std::sync::OnceLock;

use time::OffsetDateTime;

use self::builder::WebpkiAnchors;
use self::search::{Best, Question};
use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::error::Error;
use crate::finding::Finding;
use crate::key::PublicKey;
use crate::report::Report;
use crate::rules::{self, Policy, VerifyOptions, finding};

/// Trust anchors, and what is known beside them.
pub struct Verifier {
    anchors: Vec<Certificate>,
    webpki_anchors: WebpkiAnchors,
    intermediates: Vec<Certificate>,
    crls: Vec<KnownList>,
    max_depth: Option<usize>,
    policy: Policy,
}

/// What a [`Verifier`] is made from.
#[must_use]
pub struct VerifierBuilder {
    anchors: Vec<Certificate>,
    intermediates: Vec<Certificate>,
    crls: Vec<KnownList>,
    max_depth: Option<usize>,
    policy: Policy,
}

/// A CRL, and the key that its signature was found to be by, so that many certificates of one CA
/// cost one check.
struct KnownList {
    list: Crl,
    signer: OnceLock<PublicKey>,
}

impl KnownList {
    fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signer.get() == Some(key) || {
            let signed = self.list.is_signed_by(key);
            if signed {
                // Another thread may have been faster, with the same answer.
                let _ = self.signer.set(key.clone());
            }
            signed
        }
    }
}

impl VerifierBuilder {
    /// Adds CAs that are not trusted in themselves and may stand between leaf and anchor.
    pub fn intermediates(mut self, certificates: impl IntoIterator<Item = Certificate>) -> Self {
        self.intermediates.extend(certificates);
        self
    }

    /// Adds a CRL in DER. Certificates of its issuer that it lists are refused; where all CRLs of an
    /// issuer have ended, or cannot be relied on for another reason, so are all its certificates.
    pub fn crl(mut self, der: &[u8]) -> Result<Self, Error> {
        let list = Crl::from_der(der)?;
        self.crls.push(KnownList { list, signer: OnceLock::new() });
        Ok(self)
    }

    /// Limits how many CAs that are not self-issued may stand between leaf and anchor. There are never
    /// more than ten CAs between them, self-issued or not.
    pub fn max_depth(mut self, cas: impl Into<Option<usize>>) -> Self {
        self.max_depth = cas.into();
        self
    }

    /// Chooses whose rules count.
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The verifier. At least one anchor is needed.
    pub fn build(self) -> Result<Verifier, Error> {
        let Self { anchors, intermediates, crls, max_depth, policy } = self;
        if anchors.is_empty() {
            return Err(Error::malformed("a trust store", "it holds no certificate")
                .hinted("give the certificate of the CA to trust"));
        }
        let webpki_anchors = WebpkiAnchors::new(&anchors);
        Ok(Verifier { anchors, webpki_anchors, intermediates, crls, max_depth, policy })
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

    /// Whose rules count.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// The CAs that are trusted.
    pub fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    /// Judges a leaf, given the other certificates that its file or its peer sends with it.
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
                // Judged as if it were in order, and told.
                let others = chain.iter().enumerate().filter(|(index, _)| *index != at);
                let others = others.map(|(_, certificate)| certificate);
                let mut report = self.check_in_order(&chain[at], others.chain([leaf]), options);
                let evidence = format!("the CA {} stands before it", leaf.subject);
                let subject = chain[at].subject.to_string();
                report.add(finding(&rules::CHAIN_ORDER, self.policy, subject, evidence));
                report
            }
        }
    }

    fn check_in_order<'q>(
        &'q self,
        leaf: &'q Certificate,
        chain: impl Iterator<Item = &'q Certificate>,
        options: &'q VerifyOptions,
    ) -> Report {
        let known = chain.chain(&self.intermediates).collect();
        let question = Question { verifier: self, leaf, known, options };
        let mut best = Best::default();
        if let Err(webpki_says) = builder::find(&question, &mut best) {
            walk::find(&question, &webpki_says, &mut best);
            return best.report.unwrap_or_else(|| explain::report(&question, &webpki_says));
        }
        // webpki accepts only what was judged, so there is a report.
        best.report.unwrap_or_else(|| explain::report(&question, &webpki::Error::UnknownIssuer))
    }

    fn revocation(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        at: OffsetDateTime,
    ) -> impl Iterator<Item = Finding> {
        let is_signed = |list: &Crl| {
            let known = self.crls.iter().find(|known| std::ptr::eq(&raw const known.list, list));
            known.is_some_and(|known| known.is_signed_by(&issuer.public_key))
        };
        let lists = self.crls.iter().map(|known| &known.list);
        let violations =
            rules::revocation_violations(certificate, issuer, lists, is_signed, at, self.policy);
        let subject = move || certificate.subject.to_string();
        violations
            .into_iter()
            .map(move |(rule, evidence)| finding(rule, self.policy, subject(), evidence))
    }
}

/// True when the bytes are a CRL in DER, which [`VerifierBuilder::crl`] would take.
pub fn is_crl(der: &[u8]) -> bool {
    Crl::from_der(der).is_ok()
}
