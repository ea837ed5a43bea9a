//! The walk for paths that webpki does not accept (RFC 5280 section 6.1).
//!
//! It follows issuers by name and signature to every anchor. If a path meets one of webpki's limits, the rules validate
//! it instead of webpki. webpki checks every other path without any other certificates, so that its answer is about this path only.

use std::ops::ControlFlow;

use webpki::Error as PathError;

use super::limits::{limit, unread};
use super::paths;
use super::validation::{Best, Path, Validation};
use crate::certificate::Certificate;
use crate::finding::{Finding, Severity};
use crate::key::PublicKey;
use crate::rules;

/// The limit on CAs between leaf and anchor.
pub(super) const MOST_CAS: usize = 10;
/// Go tries 100 possible issuers. Here each costs at most two signatures.
const MOST_SIGNATURES: usize = 200;
/// Each path is checked with all rules; a leaf certificate with more paths is an attack.
const MOST_PATHS: usize = 100;

/// Adds the report of every path to `best`, until one is accepted.
pub(super) fn find(validation: &Validation<'_>, best: &mut Best) {
    let mut walk = Walk { validation, best, signatures: MOST_SIGNATURES, paths: MOST_PATHS };
    // Whether the search is complete or reached a limit, `best` contains the best report.
    let _ = walk.extend(&mut vec![validation.leaf]);
}

/// A search, with the remaining numbers of signatures and paths to check.
struct Walk<'w, 'q> {
    validation: &'w Validation<'q>,
    best: &'w mut Best,
    signatures: usize,
    paths: usize,
}

impl<'q> Walk<'_, 'q> {
    /// Adds each possible issuer to the path. The search stops when a path is accepted, or when it reaches a limit.
    fn extend(&mut self, path: &mut Vec<&'q Certificate>) -> ControlFlow<()> {
        let validation = self.validation;
        let last = path[path.len() - 1];
        let issued = |ca: &&Certificate| ca.subject.der() == last.issuer.der();
        // Certificates with the same key give the same result.
        let mut asked: Vec<(&PublicKey, bool)> = Vec::new();
        let anchors = validation.verifier.anchors.iter().filter(issued);
        for anchor in anchors.clone() {
            if self.is_signed_by(last, &anchor.public_key, &mut asked)? {
                self.offer(&Path::verified(path, anchor))?;
            }
        }
        if path.len() > MOST_CAS {
            return ControlFlow::Continue(());
        }
        for ca in validation.known.iter().copied().filter(issued) {
            // A certificate that is not a CA cannot pass on trust, whatever the caller ignores.
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
        let validation = self.validation;
        let (findings, refusal) = validation.check_path(path);
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

    /// Reasons for webpki to reject the path, apart from its limits.
    fn in_webpkis_place(&self, path: &Path<'_>) -> Option<Finding> {
        let (certificate, fault) = unread(&path.certificates)?;
        Some(self.validation.refuse(&rules::PATH_REJECTED, certificate, fault))
    }

    /// webpki's error, unless a rule reports the same.
    fn by_webpki(&self, path: &Path<'_>, findings: &[Finding]) -> Option<Finding> {
        let (_, untrusted) = path.certificates.split_last()?;
        let refused = untrusted.iter().find_map(|certificate| match paths::parse(certificate) {
            // Reported by `ext-unknown-critical` and `sig-algorithm-mismatch`.
            Ok(())
            | Err(
                PathError::UnsupportedCriticalExtension | PathError::SignatureAlgorithmMismatch,
            ) => None,
            Err(error) => Some((*certificate, error)),
        });
        let explained = findings.iter().any(|finding| finding.severity == Severity::Error);
        let (certificate, error) = match refused {
            Some(refused) => refused,
            None if explained => return None,
            None => (self.validation.leaf, paths::check(self.validation, path).err()?),
        };
        let evidence = format!("rustls-webpki rejects it: {}", paths::reason(&error));
        Some(self.validation.refuse(&rules::PATH_REJECTED, certificate, evidence))
    }
}

/// The identity of a CA, whichever of its certificates is used. A path that returns to it is a cycle.
fn is_same(left: &Certificate, right: &Certificate) -> bool {
    left.subject.der() == right.subject.der()
        && left.public_key == right.public_key
        && left.is_self_issued() == right.is_self_issued()
}
