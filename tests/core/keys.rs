//! Private keys in every common format. OpenSSL writes them, and reads those that pki-core writes.

use std::sync::LazyLock;

use pki_core::{Certificate, KeyAlgorithm, KeyFormat, PrivateKey, Signer, Verifier, VerifyOptions};

use crate::lab::Ca;
use crate::openssl::Openssl;

/// OpenSSL's name for each algorithm, and the label of its traditional format.
const ALGORITHMS: [(KeyAlgorithm, &str, &str); 7] = [
    (KeyAlgorithm::EcdsaP256, "EC -pkeyopt ec_paramgen_curve:P-256", "EC PRIVATE KEY"),
    (KeyAlgorithm::EcdsaP384, "EC -pkeyopt ec_paramgen_curve:P-384", "EC PRIVATE KEY"),
    (KeyAlgorithm::EcdsaP521, "EC -pkeyopt ec_paramgen_curve:P-521", "EC PRIVATE KEY"),
    // RFC 8410 defines no traditional format.
    (KeyAlgorithm::Ed25519, "ED25519", "PRIVATE KEY"),
    (KeyAlgorithm::Rsa(2048), "RSA -pkeyopt rsa_keygen_bits:2048", "RSA PRIVATE KEY"),
    (KeyAlgorithm::Rsa(3072), "RSA -pkeyopt rsa_keygen_bits:3072", "RSA PRIVATE KEY"),
    (KeyAlgorithm::Rsa(4096), "RSA -pkeyopt rsa_keygen_bits:4096", "RSA PRIVATE KEY"),
];

/// A key of each algorithm from OpenSSL, in PKCS#8. pki-core generates the largest one, because OpenSSL takes
/// several seconds for a prime of 2048 bits.
static SOUND: LazyLock<[Vec<u8>; 7]> = LazyLock::new(|| {
    ALGORITHMS.map(|(algorithm, name, _)| match algorithm {
        KeyAlgorithm::Rsa(4096) => {
            let key = PrivateKey::generate(algorithm).unwrap();
            key.to_pem(KeyFormat::Pkcs8).unwrap().as_bytes().to_vec()
        }
        _ => Openssl::new().run(&format!("genpkey -algorithm {name}")),
    })
});

/// Writes a key to `key.pem` and returns its public key in DER.
fn placed(openssl: &Openssl, key: impl AsRef<[u8]>) -> Vec<u8> {
    openssl.write("key.pem", key);
    openssl.run("pkey -in key.pem -pubout -outform DER")
}

fn label(pem: &[u8]) -> String {
    pem_rfc7468::decode_vec(pem).unwrap().0.to_owned()
}

#[test]
fn every_form_that_openssl_and_cfssl_write_is_read_as_the_same_key() {
    let openssl = Openssl::new();
    for ((algorithm, _, traditional), key) in ALGORITHMS.into_iter().zip(SOUND.iter()) {
        let public = placed(&openssl, key);
        let old = if traditional == "PRIVATE KEY" { "" } else { "-traditional" };
        openssl.run(&format!("pkey -in key.pem {old} -out traditional.pem"));
        openssl.run("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out pkcs8.der");
        openssl.run(&format!("pkey -in key.pem {old} -outform DER -out traditional.der"));
        let pkcs8 = openssl.read("key.pem");
        let old = openssl.read("traditional.pem");
        assert_eq!((&*label(&pkcs8), &*label(&old)), ("PRIVATE KEY", traditional));
        // A label that only cfssl writes and only Go programs accept (cfssl 1.6.5).
        let cfssl = String::from_utf8(pkcs8.clone()).unwrap();
        let cfssl = cfssl.replace("PRIVATE KEY", "Ed25519 PRIVATE KEY").into_bytes();
        let windows = String::from_utf8(old.clone()).unwrap().replace('\n', "\r\n").into_bytes();
        let annotated = [b"Key of etcdone:\n", &pkcs8[..], b"\nkeep it safe\n"].concat();
        for pem in [pkcs8, old, cfssl, windows, annotated] {
            let key = PrivateKey::from_pem(&pem).unwrap();
            assert_eq!(key.public_key().algorithm(), Some(algorithm));
            assert_eq!(key.public_key().spki().as_ref(), public, "{algorithm}");
        }
        for name in ["pkcs8.der", "traditional.der"] {
            let key = PrivateKey::from_der(&openssl.read(name)).unwrap();
            assert_eq!(key.public_key().spki().as_ref(), public, "{algorithm} {name}");
        }
    }
}

#[test]
fn ec_parameters_before_a_key_are_skipped() {
    let openssl = Openssl::new();
    for curve in ["prime256v1", "secp384r1", "secp521r1"] {
        openssl.run(&format!("ecparam -name {curve} -genkey -out key.pem"));
        let pem = openssl.read("key.pem");
        assert!(pem.starts_with(b"-----BEGIN EC PARAMETERS-----"));
        let key = PrivateKey::from_pem(&pem).unwrap();
        let public = openssl.run("pkey -in key.pem -pubout -outform DER");
        assert_eq!(key.public_key().spki().as_ref(), public, "{curve}");
    }
}

