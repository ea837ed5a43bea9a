//! Trust: which certificate is reported, in which words, and that trust depends only on signatures.

use pki_core::{
    Certificate, KeyAlgorithm, KeyFormat, PathLimit, Place, Policy, PrivateKey, Report,
    SignatureStatus, Trust, Verifier, VerifyOptions,
};
use rcgen::{CertificateParams, SanType};
use time::Duration;

use crate::der::{Node, forge, oid, put};
use crate::foreign::{ca_params, params, self_signed, signed};
use crate::lab::NOW;

struct Ca {
    certificate: Certificate,
    key: PrivateKey,
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

fn root(name: &str) -> Ca {
    let key = key();
    Ca { certificate: self_signed(&ca_params(name, &key), &key), key }
}

impl Ca {
    fn ca(&self, name: &str) -> Self {
        let key = key();
        let mut params = ca_params(name, &key);
        params.use_authority_key_identifier_extension = true;
        params.not_after = NOW + Duration::days(3000);
        Self { certificate: signed(&params, &key, &self.certificate, &self.key), key }
    }

    fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let key = key();
        let mut params = params("host", &key);
        params.subject_alt_names = vec![SanType::DnsName("host.example.com".try_into().unwrap())];
        change(&mut params);
        signed(&params, &key, &self.certificate, &self.key)
    }

    /// The same CA, name and key, with another end.
    fn renewed(&self, end: Duration) -> Self {
        let pem = self.key.to_pem(KeyFormat::Pkcs8).unwrap();
        let key = PrivateKey::from_pem(pem.as_bytes()).unwrap();
        let mut params = ca_params("etcd CA", &key);
        params.not_after = NOW + end;
        Self { certificate: self_signed(&params, &key), key }
    }
}

fn check(anchors: &[&Ca], chain: &[&Certificate], leaf: &Certificate) -> Report {
    check_by(Policy::Etcd, anchors, chain, leaf, &VerifyOptions::at(NOW))
}

fn check_by(
    policy: Policy,
    anchors: &[&Ca],
    chain: &[&Certificate],
    leaf: &Certificate,
    options: &VerifyOptions,
) -> Report {
    let anchors = anchors.iter().map(|ca| ca.certificate.clone());
    let verifier = Verifier::builder(anchors).policy(policy).build().unwrap();
    let chain: Vec<Certificate> = chain.iter().copied().cloned().collect();
    verifier.check(leaf, &chain, options)
}

fn errors(report: &Report) -> Vec<(&str, &str)> {
    let errors = report.findings().filter(|one| one.severity == pki_core::Severity::Error);
    errors.map(|finding| (finding.rule.id, finding.subject.as_str())).collect()
}

fn signatures(report: &Report) -> Vec<(Place, SignatureStatus)> {
    report.path().certificates().iter().map(|one| (one.place, one.signature)).collect()
}

#[test]
fn the_signature_that_fails_is_named_by_its_own_certificate() {
    let (real, evil) = (root("etcd CA"), root("etcd CA"));
    let between = evil.ca("between");
    let leaf = between.leaf(|_| {});
    let report = check(&[&real], &[&between.certificate], &leaf);
    assert_eq!(errors(&report)[0], ("path-signature", "CN=between"), "{report}");
    assert_eq!(
        signatures(&report),
        [
            (Place::Leaf, SignatureStatus::Verified),
            (Place::Intermediate, SignatureStatus::Invalid),
            (Place::Anchor, SignatureStatus::NotChecked),
        ]
    );
    assert_eq!(report.path().anchor(), None);
}

#[test]
fn of_two_cas_of_one_name_each_that_was_tried_is_named_by_its_key() {
    let (one, other, evil) = (root("etcd CA"), root("etcd CA"), root("etcd CA"));
    let leaf = evil.leaf(|params| params.use_authority_key_identifier_extension = false);
    let report = check(&[&one, &other], &[], &leaf);
    let Trust::Refused(why) = report.path().trust() else { panic!("{report}") };
    assert_eq!(why.rule.id, "path-signature");
    for ca in [&one, &other] {
        let key_id = ca.certificate.public_key.key_id().to_string();
        assert!(why.evidence.to_string().contains(&key_id), "{why}");
    }
}

