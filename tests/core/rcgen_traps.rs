//! Surprising behaviour of rcgen 0.14.10, and what pki-core must write instead.
//!
//! Each test is about one of them and says what the encoder does.

mod fixed;
mod oids;

use std::str::FromStr;

use aws_lc_rs::digest;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Decode;
use pki_core::{
    Attribute, Authority, CaRequest, Certificate, CertificateRequest, Cidr, Draft, Error,
    KeyAlgorithm, KeyFormat, Lifetime, NameConstraint, PrivateKey, Purpose, Request, SerialNumber,
    Severity, Signer, SigningConfig, Subject, Uri, Verifier, VerifyOptions,
};
use x509_parser::asn1_rs::Tag;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::foreign;
use crate::lab::{Ca, NOW, moment};
use crate::openssl::Openssl;

/// A request from OpenSSL.
fn openssl_request(openssl: &Openssl, arguments: &str) -> Request {
    openssl
        .run(&format!("req -new -nodes -keyout k.pem -out r.csr -config openssl.cnf {arguments}"));
    Request::from_csr(&CertificateRequest::from_pem_or_der(&openssl.read("r.csr")).unwrap())
        .unwrap()
}

fn peer(
    authority: &Authority,
    request: &Request,
    now: time::OffsetDateTime,
) -> Result<Draft, Error> {
    let moment = pki_core::IssuanceContext { now, ..moment() };
    authority.draft(request, SigningConfig::etcd().profile("peer").unwrap(), &moment)
}

// rcgen's CertificateSigningRequestParams takes the key's curve from the *signature* algorithm
// (csr.rs:118; rustls/rcgen#448): a P-384 key that signs with SHA-256 is certified as a P-256 key
// that no program can use.
#[test]
fn trap_1_a_key_keeps_its_algorithm_whatever_hash_signed_the_request() {
    let ca = Ca::new();
    let openssl = Openssl::new();
    for arguments in [
        "-sha256 -newkey ec -pkeyopt ec_paramgen_curve:P-384",
        "-sha384 -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        "-sha256 -newkey ec -pkeyopt ec_paramgen_curve:P-521",
        "-sha384 -newkey ec -pkeyopt ec_paramgen_curve:P-521",
        "-sha512 -newkey rsa:2048",
        "-newkey ed25519",
    ] {
        let request = openssl_request(&openssl, &format!("{arguments} -subj /CN=etcdone"));
        let issued = peer(&ca.authority, &request, NOW).unwrap().sign(&ca.key).unwrap();
        openssl.write("leaf.der", issued.certificate.der());
        let asked = openssl.run("req -in r.csr -noout -pubkey");
        let certified = openssl.run("x509 -in leaf.der -inform DER -noout -pubkey");
        assert_eq!(asked, certified, "{arguments}");
        let spki = pem_rfc7468::decode_vec(&asked).unwrap().1;
        assert_eq!(issued.certificate.public_key.spki().as_ref(), spki, "{arguments}");
    }
}

// Without a serial number, rcgen uses a hash of the public key (certificate.rs:463): a certificate that is
// renewed with its key repeats it, and revoking one revokes both. A number with its top bit set grows to
// 21 octets.
#[test]
fn trap_3_a_renewal_with_the_same_key_has_a_serial_number_of_its_own() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let request = Ca::request("etcdone", &[], &key);
    let profiles = SigningConfig::etcd();
    let issue = |random: [u8; 20]| {
        let moment =
            pki_core::IssuanceContext { now: NOW, serial: SerialNumber::from_random(random) };
        let draft = ca.authority.draft(&request, profiles.profile("peer").unwrap(), &moment);
        draft.unwrap().sign(&ca.key).unwrap().certificate
    };
    let (first, second) = (issue([0xff; 20]), issue([0x00; 20]));
    assert_eq!(first.public_key, second.public_key);
    assert_eq!(first.serial.to_string(), format!("7f{}", "ff".repeat(19)));
    assert_eq!(second.serial.to_string(), format!("40{}", "00".repeat(19)));
    let openssl = Openssl::new();
    openssl.write("first.der", first.der());
    let serial = openssl.says("x509 -in first.der -inform DER -noout -serial");
    assert_eq!(serial.trim().to_lowercase(), format!("serial={}", first.serial));
}