// RFC 5915 section 3: parameters and public key are optional, and some libraries omit them.
#[test]
fn a_sec1_key_without_its_public_half_is_completed() {
    let openssl = Openssl::new();
    for key in &SOUND[..3] {
        let public = placed(&openssl, key);
        openssl.run("ec -in key.pem -no_public -out bare.pem");
        let key = PrivateKey::from_pem(&openssl.read("bare.pem")).unwrap();
        assert_eq!(key.public_key().spki().as_ref(), public);
    }
}

#[test]
fn openssl_reads_what_is_written_in_both_formats_and_finds_it_sound() {
    let openssl = Openssl::new();
    for ((algorithm, _, traditional), sound) in ALGORITHMS.into_iter().zip(SOUND.iter()) {
        let key = match algorithm {
            KeyAlgorithm::Rsa(4096) => PrivateKey::from_pem(sound).unwrap(),
            _ => PrivateKey::generate(algorithm).unwrap(),
        };
        assert_eq!(key.public_key().algorithm(), Some(algorithm));
        for (format, wanted) in
            [(KeyFormat::Pkcs8, "PRIVATE KEY"), (KeyFormat::Traditional, traditional)]
        {
            let pem = key.to_pem(format).unwrap();
            assert_eq!(label(pem.as_bytes()), wanted, "{algorithm}");
            assert!(pem.lines().all(|line| line.len() <= 64) && pem.ends_with("-----\n"));
            openssl.write("ours.pem", pem.as_bytes());
            let public = openssl.run("pkey -in ours.pem -check -pubout -outform DER");
            let public = public.strip_prefix(b"Key is valid\n").unwrap_or(&public);
            assert_eq!(public, key.public_key().spki().as_ref(), "{algorithm} {wanted}");
            let again = PrivateKey::from_pem(pem.as_bytes()).unwrap();
            assert_eq!(again.public_key(), key.public_key(), "{algorithm} {wanted}");
            assert_eq!(*again.to_pem(format).unwrap(), *pem, "{algorithm} {wanted}");
        }
    }
}

#[test]
fn openssl_verifies_what_each_key_signs() {
    let openssl = Openssl::new();
    openssl.write("message", b"to be signed");
    for ((algorithm, ..), key) in ALGORITHMS.into_iter().zip(SOUND.iter()) {
        openssl.write("public.der", placed(&openssl, key));
        let key = PrivateKey::from_pem(key).unwrap();
        openssl.write("signature", key.sign(b"to be signed").unwrap());
        let verify = match algorithm {
            KeyAlgorithm::EcdsaP384 | KeyAlgorithm::Rsa(3072) => "-sha384",
            KeyAlgorithm::EcdsaP521 | KeyAlgorithm::Rsa(4096) => "-sha512",
            _ => "-sha256",
        };
        let arguments = if algorithm == KeyAlgorithm::Ed25519 {
            "pkeyutl -verify -rawin -pubin -inkey public.der -keyform DER -in message -sigfile signature".to_owned()
        } else {
            format!("dgst {verify} -verify public.der -keyform DER -signature signature message")
        };
        openssl.run(&arguments);
    }
}

/// The error and hint for a file that is not accepted as a key.
fn refusal(pem: &[u8]) -> String {
    let error = PrivateKey::from_pem(pem).unwrap_err();
    format!("{error}; {}", error.hint().unwrap_or("no hint"))
}

