//! The verifier: paths by rustls-webpki, reasons by the rules.
//!
//! webpki finds the paths and has the right to say no. The rules judge each path that it finds, and
//! only ever take acceptance away: webpki knows of a trust anchor nothing but name, key and name
//! constraints, so that its dates and its right to sign are for the rules to check.
//!
//! There are valid paths that webpki cannot accept, whatever they hold: a named list of its limits
//! (`walk.rs`). Only where a path carries one of them, a walk of our own takes webpki's place, and
//! the same rules judge it. docs/verification.md argues why that accepts nothing that is invalid.

mod builder;
mod explain;
mod walk;

use std::sync::OnceLock;

use rustls_pki_types::TrustAnchor;
use webpki::Error as PathError;

use crate::certificate::Certificate;
use crate::error::Error;
use crate::key::PublicKey;
use crate::report::{Finding, Report, Severity};
use crate::revocation_list::RevocationList;
use crate::rules::{self, CertificateInPath, Policy, Position, VerifyOptions, finding};

/// Trust anchors, and what is known beside them.
pub struct Verifier {
    anchors: Vec<Certificate>,
    /// The anchors as webpki has them, each with its place in `anchors`, and those that it refuses:
    /// one bad anchor among many must not spoil the others.
    trust: Vec<TrustAnchor<'static>>,
    trust_at: Vec<usize>,
    refused: Vec<(usize, PathError)>,
    /// What the rules say of each anchor, found once for the leaves of one set of options.
    judged: Vec<OnceLock<Judged>>,
    /// CAs that are not trusted in themselves and may stand between leaf and anchor.
    pub intermediates: Vec<Certificate>,
    crls: Vec<KnownList>,
    /// How many CAs that are not self-issued may stand between leaf and anchor. There are never more
    /// than ten CAs between them, self-issued or not.
    pub max_depth: Option<usize>,
    /// Whose rules count.
    pub policy: Policy,
}

/// A CRL, and the key that its signature was found to be by, so that many certificates of one CA
/// cost one check.
struct KnownList {
    list: RevocationList,
    signer: OnceLock<PublicKey>,
}