fn openssl_ca(openssl: &Openssl, string_mask: &str, arguments: &str) -> (Authority, PrivateKey) {
    let config = String::from_utf8(openssl.read("openssl.cnf")).unwrap();
    openssl.write("ca.cnf", config.replace("utf8only", string_mask));
    openssl.run(&format!(
        "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout ca-key.pem \
         -out ca.pem -days 30 -config ca.cnf -utf8 {arguments}"
    ));
    let certificate = Certificate::from_pem_or_der(&openssl.read("ca.pem")).unwrap().remove(0);
    (Authority::new(certificate), PrivateKey::from_pem(&openssl.read("ca-key.pem")).unwrap())
}

fn draft_below(authority: &Authority) -> Result<Draft, Error> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut request = Ca::request("etcdone", &[], &key);
    request.lifetime = Lifetime::Exactly(time::Duration::days(1));
    // The time when OpenSSL, which uses the system clock, created the CA.
    peer(authority, &request, authority.certificate().not_before)
}

// rcgen keeps a name as a map from types to values (lib.rs:473): of two OUs it writes one, and it has no
// RDNs of several attributes (lib.rs:532). It cannot read T.61 beyond ASCII, and panics in yasna at a
// question mark in a PrintableString (writer/mod.rs:981). The issuer of the leaf would be no CA at all.
#[test]
fn trap_4_a_ca_whose_name_rcgen_cannot_write_signs_under_that_name() {
    let openssl = Openssl::new();
    for (mask, subject) in [
        ("utf8only", "-subj /O=Lab/OU=a/OU=b/CN=etcd"),
        ("utf8only", "-subj /DC=com/DC=example/CN=etcd"),
        ("utf8only", "-multivalue-rdn -subj /O=Lab/OU=b+OU=a+CN=etcd"),
        ("MASK:0x2", "-subj /O=Lab/CN=etcd?"),
        ("MASK:0x4", "-subj /CN=Müller"),
    ] {
        let (authority, key) = openssl_ca(&openssl, mask, subject);
        let leaf = draft_below(&authority).unwrap().sign(&key).unwrap().certificate;
        assert_eq!(leaf.issuer.der(), authority.certificate().subject.der(), "{subject}");
        openssl.write("leaf.pem", leaf.to_pem().unwrap());
        openssl.run("verify -x509_strict -CAfile ca.pem leaf.pem");
        let mut options = VerifyOptions::at(authority.certificate().not_before);
        options.purpose = Purpose::Peer;
        let verifier = Verifier::builder([authority.certificate().clone()]).build().unwrap();
        let report = verifier.check(&leaf, &[], &options);
        assert!(report.is_ok(), "{subject}: {report}");
    }
}

// rcgen reads the CA's name and encodes it again (lib.rs:508). Go compares the bytes, so every string type and
// the order must be preserved.
#[test]
fn trap_4_the_issuer_is_the_name_of_the_ca_byte_for_byte_in_every_string_type() {
    let openssl = Openssl::new();
    for (mask, tag) in [
        ("utf8only", Tag::Utf8String),
        ("MASK:0x2", Tag::PrintableString),
        ("MASK:0x4", Tag::T61String),
        ("MASK:0x800", Tag::BmpString),
    ] {
        let subject = "-subj /CN=etcd/O=Lab/ST=Bayern/C=DE/emailAddress=a@example.com";
        let (authority, key) = openssl_ca(&openssl, mask, subject);
        let issued = draft_below(&authority).unwrap().sign(&key).unwrap();
        let ca = authority.certificate();
        assert_eq!(issued.certificate.issuer.der(), ca.subject.der(), "{mask}");
        let (_, x509) = X509Certificate::from_der(ca.der()).unwrap();
        let cn = x509.subject().iter_common_name().next().unwrap();
        assert_eq!(cn.attr_value().tag(), tag, "openssl wrote the expected type");
        openssl.write("leaf.pem", issued.certificate.to_pem().unwrap());
        openssl.run("verify -CAfile ca.pem leaf.pem");
    }
}

