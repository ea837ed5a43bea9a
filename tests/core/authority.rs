//! What a CA signs and refuses, and signatures that are made elsewhere.

mod constraints;
mod crl;
mod intermediate;
mod names;
mod renewal;
mod request;
mod signature;
mod tbs;

use std::collections::HashSet;

use pki_core::{
    Authority, CaRequest, Certificate, Draft, Error, IssuanceContext, KeyAlgorithm, Lifetime,
    PrivateKey, Purpose, Report, Severity, Signer, SigningConfig, Subject, Verifier, VerifyOptions,
};
use time::Duration;
use time::macros::datetime;

use crate::lab::{Ca, NOW, moment};
use crate::openssl::Openssl;

/// Profiles for CAs below a CA: one that may sign only leaf certificates, and one without a path length.
const CONFIG: &[u8] = br#"{"signing": {"default": {"expiry": "43800h"}, "profiles": {
    "last": {"usages": ["cert sign", "crl sign"],
             "ca_constraint": {"is_ca": true, "max_path_len_zero": true}},
    "open": {"usages": ["cert sign", "crl sign"], "ca_constraint": {"is_ca": true}},
    "leaf": {"usages": ["signing", "client auth"], "expiry": "1h"}}}}"#;

fn draft(authority: &Authority, profile: &str, cn: &str, key: &PrivateKey) -> Result<Draft, Error> {
    let config = SigningConfig::from_json(CONFIG).unwrap();
    let names: &[&str] = if profile == "leaf" { &["etcdone"] } else { &[] };
    authority.draft(&Ca::request(cn, names, key), config.profile(profile).unwrap(), &moment())
}

/// A CA that another CA signed.
pub(crate) fn below(ca: &Ca, profile: &str, cn: &str) -> Ca {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let issued = draft(&ca.authority, profile, cn, &key).unwrap().sign(&ca.key).unwrap();
    assert_eq!(issued.findings, []);
    Ca { key, authority: Authority::new(issued.certificate) }
}

fn refused(result: Result<Draft, Error>) -> Vec<&'static str> {
    match result {
        Err(Error::Refused(findings)) => findings.iter().map(|f| f.rule.id).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

fn check(anchors: &[&Ca], chain: &[&Ca], leaf: &Certificate, purpose: Purpose) -> Report {
    let certificates =
        |cas: &[&Ca]| -> Vec<_> { cas.iter().map(|ca| ca.certificate().clone()).collect() };
    let mut options = VerifyOptions::at(NOW);
    options.purpose = purpose;
    let chain = certificates(chain);
    Verifier::builder(certificates(anchors)).build().unwrap().check(leaf, &chain, &options)
}

fn ids(report: &Report) -> Vec<&str> {
    report.findings().map(|finding| finding.rule.id).collect()
}

#[test]
fn a_root_signs_certificates_and_crls_and_nothing_else() {
    let openssl = Openssl::new();
    for (path_len, wanted) in [
        (Some(0), "CA:TRUE, pathlen:0\n"),
        (Some(255), "CA:TRUE, pathlen:255\n"),
        (None, "CA:TRUE\n"),
    ] {
        let ca = Ca::with(KeyAlgorithm::EcdsaP384, |request| {
            request.path_len = path_len;
            request.crl_url = Some("http://crl.example.com/ca.crl".parse().unwrap());
        });
        let root = ca.certificate();
        assert_eq!(
            (root.not_before, root.not_after),
            (NOW - Duration::minutes(5), NOW + Duration::days(3650))
        );
        assert!(root.is_self_issued() && root.is_signed_by(&root.public_key));
        let oids: Vec<_> =
            root.extensions.all.iter().map(|e| (e.oid.as_str(), e.critical)).collect();
        // No extKeyUsage, no subjectAltName, and no authorityKeyIdentifier, which would be its own.
        let wanted_oids =
            [("2.5.29.15", true), ("2.5.29.19", true), ("2.5.29.14", false), ("2.5.29.31", false)];
        assert_eq!(oids, wanted_oids);
        let text = openssl.text(root);
        for wanted in
            [wanted, "Certificate Sign, CRL Sign\n", "URI:http://crl.example.com/ca.crl\n"]
        {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
    }
}

#[test]
fn a_root_without_a_name_or_a_life_is_refused() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let request = CaRequest::new(Subject::from_common_name("etcd CA").unwrap());
    let nameless = CaRequest { subject: Subject::default(), ..request.clone() };
    let dead = CaRequest { expiry: Duration::ZERO, ..request.clone() };
    let ended = CaRequest { expiry: Duration::hours(-1), ..request.clone() };
    let endless = CaRequest { expiry: Duration::days(9999 * 365), ..request.clone() };
    let unborn = CaRequest { backdate: Duration::minutes(-1), ..request };
    for (request, wanted) in [
        (nameless, "subject \"\": a CA needs a name"),
        (dead, "the certificate would already be expired"),
        (ended, "the certificate would already be expired"),
        (endless, "notAfter would be after the year 9999"),
        (unborn, "the certificate would not be valid yet"),
    ] {
        let error = Authority::draft_root(&request, key.public_key(), &moment()).unwrap_err();
        assert!(error.to_string().contains(wanted) && error.hint().is_some(), "{error}");
    }
}

// The encoder panics if its time type cannot represent a year, and reads the year before it converts the
// time to UTC.
#[test]
fn a_clock_of_any_zone_and_century_gives_utc_or_a_reason() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut request = CaRequest::new(Subject::from_common_name("etcd CA").unwrap());
    request.expiry = Duration::HOUR;
    let drafted = |now| {
        let moment = IssuanceContext { now, ..moment() };
        let draft = Authority::draft_root(&request, key.public_key(), &moment)?;
        draft.sign(&key).map(|issued| (issued.certificate.not_before, issued.certificate.not_after))
    };
    for (now, begin, end) in [
        (
            datetime!(2027-01-01 01:30:59.9 +2),
            datetime!(2026-12-31 23:25:59 UTC),
            datetime!(2027-01-01 00:30:59 UTC),
        ),
        (
            datetime!(2049-12-31 22:02 -1),
            datetime!(2049-12-31 22:57 UTC),
            datetime!(2050-01-01 00:02 UTC),
        ),
        (
            datetime!(2050-01-01 00:02 +1),
            datetime!(2049-12-31 22:57 UTC),
            datetime!(2050-01-01 00:02 UTC),
        ),
    ] {
        assert_eq!(drafted(now).unwrap(), (begin, end));
    }
    for now in [
        datetime!(1950-01-01 00:30 +1),
        datetime!(0000-01-01 00:00 UTC),
        datetime!(-9999-01-01 00:30 +1),
        datetime!(9999-12-31 23:30 UTC),
        datetime!(9999-12-31 23:30 -1),
    ] {
        let error = drafted(now).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)) && error.hint().is_some(), "{error:?}");
    }
}

