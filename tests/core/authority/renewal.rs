//! Certificates once more: what is carried byte for byte, and what changes.

use pki_core::{
    Authority, Certificate, Error, IssuanceContext, KeyAlgorithm, Lifetime, PrivateKey, Renewal,
    SerialNumber, Signer, Verifier, VerifyOptions,
};
use time::{Duration, OffsetDateTime};

use super::below;
use crate::cfssl::cfssl;
use crate::der::{Node, forge};
use crate::lab::{Ca, NOW, moment};
use crate::openssl::Openssl;

/// Places of the to-be-signed fields (RFC 5280 section 4.1).
const SERIAL: usize = 1;
const VALIDITY: usize = 4;
const PUBLIC_KEY: usize = 6;
const EXTENSIONS: usize = 7;

fn fields(certificate: &Certificate) -> Vec<Node> {
    Node::read(certificate.der()).inner()[0].inner().clone()
}

/// The places of the to-be-signed fields that differ.
fn differing(old: &Certificate, new: &Certificate) -> Vec<usize> {
    let (old, new) = (fields(old), fields(new));
    assert_eq!(old.len(), new.len());
    (0..old.len()).filter(|at| old[*at] != new[*at]).collect()
}

/// The OIDs of the extensions that differ; their order may not.
fn differing_extensions(old: &Certificate, new: &Certificate) -> Vec<String> {
    let (old, new) = (&old.extensions.all, &new.extensions.all);
    assert_eq!(old.len(), new.len());
    let pairs = old.iter().zip(new);
    pairs
        .inspect(|(old, new)| assert_eq!(old.oid, new.oid))
        .filter(|(old, new)| old != new)
        .map(|(old, _)| old.oid.to_string())
        .collect()
}

fn at(now: OffsetDateTime) -> IssuanceContext {
    IssuanceContext { now, ..moment() }
}

fn verifies(openssl: &Openssl, at: OffsetDateTime, ca: &Certificate, leaf: &Certificate) {
    openssl.write("renewed-ca.pem", ca.to_pem().unwrap());
    openssl.write("renewed.pem", leaf.to_pem().unwrap());
    let at = at.unix_timestamp();
    openssl.run(&format!("verify -attime {at} -CAfile renewed-ca.pem renewed.pem"));
}

#[test]
fn a_leaf_is_renewed_with_new_dates_and_a_new_serial_number_only() {
    let openssl = Openssl::new();
    let ca = Ca::new();
    let later = NOW + Duration::days(300);
    for profile in ["server", "peer", "client"] {
        let old = ca.issue(profile, "etcdone", &["10.0.0.1", "etcdone.lab"]);
        let context = at(later);
        let draft = ca.authority.draft_renewal(&old, &Renewal::default(), &context).unwrap();
        let new = draft.sign(&ca.key).unwrap().certificate;
        assert_eq!(differing(&old, &new), [SERIAL, VALIDITY], "{profile}");
        assert_eq!(new.serial, context.serial);
        assert_eq!(new.not_before, later - Duration::minutes(5));
        assert_eq!(new.not_after, later + Duration::days(365));
        verifies(&openssl, later, ca.certificate(), &new);
    }
}

#[test]
fn a_new_key_changes_its_identifier_and_nothing_else() {
    let ca = Ca::new();
    let old = ca.issue("peer", "etcdone", &["10.0.0.1"]);
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Rsa(2048), KeyAlgorithm::Ed25519] {
        let key = PrivateKey::generate(algorithm).unwrap();
        let mut renewal = Renewal::default();
        renewal.public_key = Some(key.public_key().clone());
        renewal.lifetime = Lifetime::Exactly(Duration::days(30));
        let draft = ca.authority.draft_renewal(&old, &renewal, &moment()).unwrap();
        let new = draft.sign(&ca.key).unwrap().certificate;
        assert_eq!(differing(&old, &new), [SERIAL, VALIDITY, PUBLIC_KEY, EXTENSIONS]);
        assert_eq!(differing_extensions(&old, &new), ["2.5.29.14"], "{algorithm}");
        assert_eq!(new.extensions.subject_key_id, Some(key.public_key().key_id()));
        assert_eq!(new.not_after, NOW + Duration::days(30));
        verifies(&Openssl::new(), NOW, ca.certificate(), &new);
    }
}

