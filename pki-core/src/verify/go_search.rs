//! Go's search for a path, which gives up after 100 possible issuers (crypto/x509, buildChains).
//!
//! Go tries the possible issuers in another order than webpki, counts each certificate of a CA, and does not recognize
//! every cycle. So it can miss a path that exists.

use std::collections::HashSet;

use super::validation::{Path, Validation};
use crate::certificate::Certificate;
use crate::finding::Severity;
use crate::rules::is_in_go_chain;
use crate::usage::KeyUsages;

/// Go's `maxChainSignatureChecks`.
const MOST_CANDIDATES: usize = 100;

/// True if Go gives up before it finds a path that the rules accept.
pub(super) fn gives_up(validation: &Validation<'_>) -> bool {
    let leaf = validation.leaf;
    if validation.verifier.anchors.iter().any(|anchor| anchor.der() == leaf.der()) {
        return false;
    }
    // Signatures are costly. If Go could try every certificate with the issuer's name, it does not give up.
    let search =
        |issuers| Search { validation, issuers, candidates: 0 }.extend(&mut vec![validation.leaf]);
    search(Issuers::ByName) == Outcome::GaveUp && search(Issuers::Valid) == Outcome::GaveUp
}

/// Which certificates can be issuers.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Issuers {
    /// All that have the name.
    ByName,
    /// Those that Go accepts as the issuer.
    Valid,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Outcome {
    /// A path that the rules accept.
    Found,
    Nothing,
    GaveUp,
}

struct Search<'s, 'q> {
    validation: &'s Validation<'q>,
    issuers: Issuers,
    candidates: usize,
}

impl<'q> Search<'_, 'q> {
    fn extend(&mut self, chain: &mut Vec<&'q Certificate>) -> Outcome {
        let last = chain[chain.len() - 1];
        for anchor in in_order(&self.validation.verifier.anchors, last) {
            match self.accepts(anchor, chain) {
                Some(true) if self.is_accepted(chain, anchor) => return Outcome::Found,
                Some(_) => {}
                None => return Outcome::GaveUp,
            }
        }
        for ca in in_order(self.validation.known.iter().copied(), last) {
            let valid = match self.accepts(ca, chain) {
                Some(valid) => valid && (self.issuers == Issuers::ByName || ca.is_ca()),
                None => return Outcome::GaveUp,
            };
            if valid {
                chain.push(ca);
                let outcome = self.extend(chain);
                chain.pop();
                if outcome != Outcome::Nothing {
                    return outcome;
                }
            }
        }
        Outcome::Nothing
    }

    /// Whether the search goes on with this issuer. `None` if Go gives up.
    fn accepts(&mut self, ca: &Certificate, chain: &[&Certificate]) -> Option<bool> {
        self.candidates += 1;
        if self.candidates > MOST_CANDIDATES {
            return None;
        }
        Some(
            !is_in_go_chain(ca, chain)
                && (self.issuers == Issuers::ByName || self.is_valid(ca, chain)),
        )
    }

    /// Go's isValid and CheckSignatureFrom, for an anchor or an intermediate.
    fn is_valid(&self, ca: &Certificate, chain: &[&Certificate]) -> bool {
        let at = self.validation.options.at;
        let extensions = &ca.extensions;
        let constraints = extensions.basic_constraints.as_ref();
        let usage = extensions.key_usage.filter(|usage| !usage.is_empty());
        let longest = constraints.filter(|one| one.ca).and_then(|one| one.path_len);
        (ca.not_before..=ca.not_after).contains(&at)
            && constraints.map_or(ca.version < 3, |constraints| constraints.ca)
            && usage.is_none_or(|usage| usage.contains(KeyUsages::KEY_CERT_SIGN))
            && longest.is_none_or(|longest| chain.len() - 1 <= longest as usize)
            && chain[chain.len() - 1].is_signed_by(&ca.public_key)
    }

    fn is_accepted(&self, chain: &[&'q Certificate], anchor: &'q Certificate) -> bool {
        if self.issuers == Issuers::ByName {
            return false;
        }
        let (findings, refusal) = self.validation.check_path(&Path::verified(chain, anchor));
        refusal.is_none() && findings.iter().all(|finding| finding.severity < Severity::Error)
    }
}

/// The certificates with the issuer's name, each once: those with its key identifier first, then those of which one of
/// the two identifiers is missing (findPotentialParents).
fn in_order<'c>(
    pool: impl IntoIterator<Item = &'c Certificate>,
    below: &Certificate,
) -> Vec<&'c Certificate> {
    let named = below.extensions.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
    let mut known = HashSet::new();
    let is_issuer =
        |ca: &&'c Certificate| ca.subject.der() == below.issuer.der() && known.insert(ca.der());
    let mut issuers: Vec<&Certificate> = pool.into_iter().filter(is_issuer).collect();
    issuers.sort_by_key(|ca| match (ca.extensions.subject_key_id.as_ref(), named) {
        (own, named) if own == named => 0,
        (Some(_), Some(_)) => 2,
        _ => 1,
    });
    issuers
}
