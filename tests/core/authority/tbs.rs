//! Two processes: the bytes to sign leave the first, and the second checks them before it joins them with a
//! signature.

use pki_core::{
    Certificate, CertificateRequest, Crl, CrlRequest, Draft, Error, IssuedBy, KeyAlgorithm,
    PrivateKey, Signer,
};
use time::Duration;

use crate::der::{Node, forge, put};
use crate::lab::{Ca, NOW};

/// The bytes to sign of a certificate whose to-be-signed fields are changed.
fn changed(
    certificate: &Certificate,
    key: &PrivateKey,
    change: impl FnOnce(&mut Vec<Node>),
) -> Vec<u8> {
    Node::read(&forge(certificate.der(), key, change)).inner()[0].write()
}

#[test]
fn what_was_drafted_is_signed_by_another_process() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let issued_by = IssuedBy::Ca(ca.certificate());
    let tbs = ca.draft("peer", &Ca::request("etcdone", &[], &key)).unwrap().tbs().to_vec();
    let signature = ca.key.sign(&tbs).unwrap();
    let draft = Draft::<Certificate>::from_tbs(&tbs, issued_by, NOW).unwrap();
    assert_eq!(draft.tbs(), tbs);
    assert_eq!(draft.contents().subject.to_string(), "CN=etcdone");
    let leaf = draft.assemble(&signature).unwrap().certificate;
    assert!(leaf.is_signed_by(&ca.certificate().public_key));

    let request = CrlRequest {
        number: 7,
        this_update: NOW,
        next_update: NOW + Duration::days(30),
        revoked: Vec::new(),
    };
    let tbs = ca.authority.draft_crl(&request, NOW).unwrap().tbs().to_vec();
    let crl = Draft::<Crl>::from_tbs(&tbs, ca.certificate(), NOW).unwrap().sign(&ca.key).unwrap();
    assert_eq!(crl.number.as_deref(), Some(&[7][..]));

    let asked = Ca::request("etcdone", &["10.0.0.1"], &key);
    let tbs = CertificateRequest::draft(&asked).unwrap().tbs().to_vec();
    let csr = Draft::<CertificateRequest>::from_tbs(&tbs).unwrap().sign(&key).unwrap();
    assert!(csr.is_self_signed());
    let other = Draft::<CertificateRequest>::from_tbs(&tbs).unwrap().sign(&ca.key).unwrap_err();
    assert!(other.to_string().contains("not the key that must sign"), "{other}");
}

#[test]
fn a_root_is_assembled_from_a_signature_of_its_own_key() {
    let ca = Ca::new();
    let tbs = changed(ca.certificate(), &ca.key, |_| {});
    let draft = Draft::<Certificate>::from_tbs(&tbs, IssuedBy::Itself, NOW).unwrap();
    assert!(draft.assemble(&ca.key.sign(&tbs).unwrap()).unwrap().certificate.is_ca());
}

// The file may have been changed on its way, or made for another CA: the second process has not seen what
// the first one judged.
#[test]
fn bytes_that_the_rules_forbid_are_not_assembled() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let judged = |tbs: &[u8], ca: &Certificate, now| match Draft::<Certificate>::from_tbs(
        tbs,
        IssuedBy::Ca(ca),
        now,
    ) {
        Err(Error::Refused(findings)) => findings.iter().map(|f| f.rule.id).collect(),
        Ok(_) => Vec::new(),
        Err(other) => panic!("{other}"),
    };
    let plain = changed(&leaf, &ca.key, |_| {});
    assert_eq!(judged(&plain, ca.certificate(), NOW), [""; 0]);
    let as_ca = changed(&leaf, &ca.key, |fields| {
        put(fields, crate::der::oid::BASIC_CONSTRAINTS, true, &[0x30, 3, 1, 1, 0xff]);
    });
    assert!(judged(&as_ca, ca.certificate(), NOW).contains(&"ca-keycertsign"));
    let of_another_ca = judged(&plain, Ca::new().certificate(), NOW);
    assert_eq!(
        of_another_ca, [""; 0],
        "the same name and algorithm: only the key tells them apart"
    );
    let late = leaf.not_after + Duration::SECOND;
    assert!(judged(&plain, ca.certificate(), late).contains(&"leaf-expired"));
    let of_the_ca = changed(&leaf, &ca.key, |fields| {
        fields[6] = Node::read(&ca.key.public_key().spki());
    });
    let issued_by = IssuedBy::Ca(ca.certificate());
    let error = Draft::<Certificate>::from_tbs(&of_the_ca, issued_by, NOW).unwrap_err();
    assert!(error.to_string().contains("it is the key of the CA itself"), "{error}");
    let renamed = changed(&leaf, &ca.key, |fields| fields[3] = fields[5].clone());
    assert!(judged(&renamed, ca.certificate(), NOW).contains(&"dn-bytes"));
}

#[test]
fn bytes_for_another_algorithm_are_refused() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let tbs = changed(&leaf, &ca.key, |_| {});
    let rsa = Ca::with(KeyAlgorithm::Rsa(2048), |_| {});
    let issued_by = IssuedBy::Ca(rsa.certificate());
    let error = Draft::<Certificate>::from_tbs(&tbs, issued_by, NOW).unwrap_err();
    assert!(error.to_string().contains("a key of type rsa-2048 signs with"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn what_is_not_to_be_signed_says_so() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    for (what, bytes) in [
        ("nothing", &[][..]),
        ("noise", b"\x30\x03\x02\x01\x01"),
        ("text", b"-----BEGIN CERTIFICATE-----"),
        ("a whole certificate", leaf.der()),
        ("cut short", &leaf.der()[4..60]),
    ] {
        let issued_by = IssuedBy::Ca(ca.certificate());
        for error in [
            Draft::<Certificate>::from_tbs(bytes, issued_by, NOW).unwrap_err(),
            Draft::<Crl>::from_tbs(bytes, ca.certificate(), NOW).unwrap_err(),
            Draft::<CertificateRequest>::from_tbs(bytes).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Malformed { .. }), "{what}: {error:?}");
            assert!(error.hint().is_some(), "{what}: {error}");
        }
    }
}
