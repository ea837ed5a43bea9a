//! The walk for paths that webpki does not accept (RFC 5280 section 6.1).
//!
//! It follows issuers by name and signature to every anchor. A path that meets one of webpki's limits is
//! validated by the rules in webpki's place. Of every other path webpki's refusal stands, and the rules
//! say what is wrong with it.

use std::ops::ControlFlow;

use webpki::Error as PathError;

use super::builder;
use super::limits::{limit, unread};
use super::search::{Best, Path, Question};
use crate::certificate::Certificate;
use crate::finding::{Finding, Severity};
use crate::key::PublicKey;
use crate::rules;

/// As many CAs between leaf and anchor as are looked at.
pub(super) const MOST_CAS: usize = 10;
/// As many signatures as webpki checks for one leaf.
const MOST_SIGNATURES: usize = 100;
/// Each path costs all rules; a leaf with so many paths is an attack.
const MOST_PATHS: usize = 16;

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
        let (findings, refusal) = question.judge(path);
        let limit = limit(&path.certificates);
        let refusal = refusal.or_else(|| match limit {
            Some(_) => self.in_webpkis_place(path),
            None => self.by_webpki(path, &findings),
        });
        if self.best.offer(path.to_report(limit, refusal, findings)) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// What webpki would refuse besides its limits.
    fn in_webpkis_place(&self, path: &Path<'_>) -> Option<Finding> {
        let (certificate, fault) = unread(&path.certificates)?;
        Some(self.question.refuse(&rules::PATH_REJECTED, certificate, fault))
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

/// One CA, whatever certificate says so: a path that comes back to it goes in a circle.
fn is_same(left: &Certificate, right: &Certificate) -> bool {
    left.subject.der() == right.subject.der()
        && left.public_key == right.public_key
        && left.is_self_issued() == right.is_self_issued()
}
