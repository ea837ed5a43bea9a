//! A root, an intermediate and a leaf certificate that are the same in every run, as inputs for the targets.

use std::sync::LazyLock;

use pki_core::{
    Asked, Authority, CaRequest, Certificate, Draft, Error, IssuanceContext, PrivateKey, Request,
    SerialNumber, Signer, SigningConfig, Subject,
};
use time::OffsetDateTime;
use time::macros::datetime;

/// The time of issue and of verification.
pub const NOW: OffsetDateTime = datetime!(2027-01-01 12:00 UTC);

/// The names of every leaf certificate.
pub const NAMES: [&str; 5] =
    ["etcdone.example.com", "10.0.0.1", "fd00::1", "a@example.com", "spiffe://example.com/etcdone"];

/// A certificate and its Ed25519 key, whose signatures are deterministic.
pub struct Entity {
    /// The key.
    pub key: PrivateKey,
    /// The certificate.
    pub certificate: Certificate,
}

/// Root, intermediate, leaf.
pub static CHAIN: LazyLock<[Entity; 3]> = LazyLock::new(|| {
    let config =
        br#"{"signing":{"profiles":{"ca":{"expiry":"43800h","usages":["cert sign","crl sign"],
        "ca_constraint":{"is_ca":true}}}}}"#;
    let config = SigningConfig::from_json(config).expect("a configuration");
    let etcd = SigningConfig::etcd();
    let profile = |config: &SigningConfig, name| config.profile(name).expect("a profile").clone();

    let (root_key, between_key, leaf_key) = (key(1), key(2), key(3));
    let mut ca = CaRequest::new(Subject::from_common_name("root").expect("a name"));
    ca.path_len = None;
    ca.permitted = ["dns:example.com", "dns:etcdone", "ip:10.0.0.0/8", "ip:fd00::/8"]
        .map(|text| text.parse().expect("a constraint"))
        .into();
    let root = sign(Authority::draft_root(&ca, root_key.public_key(), &moment(1)), &root_key);

    let authority = Authority::new(root.clone());
    let mut ca = request(&between_key);
    ca.subject = Asked::ByOperator(Subject::from_common_name("between").expect("a name"));
    ca.names = Asked::ByOperator(Vec::new());
    let between = authority.draft(&ca, &profile(&config, "ca"), &moment(2));
    let between = sign(between, &root_key);

    let authority = Authority::new(between.clone());
    let leaf = authority.draft(&request(&leaf_key), &profile(&etcd, "peer"), &moment(3));
    let leaf = sign(leaf, &between_key);
    [
        Entity { key: root_key, certificate: root },
        Entity { key: between_key, certificate: between },
        Entity { key: leaf_key, certificate: leaf },
    ]
});

/// A request for a leaf.
pub fn request(key: &PrivateKey) -> Request {
    let names = NAMES.iter().map(|name| name.parse().expect("a name")).collect();
    Request::new(
        Subject::from_common_name("etcdone").expect("a name"),
        names,
        key.public_key().clone(),
    )
}

/// The time, and a serial number that is the same in every run.
pub fn moment(number: u8) -> IssuanceContext {
    IssuanceContext { now: NOW, serial: SerialNumber::from_random([number; 20]) }
}

/// An Ed25519 key from one byte (RFC 8410 section 7).
pub fn key(number: u8) -> PrivateKey {
    let shell = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    PrivateKey::from_der(&[&shell[..], &[number; 32]].concat()).expect("a key")
}

/// Signs a structure again that starts with the header of its outer SEQUENCE and ends with an Ed25519 signature, so
/// that an edit in between passes the signature check.
pub fn sign_again(signed: &mut [u8], key: &PrivateKey) {
    // AlgorithmIdentifier, BIT STRING header and signature have fixed lengths (RFC 8410 section 3).
    const BEHIND: usize = 7 + 3 + 64;
    const HEADER: usize = 4;
    let length = signed.len();
    if length < HEADER + BEHIND {
        return;
    }
    let signature = key.sign(&signed[HEADER..length - BEHIND]).expect("a signature");
    signed[length - 64..].copy_from_slice(&signature);
}

/// Returns the result. An internal error is a bug.
pub fn no_bug<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Err(error @ Error::Internal(_)) => panic!("{error}"),
        result => result.ok(),
    }
}

fn sign(draft: Result<Draft, Error>, key: &PrivateKey) -> Certificate {
    draft.expect("a draft").sign(key).expect("a signature").certificate
}