// As in the rotation of a CA: the leaf moves to a CA of another name and key.
#[test]
fn under_another_ca_the_issuer_and_the_authority_key_identifier_change() {
    let old_ca = Ca::new();
    let old = old_ca.issue("peer", "etcdone", &["10.0.0.1"]);
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Rsa(2048)] {
        let new_ca = Ca::with(algorithm, |request| {
            request.subject = pki_core::Subject::from_common_name("etcd CA 2").unwrap();
        });
        let draft = new_ca.authority.draft_renewal(&old, &Renewal::default(), &moment()).unwrap();
        let new = draft.sign(&new_ca.key).unwrap().certificate;
        assert_eq!(new.issuer.der(), new_ca.certificate().subject.der());
        assert_eq!(differing_extensions(&old, &new), ["2.5.29.35"]);
        assert_eq!(new.subject.der(), old.subject.der());
        verifies(&Openssl::new(), NOW, new_ca.certificate(), &new);
    }
}

/// What another CA may put into a certificate: an odd order of extensions and of the subject,
/// string types, an extension that nobody knows, policies, AIA, and names of kinds that we do not write.
const FOREIGN: &str = "
[foreign]
1.2.3.4 = DER:0500
subjectAltName = critical, @names
extendedKeyUsage = clientAuth, serverAuth, codeSigning
certificatePolicies = 1.2.3, @policy
basicConstraints = CA:FALSE
authorityKeyIdentifier = keyid, issuer:always
keyUsage = digitalSignature, keyEncipherment
subjectKeyIdentifier = hash
authorityInfoAccess = OCSP;URI:http://ocsp.example.com
crlDistributionPoints = URI:http://crl.example.com/a.crl
[names]
otherName = 1.3.6.1.4.1.311.20.2.3;UTF8:etcd@example.com
RID = 1.2.3.4
DNS.1 = UPPER.example.com
IP = 10.0.0.1
[policy]
policyIdentifier = 1.3.5.8
userNotice.1 = @notice
[notice]
explicitText = hello
[root]
nameConstraints = critical, permitted;DNS:example.com, permitted;IP:10.0.0.0/255.0.0.0, permitted;email:example.com
basicConstraints = critical, CA:TRUE, pathlen:3
crlDistributionPoints = URI:http://crl.example.com/root.crl
keyUsage = critical, cRLSign, keyCertSign, digitalSignature
authorityKeyIdentifier = keyid:always, issuer:always
subjectKeyIdentifier = hash
";

/// A CA and a leaf by openssl, in the files `ca.pem`, `ca-key.pem` and `leaf.pem`.
fn foreign(openssl: &Openssl) -> Ca {
    let config = String::from_utf8(openssl.read("openssl.cnf")).unwrap();
    openssl.write("openssl.cnf", config + FOREIGN);
    openssl.run(
        "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout ca-key.pem -out ca.pem \
         -days 3650 -config openssl.cnf -extensions root -multivalue-rdn \
         -subj /CN=etcd/O=Lab/OU=b+OU=a/DC=com",
    );
    openssl.run(
        "req -new -nodes -newkey rsa:2048 -keyout leaf-key.pem -out leaf.csr -config openssl.cnf \
         -multivalue-rdn -subj /CN=etcdone/O=b+O=a/C=DE",
    );
    openssl.run(
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 -out leaf.pem \
         -extfile openssl.cnf -extensions foreign",
    );
    Ca {
        authority: Authority::new(openssl.certificate("ca.pem")),
        key: PrivateKey::from_pem(&openssl.read("ca-key.pem")).unwrap(),
    }
}

#[test]
fn a_leaf_of_openssl_keeps_every_byte_but_serial_number_and_dates() {
    let openssl = Openssl::new();
    let ca = foreign(&openssl);
    let old = openssl.certificate("leaf.pem");
    assert_eq!(old.extensions.all.len(), 10);
    let aki = old.extensions.authority_key_id.as_ref().unwrap();
    assert_eq!(aki.serial, Some(ca.certificate().serial.clone()));
    assert_eq!(aki.issuer[0].to_string(), format!("dir:{}", ca.certificate().issuer));
    let context = at(old.not_before + Duration::days(20));
    let draft = ca.authority.draft_renewal(&old, &Renewal::default(), &context);
    let new = draft.unwrap().sign(&ca.key).unwrap().certificate;
    assert_eq!(differing(&old, &new), [SERIAL, VALIDITY]);
    assert_eq!(new.not_after - new.not_before, old.not_after - old.not_before);
    verifies(&openssl, context.now, ca.certificate(), &new);
}

