//! The walk for paths that webpki cannot accept (RFC 5280 section 6.1).

use super::{Best, Verifier};
use crate::certificate::{Certificate, GeneralName};
use crate::rules::VerifyOptions;

/// As many CAs between leaf and anchor as are looked at.
const MOST_CAS: usize = 10;
/// webpki stops here (its `MAX_SUB_CA_COUNT`).
const MOST_CAS_OF_WEBPKI: usize = 6;
/// As many signatures as webpki checks for one leaf.
const MOST_SIGNATURES: usize = 100;
/// Each path costs all rules; a leaf with so many paths is an attack.
const MOST_PATHS: usize = 16;

/// Why webpki cannot accept a path, valid or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Limit {
    CaAsLeaf,
    ConstrainedSelfIssuedCa,
    ConstraintKind,
    CriticalPolicies,
    Length,
    SelfIssuedBelowPathLen,
}

impl Limit {
    /// The first limit that the path, leaf first and anchor last, meets.
    fn of(path: &[&Certificate]) -> Option<Self> {
        let (leaf, cas) = path.split_first()?;
        let (_, untrusted) = path.split_last()?;
        let constrained = |ca: &&Certificate| ca.extensions.name_constraints.is_some();
        let self_issued_below = |index: usize| {
            cas[index..].iter().any(constrained)
                && cas[..index].iter().any(|ca| ca.is_self_issued())
        };
        let too_long_by_webpki = |index: usize| {
            let constraints = &cas[index].extensions.basic_constraints;
            let most = constraints.as_ref().and_then(|constraints| constraints.path_len);
            most.is_some_and(|most| u64::from(most) < index as u64)
                && cas[..index].iter().any(|ca| ca.is_self_issued())
        };
        if leaf.is_ca() {
            Some(Self::CaAsLeaf)
        } else if cas.iter().any(|ca| has_unread_constraint(ca)) {
            Some(Self::ConstraintKind)
        } else if (1..cas.len()).any(self_issued_below) {
            Some(Self::ConstrainedSelfIssuedCa)
        } else if untrusted.iter().any(|certificate| has_critical_policies(certificate)) {
            Some(Self::CriticalPolicies)
        } else if cas.len() > MOST_CAS_OF_WEBPKI + 1 {
            Some(Self::Length)
        } else if (1..cas.len().saturating_sub(1)).any(too_long_by_webpki) {
            // Of an anchor webpki does not ask it.
            Some(Self::SelfIssuedBelowPathLen)
        } else {
            None
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::CaAsLeaf => "a CA stands in the place of the leaf",
            Self::ConstrainedSelfIssuedCa => "a self-issued CA stands below name constraints",
            Self::ConstraintKind => {
                "a CA constrains email addresses, URIs, directory names or other names"
            }
            Self::CriticalPolicies => "an extension on policies is critical",
            Self::Length => "more than six CAs stand between leaf and anchor",
            Self::SelfIssuedBelowPathLen => "a self-issued CA stands below a path length",
        }
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

/// What one search has left to spend.
struct Budget {
    signatures: usize,
    paths: usize,
}

impl Verifier {
    /// Looks for paths that meet a limit of webpki's, and offers what the rules say of each until
    /// one is accepted. Of the other paths webpki's refusal stands.
    pub(super) fn walk(
        &self,
        leaf: &Certificate,
        known: &[&Certificate],
        options: &VerifyOptions,
        best: &mut Best,
    ) {
        let mut budget = Budget { signatures: MOST_SIGNATURES, paths: MOST_PATHS };
        self.extend(&mut vec![leaf], known, options, best, &mut budget);
    }

    /// Adds each possible issuer to the path; true when the search is over.
    fn extend<'a>(
        &'a self,
        path: &mut Vec<&'a Certificate>,
        known: &[&'a Certificate],
        options: &VerifyOptions,
        best: &mut Best,
        budget: &mut Budget,
    ) -> bool {
        let last = path[path.len() - 1];
        let anchors = self.trust_at.iter().map(|index| (&self.anchors[*index], true));
        let others = known.iter().map(|ca| (*ca, false));
        for (ca, trusted) in anchors.chain(others) {
            let possible = ca.subject.der() == last.issuer.der()
                && (trusted
                    || (path.len() <= MOST_CAS && !path.iter().any(|used| is_same(used, ca))));
            if !possible {
                continue;
            }
            if budget.signatures == 0 || budget.paths == 0 {
                return true;
            }
            budget.signatures -= 1;
            if !last.is_signed_by(&ca.public_key) {
                continue;
            }
            path.push(ca);
            let over = if trusted {
                self.offer(path, options, best, budget)
            } else {
                self.extend(path, known, options, best, budget)
            };
            path.pop();
            if over {
                return true;
            }
        }
        false
    }

    fn offer(
        &self,
        path: &[&Certificate],
        options: &VerifyOptions,
        best: &mut Best,
        budget: &mut Budget,
    ) -> bool {
        let Some(limit) = Limit::of(path) else {
            return false;
        };
        budget.paths -= 1;
        let mut report = self.check_path(path, options);
        report.limit = Some(limit.as_str());
        best.offer(report)
    }
}

/// One CA, whatever certificate says so: a path that comes back to it goes in a circle.
fn is_same(left: &Certificate, right: &Certificate) -> bool {
    left.subject.der() == right.subject.der()
        && left.public_key == right.public_key
        && left.is_self_issued() == right.is_self_issued()
}
