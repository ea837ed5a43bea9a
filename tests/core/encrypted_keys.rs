//! Encrypted private keys. OpenSSL reads those that pki-core writes.

use pki_core::{Defect, KeyAlgorithm, PrivateKey, Signer};

use crate::openssl::Openssl;

#[test]
fn openssl_reads_encrypted_keys_of_every_algorithm() {
    let openssl = Openssl::new();
    for algorithm in KeyAlgorithm::GENERATED {
        if matches!(algorithm, KeyAlgorithm::Rsa(3072..)) {
            continue;
        }
        let key = PrivateKey::generate(algorithm).unwrap();
        let pem = key.to_encrypted_pem(b"a-passphrase").unwrap();
        openssl.write("key.pem", pem.as_bytes());
        let public = openssl.run("pkey -in key.pem -passin pass:a-passphrase -pubout -outform DER");
        assert_eq!(key.public_key().spki().as_ref(), public, "{algorithm}");
    }
}

/// One wrong passphrase in 256 decrypts to something with a correct padding.
#[test]
fn every_wrong_passphrase_is_distinguished_from_a_damaged_file() {
    let openssl = Openssl::new();
    openssl.run("genpkey -algorithm ED25519 -out plain.pem");
    openssl
        .run("pkcs8 -topk8 -in plain.pem -out key.pem -v2 aes-256-cbc -iter 1 -passout pass:right");
    let pem = openssl.read("key.pem");
    PrivateKey::from_encrypted_pem(&pem, b"right").unwrap();
    for number in 0..2000 {
        let wrong = format!("wrong {number}");
        let error = PrivateKey::from_encrypted_pem(&pem, wrong.as_bytes()).unwrap_err();
        assert_eq!(error.defect(), Some(Defect::WrongPassphrase), "{wrong}: {error}");
    }
}

#[test]
fn what_is_not_an_encrypted_key_is_refused_with_its_reason() {
    let openssl = Openssl::new();
    openssl.run("genpkey -algorithm ED25519 -out plain.pem");
    openssl.run("pkcs8 -topk8 -in plain.pem -out pbes1.pem -v1 PBE-SHA1-3DES -passout pass:x");
    openssl.run("pkcs8 -topk8 -in plain.pem -out slow.pem -iter 10000001 -passout pass:x");
    openssl
        .run("pkcs8 -topk8 -in plain.pem -out camellia.pem -v2 camellia-256-cbc -passout pass:x");
    let key = openssl.read("slow.pem");
    for (name, pem, defect) in [
        ("plain", openssl.read("plain.pem"), Defect::Missing),
        ("nothing", b"no key".to_vec(), Defect::Missing),
        ("PBES1", openssl.read("pbes1.pem"), Defect::Unsupported),
        ("Camellia", openssl.read("camellia.pem"), Defect::Unsupported),
        ("too many iterations", key.clone(), Defect::Unsupported),
        ("two", [&key[..], &key].concat(), Defect::Repeated),
    ] {
        let error = PrivateKey::from_encrypted_pem(&pem, b"x").unwrap_err();
        assert_eq!(error.defect(), Some(defect), "{name}: {error}");
        assert!(error.hint().is_some(), "{name}");
    }
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    assert!(key.to_encrypted_pem(b"").is_err());
}