/// Such as a CA that another root certified again: its key and its serial number are not enough to identify its certificate.
#[test]
fn an_authority_key_identifier_with_the_issuer_of_another_ca_certificate_changes() {
    let openssl = Openssl::new();
    let ca = foreign(&openssl);
    let old = openssl.certificate("leaf.pem");
    let der = forge(ca.certificate().der(), &ca.key, |fields| {
        fields[3].inner()[0].inner()[0].inner()[1].content().make_ascii_uppercase();
    });
    let again = Authority::new(Certificate::from_der(&der).unwrap());
    assert_eq!(again.certificate().serial, ca.certificate().serial);
    let context = at(old.not_before + Duration::days(20));
    let draft = again.draft_renewal(&old, &Renewal::default(), &context).unwrap();
    let aki = draft.contents().extensions.authority_key_id.clone().unwrap();
    assert_eq!((aki.serial, aki.issuer.len()), (None, 0));
    assert_eq!(aki.key_id, ca.certificate().extensions.subject_key_id);
}

#[test]
fn a_root_of_openssl_is_renewed_and_old_leaves_verify_with_it() {
    let openssl = Openssl::new();
    let ca = foreign(&openssl);
    let (old, leaf) = (ca.certificate(), openssl.certificate("leaf.pem"));
    let context = at(leaf.not_before + Duration::days(10));
    let draft = ca.authority.draft_ca_renewal(&Renewal::default(), &context).unwrap();
    let new = draft.sign(&ca.key).unwrap().certificate;
    // Its authorityKeyIdentifier named its own serial number, which is new.
    assert_eq!(differing(old, &new), [SERIAL, VALIDITY, EXTENSIONS]);
    assert_eq!(differing_extensions(old, &new), ["2.5.29.35"]);
    let aki = new.extensions.authority_key_id.clone().unwrap();
    assert_eq!((aki.key_id, aki.serial), (old.extensions.subject_key_id.clone(), None));
    let mut options = VerifyOptions::at(context.now);
    options.purpose = pki_core::Purpose::Peer;
    let verifier = Verifier::builder([new.clone()]).build().unwrap();
    let report = verifier.check(&leaf, &[], &options);
    assert!(report.is_ok(), "{report}");
    openssl.write("new.pem", new.to_pem().unwrap());
    let when = context.now.unix_timestamp();
    openssl.run(&format!("verify -attime {when} -CAfile new.pem new.pem"));
    // The leaf names the serial number of the old root (OpenSSL's error 20), as easy-rsa writes it: it has
    // to be renewed too, and then names the key.
    let check = format!("verify -attime {when} -CAfile new.pem leaf.pem");
    let (ok, _, errors) = openssl.try_run(&check);
    assert!(!ok && errors.contains("error 20"), "{errors}");
    let authority = Authority::new(new.clone());
    let renewed = authority.draft_renewal(&leaf, &Renewal::default(), &context).unwrap();
    let renewed = renewed.sign(&ca.key).unwrap().certificate;
    assert_eq!(differing_extensions(&leaf, &renewed), ["2.5.29.35"]);
    verifies(&openssl, context.now, &new, &renewed);
}

#[test]
fn a_root_that_names_its_key_only_keeps_every_extension() {
    let openssl = Openssl::new();
    openssl.run(
        "req -x509 -nodes -newkey rsa:2048 -keyout ca-key.pem -out ca.pem -days 30 \
         -config openssl.cnf -subj /CN=etcd/O=Lab",
    );
    let old = openssl.certificate("ca.pem");
    let key = PrivateKey::from_pem(&openssl.read("ca-key.pem")).unwrap();
    let authority = Authority::new(old.clone());
    let context = at(old.not_after - Duration::days(3));
    let mut renewal = Renewal::default();
    renewal.lifetime = Lifetime::Exactly(Duration::days(3650));
    let draft = authority.draft_ca_renewal(&renewal, &context).unwrap();
    let new = draft.sign(&key).unwrap().certificate;
    assert_eq!(differing(&old, &new), [SERIAL, VALIDITY]);
    assert_eq!(new.not_after, context.now + Duration::days(3650));
    assert!(new.is_signed_by(&old.public_key));
}

