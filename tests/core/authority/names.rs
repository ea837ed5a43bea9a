//! Subjects with several values of one attribute type: from a CSR JSON as cfssl writes them, from a
//! PKCS #10 as the request has them.

use pki_core::{
    Asked, CertificateRequest, CsrJson, KeyAlgorithm, PrivateKey, Purpose, Request, Signer,
};

use super::{check, ids};
use crate::cfssl::cfssl;
use crate::lab::{Ca, NOW};
use crate::openssl::Openssl;

/// Kubernetes reads each O as a group. Of the strings cfssl makes a PrintableString and a UTF8String.
const GROUPS: &str = r#"{"CN": "admin", "key": {"algo": "ecdsa", "size": 256}, "names": [
    {"C": "DE", "O": "backup:operators", "OU": "b & c"}, {"O": "admins", "OU": "a"}, {"C": "AT"}]}"#;

#[test]
fn several_values_in_a_csr_json_are_written_byte_for_byte_as_cfssl_writes_them() {
    let openssl = Openssl::new();
    cfssl(&openssl, "gencert -initca", GROUPS, "cfssl");
    let theirs = openssl.certificate("cfssl.pem");
    let subject = CsrJson::from_json(GROUPS.as_bytes()).unwrap().subject;
    let ca = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.subject = subject.clone());
    assert_eq!(ca.certificate().subject.der(), theirs.subject.der());
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let mut request = Ca::request("admin", &[], &key);
    request.subject = Asked::ByOperator(subject);
    let leaf = ca.draft("client", &request).unwrap().sign(&ca.key).unwrap().certificate;
    assert_eq!(leaf.subject.der(), theirs.subject.der());
    assert_eq!(leaf.issuer.der(), theirs.subject.der());
    assert_eq!(ids(&check(&[&ca], &[], &leaf, Purpose::Client)), [""; 0]);
    openssl.write("ca.pem", ca.certificate().to_pem().unwrap());
    openssl.write("leaf.pem", leaf.to_pem().unwrap());
    openssl.run(&format!("verify -attime {} -CAfile ca.pem leaf.pem", NOW.unix_timestamp()));
}

#[test]
fn a_subject_of_a_pkcs_10_keeps_its_rdns_and_their_order() {
    let openssl = Openssl::new();
    let ca = Ca::new();
    for (subject, wanted) in [
        (
            "/CN=admin/O=system:masters/O=admins/OU=b/OU=a",
            "CN=admin, O=system:masters, O=admins, OU=b, OU=a",
        ),
        ("/DC=com/DC=example/CN=admin", "DC=com, DC=example, CN=admin"),
        ("/O=Lab/CN=admin+O=admins+OU=x", "O=Lab, OU=x+CN=admin+O=admins"),
        ("/OU=only+OU=units", "OU=only+OU=units"),
    ] {
        openssl.run(&format!(
            "req -new -nodes -newkey ed25519 -keyout k.pem -out r.csr -config openssl.cnf \
             -multivalue-rdn -subj {subject}"
        ));
        let csr = CertificateRequest::from_pem_or_der(&openssl.read("r.csr")).unwrap();
        let mut request = Request::from_csr(&csr).unwrap();
        request.names = Asked::ByOperator(vec!["etcdone".parse().unwrap()]);
        let config = pki_core::SigningConfig::from_json(
            br#"{"signing": {"profiles": {"p": {"expiry": "1h", "usages": ["client auth"]}}}}"#,
        );
        let config = config.unwrap();
        let profile = config.profile("p").unwrap();
        let draft = ca.authority.draft(&request, profile, &crate::lab::moment()).unwrap();
        let leaf = draft.sign(&ca.key).unwrap().certificate;
        let sorted = |text: &str| {
            let rdns = text.split(", ").map(|rdn| {
                let mut values: Vec<_> = rdn.split('+').collect();
                values.sort_unstable();
                values.join("+")
            });
            rdns.collect::<Vec<_>>()
        };
        assert_eq!(sorted(&leaf.subject.to_string()), sorted(wanted), "{subject}");
        openssl.write("leaf.pem", leaf.to_pem().unwrap());
        let read = |command| openssl.says(&format!("{command} -noout -subject -nameopt RFC2253"));
        // openssl sorts as DER demands, and so do we.
        assert_eq!(read("x509 -in leaf.pem"), read("req -in r.csr"), "{subject}");
        assert_eq!(leaf.subject.common_name(), csr.subject.common_name());
    }
}

// It was issued as O=#4772fc6e, which is the octets in hexadecimal digits.
#[test]
fn a_subject_that_is_not_text_is_refused() {
    let openssl = Openssl::new();
    openssl.run(
        "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout k.pem -out r.csr \
         -outform DER -config openssl.cnf -subj /O=Gruen/CN=etcdone",
    );
    let key = PrivateKey::from_pem(&openssl.read("k.pem")).unwrap();
    for (tag, octets, taken) in [
        (0x0c, &b"Gr\xfcn"[..], false),
        (0x13, b"Gr\xfcn", false),
        (0x16, b"Gr\xfcn", false),
        (0x1e, b"\0G\0r\0", false),
        // An INTEGER.
        (0x02, b"\x05", false),
        // T.61, which everybody reads as Latin-1.
        (0x14, b"Gr\xfcn", true),
        (0x1e, b"\0G\0r\0\xfc\0n", true),
    ] {
        let csr = crate::der::forge(&openssl.read("r.csr"), &key, |fields| {
            let organization = &mut fields[1].inner()[0].inner()[0];
            organization.inner()[1] = crate::der::Node::octets(tag, octets);
        });
        let csr = CertificateRequest::from_der(&csr).unwrap();
        assert_eq!(csr.public_key, *key.public_key());
        match Request::from_csr(&csr) {
            Ok(request) => {
                assert!(taken, "{tag:#x}");
                assert_eq!(request.subject.value().to_string(), "O=Grün, CN=etcdone");
            }
            Err(error) => {
                assert!(!taken && error.to_string().contains("not text"), "{tag:#x}: {error}");
                assert_eq!(error.input(), Some(pki_core::Input::Subject));
            }
        }
    }
}
