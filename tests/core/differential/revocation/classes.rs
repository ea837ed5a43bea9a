//! The classes of differences about CRLs. docs/verification.md explains each by its name.

use super::verdicts::Verdict;
use crate::differential::classes::Judge;
use crate::differential::judges::Refusal;

/// For a CRL that others attribute to a different CA, or the reverse.
const ISSUER_NAME: &str = "issuer-name";

/// For a certificate whose distribution point covers only some reasons for revocation.
const REASONS: &str = "reasons";

/// What pki-core accepts and another verifier rejects: a part of its message, a part of the change, and the class.
const THEY_REFUSE: &[(Judge, &str, &str, &str)] = &[
    (Judge::Openssl, "", "issuer ", ISSUER_NAME),
    (Judge::Openssl, "CRL has expired", "270101120000Z", "last-second"),
    (Judge::Openssl, "unable to get certificate CRL", "of another CA", ISSUER_NAME),
    (Judge::Openssl, "unable to get certificate CRL", "for some reasons", REASONS),
    (Judge::Openssl, "unable to get certificate CRL", "a certificate", "key-identifiers"),
    (Judge::Openssl, "unable to get certificate CRL", "another certificate", "key-identifiers"),
    (Judge::Python, "", "issuer ", ISSUER_NAME),
    (Judge::Python, "no signature", "of another CA", ISSUER_NAME),
    (Judge::Python, "unreadable", "", "unread-details"),
];

/// What pki-core rejects and another verifier accepts: the rule, and the class. OpenSSL also verifies CRLs; Python's
/// cryptography only reads them.
const WE_REFUSE: &[(Judge, &str, &str)] = &[
    (Judge::Openssl, "unreadable", "der"),
    (Judge::Openssl, "leaf-revoked", "any-list"),
    (Judge::Openssl, "crl-critical-extension", "critical-in-crls"),
    (Judge::Openssl, "crl-stale", "next-update"),
    (Judge::Openssl, "crl-number", "crl-number"),
    (Judge::Openssl, "crl-form", "crl-form"),
    (Judge::Openssl, "go-crl", "go-parses"),
    (Judge::Python, "unreadable", "der"),
    (Judge::Python, "crl-scope", "reads-alone"),
    (Judge::Python, "crl-critical-extension", "reads-alone"),
    (Judge::Python, "crl-stale", "reads-alone"),
    (Judge::Python, "crl-sign", "reads-alone"),
    (Judge::Python, "crl-number", "reads-alone"),
    (Judge::Python, "crl-form", "reads-alone"),
    (Judge::Python, "go-crl", "go-parses"),
];

/// Rules that are only warnings under etcd's policy.
const WARNING: &str = "warning";

/// The class of the difference between two results.
pub(super) fn class(
    judge: Judge,
    ours: &Verdict,
    theirs: &Refusal,
    story: &str,
) -> Option<&'static str> {
    match (&ours.refusal, theirs) {
        (None, Some(_)) if !ours.about_crls.is_empty() => Some(WARNING),
        (None, Some(words)) => {
            let mut known = THEY_REFUSE.iter().filter(|(by, ..)| *by == judge);
            let known =
                known.find(|(_, part, done, _)| words.contains(part) && story.contains(done));
            known.map(|(.., class)| *class)
        }
        (Some(rules), None) => rules.split(' ').find_map(|rule| {
            let known = WE_REFUSE.iter().find(|(by, id, _)| *by == judge && *id == rule);
            known.map(|(.., class)| *class)
        }),
        _ => None,
    }
}

/// True if OpenSSL's error is not about the CRL: pki-core attributes it to another CA, or the certificate requires a
/// CRL for other reasons.
pub(super) fn is_beside_the_crl(class: Option<&str>) -> bool {
    class.is_some_and(|class| [ISSUER_NAME, REASONS].contains(&class))
}

/// True for a CRL that has its CA's name in different bytes and another fault: strict RFC 5280 requires it to have
/// no faults, and x509-limbo (crl::external) requires the leaf to be accepted.
pub(super) fn is_not_whole(class: Option<&str>, story: &str) -> bool {
    class == Some(ISSUER_NAME) && story.matches("; ").count() > 1
}

/// The names of all classes.
pub(in crate::differential) fn names() -> impl Iterator<Item = &'static str> {
    let theirs = THEY_REFUSE.iter().map(|(.., class)| *class);
    theirs.chain(WE_REFUSE.iter().map(|(.., class)| *class)).chain([WARNING])
}
