//! A rule fires on a certificate that breaks it, and not on the same certificate without the fault.

use pki_core::{
    Certificate, ExtendedKeyUsage, KeyAlgorithm, PrivateKey, Purpose, Question, Verifier,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, RevokedCertParams, SanType, SerialNumber};
use time::Duration;

use crate::foreign::{ca_params, crl, extended_key_usages, params, self_signed, signed};
use crate::lab::{Ca, NOW};

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn both() -> [ExtendedKeyUsage; 2] {
    [ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()]
}

/// A leaf that breaks nothing, changed, under a CA that breaks nothing.
fn leaf(ca: &Ca, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut params = params("etcdone", &key);
    params.subject_alt_names = vec![dns("etcdone")];
    params.extended_key_usages = extended_key_usages(&both());
    change(&mut params);
    signed(&params, &key, ca.certificate(), &ca.key)
}

fn ids(verifier: &Verifier, leaf: &Certificate, purpose: Purpose) -> Vec<&'static str> {
    let mut question = Question::at(NOW);
    question.purpose = purpose;
    let report = verifier.check(leaf, &[], &question);
    report.findings.iter().map(|finding| finding.rule.id).collect()
}

fn trusting(ca: &Ca) -> Verifier {
    Verifier::new(vec![ca.certificate().clone()]).unwrap()
}

#[track_caller]
fn fires(rule: &str, purpose: Purpose, change: impl FnOnce(&mut CertificateParams)) {
    let ca = Ca::new();
    let verifier = trusting(&ca);
    assert_eq!(ids(&verifier, &leaf(&ca, |_| {}), Purpose::Peer), [""; 0]);
    let found = ids(&verifier, &leaf(&ca, change), purpose);
    assert!(found.contains(&rule), "{rule}: {found:?}");
}

#[test]
fn of_usages() {
    let [server, client] = both();
    fires("cli-eku", Purpose::Client, |params| {
        params.extended_key_usages = extended_key_usages(std::slice::from_ref(&server));
    });
    fires("srv-eku-client", Purpose::Server, |params| {
        params.extended_key_usages = extended_key_usages(std::slice::from_ref(&server));
    });
    fires("cli-has-serverauth", Purpose::Client, |_| {});
    fires("srv-eku-server", Purpose::Server, |params| {
        params.extended_key_usages = extended_key_usages(std::slice::from_ref(&client));
    });
}

#[test]
fn of_names() {
    fires("san-ip-as-dns", Purpose::Peer, |params| {
        params.subject_alt_names.push(dns("192.168.29.61"));
    });
    fires("san-dns-form", Purpose::Peer, |params| {
        params.subject_alt_names.push(dns("etcdone.example.com."));
    });
}

#[test]
fn of_the_form_of_a_certificate() {
    fires("serial-form", Purpose::Peer, |params| {
        params.serial_number = Some(SerialNumber::from(vec![0]));
    });
    fires("aki-missing", Purpose::Peer, |params| {
        params.use_authority_key_identifier_extension = false;
    });
    fires("validity-order", Purpose::Peer, |params| {
        params.not_after = params.not_before - Duration::seconds(1);
    });
    fires("leaf-is-ca", Purpose::Peer, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
}

#[test]
fn of_a_ca_without_a_key_identifier() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut without = ca_params("etcd CA", &key);
    // The encoder ties the identifier to basicConstraints: without one there is neither.
    without.is_ca = IsCa::NoCa;
    let bare = self_signed(&without, &key);
    let whole = self_signed(&ca_params("etcd CA", &key), &key);
    let leaf_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut params = params("etcdone", &leaf_key);
    params.subject_alt_names = vec![dns("etcdone")];
    let leaf = signed(&params, &leaf_key, &whole, &key);
    let of = |ca: Certificate| ids(&Verifier::new(vec![ca]).unwrap(), &leaf, Purpose::Any);
    assert_eq!(of(whole), [""; 0]);
    assert_eq!(of(bare), ["ca-bc", "ski-missing"]);
}

#[test]
fn of_the_issuers_name() {
    let ca = Ca::new();
    let leaf = leaf(&ca, |_| {});
    let stranger = Ca::with(KeyAlgorithm::EcdsaP256, |request| {
        request.subject = pki_core::Subject::from_common_name("another CA").unwrap();
    });
    assert_eq!(ids(&trusting(&stranger), &leaf, Purpose::Peer), ["path-unknown-authority"]);
    // The same key under a name in other bytes, which Go takes for another CA.
    let renamed = self_signed(&ca_params("ETCD CA", &ca.key), &ca.key);
    let verifier = Verifier::new(vec![renamed]).unwrap();
    assert_eq!(ids(&verifier, &leaf, Purpose::Peer), ["dn-bytes"]);
}

#[test]
fn of_depth() {
    let ca = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.path_len = None);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut between = ca_params("between", &key);
    between.use_authority_key_identifier_extension = true;
    between.not_after = NOW + Duration::days(1000);
    let between = signed(&between, &key, ca.certificate(), &ca.key);
    let leaf_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let leaf = signed(&params("etcdone", &leaf_key), &leaf_key, &between, &key);
    let mut verifier = trusting(&ca);
    verifier.intermediates = vec![between];
    for (depth, wanted) in [(None, &[][..]), (Some(1), &[]), (Some(0), &["path-too-deep"])] {
        verifier.max_depth = depth;
        assert_eq!(ids(&verifier, &leaf, Purpose::Any), wanted, "{depth:?}");
    }
}

#[test]
fn of_revocation() {
    let ca = Ca::new();
    let leaf = leaf(&ca, |_| {});
    let revoked = |serial: &[u8]| RevokedCertParams {
        serial_number: SerialNumber::from(serial.to_vec()),
        revocation_time: NOW - Duration::hours(1),
        reason_code: None,
        invalidity_date: None,
    };
    let with = |crl: &[u8]| {
        let mut verifier = trusting(&ca);
        verifier.add_crl(crl).unwrap();
        ids(&verifier, &leaf, Purpose::Peer)
    };
    assert_eq!(with(&crl(&ca, vec![revoked(&[1])])), [""; 0]);
    assert_eq!(with(&crl(&ca, vec![revoked(leaf.serial.as_bytes())])), ["leaf-revoked"]);
    // Of a CA with the same name and another key: nobody can rely on it.
    assert_eq!(with(&crl(&Ca::new(), Vec::new())), ["crl-unusable"]);
}
