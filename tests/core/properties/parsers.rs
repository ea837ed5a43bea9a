//! No input makes a parser panic, nor the code that uses its result.
//!
//! Anything that is read from damaged bytes is then used: a certificate is verified and signs as a CA, a request
//! is admitted, a configuration issues. An internal error is also a bug.

use pki_core::{
    Authority, CaRequest, Certificate, CertificateRequest, Cidr, CsrJson, DnsName, EmailAddress,
    Error, IssuanceContext, KeyAlgorithm, KeyFormat, NameConstraint, Oid, PrivateKey, PublicKey,
    Purpose, Request, San, Signer, SigningConfig, Subject, Uri, Verifier, VerifyOptions, is_pem,
    parse_duration, read_pem,
};
use proptest::prelude::*;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use x509_parser::asn1_rs::{Any, FromDer};

use super::damage::{CONFIG, REQUEST, SOUND, damage, damaged};
use super::{CAS, KEYS, cases, names};
use crate::lab::{self, NOW, moment};

fn no_bug<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Err(error @ Error::Internal(_)) => panic!("{error}"),
        result => result.ok(),
    }
}

fn request(config: &SigningConfig) -> impl Iterator<Item = (Request, &pki_core::Profile)> {
    let request = Request::new(
        Subject::from_common_name("etcdone").unwrap(),
        lab::names(&["a.example.com", "10.0.0.1", "a@b.example.com", "spiffe://td/x"]),
        KEYS[0].public_key().clone(),
    );
    let profiles = config.profiles.iter().chain(&config.default);
    profiles.map(move |profile| (request.clone(), profile))
}

/// Uses a certificate: shows it, verifies it, trusts it, signs with it.
fn use_certificate(certificate: &Certificate) {
    let _ = format!("{certificate:?} {} {}", certificate.subject, certificate.serial);
    let leaf = CAS[0].issue("peer", "etcdone", &[]);
    let mut options = VerifyOptions::at(NOW);
    options.hosts = vec!["etcdone".try_into().unwrap()];
    for purpose in [Purpose::Any, Purpose::Client, Purpose::Peer, Purpose::Server] {
        options.purpose = purpose;
        let known: Vec<_> = CAS.iter().map(|ca| ca.certificate().clone()).collect();
        let report = Verifier::builder(known).build().unwrap().check(
            certificate,
            std::slice::from_ref(&leaf),
            &options,
        );
        let _ = report.to_string();
        if let Some(verifier) = no_bug(Verifier::builder([certificate.clone()]).build()) {
            let _ = verifier.check(&leaf, std::slice::from_ref(certificate), &options);
            let _ = verifier.check(certificate, &[], &options);
        }
    }
    let authority = Authority::new(certificate.clone());
    for config in [SigningConfig::etcd(), SigningConfig::from_json(CONFIG.as_bytes()).unwrap()] {
        for (request, profile) in request(&config) {
            no_bug(authority.draft(&request, profile, &moment()));
        }
    }
}

/// Uses a request as a CA does: checks its signature, and issues the certificate.
fn use_request(csr: &CertificateRequest) -> bool {
    let Some(request) = no_bug(Request::from_csr(csr)) else {
        return false;
    };
    let open = br#"{"signing":{"profiles":{"p":{"expiry":"1h","usages":["client auth"],
        "copy_extensions":true},"ca":{"expiry":"1h","usages":["cert sign"],
        "ca_constraint":{"is_ca":true},"copy_extensions":true}}}}"#;
    let open = SigningConfig::from_json(open).unwrap();
    for profile in open.profiles.iter().chain(&SigningConfig::etcd().profiles) {
        let draft = no_bug(CAS[1].authority.draft(&request, profile, &moment()));
        draft.map(|draft| draft.sign(&CAS[1].key).unwrap());
    }
    true
}

fn use_config(config: &SigningConfig, now: OffsetDateTime) {
    let moment = IssuanceContext { now, ..moment() };
    for (request, profile) in request(config) {
        let draft = no_bug(CAS[0].authority.draft(&request, profile, &moment));
        draft.map(|draft| draft.sign(&CAS[0].key).unwrap());
    }
}

