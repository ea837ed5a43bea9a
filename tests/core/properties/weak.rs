//! Keys and hashes that are too weak, which only OpenSSL still writes.

use pki_core::{
    Authority, Certificate, CertificateRequest, Error, IssuanceContext, Lifetime, Purpose, Request,
    SigningConfig, Verifier, VerifyOptions,
};
use time::Duration;

use super::flagged::refused;
use crate::lab::{Ca, moment};
use crate::openssl::Openssl;

/// A root, optionally a CA below it, and a leaf certificate, with the time when they were created.
struct Chain {
    path: Vec<Certificate>,
    request: Vec<u8>,
}

impl Chain {
    /// The arguments choose the key of each certificate, and the hash in the signature of the second.
    fn new(root: &str, below: Option<(&str, &str)>, leaf: &str) -> Self {
        let openssl = Openssl::new();
        let made = |name: &str| Certificate::from_pem_or_der(&openssl.read(name)).unwrap();
        openssl.run(&format!("req -x509 {root} -keyout ca-key.pem -out ca.pem -subj /CN=root -days 30 -config openssl.cnf"));
        let mut path = made("ca.pem");
        if let Some((key, hash)) = below {
            openssl.run(&format!(
                "req {key} -keyout k.pem -out r.csr -subj /CN=below -config openssl.cnf"
            ));
            openssl.run(&format!("x509 -req -in r.csr -CA ca.pem -CAkey ca-key.pem {hash} -days 20 -extfile openssl.cnf -extensions ca -out below.pem"));
            path.extend(made("below.pem"));
            openssl.rename("below.pem", "ca.pem");
            openssl.rename("k.pem", "ca-key.pem");
        }
        openssl.run(&format!(
            "req {leaf} -keyout k.pem -out r.csr -subj /CN=etcdone -config openssl.cnf"
        ));
        openssl.run("x509 -req -in r.csr -CA ca.pem -CAkey ca-key.pem -sha256 -days 10 -extfile openssl.cnf -extensions leaf -out leaf.pem");
        path.extend(made("leaf.pem"));
        Self { path, request: openssl.read("r.csr") }
    }
}

const P256: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
const P224: &str = "-newkey ec -pkeyopt ec_paramgen_curve:secp224r1 -nodes";
const RSA_1024: &str = "-newkey rsa:1024 -nodes";

#[test]
fn weak_keys_and_hashes_are_refused_by_a_draft_and_flagged_by_a_verifier() {
    for (chain, wanted) in [
        (Chain::new(P256, None, P256), None),
        (Chain::new(RSA_1024, None, P256), Some("key-weak")),
        (Chain::new(P256, Some((RSA_1024, "-sha256")), P256), Some("key-weak")),
        (Chain::new(P256, None, RSA_1024), Some("key-weak")),
        (Chain::new(P256, Some((P256, "-sha256")), P256), None),
        (Chain::new(P256, Some((P256, "-sha1")), P256), Some("sig-weak")),
        (Chain::new("-newkey rsa:2048 -nodes", Some((P256, "-sha1")), P256), Some("sig-weak")),
    ] {
        let [root, below @ .., leaf] = chain.path.as_slice() else {
            unreachable!("a root and a leaf at least")
        };
        let mut options = VerifyOptions::at(leaf.not_before + Duration::minutes(1));
        options.purpose = Purpose::Peer;
        let report =
            Verifier::builder([root.clone()]).build().unwrap().check(leaf, below, &options);
        let flagged = |id: &str| report.findings().any(|finding| finding.rule.id == id);
        assert!(wanted.is_none_or(flagged), "{wanted:?}: {report}");
        assert!(wanted.is_some() || report.findings().count() == 0, "{report}");

        // The key from the certificate, because a proof of possession with RSA-1024 cannot be read.
        let authority = Authority::new(below.last().unwrap_or(root).clone());
        let mut request = Ca::request("etcdone", &[], &super::KEYS[0]);
        request.public_key = leaf.public_key.clone();
        request.lifetime = Lifetime::Exactly(Duration::days(1));
        let config = SigningConfig::etcd();
        let moment = IssuanceContext { now: options.at, ..moment() };
        match authority.draft(&request, config.profile("peer").unwrap(), &moment) {
            Ok(draft) => assert_eq!((wanted, draft.findings()), (None, &[][..])),
            Err(Error::Refused(findings)) => {
                assert_eq!(Some(refused(&findings)), wanted.map(|id| vec![id]));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_curve_that_no_etcd_knows_is_not_certified_and_is_flagged() {
    let chain = Chain::new(P224, None, P224);
    let [root, leaf] = chain.path.as_slice() else { unreachable!("a root and a leaf") };
    let options = VerifyOptions::at(leaf.not_before);
    let report = Verifier::builder([root.clone()]).build().unwrap().check(leaf, &[], &options);
    let curves = report.findings().filter(|finding| finding.rule.id == "key-curve");
    assert_eq!(curves.count(), 2, "{report}");
    let mut request = Ca::request("etcdone", &[], &super::KEYS[0]);
    let config = SigningConfig::etcd();
    for public_key in [&root.public_key, &leaf.public_key] {
        request.public_key = public_key.clone();
        let profile = config.profile("peer").unwrap();
        let error = super::CAS[0].authority.draft(&request, profile, &moment()).unwrap_err();
        let reason = "[key-curve] CN=etcdone: the key's algorithm or curve is 1.3.132.0.33";
        assert!(
            matches!(&error, Error::Refused(_)) && error.to_string().contains(reason),
            "{error}"
        );
    }
    let request = Ca::request("etcdone", &[], &super::KEYS[0]);
    let drafted =
        Authority::new(root.clone()).draft(&request, config.profile("peer").unwrap(), &moment());
    assert!(matches!(drafted, Err(Error::Invalid(_))), "{drafted:?}");
}

#[test]
fn a_request_with_a_weak_proof_of_possession_is_refused_with_the_reason() {
    let openssl = Openssl::new();
    openssl.run(&format!(
        "req {P256} -sha1 -keyout k.pem -out sha1.csr -subj /CN=x -config openssl.cnf"
    ));
    let weak = Chain::new(P256, None, RSA_1024).request;
    for (request, wanted) in [(openssl.read("sha1.csr"), "ecdsa-with-SHA1"), (weak, "rsa-1024")] {
        let csr = CertificateRequest::from_pem_or_der(&request).unwrap();
        let error = Request::from_csr(&csr).unwrap_err();
        assert!(error.to_string().contains(wanted) && error.hint().is_some(), "{error}");
    }
}
