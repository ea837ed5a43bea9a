use pki_core::{
    Certificate, KeyAlgorithm, Policy, PrivateKey, Purpose, Report, Verifier, VerifyOptions,
};
use time::Duration;

use crate::der::{Node, extensions, forge, oid};
use crate::lab::{Ca, NOW};

fn options(purpose: Purpose) -> VerifyOptions {
    let mut options = VerifyOptions::at(NOW);
    options.purpose = purpose;
    options
}

fn ids(report: &Report) -> Vec<&str> {
    report.findings().map(|finding| finding.rule.id).collect()
}

fn check(ca: &Ca, leaf: &Certificate, options: &VerifyOptions) -> Report {
    Verifier::builder([ca.certificate().clone()]).build().unwrap().check(leaf, &[], options)
}

#[test]
fn what_each_profile_issues_verifies_for_its_purpose_without_a_finding() {
    let ca = Ca::new();
    for (profile, purpose, host) in [
        ("server", Purpose::Server, "192.168.29.61"),
        ("peer", Purpose::Peer, "etcdone"),
        ("client", Purpose::Client, "etcdone.invalid"),
    ] {
        let sans: &[&str] = if profile == "client" { &[] } else { &["192.168.29.61"] };
        let leaf = ca.issue(profile, "etcdone", sans);
        let mut options = options(purpose);
        options.hosts = vec![host.try_into().unwrap()];
        let report = check(&ca, &leaf, &options);
        assert_eq!(ids(&report), [""; 0], "{profile}: {report}");
        assert_eq!(report.path().to_string(), "CN=etcdone <- CN=etcd CA");
    }
}

#[test]
fn each_fault_has_its_reason() {
    let ca = Ca::new();
    let other = Ca::new();
    let leaf = ca.issue("client", "etcdone", &[]);
    let mut late = options(Purpose::Client);
    late.at = NOW + Duration::days(366);
    let mut early = options(Purpose::Client);
    early.at = NOW - Duration::days(1);
    let mut soon = options(Purpose::Client);
    soon.expires_within = Some(Duration::days(400));
    let mut host = options(Purpose::Client);
    host.hosts = vec!["192.168.29.61".try_into().unwrap()];
    let mut key = options(Purpose::Client);
    key.key = Some(ca.certificate().public_key.clone());
    for (ca, options, wanted) in [
        (&ca, &late, vec!["leaf-expired"]),
        (&ca, &early, vec!["leaf-not-yet-valid", "ca-time"]),
        (&ca, &soon, vec!["leaf-expiring"]),
        (&ca, &host, vec!["host-mismatch"]),
        (&ca, &key, vec!["key-mismatch"]),
        (&ca, &options(Purpose::Server), vec!["srv-eku-server"]),
        (&ca, &options(Purpose::Peer), vec!["peer-eku-both"]),
        // Same name, other key: a recreated CA.
        (&other, &options(Purpose::Client), vec!["path-signature", "aki-ski"]),
    ] {
        let report = check(ca, &leaf, options);
        assert_eq!(ids(&report), wanted, "{report}");
    }
}

#[test]
fn a_leaf_behind_its_issuer_is_verified_and_the_order_is_reported() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &["192.168.29.61"]);
    let verifier = Verifier::builder([ca.certificate().clone()]).build().unwrap();
    let mut options = options(Purpose::Peer);
    let check = |options: &VerifyOptions| {
        verifier.check(ca.certificate(), std::slice::from_ref(&leaf), options)
    };
    let report = check(&options);
    assert_eq!(ids(&report), ["chain-order"], "{report}");
    assert_eq!(report.path().to_string(), "CN=etcdone <- CN=etcd CA");
    options.hosts = vec!["192.168.29.62".try_into().unwrap()];
    assert_eq!(ids(&check(&options)), ["host-mismatch", "chain-order"]);
}

// The findings about an anchor are cached for the next leaf certificate with the same options only.
#[test]
fn an_anchor_is_checked_again_for_each_set_of_options() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let anchors = || [ca.certificate().clone()];
    let verifier = Verifier::builder(anchors()).build().unwrap();
    let now = options(Purpose::Peer);
    let mut early = options(Purpose::Peer);
    early.at = NOW - Duration::days(1);
    for (options, wanted) in [(&now, false), (&early, true), (&now, false)] {
        let report = verifier.check(&leaf, &[], options);
        assert_eq!(ids(&report).contains(&"ca-time"), wanted, "{report}");
    }
    // That a CA expires soon is a rule only of etcd's policy.
    let mut late = options(Purpose::Peer);
    late.at = ca.certificate().not_after - Duration::days(1);
    for (policy, wanted) in [(Policy::Etcd, true), (Policy::Rfc5280, false), (Policy::Etcd, true)] {
        let verifier = Verifier::builder(anchors()).policy(policy).build().unwrap();
        let report = verifier.check(&leaf, &[], &late);
        assert_eq!(ids(&report).contains(&"ca-expiring"), wanted, "{report}");
    }
}

/// Section 4.2.1.1: a self-signed certificate may omit the identifier.
#[test]
fn a_root_that_is_verified_by_itself_needs_no_authority_key_identifier() {
    let ca = Ca::new();
    let root = ca.certificate();
    assert_eq!(root.extensions.authority_key_id, None);
    assert_eq!(ids(&check(&ca, root, &options(Purpose::Any))), ["leaf-is-ca"]);
}

#[test]
fn a_leaf_with_many_names_is_not_listed_to_the_end() {
    let ca = Ca::new();
    let names: Vec<String> = (0..150).map(|number| format!("host-{number}.example.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let leaf = ca.issue("server", "host", &names);
    let mut options = options(Purpose::Server);
    options.hosts = vec!["host-149.example.com".try_into().unwrap()];
    assert_eq!(ids(&check(&ca, &leaf, &options)), [""; 0]);
    options.hosts = vec!["elsewhere.example.com".try_into().unwrap()];
    let report = check(&ca, &leaf, &options);
    assert_eq!(ids(&report), ["host-mismatch"]);
    let evidence = report.findings().next().unwrap().evidence.to_string();
    assert_eq!(evidence.matches(':').count(), 100, "{evidence}");
    let all = leaf.extensions.subject_alt_name.as_ref().unwrap().len();
    assert!(evidence.ends_with(&format!("and {} more", all - 100)), "{evidence}");
}

/// Section 4.2: each extension occurs once, wherever the second one is.
#[test]
fn an_extension_that_stands_there_twice_is_refused() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    for (oid, twice) in [(oid::SUBJECT_KEY_ID, true), (&[0x55, 0x1d, 13], false)] {
        let der = forge(ca.certificate().der(), &key, |fields| {
            let value = Node::octets(0x04, [0x04, 0x01, 0x00]);
            extensions(fields).push(Node::nodes(0x30, vec![Node::octets(0x06, oid), value]));
        });
        let read = Certificate::from_der(&der).map(|_| ());
        let refused = read.as_ref().is_err_and(|error| error.to_string().contains("2.5.29.14"));
        assert_eq!(refused, twice, "{oid:x?}: {read:?}");
    }
}