// rcgen writes a country as UTF8String, and panics in yasna for a question mark in a PrintableString
// (writer/mod.rs:981) and for non-ASCII in an IA5String (writer/mod.rs:672).
#[test]
fn trap_5_string_types_are_those_of_rfc_5280_and_nothing_panics() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let subject = Subject::new([
        (Attribute::Country, "DE".to_owned()),
        (Attribute::Organization, "Müller & Söhne".to_owned()),
        (Attribute::CommonName, "who?".to_owned()),
        (Attribute::EmailAddress, "a@example.com".to_owned()),
    ]);
    let request = CaRequest::new(subject.unwrap());
    let draft = Authority::draft_root(&request, key.public_key(), &moment()).unwrap();
    let root = draft.sign(&key).unwrap().certificate;
    let (_, x509) = X509Certificate::from_der(root.der()).unwrap();
    let tags: Vec<_> = x509.subject().iter_attributes().map(|a| a.attr_value().tag()).collect();
    let wanted = [Tag::PrintableString, Tag::Utf8String, Tag::PrintableString, Tag::Ia5String];
    assert_eq!(tags, wanted);
    let openssl = Openssl::new();
    openssl.write("root.der", root.der());
    let says =
        openssl.says("x509 -in root.der -inform DER -noout -subject -nameopt utf8,sep_comma_plus");
    assert_eq!(says.trim(), "subject=C=DE,O=Müller & Söhne,CN=who?,emailAddress=a@example.com");

    // Another CA may have a question mark in a PrintableString, which X.680 allows.
    let params = foreign::ca_params("etcd CA 4711", &key);
    let der = foreign::self_signed(&params, &key).der().to_vec();
    let der = replaced(&der, b"etcd CA 4711", b"etcd CA 471?");
    let authority = Authority::new(Certificate::from_der(&der).unwrap());
    let leaf = draft_below(&authority).unwrap().sign(&key).unwrap().certificate;
    assert_eq!(leaf.issuer.der(), authority.certificate().subject.der());

    assert!(Subject::new([(Attribute::EmailAddress, "ä@example.com".to_owned())]).is_err());
    assert!(Uri::from_str("http://crl.exämple.com").is_err());
    let constraint = NameConstraint::from_str("email:exämple.com").unwrap();
    assert_eq!(constraint.to_string(), "email:xn--exmple-cua.com");
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let found: Vec<_> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!found.is_empty());
    for at in found {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

// rcgen hashes the whole SubjectPublicKeyInfo (lib.rs:664). RFC 5280 section 4.2.1.2 (1), OpenSSL and cfssl
// hash only the bits of the key, so the identifiers of one key would differ.
#[test]
fn trap_10_key_identifiers_are_sha1_of_the_bits_of_the_key() {
    let openssl = Openssl::new();
    let (authority, key) = openssl_ca(&openssl, "utf8only", "-subj /CN=etcd");
    let openssls = authority.certificate().extensions.subject_key_id.clone().unwrap();
    assert_eq!(key.public_key().key_id(), openssls);
    for algorithm in [KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa(2048)] {
        let ca = Ca::with(algorithm, |_| {});
        let leaf = ca.issue("peer", "etcdone", &[]);
        for certificate in [ca.certificate(), &leaf] {
            let (_, x509) = X509Certificate::from_der(certificate.der()).unwrap();
            let bits = &x509.public_key().subject_public_key.data;
            let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bits);
            let id = certificate.extensions.subject_key_id.clone().unwrap();
            assert_eq!(id.0, sha1.as_ref(), "{algorithm}");
        }
        let named = leaf.extensions.authority_key_id.clone().unwrap().key_id;
        assert_eq!(named, ca.certificate().extensions.subject_key_id, "{algorithm}");
    }
}