#[test]
fn a_copy_of_the_root_behind_the_leaf_lacks_no_identifier() {
    let ca = root("etcd CA");
    let expired = ca.leaf(|params| params.not_after = NOW - Duration::SECOND);
    let report = check(&[&ca], &[&ca.certificate], &expired);
    assert_eq!(errors(&report), [("leaf-expired", "CN=host")], "{report}");
    assert_eq!(report.findings().count(), 1, "{report}");
    // Neither does the root of somebody who is not trusted.
    let report = check(&[&root("another CA")], &[&ca.certificate], &ca.leaf(|_| {}));
    let ids: Vec<&str> = report.findings().map(|finding| finding.rule.id).collect();
    assert_eq!(ids, ["path-unknown-authority"], "{report}");
}

#[test]
fn a_chain_that_reaches_no_anchor_says_so_first() {
    let stranger = root("another CA");
    let mut chain = vec![root("etcd CA")];
    for number in 0..6 {
        let mut next = chain[number].ca(&format!("ca {number}"));
        // Each lacks an identifier, which RFC 5280 demands.
        let der = forge(next.certificate.der(), &chain[number].key, |fields: &mut Vec<Node>| {
            crate::der::remove(fields, oid::AUTHORITY_KEY_ID);
            crate::der::remove(fields, oid::SUBJECT_KEY_ID);
        });
        next.certificate = Certificate::from_der(&der).unwrap();
        chain.push(next);
    }
    let leaf = chain[6].leaf(|params| params.use_authority_key_identifier_extension = false);
    let known: Vec<&Certificate> = chain.iter().skip(1).map(|ca| &ca.certificate).collect();
    let options = VerifyOptions::at(NOW);
    let report = check_by(Policy::Rfc5280, &[&stranger], &known, &leaf, &options);
    assert_eq!(errors(&report)[0], ("path-unknown-authority", "CN=ca 0"), "{report}");
    assert!(errors(&report).len() > 6, "{report}");
}

/// Renewing a CA with the same key is what etcdpki advises, and both are trusted for a while.
#[test]
fn of_a_ca_and_its_renewal_either_is_enough_in_any_order() {
    let ca = root("etcd CA");
    let (expired, renewed) = (ca.renewed(-Duration::SECOND), ca.renewed(Duration::days(4000)));
    let leaf = ca.leaf(|_| {});
    let between = ca.ca("between");
    let below = between.leaf(|_| {});
    for anchors in [[&expired, &renewed], [&renewed, &expired]] {
        for (leaf, chain) in [(&leaf, &[][..]), (&below, &[&between.certificate])] {
            let report = check(&anchors, chain, leaf);
            assert!(report.is_ok(), "{report}");
            assert_eq!(report.path().anchor(), Some(&renewed.certificate));
        }
        // The same on the walk: a CA in the place of the leaf is one that webpki cannot accept.
        let options = VerifyOptions::at(NOW);
        let report = check_by(Policy::Rfc5280, &anchors, &[], &between.certificate, &options);
        assert!(report.is_ok(), "{report}");
        assert_eq!(report.path().anchor(), Some(&renewed.certificate));
    }
    let report = check(&[&expired], &[], &leaf);
    assert_eq!(errors(&report), [("ca-time", "CN=etcd CA")], "{report}");
    assert!(report.path().is_trusted() && !report.is_ok());
}