fn every_parser(bytes: &[u8]) {
    let _ = is_pem(bytes);
    drop(no_bug(read_pem(bytes)));
    let certificates = no_bug(Certificate::from_pem_or_der(bytes));
    certificates.iter().flatten().for_each(use_certificate);
    no_bug(Certificate::from_der(bytes));
    if let Some(csr) = no_bug(CertificateRequest::from_pem_or_der(bytes)) {
        use_request(&csr);
    }
    no_bug(CertificateRequest::from_der(bytes));
    let keys = [PrivateKey::from_pem(bytes), PrivateKey::from_der(bytes)];
    for key in keys.into_iter().filter_map(no_bug) {
        key.sign(b"message").unwrap();
        no_bug(key.to_pem(KeyFormat::Traditional)).unwrap();
    }
    no_bug(PublicKey::from_spki_der(bytes));
    no_bug(CsrJson::from_json(bytes));
    if let Some(config) = no_bug(SigningConfig::from_json(bytes)) {
        use_config(&config, NOW);
    }
    let builder = Verifier::builder([CAS[0].certificate().clone()]);
    if let Some(builder) = no_bug(builder.crl(bytes)) {
        let verifier = builder.build().unwrap();
        let leaf = CAS[0].issue("peer", "etcdone", &[]);
        let _ = verifier.check(&leaf, &[], &VerifyOptions::at(NOW));
    }
    every_text_parser(&String::from_utf8_lossy(bytes));
}

fn every_text_parser(text: &str) {
    no_bug(text.parse::<San>());
    no_bug(text.parse::<DnsName>());
    no_bug(text.parse::<EmailAddress>());
    no_bug(text.parse::<Uri>());
    no_bug(text.parse::<Cidr>());
    no_bug(text.parse::<NameConstraint>());
    no_bug(text.parse::<Oid>());
    no_bug(text.parse::<KeyAlgorithm>());
    no_bug(parse_duration(text));
    no_bug(SigningConfig::etcd().profile(text).cloned());
}

/// One DER element with tag, length and value.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], value].concat()
}

