//! Three defects of rcgen 0.14.8 that 0.14.10 fixes. They must not come back with another version.

use pki_core::SigningConfig;
use rcgen::{CertificateParams, CrlDistributionPoint, IsCa, KeyUsagePurpose, RevokedCertParams};
use time::macros::datetime;
use x509_parser::prelude::{FromDer, ParsedExtension};
use x509_parser::revocation_list::CertificateRevocationList;

use super::{PrivateKey, openssl_request};
use crate::foreign;
use crate::lab::{Ca, NOW, moment};
use crate::openssl::Openssl;

const BASIC_CONSTRAINTS: &str = "2.5.29.19";

// 0.14.8 wrote CA:FALSE as SEQUENCE { BOOLEAN FALSE }, a default value that DER omits (X.690 section 11.5).
// Strict parsers reject the whole certificate.
#[test]
fn ca_false_is_an_empty_sequence() {
    let ca = Ca::new();
    for profile in ["server", "peer", "client"] {
        let leaf = ca.issue(profile, "etcdone", &[]);
        let constraints = leaf.extensions.find(BASIC_CONSTRAINTS).unwrap();
        assert_eq!((constraints.critical, &constraints.value[..]), (true, &[0x30, 0x00][..]));
        assert!(Openssl::new().text(&leaf).contains("CA:FALSE"));
    }
    let constraints = ca.certificate().extensions.find(BASIC_CONSTRAINTS).unwrap();
    assert_eq!(constraints.value, [0x30, 6, 1, 1, 0xff, 2, 1, 0], "CA:TRUE, pathlen:0");
}

// Such requests by 0.14.8 still exist. They are for leaf certificates, and must not be read as requests for a
// CA.
#[test]
fn a_request_that_writes_ca_false_out_is_for_a_leaf() {
    let openssl = Openssl::new();
    openssl.write(
        "ext.cnf",
        format!("{}\n[written]\n2.5.29.19 = critical, DER:3003010100\n", crate::openssl::CONFIG),
    );
    openssl.rename("ext.cnf", "openssl.cnf");
    let request = |constraints: &str| {
        openssl_request(&openssl, &format!("-newkey ed25519 -subj /CN=etcdone {constraints}"))
    };
    let ca = Ca::new();
    for constraints in ["-reqexts written", "-addext basicConstraints=CA:FALSE"] {
        let request = request(constraints);
        assert!(request.extensions.iter().any(|e| e.oid.as_str() == BASIC_CONSTRAINTS));
        assert!(ca.draft("peer", &request).is_ok(), "{constraints}");
    }
    let error = ca.draft("peer", &request("-addext basicConstraints=CA:TRUE")).unwrap_err();
    assert!(error.to_string().contains("the request is for a CA"), "{error}");
}

fn extensions(params: &CertificateParams, key: &PrivateKey) -> Vec<String> {
    let certificate = foreign::self_signed(params, key);
    certificate.extensions.all.iter().map(|extension| extension.oid.to_string()).collect()
}

// 0.14.8 checked for other extensions before it wrote any: a certificate whose only extension was keyUsage or a
// CRL distribution point had none. Certificates of this crate always have others, so this also tests the encoder
// directly.
#[test]
fn a_lone_key_usage_or_crl_distribution_point_is_written() {
    let ca = Ca::new();
    let key = PrivateKey::generate(pki_core::KeyAlgorithm::EcdsaP256).unwrap();
    let mut bare = foreign::params("etcdone", &key);
    bare.is_ca = IsCa::NoCa;
    bare.use_authority_key_identifier_extension = false;
    assert_eq!(extensions(&bare, &key), [""; 0]);
    let mut usage = bare.clone();
    usage.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    assert_eq!(extensions(&usage, &key), ["2.5.29.15"]);
    let mut point = bare;
    point.crl_distribution_points =
        vec![CrlDistributionPoint { uris: vec!["http://crl.example.com".to_owned()] }];
    assert_eq!(extensions(&point, &key), ["2.5.29.31"]);

    let config = br#"{"signing": {"profiles": {"lone": {"expiry": "1h", "usages": ["signing"],
        "crl_url": "http://crl.example.com"}}}}"#;
    let config = SigningConfig::from_json(config).unwrap();
    let request = Ca::request("etcdone", &[], &key);
    let draft = ca.authority.draft(&request, config.profile("lone").unwrap(), &moment()).unwrap();
    let leaf = draft.sign(&ca.key).unwrap().certificate;
    let text = Openssl::new().text(&leaf);
    assert!(
        text.contains("X509v3 Key Usage: critical\n                Digital Signature\n"),
        "{text}"
    );
    assert!(text.contains("URI:http://crl.example.com"), "{text}");
    assert!(!text.contains("Extended Key Usage"), "{text}");
}

// 0.14.8 wrote the invalidityDate of a CRL entry before 2050 as UTCTime, but RFC 5280 section 5.3.2 requires
// GeneralizedTime. This crate does not write CRLs yet, so this tests only the encoder.
#[test]
fn an_invalidity_date_is_a_generalized_time() {
    let ca = Ca::new();
    let revoked = RevokedCertParams {
        serial_number: rcgen::SerialNumber::from(4711),
        revocation_time: NOW,
        reason_code: Some(rcgen::RevocationReason::KeyCompromise),
        invalidity_date: Some(datetime!(2026-12-24 18:00 UTC)),
    };
    let der = foreign::crl(&ca, vec![revoked]);
    let (_, crl) = CertificateRevocationList::from_der(&der).unwrap();
    let entry = crl.iter_revoked_certificates().next().unwrap();
    let dates = entry.extensions().iter().filter(|extension| {
        matches!(extension.parsed_extension(), ParsedExtension::InvalidityDate(_))
    });
    let values: Vec<_> = dates.map(|extension| extension.value).collect();
    assert_eq!(values, [b"\x18\x0f20261224180000Z"], "tag 24, GeneralizedTime");
    let openssl = Openssl::new();
    openssl.write("crl.der", der);
    let text = openssl.says("crl -in crl.der -inform DER -noout -text");
    assert!(text.contains("Dec 24 18:00:00 2026 GMT"), "{text}");
}
