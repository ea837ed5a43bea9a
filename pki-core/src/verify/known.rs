//! What the rules find in the CAs of a verifier. It is found once, and not again for each certificate below the CA.

use std::sync::OnceLock;

use crate::finding::Finding;
use crate::report::Place;
use crate::rules::{self, CertificateInPath, OwnViolations, Policy, VerifyOptions};

/// What is known about a CA of a verifier.
#[derive(Default)]
pub(super) struct KnownCa {
    own: OnceLock<OwnViolations>,
    as_anchor: OnceLock<AnchorFindings>,
}

/// The findings in an anchor for the first path that ends with it. They are the same for every path with the same values
/// here, because nothing is above an anchor.
struct AnchorFindings {
    options: VerifyOptions,
    cas_below: usize,
    all_cas_below: usize,
    findings: Vec<Finding>,
}

impl KnownCa {
    /// The findings of the rules in this CA. `in_path` is the CA in a path.
    pub(super) fn check(&self, in_path: &CertificateInPath<'_>, policy: Policy) -> Vec<Finding> {
        if in_path.place != Place::Anchor {
            return self.find(in_path, policy);
        }
        let first = self.as_anchor.get_or_init(|| AnchorFindings {
            options: in_path.options.clone(),
            cas_below: in_path.cas_below,
            all_cas_below: in_path.all_cas_below,
            findings: self.find(in_path, policy),
        });
        let is_same = first.cas_below == in_path.cas_below
            && first.all_cas_below == in_path.all_cas_below
            && first.options == *in_path.options;
        if is_same { first.findings.clone() } else { self.find(in_path, policy) }
    }

    fn find(&self, in_path: &CertificateInPath<'_>, policy: Policy) -> Vec<Finding> {
        let own = self.own.get_or_init(|| OwnViolations::of(in_path.certificate));
        rules::check(in_path, own, policy)
    }
}
