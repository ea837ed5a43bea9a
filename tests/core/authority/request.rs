//! Certification requests that this crate writes, read by openssl and compared with cfssl's.

use pki_core::{
    CaRequest, CertificateRequest, CsrJson, Error, KeyAlgorithm, PrivateKey, Purpose, Request,
    Signer, Subject,
};

use super::{check, ids};
use crate::cfssl::cfssl;
use crate::lab::{Ca, names};
use crate::openssl::Openssl;

#[test]
fn openssl_verifies_a_request_of_every_kind_of_key() {
    let openssl = Openssl::new();
    for algorithm in KeyAlgorithm::GENERATED {
        let key = PrivateKey::generate(algorithm).unwrap();
        let asked = Ca::request("etcdone", &["etcdone.lab", "10.0.0.1", "2001:db8::1"], &key);
        let csr = CertificateRequest::draft(&asked).unwrap().sign(&key).unwrap();
        openssl.write("r.csr", csr.to_pem().unwrap());
        let text = openssl.says("req -in r.csr -noout -verify -text");
        for wanted in [
            "CN = etcdone",
            "DNS:etcdone.lab, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1",
        ] {
            assert!(text.contains(wanted), "{algorithm}: {wanted} in {text}");
        }
        let read = CertificateRequest::from_pem_or_der(csr.to_pem().unwrap().as_bytes()).unwrap();
        assert_eq!(read, csr);
        let request = Request::from_csr(&csr).unwrap();
        assert_eq!(request.subject.value(), asked.subject.value());
        assert_eq!(request.names.value(), asked.names.value());
    }
}

/// The part of a request that its key signs, without the key.
fn asked_for(csr: &CertificateRequest) -> Vec<crate::der::Node> {
    let mut whole = crate::der::Node::read(csr.der());
    let fields = whole.inner()[0].inner();
    vec![fields[0].clone(), fields[1].clone(), fields[3].clone()]
}

#[test]
fn a_request_says_what_cfssls_says_byte_for_byte() {
    let openssl = Openssl::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    for json in [
        r#"{"CN": "etcdone", "hosts": ["etcdone.lab", "10.0.0.1"], "key": {"algo": "ecdsa", "size": 256}}"#,
        r#"{"CN": "etcdone", "names": [{"O": "a", "OU": "x"}, {"O": "b"}], "key": {"algo": "ecdsa", "size": 256}}"#,
        r#"{"CN": "", "hosts": ["etcdone.lab"], "key": {"algo": "ecdsa", "size": 256}}"#,
    ] {
        cfssl(&openssl, "genkey", json, "cfssl");
        let theirs = CertificateRequest::from_pem_or_der(&openssl.read("cfssl.csr")).unwrap();
        let file = CsrJson::from_json(json.as_bytes()).unwrap();
        let asked = Request::new(file.subject, file.names, key.public_key().clone());
        let ours = CertificateRequest::draft(&asked).unwrap().sign(&key).unwrap();
        assert_eq!(asked_for(&ours), asked_for(&theirs), "{json}");
    }
    let json =
        r#"{"CN": "Intermediate", "key": {"algo": "ecdsa", "size": 256}, "ca": {"pathlen": 1}}"#;
    cfssl(&openssl, "genkey -initca", json, "cfssl");
    let theirs = CertificateRequest::from_pem_or_der(&openssl.read("cfssl.csr")).unwrap();
    let mut asked = CaRequest::new(Subject::from_common_name("Intermediate").unwrap());
    asked.path_len = Some(1);
    let ours = CertificateRequest::draft_ca(&asked, key.public_key()).unwrap().sign(&key).unwrap();
    assert_eq!(asked_for(&ours), asked_for(&theirs));
}

#[test]
fn a_certificate_is_issued_from_a_request_of_ours() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    let asked = Ca::request("etcdone", &["10.0.0.1"], &key);
    let csr = CertificateRequest::draft(&asked).unwrap().sign(&key).unwrap();
    let request = Request::from_csr(&csr).unwrap();
    let leaf = ca.draft("peer", &request).unwrap().sign(&ca.key).unwrap().certificate;
    assert_eq!(ids(&check(&[&ca], &[], &leaf, Purpose::Peer)), [""; 0]);
    let written = leaf.extensions.subject_alt_name.iter().flatten().map(ToString::to_string);
    assert_eq!(written.collect::<Vec<_>>(), ["dns:etcdone", "ip:10.0.0.1"]);
    assert_eq!(request.names.value(), &names(&["10.0.0.1"]));
}

// A certificate for the CA's own key would let whoever serves with it sign as the CA.
#[test]
fn a_request_for_the_key_of_the_ca_is_refused() {
    let ca = Ca::new();
    let asked = Ca::request("etcdone", &[], &ca.key);
    let csr = CertificateRequest::draft(&asked).unwrap().sign(&ca.key).unwrap();
    for request in [asked, Request::from_csr(&csr).unwrap()] {
        let error = ca.draft("peer", &request).unwrap_err();
        assert!(matches!(error, Error::NotAdmitted(_)) && error.hint().is_some(), "{error:?}");
        assert!(error.to_string().contains("it is the key of the CA itself"), "{error}");
    }
}
