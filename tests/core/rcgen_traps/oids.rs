//! A trap that the property tests found: asn1-rs 0.7.2, which rcgen and x509-parser use, reads the first two
//! numbers of an OID from its first octet, so it reads 2.999 as 3.16.55. rcgen then passes that to yasna, which
//! panics: any request could stop the CA.

use pki_core::{
    Attribute, Authority, CaRequest, KeyAlgorithm, PrivateKey, Request, Signer, SigningConfig,
    Subject,
};

use super::openssl_request;
use crate::lab::{Ca, moment};
use crate::openssl::{CONFIG, Openssl};

const OPEN: &[u8] = br#"{"signing": {"profiles": {"open": {"expiry": "1h", "copy_extensions": true,
    "usages": ["signing", "client auth"]}}}}"#;

fn openssl() -> Openssl {
    let openssl = Openssl::new();
    let oids = "oid_section = oids\n[oids]\nodd = 2.999.3\nlarge = 2.18446744073709551615.1\n";
    openssl.write("openssl.cnf", format!("{oids}{CONFIG}"));
    openssl
}

fn issue(request: &Request) -> Result<pki_core::Certificate, pki_core::Error> {
    let ca = Ca::new();
    let open = SigningConfig::from_json(OPEN).unwrap();
    let draft = ca.authority.draft(request, open.profile("open").unwrap(), &moment())?;
    draft.sign(&ca.key).map(|issued| issued.certificate)
}

#[test]
fn an_oid_from_2_40_on_is_read_and_written_as_it_is() {
    let openssl = openssl();
    let request = openssl_request(
        &openssl,
        "-newkey ed25519 -subj /CN=etcdone/odd=x -addext 2.999.1=DER:0500 -addext 2.47.1=DER:0500",
    );
    assert_eq!(request.subject.value().to_string(), "CN=etcdone, 2.999.3=x");
    let leaf = issue(&request).unwrap();
    assert_eq!(leaf.subject.to_string(), "CN=etcdone, 2.999.3=x");
    for oid in ["2.999.1", "2.47.1"] {
        assert_eq!(leaf.extensions.find(oid).unwrap().value, [5, 0], "{oid}");
    }
    let text = openssl.text(&leaf);
    assert!(text.contains("CN = etcdone, 2.999.3 = x") && text.contains("2.999.1:"), "{text}");
}

#[test]
fn an_oid_that_the_encoder_cannot_count_is_refused_and_stops_nobody() {
    let openssl = openssl();
    let subject = "-newkey ed25519 -subj /CN=etcdone/large=x";
    let extension = "-newkey ed25519 -subj /CN=etcdone -addext 2.18446744073709551615.1=DER:0500";
    for arguments in [subject, extension] {
        let error = issue(&openssl_request(&openssl, arguments)).unwrap_err();
        assert!(error.to_string().contains("too large to encode"), "{error}");
    }
}

#[test]
fn a_root_with_such_an_oid_in_its_name_is_made_and_signs() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let odd = Attribute::Other("2.999.3".parse().unwrap());
    let request = CaRequest::new(Subject::new([(odd, "x".to_owned())]).unwrap());
    let draft = Authority::draft_root(&request, key.public_key(), &moment()).unwrap();
    let ca = Ca { authority: Authority::new(draft.sign(&key).unwrap().certificate), key };
    let leaf = ca.issue("peer", "etcdone", &[]);
    assert_eq!(leaf.issuer.der(), ca.certificate().subject.der());
    assert_eq!(leaf.issuer.to_string(), "2.999.3=x");
}