#[test]
fn what_a_leaf_signed_is_not_trusted() {
    let ca = root("etcd CA");
    let key = key();
    let mut of_leaf = params("host", &key);
    of_leaf.use_authority_key_identifier_extension = true;
    let host = Ca { certificate: signed(&of_leaf, &key, &ca.certificate, &ca.key), key };
    let report = check(&[&ca], &[&host.certificate], &host.leaf(|_| {}));
    assert!(!report.path().is_trusted(), "{report}");
    assert_eq!(report.path().refusal().unwrap().rule.id, "path-rejected");
    assert_eq!(errors(&report), [("ca-bc", "CN=host")], "one fault, one reason: {report}");
}

/// What webpki says of it: `CertExpired { time: UnixTime(…), not_after: … }`.
#[test]
fn an_expired_ca_is_reported_without_the_types_of_rust() {
    let ca = root("etcd CA");
    let between = ca.ca("between");
    let leaf = between.leaf(|_| {});
    let der = forge(between.certificate.der(), &ca.key, |fields: &mut Vec<Node>| {
        *fields[4].inner()[0].content() = b"260101000000Z".to_vec();
        *fields[4].inner()[1].content() = b"261231000000Z".to_vec();
    });
    let report = check(&[&ca], &[&Certificate::from_der(&der).unwrap()], &leaf);
    assert_eq!(errors(&report), [("ca-time", "CN=between")], "{report}");
    let said = report.to_string();
    assert!(!said.contains("UnixTime") && !said.contains("CertExpired"), "{said}");
}

/// What webpki says of it: `EndEntityUsedAsCa`.
#[test]
fn a_leaf_in_the_place_of_a_ca_is_reported_without_the_types_of_rust() {
    let ca = root("etcd CA");
    let between = ca.ca("between");
    let leaf = between.leaf(|_| {});
    let der = forge(between.certificate.der(), &ca.key, |fields: &mut Vec<Node>| {
        put(fields, oid::BASIC_CONSTRAINTS, true, &[0x30, 0x00]);
    });
    let report = check(&[&ca], &[&Certificate::from_der(&der).unwrap()], &leaf);
    assert!(errors(&report).contains(&("ca-bc", "CN=between")), "{report}");
    assert!(!report.to_string().contains("EndEntity"), "{report}");
}

/// Every refusal of webpki that we know how to cause is reported in our words.
#[test]
fn no_word_of_the_path_builders_own_reaches_a_reader() {
    let ca = root("etcd CA");
    let between = ca.ca("between");
    let spoilt = |change: fn(&mut Vec<Node>)| {
        let der = forge(between.certificate.der(), &ca.key, change);
        Certificate::from_der(&der).unwrap()
    };
    let chains = [
        spoilt(|fields| *fields[4].inner()[1].content() = b"260101000000Z".to_vec()),
        spoilt(|fields| *fields[4].inner()[0].content() = b"490101000000Z".to_vec()),
        spoilt(|fields| put(fields, oid::BASIC_CONSTRAINTS, true, &[0x30, 0x00])),
        spoilt(|fields| put(fields, oid::BASIC_CONSTRAINTS, true, &[0x30, 3, 1, 1, 0x01])),
        spoilt(|fields| put(fields, oid::EXTENDED_KEY_USAGE, true, &[0x30, 0x00])),
        spoilt(|fields| put(fields, &[0x2a, 0x03, 0x04], true, &[0x05, 0x00])),
        spoilt(|fields| put(fields, oid::NAME_CONSTRAINTS, true, &[0x30, 4, 0xa0, 2, 0x30, 0])),
    ];
    for (number, ca_between) in chains.iter().enumerate() {
        for policy in [Policy::Etcd, Policy::Rfc5280] {
            let options = VerifyOptions::at(NOW);
            let leaf = between.leaf(|_| {});
            let report = check_by(policy, &[&ca], &[ca_between], &leaf, &options);
            assert!(!report.is_ok(), "{number}");
            let said = report.to_string();
            let foreign = ["UnixTime", "Error", "EndEntityUsedAsCa", "Bad", " { ", "Context"];
            for word in foreign {
                assert!(!said.contains(word), "{number}: {said}");
            }
        }
    }
}