#[test]
fn encrypted_keys_are_refused_with_the_command_that_decrypts_them() {
    let openssl = Openssl::new();
    openssl.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem");
    openssl.run("genrsa -out rsa.pem 2048");
    for (command, first_line) in [
        ("pkcs8 -topk8 -v2 aes-256-cbc -in ec.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        ("pkcs8 -topk8 -scrypt -in rsa.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        ("ec -aes128 -in ec.pem", "-----BEGIN EC PRIVATE KEY-----"),
        ("rsa -traditional -aes256 -in rsa.pem", "-----BEGIN RSA PRIVATE KEY-----"),
    ] {
        let pem = openssl.run(&format!("{command} -passout pass:secret"));
        assert!(pem.starts_with(first_line.as_bytes()), "{command}");
        assert_eq!(
            refusal(&pem),
            "not a private key: it is encrypted; etcd and the API server cannot ask for a \
             passphrase; decrypt it: openssl pkey -in KEY.pem -out PLAIN.pem"
        );
    }
}

#[test]
fn what_is_not_a_key_or_not_one_that_etcd_knows_says_why() {
    let openssl = Openssl::new();
    let pem = |arguments: &str| openssl.run(&format!("genpkey -algorithm {arguments}"));
    let supported = "etcd and its clients support ECDSA P-256, P-384 and P-521, Ed25519, and RSA";
    let certificate = Ca::new().certificate().to_pem().unwrap().into_bytes();
    let good = pem("ED25519");
    let cut = &good[..good.len() - 30];
    let two = [&good[..], &good].concat();
    for (bytes, wanted) in [
        (&pem("RSA -pkeyopt rsa_keygen_bits:1024")[..], supported),
        (
            &pem("EC -pkeyopt ec_paramgen_curve:secp224r1"),
            "algorithm 1.3.132.0.33 is not supported",
        ),
        (&pem("EC -pkeyopt ec_paramgen_curve:secp256k1"), supported),
        (&pem("ED448"), "algorithm 1.3.101.113 is not supported"),
        (&pem("X25519"), "algorithm 1.3.101.110 is not supported"),
        (&pem("RSA-PSS -pkeyopt rsa_keygen_bits:2048"), "1.2.840.113549.1.1.10 is not supported"),
        (
            &certificate,
            "no PRIVATE KEY block; the file may be a certificate; check that two paths are not swapped",
        ),
        (b"", "it is empty"),
        (cut, "its END line is missing; the file is incomplete"),
        (&two, "a second key on line 4; keep one key in each file"),
    ] {
        let refusal = refusal(bytes);
        assert!(refusal.contains(wanted), "{refusal}");
    }
}

// A public key that does not belong to the private key: etcd would load such a file and fail each handshake.
#[test]
fn a_key_whose_halves_do_not_belong_together_is_refused() {
    let openssl = Openssl::new();
    let halves = |name: &str| {
        placed(&openssl, openssl.run(&format!("genpkey -algorithm {name}")));
        let der = openssl.run("pkey -in key.pem -traditional -outform DER");
        (der, openssl.run("pkey -in key.pem -pubout -outform DER"))
    };
    for (_, name, _) in &ALGORITHMS[..3] {
        let ((mut der, ours), (_, other)) = (halves(name), halves(name));
        let point = ours.len() - 60;
        let at = der.windows(60).position(|window| window == &ours[point..]).unwrap();
        der[at..at + 60].copy_from_slice(&other[point..]);
        assert!(PrivateKey::from_der(&der).is_err(), "{name}");
    }
    let ((mut der, _), (other, _)) = (halves("RSA"), halves("RSA"));
    der[20..200].copy_from_slice(&other[20..200]);
    assert!(PrivateKey::from_der(&der).is_err());
}

// Go does not read the compressed form of a point (SEC 1 section 2.3.3): etcd reports `x509: failed to
// unmarshal elliptic curve point` (crypto/x509 parsePublicKey).
#[test]
fn a_compressed_point_is_not_certified_and_is_flagged() {
    let openssl = Openssl::new();
    openssl.run("ecparam -name prime256v1 -genkey -noout -out long.pem");
    openssl.run("ec -in long.pem -conv_form compressed -out key.pem");
    openssl.run("req -x509 -new -key key.pem -subj /CN=ca -config openssl.cnf -out ca.pem");
    let ca = Certificate::from_pem_or_der(&openssl.read("ca.pem")).unwrap().remove(0);
    assert_eq!(ca.public_key.algorithm_name(), "1.2.840.10045.3.1.7 (compressed point)");
    let key = PrivateKey::from_pem(&openssl.read("key.pem")).unwrap();
    let mut request = Ca::request("etcdone", &[], &key);
    request.public_key = ca.public_key.clone();
    let error = Ca::new().draft("peer", &request).unwrap_err();
    assert!(error.to_string().contains("[key-curve]"), "{error}");
    let verifier = Verifier::builder([ca.clone()]).build().unwrap();
    let report = verifier.check(&ca, &[], &VerifyOptions::at(ca.not_before));
    assert!(report.findings().any(|finding| finding.rule.id == "key-curve"), "{report}");
    // The private key itself is valid, and is written in uncompressed form.
    assert_eq!(key.public_key().algorithm(), Some(KeyAlgorithm::EcdsaP256));
    let public = openssl.run("pkey -in long.pem -pubout -outform DER");
    assert_eq!(key.public_key().spki().as_ref(), public);
}

// RFC 5480 section 2.1.1 forbids specifiedCurve and implicitCurve. OpenSSL can write the former.
#[test]
fn a_curve_that_is_spelled_out_is_called_so_and_not_by_the_algorithm_of_all_curves() {
    let openssl = Openssl::new();
    openssl.run("ecparam -name prime256v1 -param_enc explicit -genkey -noout -out key.pem");
    openssl.run("req -x509 -new -key key.pem -subj /CN=ca -config openssl.cnf -out ca.pem");
    let ca = Certificate::from_pem_or_der(&openssl.read("ca.pem")).unwrap().remove(0);
    let report = Verifier::builder([ca.clone()]).build().unwrap().check(
        &ca,
        &[],
        &VerifyOptions::at(ca.not_before),
    );
    let found = report.findings().find(|finding| finding.rule.id == "key-curve").unwrap();
    assert!(found.evidence.to_string().contains("EC without a named curve"), "{found}");
}