/// A request with damaged content and a valid signature, as an attacker could send.
fn resigned(damages: &[super::damage::Damage]) -> Vec<u8> {
    let (_, whole) = Any::from_der(&REQUEST).unwrap();
    let (_, content) = Any::from_der(whole.data).unwrap();
    let content = tlv(0x30, &damaged(content.data, damages));
    // ecdsa-with-SHA256 (RFC 5758 section 3.2)
    let algorithm = [0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let signature = [&[0], &KEYS[0].sign(&content).unwrap()[..]].concat();
    tlv(0x30, &[&content, &algorithm[..], &tlv(3, &signature)].concat())
}

/// A member of an object with one of these values, or no member.
fn member(key: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = prop::option::weighted(0.4, prop::sample::select(values));
    value.prop_map(move |value| {
        value.map_or_else(String::new, |value| format!("\"{key}\": {value}, "))
    })
}

const DURATIONS: &[&str] = &[
    "\"1h\"",
    "\"0\"",
    "\"-1h\"",
    "\"1us\"",
    "\"999ms\"",
    "\"1y\"",
    "\"2026y\"",
    "\"5000y\"",
    "\"10000y\"",
    "\"-9999y\"",
    "\"-10000y\"",
    "\"\"",
    "null",
    "1",
];
const MOMENTS: &[&str] = &[
    "\"2026-12-31T12:00:00Z\"",
    "\"2027-06-30T12:00:00.999Z\"",
    "\"1949-12-31T23:59:59Z\"",
    "\"1950-01-01T00:00:00+00:01\"",
    "\"2049-12-31T23:59:59-00:01\"",
    "\"0000-01-01T00:00:00Z\"",
    "\"0000-01-01T00:00:00+23:59\"",
    "\"9999-12-31T23:59:59Z\"",
    "\"9999-12-31T23:59:59-23:59\"",
    "\"\"",
    "0",
];
const POLICIES: &[&str] = &[
    "[]",
    "[{}]",
    r#"[{"ID": "1.2.3"}, {"ID": "1.2.3"}]"#,
    r#"[{"ID": "2.999.1"}]"#,
    r#"[{"ID": "2.4294967295.4294967295"}]"#,
    r#"[{"ID": "0.39"}]"#,
    r#"[{"ID": "1.2.4294967295.4294967295.4294967295.4294967295.4294967295.4294967295.4294967295.1"}]"#,
    r#"[{"ID": "1.2.3", "Qualifiers": [{"Type": "id-qt-unotice", "Value": "\u0000ü😀"}]}]"#,
    r#"[{"ID": "1.2.3", "Qualifiers": [{"Type": "id-qt-cps", "Value": "x:y"}]}]"#,
];

/// A configuration that mostly follows the grammar and contains boundary values.
fn config() -> impl Strategy<Value = String> {
    let usages = &["[\"signing\", \"client auth\"]", "[\"key encipherment\"]", "[\"cert sign\"]"];
    let cas = &[r#"{"is_ca": true}"#, r#"{"is_ca": true, "max_path_len": 255}"#, "{}"];
    let names = &[r#"["{cn}"]"#, r#"["{cn}.invalid", "*.{cn}"]"#, r#"["{cn}@{cn}"]"#, r#"["１"]"#];
    (
        member("expiry", DURATIONS),
        member("backdate", DURATIONS),
        member("not_before", MOMENTS),
        member("not_after", MOMENTS),
        member("Policies", POLICIES),
        member("ca_constraint", cas),
        member("add_names", names),
        member("name_whitelist", &["\"\"", "\".\"", "\"(\"", "\"\\\\PC*\"", "\"(a{1000}){1000}\""]),
        prop::sample::select(usages.as_slice()),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, usages)| {
            let profile = format!("{{{a}{b}{c}{d}{e}{f}{g}{h} \"usages\": {usages}}}");
            format!(r#"{{"signing": {{"default": {{"expiry": "1h"}}, "profiles": {{"p": {profile}}}}}}}"#)
        })
}

fn clock() -> impl Strategy<Value = OffsetDateTime> {
    prop::sample::select(vec![
        NOW,
        datetime!(2049-12-31 23:30 -1),
        datetime!(2050-01-01 00:30 +1),
        datetime!(1950-01-01 00:30 +1),
        datetime!(0000-01-01 00:30 +1),
        datetime!(-9999-01-01 00:30 +1),
        datetime!(9999-12-31 23:30 -1),
        datetime!(1969-12-31 23:59:59.999_999_999 UTC),
    ])
}

proptest! {
    #![proptest_config(cases(384))]

    #[test]
    fn damaged_bytes_of_every_kind_are_read_and_used_without_a_panic(
        which in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 0..4),
    ) {
        let sound: &Vec<u8> = which.get(SOUND.as_slice());
        every_parser(&damaged(sound, &damages));
    }

    #[test]
    fn random_bytes_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        every_parser(&bytes);
    }

    #[test]
    fn text_of_every_kind_is_read_without_a_panic(text in names::text()) {
        every_text_parser(&text);
        every_parser(text.as_bytes());
        let quoted = format!("{text:?}");
        every_parser(format!(r#"{{"CN": {quoted}, "hosts": [{quoted}]}}"#).as_bytes());
    }

    #[test]
    fn a_request_of_an_attacker_is_admitted_or_refused_without_a_panic(
        damages in prop::collection::vec(damage(), 0..4),
    ) {
        if let Ok(csr) = CertificateRequest::from_der(&resigned(&damages)) {
            use_request(&csr);
        }
    }

    #[test]
    fn a_configuration_at_its_edges_issues_at_any_hour_without_a_panic(
        config in config(),
        now in clock(),
        expiry in prop::option::of(any::<i64>().prop_map(Duration::seconds)),
    ) {
        if let Some(config) = no_bug(SigningConfig::from_json(config.as_bytes())) {
            use_config(&config, now);
            let mut root = CaRequest::new(Subject::from_common_name("etcd CA").unwrap());
            root.expiry = expiry.unwrap_or(root.expiry);
            root.backdate = config.profiles[0].backdate;
            let moment = IssuanceContext { now, ..moment() };
            no_bug(Authority::draft_root(&root, KEYS[0].public_key(), &moment));
        }
    }
}

#[test]
fn an_undamaged_request_reaches_the_certificate() {
    assert!(use_request(&CertificateRequest::from_der(&resigned(&[])).unwrap()));
}