/// What the rules say of an anchor with no CA between it and the leaf, and for which options.
struct Judged {
    options: VerifyOptions,
    policy: Policy,
    findings: Vec<Finding>,
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

impl Verifier {
    /// A verifier that trusts these CAs.
    pub fn new(anchors: Vec<Certificate>) -> Result<Self, Error> {
        if anchors.is_empty() {
            return Err(Error::malformed("a trust store", "it holds no certificate")
                .hinted("name the CA's certificate with --ca"));
        }
        let (mut trust, mut trust_at, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (index, certificate) in anchors.iter().enumerate() {
            match builder::anchor(certificate) {
                Ok(anchor) => {
                    trust.push(anchor);
                    trust_at.push(index);
                }
                Err(error) => refused.push((index, error)),
            }
        }
        Ok(Self {
            judged: anchors.iter().map(|_| OnceLock::new()).collect(),
            anchors,
            trust,
            trust_at,
            refused,
            intermediates: Vec::new(),
            crls: Vec::new(),
            max_depth: None,
            policy: Policy::default(),
        })
    }

    /// Adds a CRL in DER. Certificates of its issuer that it lists are refused; where all CRLs of an
    /// issuer have ended, or cannot be relied on for another reason, so are all its certificates.
    pub fn add_crl(&mut self, der: &[u8]) -> Result<(), Error> {
        let list = RevocationList::from_der(der)?;
        self.crls.push(KnownList { list, signer: OnceLock::new() });
        Ok(())
    }

    /// Judges a leaf, given the other certificates that its file or its peer sends with it.
    pub fn check(
        &self,
        leaf: &Certificate,
        chain: &[Certificate],
        options: &VerifyOptions,
    ) -> Report {
        let signed = |c: &Certificate| !c.is_ca() && c.issuer.der() == leaf.subject.der();
        if self.policy == Policy::Etcd
            && leaf.is_ca()
            && let Some(at) = chain.iter().position(signed)
        {
            return self.check_out_of_order(leaf, chain, at, options);
        }
        let known: Vec<&Certificate> = chain.iter().chain(&self.intermediates).collect();
        let mut best = Best::default();
        let refusal = match self.build(leaf, &known, options, &mut best) {
            Ok(()) => return best.report.unwrap_or_default(),
            Err(refusal) => refusal,
        };
        self.walk(leaf, &known, options, &mut best);
        match best.report {
            // A path was found. Where it is refused the rules say why.
            Some(report) => report,
            None => self.explain(leaf, &known, options, &refusal),
        }
    }

    /// Judges a file in which the leaf stands behind its issuer as if it were in order, and tells.
    fn check_out_of_order(
        &self,
        first: &Certificate,
        chain: &[Certificate],
        at: usize,
        options: &VerifyOptions,
    ) -> Report {
        let mut rest = chain.to_vec();
        let leaf = rest.remove(at);
        rest.push(first.clone());
        let mut report = self.check(&leaf, &rest, options);
        let evidence = format!("the CA {} stands before it", first.subject);
        let subject = leaf.subject.to_string();
        report.findings.push(finding(&rules::CHAIN_ORDER, self.policy, subject, evidence));
        let limit = report.limit;
        Report { limit, ..Report::new(report.findings, report.path) }
    }

    /// Applies the rules to every certificate of a path, leaf first.
    fn check_path(&self, path: &[&Certificate], options: &VerifyOptions) -> Report {
        let unmatched = builder::unmatched(path[0], &options.hosts);
        let mut findings = Vec::new();
        let mut cas_below = 0;
        for (index, certificate) in path.iter().enumerate() {
            let position = match index {
                0 => Position::Leaf,
                _ if self.trusts(certificate) => Position::Anchor,
                _ => Position::Intermediate,
            };
            let in_path = CertificateInPath {
                certificate,
                position,
                above: &path[index + 1..],
                cas_below,
                options,
                unmatched: &unmatched,
            };
            findings.extend(self.check_certificate(&in_path));
            if let Some(issuer) = path.get(index + 1) {
                findings.extend(self.revocation(certificate, issuer, options));
            }
            cas_below +=
                usize::from(position == Position::Intermediate && !certificate.is_self_issued());
        }
        if let Some(limit) = self.max_depth.filter(|limit| cas_below > *limit) {
            let evidence = format!("{cas_below} CA(s) between leaf and anchor, {limit} allowed");
            let subject = path[0].subject.to_string();
            findings.push(finding(&rules::PATH_TOO_DEEP, self.policy, subject, evidence));
        }
        Report::new(findings, path.iter().map(|c| c.subject.to_string()).collect())
    }

    fn check_certificate(&self, in_path: &CertificateInPath<'_>) -> Vec<Finding> {
        let at = self.anchors.iter().position(|anchor| std::ptr::eq(anchor, in_path.certificate));
        let Some(at) =
            at.filter(|_| in_path.position == Position::Anchor && in_path.cas_below == 0)
        else {
            return rules::check(in_path, self.policy);
        };
        let judged = self.judged[at].get_or_init(|| Judged {
            options: in_path.options.clone(),
            policy: self.policy,
            findings: rules::check(in_path, self.policy),
        });
        if judged.policy == self.policy && judged.options == *in_path.options {
            judged.findings.clone()
        } else {
            rules::check(in_path, self.policy)
        }
    }

    fn revocation(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        options: &VerifyOptions,
    ) -> impl Iterator<Item = Finding> {
        let is_signed = |list: &RevocationList| {
            let known = self.crls.iter().find(|known| std::ptr::eq(&raw const known.list, list));
            known.is_some_and(|known| known.is_signed_by(&issuer.public_key))
        };
        let lists = self.crls.iter().map(|known| &known.list);
        let (at, policy) = (options.at, self.policy);
        let violations =
            rules::revocation_violations(certificate, issuer, lists, is_signed, at, policy);
        let subject = move || certificate.subject.to_string();
        violations
            .into_iter()
            .map(move |(rule, evidence)| finding(rule, self.policy, subject(), evidence))
    }

    /// True for the anchors themselves, not for certificates that are equal to one.
    fn trusts(&self, certificate: &Certificate) -> bool {
        self.anchors.iter().any(|anchor| std::ptr::eq(anchor, certificate))
    }
}

/// True when the bytes are a CRL in DER, which [`Verifier::add_crl`] would take.
pub fn is_crl(der: &[u8]) -> bool {
    RevocationList::from_der(der).is_ok()
}

/// The report with the fewest errors so far.
#[derive(Default)]
struct Best {
    report: Option<Report>,
}

impl Best {
    /// Takes a report where it is better; true when it has no error.
    fn offer(&mut self, report: Report) -> bool {
        let ok = report.is_ok();
        if self.report.as_ref().is_none_or(|best| errors(&report) < errors(best)) {
            self.report = Some(report);
        }
        ok
    }
}

fn errors(report: &Report) -> usize {
    let findings = report.findings.iter();
    findings.filter(|finding| finding.severity == Severity::Error).count()
}