#[test]
fn an_intermediate_signs_leaves_that_openssl_and_the_verifier_accept() {
    let root = Ca::with(KeyAlgorithm::EcdsaP521, |request| request.path_len = Some(1));
    let middle = below(&root, "last", "etcd CA 2027");
    assert_eq!(middle.certificate().issuer.der(), root.certificate().subject.der());
    let leaf = middle.issue("peer", "etcdone", &["192.168.29.61"]);
    let report = check(&[&root], &[&middle], &leaf, Purpose::Peer);
    assert_eq!(ids(&report), [""; 0], "{report}");
    assert_eq!(report.path().to_string(), "CN=etcdone <- CN=etcd CA 2027 <- CN=etcd CA");
    let openssl = Openssl::new();
    for (name, certificate) in [
        ("root.pem", root.certificate()),
        ("middle.pem", middle.certificate()),
        ("leaf.pem", &leaf),
    ] {
        openssl.write(name, certificate.to_pem().unwrap());
    }
    let at = NOW.unix_timestamp();
    openssl.run(&format!(
        "verify -x509_strict -purpose sslserver -attime {at} -CAfile root.pem -untrusted middle.pem leaf.pem"
    ));
}

#[test]
fn a_path_length_limits_the_next_ca_that_is_signed() {
    let root = |path_len| Ca::with(KeyAlgorithm::EcdsaP256, |request| request.path_len = path_len);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    assert_eq!(refused(draft(&root(Some(0)).authority, "last", "below", &key)), ["ca-pathlen"]);
    // A CA of the same name also counts, because Go counts certificates, not names.
    assert_eq!(refused(draft(&root(Some(0)).authority, "last", "etcd CA", &key)), ["ca-pathlen"]);
    let last = below(&root(Some(1)), "last", "last");
    assert_eq!(refused(draft(&last.authority, "open", "below", &key)), ["ca-pathlen"]);
    let root = root(None);
    let (first, mut path) = (below(&root, "open", "first"), Vec::new());
    path.push(below(&first, "open", "second"));
    path.push(first);
    let leaf = path[0].issue("client", "etcdone", &[]);
    let chain: Vec<&Ca> = path.iter().collect();
    assert_eq!(ids(&check(&[&root], &chain, &leaf, Purpose::Client)), [""; 0]);
}

