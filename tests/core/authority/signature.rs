//! Signatures that are made elsewhere: by OpenSSL, and by signers that fail.

use pki_core::{
    CertificateRequest, KeyAlgorithm, PrivateKey, PublicKey, Purpose, Request, Signer,
    SigningConfig,
};

use super::{check, ids};
use crate::lab::{Ca, NOW, moment};
use crate::openssl::Openssl;

#[test]
fn a_signature_from_openssl_makes_the_same_certificate() {
    let openssl = Openssl::new();
    for (algorithm, sign) in [
        (KeyAlgorithm::EcdsaP256, "dgst -sha256 -sign ca-key.pem -out signature tbs"),
        (KeyAlgorithm::EcdsaP384, "dgst -sha384 -sign ca-key.pem -out signature tbs"),
        (KeyAlgorithm::EcdsaP521, "dgst -sha512 -sign ca-key.pem -out signature tbs"),
        (KeyAlgorithm::Ed25519, "pkeyutl -sign -rawin -inkey ca-key.pem -in tbs -out signature"),
        (KeyAlgorithm::Rsa(2048), "dgst -sha256 -sign ca-key.pem -out signature tbs"),
        (KeyAlgorithm::Rsa(3072), "dgst -sha384 -sign ca-key.pem -out signature tbs"),
    ] {
        let ca = Ca::with(algorithm, |_| {});
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let at = moment();
        let config = SigningConfig::etcd();
        let draft = || {
            let request = Ca::request("etcdone", &["10.0.0.1"], &key);
            ca.authority.draft(&request, config.profile("peer").unwrap(), &at).unwrap()
        };
        openssl.write("ca-key.pem", ca.key.to_pem(pki_core::KeyFormat::Pkcs8).unwrap().as_bytes());
        openssl.write("tbs", draft().tbs());
        openssl.run(sign);
        let issued = draft().assemble(&openssl.read("signature")).unwrap().certificate;
        let here = draft().sign(&ca.key).unwrap().certificate;
        // ECDSA signatures are random; all other bytes are the same.
        if matches!(algorithm, KeyAlgorithm::Ed25519 | KeyAlgorithm::Rsa(_)) {
            assert_eq!(issued.der(), here.der(), "{algorithm}");
        }
        assert_eq!((&issued.serial, &issued.extensions), (&here.serial, &here.extensions));
        assert_eq!(ids(&check(&[&ca], &[], &issued, Purpose::Peer)), [""; 0], "{algorithm}");
        openssl.write("ca.pem", ca.certificate().to_pem().unwrap());
        openssl.write("leaf.pem", issued.to_pem().unwrap());
        openssl.run(&format!("verify -attime {} -CAfile ca.pem leaf.pem", NOW.unix_timestamp()));
    }
}

/// A signer with the CA's public key that misbehaves.
struct Stranger<'a>(&'a PublicKey, Result<Vec<u8>, &'static str>);

impl Signer for Stranger<'_> {
    fn public_key(&self) -> &PublicKey {
        self.0
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        self.1.clone().map_err(Into::into)
    }
}

#[test]
fn a_signature_that_the_ca_did_not_make_is_refused() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let draft = || ca.draft("peer", &Ca::request("etcdone", &[], &key)).unwrap();
    let message = draft().tbs().to_vec();
    let mut flipped = ca.key.sign(&message).unwrap();
    *flipped.last_mut().unwrap() ^= 1;
    for (what, signature) in [
        ("empty", Vec::new()),
        ("noise", vec![0x5a; 71]),
        ("long", vec![0; 70_000]),
        ("of another key", key.sign(&message).unwrap()),
        ("over other bytes", ca.key.sign(b"other bytes").unwrap()),
        ("with a bit flipped", flipped),
    ] {
        let wanted =
            "the signer failed: the public key of the signer does not verify its signature";
        assert_eq!(draft().assemble(&signature).unwrap_err().to_string(), wanted, "{what}");
        let stranger = Stranger(&ca.certificate().public_key, Ok(signature));
        assert_eq!(draft().sign(&stranger).unwrap_err().to_string(), wanted, "{what}");
    }
    let absent = Stranger(&ca.certificate().public_key, Err("no card in the reader"));
    let error = draft().sign(&absent).unwrap_err();
    assert_eq!(error.to_string(), "the signer failed: no card in the reader");
    // A signer with another key is never called.
    let other = Stranger(key.public_key(), Err("asked"));
    let error = draft().sign(&other).unwrap_err();
    assert!(error.to_string().contains("not the key that must sign"), "{error}");
    assert!(error.hint().is_some());
}

/// The signature of a request is the proof of possession, which the CA that receives it verifies.
#[test]
fn a_request_with_a_wrong_signature_is_refused_by_the_ca_and_when_it_is_assembled() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let draft = || CertificateRequest::draft(&Ca::request("etcdone", &[], &key)).unwrap();
    let wrong = other.sign(draft().tbs()).unwrap();
    let stranger = Stranger(key.public_key(), Ok(wrong.clone()));
    let csr = draft().sign(&stranger).unwrap();
    assert!(!csr.is_self_signed());
    let error = Request::from_csr(&csr).unwrap_err();
    assert!(error.to_string().contains("does not verify with its own key"), "{error}");
    let error = draft().assemble(&wrong).unwrap_err();
    assert!(error.to_string().contains("does not verify its signature"), "{error}");
}