// rcgen's CidrSubnet reads `10.0.0.0/99` and `10.0.0.0/8/x`, and keeps the host bits of `10.1.2.3/8`
// (certificate.rs:1017): a constraint that permits a different network than intended.
#[test]
fn trap_13_an_invalid_network_is_refused_and_the_mask_is_what_was_written() {
    for text in ["10.0.0.0/99", "10.0.0.0/8/x", "10.1.2.3/8", "2001:db8::1/32", "10.0.0.0/"] {
        assert!(text.parse::<Cidr>().is_err(), "{text}");
        assert!(format!("ip:{text}").parse::<NameConstraint>().is_err(), "{text}");
    }
    let ca = Ca::with(KeyAlgorithm::EcdsaP256, |request| {
        request.permitted = ["10.32.0.0/11", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/33"]
            .map(|text| text.parse().unwrap())
            .to_vec();
    });
    let text = Openssl::new().text(ca.certificate());
    for wanted in [
        "IP:10.32.0.0/255.224.0.0",
        "IP:0.0.0.0/0.0.0.0",
        "IP:192.0.2.1/255.255.255.255",
        "IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:8000:0:0:0:0:0",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
}

// rcgen "will not check for the presence of BasicConstraints" (lib.rs:238), nor that the key belongs to the
// certificate. cfssl even signs with a leaf certificate.
#[test]
fn trap_15_a_leaf_signs_nothing_and_neither_does_another_key() {
    let ca = Ca::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let request = Ca::request("etcdone", &[], &key);
    let leaf = ca.draft("peer", &request).unwrap().sign(&ca.key).unwrap().certificate;
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let below = Ca::request("etcdtwo", &[], &other);
    let Err(Error::Refused(findings)) = peer(&Authority::new(leaf), &below, NOW) else {
        panic!("a leaf signed");
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let rules: Vec<_> = errors.map(|finding| finding.rule.id).collect();
    assert_eq!(rules, ["ca-bc", "ca-keycertsign"]);
    let error = ca.draft("peer", &request).unwrap().sign(&key).unwrap_err();
    assert!(error.to_string().contains("not the key that must sign"), "{error}");
}

// rcgen writes a key that it read as SEC1 or PKCS#1 with the wrong label PRIVATE KEY (key_pair.rs:444), which
// OpenSSL rejects.
#[test]
fn trap_16_what_is_labelled_private_key_is_pkcs8_however_it_was_read() {
    let openssl = Openssl::new();
    openssl.run("ecparam -name prime256v1 -genkey -noout -out ec.pem");
    openssl.run("genrsa -traditional -out rsa.pem 2048");
    for (name, label) in [("ec", "EC PRIVATE KEY"), ("rsa", "RSA PRIVATE KEY")] {
        let pem = openssl.read(&format!("{name}.pem"));
        assert_eq!(
            pem_rfc7468::decode_vec(&pem).unwrap().0,
            label,
            "openssl wrote the expected type"
        );
        let key = PrivateKey::from_pem(&pem).unwrap();
        let public = openssl.run(&format!("pkey -in {name}.pem -pubout"));

        let pkcs8 = key.to_pem(KeyFormat::Pkcs8).unwrap();
        let (found, der) = pem_rfc7468::decode_vec(pkcs8.as_bytes()).unwrap();
        assert_eq!(found, "PRIVATE KEY");
        assert!(PrivateKeyInfoRef::from_der(&der).is_ok(), "{name}");
        openssl.write("pkcs8.der", der);
        assert_eq!(openssl.run("pkey -in pkcs8.der -inform DER -pubout"), public);

        let traditional = key.to_pem(KeyFormat::Traditional).unwrap();
        let (found, der) = pem_rfc7468::decode_vec(traditional.as_bytes()).unwrap();
        assert_eq!(found, label);
        assert!(PrivateKeyInfoRef::from_der(&der).is_err(), "{name}");
        openssl.write("traditional.pem", traditional.as_bytes());
        assert_eq!(openssl.run(&format!("{name} -in traditional.pem -pubout")), public);
    }
}

// rcgen's KeyPair returns its bytes in a plain Vec and is not zeroized on drop (lib.rs:863). Tests cannot inspect
// memory, but they can check that a key does not print itself, that its inputs and outputs are zeroized, and
// that it cannot be cloned (in a doc test of PrivateKey).
#[test]
fn trap_18_a_private_key_shows_nothing_and_its_pem_wipes_itself() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa(2048)] {
        let key = PrivateKey::generate(algorithm).unwrap();
        let pem: Zeroizing<String> = key.to_pem(KeyFormat::Pkcs8).unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert_eq!(format!("{key:?}"), format!("PrivateKey({algorithm}, redacted)"));
        assert_eq!(format!("{key:#?}"), format!("PrivateKey({algorithm}, redacted)"));
    }
    let pem =
        PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap().to_pem(KeyFormat::Pkcs8).unwrap();
    let mut sections = pki_core::read_pem(pem.as_bytes()).unwrap();
    let pki_core::Content::PrivateKey(der) = sections.remove(0).content else {
        panic!("a private key was written");
    };
    let _: Zeroizing<Vec<u8>> = der;
}
