//! The classes of differences between verifiers. docs/verification.md explains each by its name.

use super::judges::Refusal;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Judge {
    Openssl,
    Python,
}

/// What pki-core accepts and another verifier rejects: a part of its message, and the class.
const THEY_REFUSE: &[(Judge, &str, &str)] = &[
    (Judge::Openssl, "CA cert does not include key usage extension", CA_WITHOUT_KEY_USAGE),
    (Judge::Openssl, "certificate has expired", "last-second"),
    (Judge::Openssl, "unspecified certificate verification error", "leaf-key"),
    (Judge::Openssl, "unreadable", "leaf-key"),
    (Judge::Openssl, "unsuitable certificate purpose", "leaf-usages"),
    (Judge::Python, "2.5.29.15: Certificate is missing required extension", CA_WITHOUT_KEY_USAGE),
    (
        Judge::Python,
        "2.5.29.37: Certificate extension has incorrect criticality",
        "critical-usages",
    ),
    (Judge::Python, "unaccounted-for critical extension", "critical-policies"),
    (Judge::Python, "subjectAltName MUST NOT be critical", "critical-names"),
    (Judge::Python, "malformed DNS name constraint", "empty-constraint"),
    (Judge::Python, "cA must not be asserted in an EE certificate", "ca-as-leaf"),
    (Judge::Python, "EE keyUsage must not assert keyCertSign", "ca-as-leaf"),
    (Judge::Python, "nameConstraints extension contains an unsupported", "directory-constraints"),
];

/// The only case in which both others reject what pki-core accepts. RFC 5280 section 6.1.4 (n) requires
/// keyCertSign only if a CA has a keyUsage, and x509-limbo agrees.
pub(super) const CA_WITHOUT_KEY_USAGE: &str = "ca-without-key-usage";

/// What pki-core rejects and another verifier accepts: the rule, and the class.
const WE_REFUSE: &[(&str, &str)] = &[
    ("serial-form", "serial-numbers"),
    ("serial-negative", "serial-numbers"),
    ("unique-id", "unique-identifiers"),
    ("dn-bytes", "names-by-bytes"),
    ("aki-missing", "key-identifiers"),
    ("aki-ski", "key-identifiers"),
    ("ski-missing", "key-identifiers"),
    ("san-dns-form", "name-syntax"),
    ("san-underscore", "name-syntax"),
    ("san-ip-as-dns", "name-syntax"),
    ("san-form", "name-syntax"),
    ("version-form", "version"),
    ("nc-form", "constraint-syntax"),
    ("nc-dns-form", "constraint-syntax"),
    ("nc-leaf", "constraints-on-a-leaf"),
    ("ca-bc-noncritical", "criticality"),
    ("ext-not-critical", "criticality"),
    ("ca-bc-noncritical", "criticality"),
    ("ext-critical", "criticality"),
    ("ext-der", "der"),
    ("unreadable", "der"),
    ("path-rejected", "der"),
    ("validity-form", "time-syntax"),
    ("policy-missing", "policies"),
    ("policy-form", "policies"),
    ("host-mismatch", "policies"),
    ("ku-empty", "usages"),
    ("ca-pathlen-form", "usages"),
    ("eku-any", "usages"),
    ("key-curve", "key-form"),
];

/// The class of the difference between two results.
pub(super) fn class(judge: Judge, ours: &Refusal, theirs: &Refusal) -> Option<String> {
    match (ours, theirs) {
        (None, Some(words)) => {
            let mut known = THEY_REFUSE.iter().filter(|(by, ..)| *by == judge);
            known.find(|(_, part, _)| words.contains(part)).map(|(.., class)| (*class).to_owned())
        }
        (Some(rules), None) => rules.split(' ').find_map(|rule| {
            let known = WE_REFUSE.iter().find(|(id, _)| *id == rule);
            known.map(|(_, class)| (*class).to_owned())
        }),
        _ => None,
    }
}

/// The names of all classes.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    THEY_REFUSE.iter().map(|(.., class)| *class).chain(WE_REFUSE.iter().map(|(_, class)| *class))
}
