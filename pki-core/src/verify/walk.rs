//! The walk for paths that webpki does not accept (RFC 5280 section 6.1).
//!
//! It follows issuers by name and signature to every anchor. A path that meets one of webpki's limits is
//! validated by the rules in webpki's place. Of every other path webpki's refusal stands, and the rules
//! say what is wrong with it.

use std::ops::ControlFlow;

use webpki::Error as PathError;

use super::builder;
use super::search::{Best, Path, Question};
use crate::certificate::{Certificate, GeneralName};
use crate::finding::{Finding, Severity};
use crate::key::PublicKey;
use crate::report::PathLimit;
use crate::rules;

/// As many CAs between leaf and anchor as are looked at.
pub(super) const MOST_CAS: usize = 10;
/// webpki stops here (its `MAX_SUB_CA_COUNT`).
const MOST_CAS_OF_WEBPKI: usize = 6;
/// webpki reads no certificate of so many octets: the contents of a SEQUENCE stay below its
/// `TWO_BYTE_DER_SIZE`, behind a header of four.
const TOO_LARGE_FOR_WEBPKI: usize = 4 + 0xffff;
/// As many signatures as webpki checks for one leaf.
const MOST_SIGNATURES: usize = 100;
/// Each path costs all rules; a leaf with so many paths is an attack.
const MOST_PATHS: usize = 16;

/// The first limit of webpki's that the path, leaf first and anchor last, meets.
fn limit(path: &[&Certificate]) -> Option<PathLimit> {
    let (leaf, cas) = path.split_first()?;
    let (_, untrusted) = path.split_last()?;
    let constrained = |ca: &&Certificate| ca.extensions.name_constraints.is_some();
    let self_issued_below = |index: usize| {
        cas[index..].iter().any(constrained) && cas[..index].iter().any(|ca| ca.is_self_issued())
    };
    let too_long_by_webpki = |index: usize| {
        let constraints = &cas[index].extensions.basic_constraints;
        let most = constraints.as_ref().and_then(|constraints| constraints.path_len);
        most.is_some_and(|most| u64::from(most) < index as u64)
            && cas[..index].iter().any(|ca| ca.is_self_issued())
    };
    if leaf.is_ca() {
        Some(PathLimit::CaAsLeaf)
    } else if cas.iter().any(|ca| has_unread_constraint(ca)) {
        Some(PathLimit::ConstraintKind)
    } else if (1..cas.len()).any(self_issued_below) {
        Some(PathLimit::ConstrainedSelfIssuedCa)
    } else if untrusted.iter().any(|certificate| has_critical_policies(certificate)) {
        Some(PathLimit::CriticalPolicies)
    } else if cas.len() > MOST_CAS_OF_WEBPKI + 1 {
        Some(PathLimit::Length)
    } else if (1..cas.len().saturating_sub(1)).any(too_long_by_webpki) {
        // Of an anchor webpki does not ask it.
        Some(PathLimit::SelfIssuedBelowPathLen)
    } else if path.iter().any(|certificate| certificate.der().len() >= TOO_LARGE_FOR_WEBPKI) {
        Some(PathLimit::Size)
    } else if path.iter().any(|certificate| certificate.encoding.unique_ids) {
        Some(PathLimit::UniqueIds)
    } else if leaf.version != 3 {
        Some(PathLimit::Version)
    } else {
        None
    }
}

fn has_unread_constraint(ca: &Certificate) -> bool {
    let constraints = ca.extensions.name_constraints.iter();
    constraints
        .flat_map(|constraints| constraints.permitted.iter().chain(&constraints.excluded))
        .any(|subtree| !matches!(subtree, GeneralName::Dns(_) | GeneralName::Ip(_)))
}

fn has_critical_policies(certificate: &Certificate) -> bool {
    const POLICIES: [&str; 4] = ["2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"];
    let mut extensions = certificate.extensions.all.iter();
    extensions.any(|ext| ext.critical && POLICIES.contains(&ext.oid.as_str()))
}

/// Offers what the rules say of every path, until one is accepted.
pub(super) fn find(question: &Question<'_>, webpki_says: &PathError, best: &mut Best) {
    let mut walk =
        Walk { question, webpki_says, best, signatures: MOST_SIGNATURES, paths: MOST_PATHS };
    // Whether the search came to its end or was ended, the best is known.
    let _ = walk.extend(&mut vec![question.leaf]);
}

