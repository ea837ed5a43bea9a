//! The names of usages in cfssl's profiles.

use super::extended::EXTENDED;
use super::{ExtendedKeyUsage, KeyUsages};
use crate::oid::Oid;

const KEY: [(KeyUsages, &str); 10] = [
    (KeyUsages::DIGITAL_SIGNATURE, "signing"),
    (KeyUsages::DIGITAL_SIGNATURE, "digital signature"),
    (KeyUsages::CONTENT_COMMITMENT, "content commitment"),
    (KeyUsages::KEY_ENCIPHERMENT, "key encipherment"),
    (KeyUsages::DATA_ENCIPHERMENT, "data encipherment"),
    (KeyUsages::KEY_AGREEMENT, "key agreement"),
    (KeyUsages::KEY_CERT_SIGN, "cert sign"),
    (KeyUsages::CRL_SIGN, "crl sign"),
    (KeyUsages::ENCIPHER_ONLY, "encipher only"),
    (KeyUsages::DECIPHER_ONLY, "decipher only"),
];

/// The meaning of one of cfssl's usage strings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Usage {
    Extended(ExtendedKeyUsage),
    Key(KeyUsages),
}

/// Looks up a usage string. Case and spaces matter, as in cfssl.
pub(crate) fn usage_named(name: &str) -> Option<Usage> {
    if let Some((bits, _)) = KEY.iter().find(|(_, known)| *known == name) {
        return Some(Usage::Key(*bits));
    }
    EXTENDED
        .iter()
        .find(|(.., names)| names.contains(&name))
        .map(|(oid, ..)| Usage::Extended(ExtendedKeyUsage(Oid::trusted(oid))))
}

/// All usage strings of cfssl.
pub(crate) fn usage_names() -> impl Iterator<Item = &'static str> {
    let extended = EXTENDED.iter().flat_map(|(.., names)| names.iter().copied());
    KEY.iter().map(|(_, name)| *name).chain(extended)
}
