//! Certificate policies, which Go follows since 1.24.

use super::Demand;
use crate::finding::{Rule, Severity, Source};
use crate::rules::CertificateInPath;
use crate::rules::policies::{ANY_POLICY, AnchorPolicies, is_satisfied};

pub(super) static RULE: Rule = Rule {
    id: "go-policy",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server reject the chain if they are built with Go 1.24 or later: `x509: no valid chains built`.",
    remedy: "Reissue the certificate from a CA without policyConstraints and policyMappings: `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`. Or reissue it with the policy that its CA requires: `etcdpki issue --config FILE --profile PROFILE NAME --force`, with `\"Policies\"` in the profile.",
    citation: "RFC 5280 section 6.1, RFC 9618; Go 1.24 release notes (crypto/x509)",
};

const WORDS: &str = "x509: no valid chains built: …";

static DEMANDED: Demand = Demand {
    name: "policy-required",
    rule: &RULE,
    refused: "A chain without a policy that is valid for all of it, below a CA that requires an explicit policy",
    words: WORDS,
    versions: "1.24 and later",
    rfc5280: "forbids it (section 6.1.5 (g))",
};

static ANY_MAPPED: Demand = Demand {
    name: "policy-any-mapped",
    rule: &RULE,
    refused: "A CA that maps anyPolicy",
    words: WORDS,
    versions: "1.24 and later",
    rfc5280: "forbids it (section 4.2.1.5)",
};

pub(super) static DEMANDS: &[&Demand] = &[&DEMANDED, &ANY_MAPPED];

pub(super) fn check(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if !in_path.is_leaf() {
        return Vec::new();
    }
    let mut violations = Vec::from_iter(
        (!is_satisfied(in_path, AnchorPolicies::Ignored))
            .then(|| DEMANDED.violated("no policy is valid for the whole chain")),
    );
    // Go ignores the policies of the anchor, and stops processing policies at a certificate without any.
    let below_anchor = in_path.above.iter().rev().skip(1);
    let followed = below_anchor.take_while(|ca| {
        ca.extensions.certificate_policies.as_ref().is_some_and(|policies| !policies.is_empty())
    });
    // How many more CAs may map policies (inhibitPolicyMapping). Go does not look at the mappings of the others.
    let mut left = u32::MAX;
    let mapping = followed.into_iter().find(|ca| {
        let may_map = left > 0;
        left = left.saturating_sub(u32::from(!ca.is_self_issued()));
        let constraints = ca.extensions.policy_constraints.unwrap_or_default();
        left = left.min(constraints.inhibit_mapping.unwrap_or(u32::MAX));
        let mut pairs = ca.extensions.policy_mappings.iter().flatten();
        may_map && pairs.any(|(from, to)| from.as_str() == ANY_POLICY || to.as_str() == ANY_POLICY)
    });
    violations.extend(
        mapping.map(|ca| ANY_MAPPED.violated(format_args!("{} maps anyPolicy", ca.subject))),
    );
    violations
}
