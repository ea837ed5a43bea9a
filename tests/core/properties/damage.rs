//! Valid bytes of every kind, and ways to damage them.

use std::sync::LazyLock;

use pki_core::{KeyAlgorithm, KeyFormat, Signer};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{CAS, KEYS};
use crate::lab::Ca;
use crate::{foreign, lab};

/// Every option of both grammars in one document.
pub(super) const CONFIG: &str = r#"{"signing": {"default": {"expiry": "8760h", "crl_url": "http://crl"},
 "profiles": {"all": {"usages": ["signing", "cert sign", "crl sign", "server auth", "any"],
  "expiry": "1h30m", "backdate": "10m", "not_before": "2026-12-31T00:00:00Z",
  "not_after": "2027-06-30T00:00:00+02:00", "issuer_urls": ["http://ca"], "ocsp_url": "http://o",
  "ca_constraint": {"is_ca": true, "max_path_len": 0, "max_path_len_zero": true},
  "ocsp_no_check": true, "name_whitelist": "^[a-z.]+$", "copy_extensions": true,
  "allowed_extensions": ["1.3.6.1.5.5.7.1.24"], "CSRWhitelist": {"PublicKey": true},
  "Policies": [{"ID": "1.2.3.4", "Qualifiers": [{"Type": "id-qt-cps", "Value": "http://cps"},
   {"Type": "id-qt-unotice", "Value": "notice"}]}], "add_names": ["{cn}", "127.0.0.1"]}}}}"#;

const CSR_JSON: &str = r#"{"CN": "etcdone", "hosts": ["etcdone", "10.0.0.1", "user@example.com"],
 "key": {"algo": "rsa", "size": 2048}, "names": [{"C": "DE", "ST": "x", "L": "y", "O": "z",
 "OU": "u", "E": "a@b.c", "SerialNumber": "1", "OID": {"1.2.3.4": "v"}}], "serialnumber": "2",
 "ca": {"expiry": "10y", "backdate": "5m", "pathlen": 1, "pathlenzero": false}}"#;

/// The inputs to damage: everything that can be read, in each of its formats.
pub(super) static SOUND: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let bounded = Ca::with(KeyAlgorithm::EcdsaP256, |request| {
        request.permitted = ["dns:example.com", "ip:10.0.0.0/8", "email:.example.com"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        request.crl_url = Some("http://crl.example.com/ca.crl".parse().unwrap());
    });
    let leaf = bounded.issue("peer", "a.example.com", &["10.0.0.1", "email:a@b.example.com"]);
    let mut sound: Vec<Vec<u8>> = vec![CONFIG.into(), CSR_JSON.into()];
    for certificate in CAS.iter().map(Ca::certificate).chain([bounded.certificate(), &leaf]) {
        sound.push(certificate.der().to_vec());
        sound.push(certificate.to_pem().unwrap().into_bytes());
    }
    for key in KEYS.iter() {
        sound.push(key.public_key().spki().to_vec());
        for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
            let pem = key.to_pem(format).unwrap();
            let body: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
            sound.push(pem_rfc7468::decode_vec(pem.as_bytes()).unwrap().1);
            sound.push(pem.as_bytes().to_vec());
            sound.push(body.into_bytes());
        }
    }
    sound.push(REQUEST.clone());
    sound.push(CRL.clone());
    sound.push(sound[3..7].concat());
    sound
});

/// A PKCS #10 request for the first key.
pub(super) static REQUEST: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = foreign::EncoderKey::new(&KEYS[0]);
    let mut params = foreign::params("etcdone", &KEYS[0]);
    params.serial_number = None;
    params.use_authority_key_identifier_extension = false;
    params.subject_alt_names = lab::names(&["etcdone", "10.0.0.1", "email:a@b.c", "uri:urn:x"])
        .iter()
        .map(foreign::san)
        .collect();
    params.custom_extensions = vec![rcgen::CustomExtension::from_oid_content(
        &[1, 3, 6, 1, 5, 5, 7, 1, 24],
        vec![0x30, 0x03, 0x02, 0x01, 0x05],
    )];
    params.serialize_request(&key).unwrap().der().to_vec()
});

static CRL: LazyLock<Vec<u8>> = LazyLock::new(|| foreign::crl(&CAS[0], Vec::new()));

/// Ways to damage bytes.
#[derive(Clone, Debug)]
pub(super) enum Damage {
    Cut(Index),
    Drop(Index, usize),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Set(Index, u8),
    Splice(Index, Index, Index, usize),
}

pub(super) fn damage() -> impl Strategy<Value = Damage> {
    let telling = prop::sample::select(vec![0, 1, 2, 0x14, 0x30, 0x3f, 0x7f, 0x80, 0x84, 0xff]);
    prop_oneof![
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Damage::Drop(at, length)),
        6 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        4 => (any::<Index>(), telling).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => (any::<Index>(), any::<Index>(), any::<Index>(), 1..200_usize)
            .prop_map(|(at, other, from, length)| Damage::Splice(at, other, from, length)),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Drop(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(at..bytes.len().min(at + length));
            }
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Insert(at, inserted) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, inserted.iter().copied());
            }
            Self::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Splice(at, other, from, length) => {
                let (at, other) = (at.index(bytes.len()), other.get(SOUND.as_slice()));
                let from = from.index(other.len());
                let piece = &other[from..other.len().min(from + length)];
                let end = bytes.len().min(at + piece.len());
                bytes.splice(at..end, piece.iter().copied());
            }
        }
    }
}

pub(super) fn damaged(sound: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for damage in damages {
        damage.apply(&mut bytes);
    }
    bytes
}
