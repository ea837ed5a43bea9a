//! Rules about certificate policies, and the policies that CAs require (RFC 5280 sections 4.2.1.4,
//! 4.2.1.5, 4.2.1.11, 4.2.1.14 and 6.1).

use std::collections::BTreeSet;

use super::{CertificateInPath, Row};
use crate::certificate::Certificate;
use crate::finding::{Rule, Severity, Source};
use crate::oid::Oid;

pub(super) const ANY_POLICY: &str = "2.5.29.32.0";

/// The extensions about policies that Go before 1.24 does not read. It reads certificatePolicies.
const UNREAD: [&str; 3] = ["2.5.29.33", "2.5.29.36", "2.5.29.54"];

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "policy-missing",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Verifiers that process policies reject the chain: a CA requires a policy, and no policy is valid for the whole chain.",
            remedy: "Reissue the certificate with the policy that its CA requires: `etcdpki issue --config FILE --profile PROFILE NAME --force`, with `\"Policies\"` in the profile. Or use a CA without policyConstraints: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 6.1.5 (g)",
        },
        missing,
    ),
    Row::certificate(
        &Rule {
            id: "policy-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Verifiers that process policies reject the chain.",
            remedy: "Reissue the certificate without policies, which etcd does not need: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 sections 4.2.1.4, 4.2.1.5 and 4.2.1.11",
        },
        form,
    ),
    Row::certificate(
        &Rule {
            id: "policy-critical",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd and API servers built with Go before 1.24 reject the chain: `x509: unhandled critical extension`.",
            remedy: "Create a CA without policyMappings, policyConstraints and inhibitAnyPolicy: `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2; Go 1.24 release notes (crypto/x509)",
        },
        critical,
    ),
];

fn form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let extensions = &in_path.certificate.extensions;
    let policies = extensions.certificate_policies.as_deref().unwrap_or_default();
    let mut violations = Vec::new();
    let mut named = BTreeSet::new();
    let repeated = policies.iter().find(|policy| !named.insert(policy.as_str()));
    violations.extend(repeated.map(|policy| format!("certificatePolicies names {policy} twice")));
    let mappings = extensions.policy_mappings.iter().flatten();
    violations.extend(
        mappings
            .filter(|(from, to)| from.as_str() == ANY_POLICY || to.as_str() == ANY_POLICY)
            .map(|_| "policyMappings maps anyPolicy".to_owned()),
    );
    let empty = extensions.policy_constraints.is_some_and(|constraints| {
        constraints.require_explicit.is_none() && constraints.inhibit_mapping.is_none()
    });
    violations.extend(empty.then(|| "policyConstraints is empty".to_owned()));
    violations
}

fn critical(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let extensions = in_path.certificate.extensions.all.iter();
    extensions
        .filter(|extension| extension.critical && UNREAD.contains(&extension.oid.as_str()))
        .map(|extension| format!("extension {} is critical", extension.oid))
        .collect()
}

fn missing(in_path: &CertificateInPath<'_>) -> Vec<String> {
    Vec::from_iter(
        (in_path.is_leaf() && !is_satisfied(in_path, AnchorPolicies::InitialValues)).then(|| {
            "a CA requires a policy, but no policy is valid for the whole chain".to_owned()
        }),
    )
}

/// How the policy extensions of the anchor are used.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum AnchorPolicies {
    /// As the initial values of the validation (RFC 5937).
    InitialValues,
    /// Not at all, as in Go.
    Ignored,
}

/// Section 6.1, for a verifier that accepts any policy: if a CA requires an explicit policy, the tree of
/// valid policies must not be empty. Only whether it is empty matters, so the set of policies at each
/// depth replaces the tree (RFC 9618 section 5 shows that the results are the same).
pub(super) fn is_satisfied(in_path: &CertificateInPath<'_>, anchor: AnchorPolicies) -> bool {
    let requires_policy = |certificate: &Certificate| {
        let constraints = certificate.extensions.policy_constraints;
        constraints.is_some_and(|constraints| constraints.require_explicit.is_some())
    };
    let ignored = usize::from(anchor == AnchorPolicies::Ignored);
    let on_path = || in_path.above.iter().copied().rev().skip(ignored).chain([in_path.certificate]);
    !on_path().any(requires_policy) || is_tree_filled(on_path(), anchor)
}

/// True if a policy is valid for the path, or none is required. `path` ends with the leaf; it starts with the
/// anchor unless the anchor's policies are ignored.
fn is_tree_filled<'a>(path: impl Iterator<Item = &'a Certificate>, anchor: AnchorPolicies) -> bool {
    // Sections 6.1.2 (d) to (f): initially more than the number of certificates.
    let (mut explicit, mut mapping, mut any) = (u32::MAX, u32::MAX, u32::MAX);
    let mut valid = BTreeSet::from([ANY_POLICY]);
    let mut path = path.peekable();
    let mut is_anchor = anchor == AnchorPolicies::InitialValues;
    while let Some(certificate) = path.next() {
        let is_last = path.peek().is_none();
        let extensions = &certificate.extensions;
        if !is_anchor {
            // Section 6.1.3 (d) to (f)
            let named: BTreeSet<&str> =
                extensions.certificate_policies.iter().flatten().map(Oid::as_str).collect();
            let mut next: BTreeSet<&str> = named
                .iter()
                .copied()
                .filter(|policy| *policy != ANY_POLICY)
                .filter(|policy| valid.contains(policy) || valid.contains(ANY_POLICY))
                .collect();
            let any_counts = any > 0 || (!is_last && certificate.is_self_issued());
            if named.contains(ANY_POLICY) && any_counts {
                next.extend(&valid);
            }
            valid = next;
            if explicit == 0 && valid.is_empty() {
                return false;
            }
        }
        let constraints = extensions.policy_constraints.unwrap_or_default();
        if is_last {
            // Section 6.1.5 (a) and (b)
            explicit = explicit.saturating_sub(1);
            if constraints.require_explicit == Some(0) {
                explicit = 0;
            }
            break;
        }
        // Section 6.1.4 (b)
        if let Some(mappings) = &extensions.policy_mappings {
            let had_any = valid.contains(ANY_POLICY);
            let mapped: Vec<&str> = mappings
                .iter()
                .filter(|(from, _)| mapping > 0 && (had_any || valid.contains(from.as_str())))
                .map(|(_, to)| to.as_str())
                .collect();
            for (from, _) in mappings {
                valid.remove(from.as_str());
            }
            valid.extend(mapped);
        }
        // Section 6.1.4 (h) to (j)
        if !is_anchor && !certificate.is_self_issued() {
            explicit = explicit.saturating_sub(1);
            mapping = mapping.saturating_sub(1);
            any = any.saturating_sub(1);
        }
        explicit = explicit.min(constraints.require_explicit.unwrap_or(u32::MAX));
        mapping = mapping.min(constraints.inhibit_mapping.unwrap_or(u32::MAX));
        any = any.min(extensions.inhibit_any_policy.unwrap_or(u32::MAX));
        is_anchor = false;
    }
    explicit > 0 || !valid.is_empty()
}