#[test]
fn a_ca_of_cfssl_and_its_leaf_are_renewed() {
    let openssl = Openssl::new();
    let ca = r#"{"CN": "etcd CA", "key": {"algo": "ecdsa", "size": 256},
        "names": [{"O": "Lab", "OU": "b"}, {"OU": "a", "C": "DE"}], "ca": {"expiry": "720h"}}"#;
    let leaf = r#"{"CN": "etcdone", "hosts": ["10.0.0.1", "etcdone.lab"], "names": [{"O": "x"}, {"O": "y"}],
        "key": {"algo": "rsa", "size": 2048}}"#;
    cfssl(&openssl, "gencert -initca", ca, "ca");
    openssl.write(
        "config.json",
        r#"{"signing": {"default": {"expiry": "240h", "usages": ["signing", "key encipherment",
            "server auth", "client auth"], "crl_url": "http://crl.example.com"}}}"#,
    );
    cfssl(&openssl, "gencert -ca ca.pem -ca-key ca-key.pem -config config.json", leaf, "leaf");
    let (old_ca, old) = (openssl.certificate("ca.pem"), openssl.certificate("leaf.pem"));
    let key = PrivateKey::from_pem(&openssl.read("ca-key.pem")).unwrap();
    let authority = Authority::new(old_ca.clone());
    let context = at(old.not_before + Duration::days(9));
    let draft = authority.draft_ca_renewal(&Renewal::default(), &context).unwrap();
    let new_ca = draft.sign(&key).unwrap().certificate;
    assert_eq!(differing(&old_ca, &new_ca), [SERIAL, VALIDITY]);
    verifies(&openssl, context.now, &new_ca, &old);
    let draft = Authority::new(new_ca.clone()).draft_renewal(&old, &Renewal::default(), &context);
    let new = draft.unwrap().sign(&key).unwrap().certificate;
    assert_eq!(differing(&old, &new), [SERIAL, VALIDITY]);
    verifies(&openssl, context.now, &new_ca, &new);
}

#[test]
fn an_intermediate_is_renewed_by_the_ca_above_it() {
    let root = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.path_len = Some(1));
    let middle = below(&root, "last", "etcd CA 2027");
    let leaf = middle.issue("peer", "etcdone", &[]);
    let error = middle.authority.draft_ca_renewal(&Renewal::default(), &moment()).unwrap_err();
    assert!(error.to_string().contains("not a root: it was issued by CN=etcd CA"), "{error}");
    let context = at(NOW + Duration::days(30));
    let old = middle.certificate();
    let draft = root.authority.draft_renewal(old, &Renewal::default(), &context).unwrap();
    let new = draft.sign(&root.key).unwrap().certificate;
    assert_eq!(differing(old, &new), [SERIAL, VALIDITY]);
    verifies_below(&root, &new, &leaf, context.now);
}

fn verifies_below(root: &Ca, middle: &Certificate, leaf: &Certificate, now: OffsetDateTime) {
    let openssl = Openssl::new();
    for (name, certificate) in [("root", root.certificate()), ("middle", middle), ("leaf", leaf)] {
        openssl.write(&format!("{name}.pem"), certificate.to_pem().unwrap());
    }
    let at = now.unix_timestamp();
    openssl.run(&format!(
        "verify -x509_strict -attime {at} -CAfile root.pem -untrusted middle.pem leaf.pem"
    ));
}

#[test]
fn what_cannot_be_renewed_says_why() {
    let ca = Ca::new();
    let leaf = ca.issue("peer", "etcdone", &[]);
    let mut other_key = Renewal::default();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    other_key.public_key = Some(key.public_key().clone());
    let error = ca.authority.draft_ca_renewal(&other_key, &moment()).unwrap_err();
    assert!(error.to_string().contains("a CA with another key is a different CA"), "{error}");
    let mut own_key = Renewal::default();
    own_key.public_key = Some(ca.certificate().public_key.clone());
    let error = ca.authority.draft_renewal(&leaf, &own_key, &moment()).unwrap_err();
    assert!(error.to_string().contains("it is the key of the CA itself"), "{error}");
    let mut long = Renewal::default();
    long.lifetime = Lifetime::Exactly(Duration::days(4000));
    let Err(Error::Refused(findings)) = ca.authority.draft_renewal(&leaf, &long, &moment()) else {
        panic!("it would outlive its CA");
    };
    assert_eq!(findings[0].rule.id, "leaf-outlives-ca");
    let mut ended = Renewal::default();
    ended.lifetime = Lifetime::Exactly(Duration::ZERO);
    let error = ca.authority.draft_renewal(&leaf, &ended, &moment()).unwrap_err();
    assert!(error.to_string().contains("would already be expired"), "{error}");
    assert!(SerialNumber::from_random([0; 20]).is_positive());
}