/// webpki matches no names of a certificate that it cannot read.
fn is_asked_for_its_host(limit: Option<PathLimit>, make: impl Fn(&Ca) -> Certificate) {
    let ca = root("etcd CA");
    let leaf = make(&ca);
    for (host, matches) in [("host.example.com", true), ("elsewhere.example.com", false)] {
        let mut options = VerifyOptions::at(NOW);
        options.hosts = vec![host.try_into().unwrap()];
        let report = check_by(Policy::Etcd, &[&ca], &[], &leaf, &options);
        let mismatch = report.findings().any(|finding| finding.rule.id == "host-mismatch");
        assert_eq!(mismatch, !matches, "{host}: {report}");
        assert_eq!(report.path().limit(), limit);
        assert!(report.path().is_trusted(), "{report}");
    }
}

fn forged(ca: &Ca, change: impl Fn(&mut Vec<Node>)) -> Certificate {
    let plain = ca.leaf(|_| {});
    Certificate::from_der(&forge(plain.der(), &ca.key, |fields| change(fields))).unwrap()
}

#[test]
fn a_plain_leaf_is_asked_for_its_host() {
    is_asked_for_its_host(None, |ca| ca.leaf(|_| {}));
}

#[test]
fn a_leaf_with_critical_policies_is_asked_for_its_host() {
    let policies: &[u8] = &[0x30, 0x06, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03];
    is_asked_for_its_host(Some(PathLimit::CriticalPolicies), |ca| {
        forged(ca, |fields| put(fields, oid::POLICIES, true, policies))
    });
}

#[test]
fn a_leaf_with_an_issuer_unique_id_is_asked_for_its_host() {
    is_asked_for_its_host(Some(PathLimit::UniqueIds), |ca| {
        forged(ca, |fields| fields.insert(7, Node::octets(0x81, [0x00, 0x2a])))
    });
}

#[test]
fn a_leaf_with_more_than_64_kib_of_names_is_asked_for_its_host() {
    is_asked_for_its_host(Some(PathLimit::Size), |ca| {
        let many = ca.leaf(|params| {
            let names = (0..3000).map(|number| format!("host-{number:04}.a.long.name.example.com"));
            let names = names.chain(["host.example.com".to_owned()]);
            params.subject_alt_names =
                names.map(|name| SanType::DnsName(name.try_into().unwrap())).collect();
        });
        assert!(many.der().len() > 0x1_0000);
        many
    });
}

#[test]
fn a_signature_is_by_one_key_however_often_it_is_asked() {
    let (one, other) = (root("etcd CA"), root("etcd CA"));
    let leaf = one.leaf(|_| {});
    for _ in 0..2 {
        assert!(leaf.is_signed_by(&one.certificate.public_key));
        assert!(!leaf.is_signed_by(&other.certificate.public_key));
        assert!(leaf.clone().is_signed_by(&one.certificate.public_key));
    }
    let read_again = Certificate::from_der(leaf.der()).unwrap();
    assert_eq!(
        leaf, read_again,
        "what is known about a signature is not a part of the certificate"
    );
}

#[test]
fn an_anchor_accepts_what_its_key_signed_and_nothing_else() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519] {
        let key = PrivateKey::generate(algorithm).unwrap();
        let ca = Ca { certificate: self_signed(&ca_params("etcd CA", &key), &key), key };
        let leaf = ca.leaf(|_| {});
        let verifier = Verifier::builder([ca.certificate.clone()]).build().unwrap();
        let mut forged = leaf.der().to_vec();
        *forged.last_mut().unwrap() ^= 1;
        let forged = Certificate::from_der(&forged).unwrap();
        for (leaf, trusted) in [(&leaf, true), (&forged, false), (&leaf, true)] {
            let report = verifier.check(leaf, &[], &VerifyOptions::at(NOW));
            assert_eq!(report.path().is_trusted(), trusted, "{algorithm}: {report}");
        }
    }
}
