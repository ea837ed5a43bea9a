use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{World, forged, python};

/// Findings of pkilint that are ignored: code, message, and reason.
const IGNORED: [(&str, &str, &str); 6] = [
    (
        "pkix.subject_key_identifier_method_1_identified",
        "",
        "INFO, no complaint: the key identifier is made by method (1) of RFC 5280 section 4.2.1.2",
    ),
    (
        "pkix.invalid_domain_name_syntax",
        "Invalid domain name syntax: \"etcdone\"",
        "a name of one label is in the preferred name syntax that RFC 5280 section 4.2.1.6 asks \
         for (RFC 1034 section 3.5); pkilint wants a dot. Members are dialled by such names",
    ),
    (
        "pkix.invalid_domain_name_syntax",
        "Invalid domain name syntax: \"localhost\"",
        "as etcdone; etcdctl on a member's own host dials localhost",
    ),
    (
        "pkix.invalid_domain_name_syntax",
        "Invalid domain name syntax: \"invalid\"",
        "as etcdone, in a name constraint: the top-level domain of RFC 6761 section 6.4 that the \
         client profile's names stand under",
    ),
    (
        "pkix.invalid_domain_name_syntax",
        "Invalid domain name syntax: \"*.example.com\"",
        "RFC 5280 section 4.2.1.6 leaves wildcards to the applications; RFC 9525 section 6.3 and \
         Go, and so etcd, know this form",
    ),
    (
        "pkix.certificate_policies_policy_has_qualifier",
        "",
        "NOTICE: RFC 5280 section 4.2.1.4 would rather have an OID alone, and permits these two \
         qualifiers; only a profile that lists them gets them",
    ),
];

#[test]
fn pkilint_finds_nothing_in_any_certificate_but_what_is_listed_here() {
    let world = World::shared();
    let findings = lint(world.cases.iter().map(|case| (&case.certificate, &case.root)));
    let ignored: BTreeSet<(&str, &str)> =
        IGNORED.iter().map(|(code, message, _)| (*code, *message)).collect();
    let found: BTreeSet<(&str, &str)> = findings.iter().map(finding).collect();
    let unexpected: Vec<&Value> =
        findings.iter().filter(|value| !ignored.contains(&finding(value))).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    let stale: Vec<_> = ignored.difference(&found).collect();
    assert!(stale.is_empty(), "pkilint no longer reports {stale:?}");
}

#[test]
fn pkilint_finds_what_is_wrong_with_forged_certificates() {
    let world = World::shared();
    let faulty = ["basicConstraints=CA:TRUE", "keyUsage=critical,keyCertSign"];
    let ca = forged::sign(&world.lab, "default", "ca", &faulty);
    let faulty = [
        "basicConstraints=CA:FALSE",
        "keyUsage=critical,keyEncipherment,keyCertSign",
        "subjectAltName=DNS:etcd..one",
    ];
    let leaf = forged::sign(&world.lab, "default", "leaf", &faulty);
    let root = |folder: &str| world.lab.path(folder).join("ca.pem");
    // The other root has the issuer's name and another key.
    let findings = lint([(&ca, &root("default")), (&leaf, &root("stranger"))]);
    let found: BTreeSet<&str> = findings.iter().map(|value| finding(value).0).collect();
    for code in [
        "pkix.basic_constraints_extension_not_critical",
        "pkix.ee_certificate_keycertsign_keyusage_set",
        "pkix.invalid_domain_name_syntax",
        "pkix.issuer_and_subject_key_identifier_not_equal",
        "pkix.key_usage_value_prohibited_for_ec",
        "pkix.signature_verification_failed",
    ] {
        assert!(found.contains(code), "{code} is missing in {found:#?}");
    }
}

/// The findings about these certificates, each with its root.
fn lint<'a>(cases: impl IntoIterator<Item = (&'a PathBuf, &'a PathBuf)>) -> Vec<Value> {
    let cases: Vec<Value> = cases
        .into_iter()
        .map(|(certificate, root)| json!({ "certificate": certificate, "root": root }))
        .collect();
    let findings = python("lint.py", &json!(cases));
    findings.as_array().unwrap().clone()
}

/// Its code and its message.
fn finding(value: &Value) -> (&str, &str) {
    (value["code"].as_str().unwrap(), value["message"].as_str().unwrap_or_default())
}
