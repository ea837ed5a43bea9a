//! Verifies one certificate: searches for its path, and adds what the rules find beside the path.

use super::validation::{Best, Validation};
use super::verifier::Verifier;
use super::{explain, go_search, paths, walk};
use crate::certificate::Certificate;
use crate::finding::Finding;
use crate::report::Report;
use crate::rules::{self, Policy, VerifyOptions, finding};
use crate::usage::Purpose;

impl Verifier {
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
        let validation = Validation { verifier: self, leaf, known, options };
        let mut report = search(&validation);
        if self.policy == Policy::Etcd {
            self.check_unused(chain.clone(), &mut report);
        }
        // A path that the rules accept, but that Go does not find or cannot receive.
        if self.policy == Policy::Etcd && report.is_ok() {
            if go_search::gives_up(&validation) {
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
}

/// The report on the best path.
fn search(validation: &Validation<'_>) -> Report {
    let mut best = Best::default();
    if let Err(webpki_says) = paths::find(validation, &mut best) {
        walk::find(validation, &mut best);
        return best.report.unwrap_or_else(|| explain::report(validation, &webpki_says));
    }
    // webpki accepts only paths that were checked, so there is a report.
    best.report.unwrap_or_else(|| explain::report(validation, &webpki::Error::UnknownIssuer))
}