#[test]
fn a_leaf_ends_with_its_ca_at_the_latest() {
    let ca = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.expiry = Duration::hours(2));
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut request = Ca::request("etcdone", &[], &key);
    request.lifetime = Lifetime::Exactly(Duration::hours(2));
    let leaf = ca.draft("peer", &request).unwrap().sign(&ca.key).unwrap().certificate;
    assert_eq!(leaf.not_after, ca.certificate().not_after);
    request.lifetime = Lifetime::Exactly(Duration::hours(2) + Duration::SECOND);
    let drafted = ca.draft("peer", &request);
    let said = drafted.as_ref().map(|_| ()).unwrap_err().to_string();
    assert_eq!(refused(drafted), ["leaf-outlives-ca"]);
    let evidence = "notAfter 2027-01-01T14:00:01Z is later than the CA's 2027-01-01T14:00:00Z";
    assert!(said.starts_with("refused: ") && said.contains(evidence), "{said}");
    // The profile's year is too long for two hours, in which no certificate is worth issuing.
    request.lifetime = Lifetime::Default;
    assert_eq!(refused(ca.draft("peer", &request)), ["leaf-outlives-ca"]);
    // A request that says so gets a certificate that ends with the CA, and so does one with a short lifetime.
    request.renew_before = Duration::HOUR;
    for lifetime in [Lifetime::Default, Lifetime::UpTo(Duration::hours(3))] {
        request.lifetime = lifetime;
        let draft = ca.draft("peer", &request).unwrap();
        assert_eq!(draft.contents().not_after, ca.certificate().not_after);
        assert_eq!(draft.findings()[0].rule.id, "leaf-ends-with-ca");
    }
    request.renew_before = Duration::days(30);
    assert_eq!(
        ca.draft("peer", &request).unwrap().contents().not_after,
        ca.certificate().not_after
    );
    request.lifetime = Lifetime::UpTo(Duration::hours(5));
    assert_eq!(refused(ca.draft("peer", &request)), ["leaf-outlives-ca"]);
}

#[test]
fn two_cas_of_one_name_are_distinguished_by_their_keys() {
    let (old, new) = (Ca::new(), Ca::new());
    assert_eq!(old.certificate().subject.der(), new.certificate().subject.der());
    for ca in [&old, &new] {
        let leaf = ca.issue("client", "etcdone", &[]);
        for anchors in [[&old, &new], [&new, &old]] {
            assert_eq!(ids(&check(&anchors, &[], &leaf, Purpose::Client)), [""; 0]);
        }
    }
    let leaf = old.issue("client", "etcdone", &[]);
    assert_eq!(ids(&check(&[&new], &[], &leaf, Purpose::Client)), ["path-signature", "aki-ski"]);
}

// cfssl omits the authorityKeyIdentifier from a leaf certificate with the same name as its CA.
#[test]
fn a_leaf_with_the_name_of_its_ca_is_a_leaf_like_any_other() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let issued = draft(&ca.authority, "leaf", "etcd CA", &key).unwrap().sign(&ca.key).unwrap();
    let leaf = issued.certificate;
    assert!(leaf.is_self_issued() && !leaf.is_ca());
    let named = leaf.extensions.authority_key_id.clone().unwrap().key_id;
    assert_eq!(named, ca.certificate().extensions.subject_key_id);
    assert_eq!(ids(&check(&[&ca], &[], &leaf, Purpose::Client)), [""; 0]);
}

#[test]
fn a_self_signed_leaf_needs_no_authority_key_identifier() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let request = Ca::request("etcdone", &["10.0.0.1"], &key);
    let config = SigningConfig::etcd();
    let profile = config.profile("server").unwrap();
    let draft = Authority::draft_self_signed(&request, profile, &moment()).unwrap();
    assert_eq!(draft.findings(), []);
    let leaf = draft.sign(&key).unwrap().certificate;
    assert!(leaf.is_self_issued() && leaf.is_signed_by(&leaf.public_key) && !leaf.is_ca());
    assert_eq!(leaf.extensions.authority_key_id, None);
}

/// Without names it cannot serve, but with both usages it is still good for a client.
#[test]
fn a_certificate_with_only_a_common_name_is_issued_if_it_can_be_a_clients() {
    const USAGES: &[u8] = br#"{"signing": {"profiles": {
        "both": {"usages": ["signing", "server auth", "client auth"], "expiry": "1h"},
        "server": {"usages": ["signing", "server auth"], "expiry": "1h"}}}}"#;
    let (ca, config) = (Ca::new(), SigningConfig::from_json(USAGES).unwrap());
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let request = Ca::request("etcdone", &[], &key);
    let drafted = |name| ca.authority.draft(&request, config.profile(name).unwrap(), &moment());
    let findings = drafted("both").unwrap().findings().to_vec();
    let found: Vec<_> = findings.iter().map(|found| (found.rule.id, found.severity)).collect();
    assert!(found.contains(&("san-none-cn-only", Severity::Warning)), "{found:?}");
    assert!(refused(drafted("server")).contains(&"san-none-cn-only"));
}

#[test]
fn each_certificate_carries_the_serial_number_of_its_moment() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let config = SigningConfig::etcd();
    let mut seen = HashSet::new();
    for _ in 0..64 {
        let IssuanceContext { now, serial } = moment();
        let moment = IssuanceContext { now, serial: serial.clone() };
        let request = Ca::request("etcdone", &[], &key);
        let draft = ca.authority.draft(&request, config.profile("client").unwrap(), &moment);
        let leaf = draft.unwrap().sign(&ca.key).unwrap().certificate;
        assert_eq!(leaf.serial, serial);
        assert!(seen.insert(leaf.serial.clone()), "a serial number occurs twice");
    }
}