/// A search, and how many signatures it may still check and paths it may still judge.
struct Walk<'w, 'q> {
    question: &'w Question<'q>,
    webpki_says: &'w PathError,
    best: &'w mut Best,
    signatures: usize,
    paths: usize,
}

impl<'q> Walk<'_, 'q> {
    /// Adds each possible issuer to the path. The search breaks off when a path is accepted, or when it
    /// has spent what it may.
    fn extend(&mut self, path: &mut Vec<&'q Certificate>) -> ControlFlow<()> {
        let question = self.question;
        let last = path[path.len() - 1];
        let issued = |ca: &&Certificate| ca.subject.der() == last.issuer.der();
        // Certificates of one key have one answer.
        let mut asked: Vec<(&PublicKey, bool)> = Vec::new();
        let anchors = question.verifier.anchors.iter().filter(issued);
        for anchor in anchors.clone() {
            if self.is_signed_by(last, &anchor.public_key, &mut asked)? {
                self.offer(&Path::verified(path, anchor))?;
            }
        }
        if path.len() > MOST_CAS {
            return ControlFlow::Continue(());
        }
        for ca in question.known.iter().copied().filter(issued) {
            // What is not a CA cannot lend trust, whatever the caller ignores.
            let possible = ca.is_ca()
                && !path.iter().any(|used| is_same(used, ca))
                && !anchors.clone().any(|anchor| anchor.der() == ca.der());
            if possible && self.is_signed_by(last, &ca.public_key, &mut asked)? {
                path.push(ca);
                self.extend(path)?;
                path.pop();
            }
        }
        ControlFlow::Continue(())
    }

    fn is_signed_by<'k>(
        &mut self,
        certificate: &Certificate,
        key: &'k PublicKey,
        asked: &mut Vec<(&'k PublicKey, bool)>,
    ) -> ControlFlow<(), bool> {
        if let Some((_, answer)) = asked.iter().find(|(known, _)| *known == key) {
            return ControlFlow::Continue(*answer);
        }
        if self.signatures == 0 {
            return ControlFlow::Break(());
        }
        self.signatures -= 1;
        let answer = certificate.is_signed_by(key);
        asked.push((key, answer));
        ControlFlow::Continue(answer)
    }

    fn offer(&mut self, path: &Path<'_>) -> ControlFlow<()> {
        if self.paths == 0 {
            return ControlFlow::Break(());
        }
        self.paths -= 1;
        let question = self.question;
        let (findings, cas) = question.findings(path);
        let limit = limit(&path.certificates);
        let refusal = not_der(question, path)
            .or_else(|| question.too_deep(cas))
            .or_else(|| limit.is_none().then(|| self.by_webpki(path, &findings)).flatten());
        if self.best.offer(path.to_report(limit, refusal, findings)) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// webpki's refusal, unless a rule has found the same.
    fn by_webpki(&self, path: &Path<'_>, findings: &[Finding]) -> Option<Finding> {
        let (_, untrusted) = path.certificates.split_last()?;
        let refused = untrusted.iter().find_map(|certificate| match builder::parse(certificate) {
            // `ext-unknown-critical` and `sig-algorithm-mismatch` say so.
            Ok(())
            | Err(
                PathError::UnsupportedCriticalExtension | PathError::SignatureAlgorithmMismatch,
            ) => None,
            Err(error) => Some((*certificate, error)),
        });
        let explained = findings.iter().any(|finding| finding.severity == Severity::Error);
        let (certificate, error) = match &refused {
            Some((certificate, error)) => (*certificate, error),
            None if explained => return None,
            None => (self.question.leaf, self.webpki_says),
        };
        let evidence = format!("rustls-webpki refuses it: {}", builder::reason(error));
        Some(self.question.refuse(&rules::PATH_REJECTED, certificate, evidence))
    }
}

/// webpki reads DER to the letter. So does whoever stands in for it.
fn not_der(question: &Question<'_>, path: &Path<'_>) -> Option<Finding> {
    let mut certificates = path.certificates.iter();
    let (certificate, fault) = certificates.find_map(|one| Some((one, one.der_fault()?)))?;
    Some(question.refuse(&rules::PATH_REJECTED, certificate, format!("it is not DER: {fault}")))
}

/// One CA, whatever certificate says so: a path that comes back to it goes in a circle.
fn is_same(left: &Certificate, right: &Certificate) -> bool {
    left.subject.der() == right.subject.der()
        && left.public_key == right.public_key
        && left.is_self_issued() == right.is_self_issued()
}
