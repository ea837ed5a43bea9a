//! Compares what both programs made, field by field.

use std::collections::BTreeSet;

use pki_core::{Certificate, CertificateRequest, Extension, Signer};
use serde_json::Value;

use super::certinfo;
use super::later::Later;
use super::sides::{Side, Sides};

/// A field that differs, with what each side has.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Difference {
    pub(super) field: String,
    pub(super) ours: String,
    pub(super) theirs: String,
}

/// Collects differences.
#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, ours: &T, theirs: &T) {
        if ours != theirs {
            let (ours, theirs) = (format!("{ours:?}"), format!("{theirs:?}"));
            self.0.push(Difference { field: field.to_owned(), ours, theirs });
        }
    }
}

/// Every difference of the answers `out.json` and of the files `out…`.
pub(super) fn all(sides: &Sides, issuer: Option<&str>, later: &Later) -> Vec<Difference> {
    let mut found = Found::default();
    let answer = |side| serde_json::from_slice::<Value>(&sides.read(side, "out.json")).unwrap();
    let keys = |side| {
        let answer = answer(side);
        let members = answer.as_object().unwrap().iter();
        members.map(|(key, value)| (key.clone(), value.is_string())).collect::<BTreeSet<_>>()
    };
    found.compare("JSON", &keys(Side::Ours), &keys(Side::Theirs));
    found.compare("files", &sides.files(Side::Ours, "out"), &sides.files(Side::Theirs, "out"));
    let part = |side, key: &str| answer(side)[key].as_str().map(ToOwned::to_owned);
    let label = |side| part(side, "key").and_then(|key| key.lines().next().map(ToOwned::to_owned));
    found.compare("key label", &label(Side::Ours), &label(Side::Theirs));
    if let (Some(ours), Some(theirs)) = (part(Side::Ours, "csr"), part(Side::Theirs, "csr")) {
        requests(&mut found, &ours, &theirs);
    }
    if let (Some(ours), Some(theirs)) = (part(Side::Ours, "cert"), part(Side::Theirs, "cert")) {
        let [ours, theirs] = [ours, theirs].map(|pem| certificate(pem.as_bytes()));
        certificates(&mut found, &ours, &theirs, later);
        for (side, leaf) in [(Side::Ours, &ours), (Side::Theirs, &theirs)] {
            identifiers(&mut found, sides, side, leaf, issuer);
        }
    }
    for (flag, name) in [("-cert", "out.pem"), ("-csr", "out.csr")] {
        if sides.has(Side::Theirs, name) {
            let [ours, theirs] = certinfo::of_theirs(sides, flag, name);
            found.compare(&format!("certinfo of {name}"), &ours, &theirs);
        }
    }
    found.0
}

pub(super) fn certificate(pem: &[u8]) -> Certificate {
    Certificate::from_pem_or_der(pem).unwrap().remove(0)
}

fn requests(found: &mut Found, ours: &str, theirs: &str) {
    let [ours, theirs] =
        [ours, theirs].map(|pem| CertificateRequest::from_pem_or_der(pem.as_bytes()).unwrap());
    found.compare("CSR subject", &ours.subject.der(), &theirs.subject.der());
    found.compare("CSR extensions", &listed(&ours.extensions.all), &listed(&theirs.extensions.all));
    found.compare("CSR signature", &ours.signature_algorithm, &theirs.signature_algorithm);
    found.compare("CSR key", &ours.public_key.algorithm(), &theirs.public_key.algorithm());
}

fn certificates(found: &mut Found, ours: &Certificate, theirs: &Certificate, later: &Later) {
    found.compare("issuer", &ours.issuer.der(), &theirs.issuer.der());
    found.compare("subject", &ours.subject.der(), &theirs.subject.der());
    found.compare("signature", &ours.signature_algorithm, &theirs.signature_algorithm);
    found.compare("key", &ours.public_key.algorithm(), &theirs.public_key.algorithm());
    let expected = later.extensions(&theirs.extensions.all, &ours.extensions.all);
    found.compare("extensions", &listed(&ours.extensions.all), &listed(&expected));
    // The two programs run one after the other, and round to the minute.
    let near =
        |a: time::OffsetDateTime, b: time::OffsetDateTime| (a - b).abs() <= time::Duration::MINUTE;
    let dates = [
        ("notBefore", ours.not_before, theirs.not_before),
        ("notAfter", ours.not_after, theirs.not_after),
    ];
    for (field, ours, theirs) in dates {
        let expected = theirs - later.earlier();
        if !near(ours, expected) {
            found.compare(field, &ours, &expected);
        }
    }
    // cfssl's are as long, except for those of selfsign.
    let length = ours.serial.as_bytes().len();
    if !(17..=20).contains(&length) {
        found.compare("number", &length, &20);
    }
}

/// The extensions in their order. Key identifiers are checked against the keys instead.
fn listed(extensions: &[Extension]) -> Vec<String> {
    let shown = extensions.iter().map(|extension| {
        let oid = extension.oid.as_str();
        let value = match oid {
            "2.5.29.14" | "2.5.29.35" => format!("{} octets", extension.value.len()),
            _ => format!("{:02x?}", extension.value),
        };
        format!("{oid}{} {value}", if extension.critical { " critical" } else { "" })
    });
    shown.collect()
}

/// The subjectKeyIdentifier is that of the key, and the authorityKeyIdentifier that of the CA.
fn identifiers(
    found: &mut Found,
    sides: &Sides,
    side: Side,
    leaf: &Certificate,
    issuer: Option<&str>,
) {
    let own = leaf.public_key.key_id();
    found.compare(&format!("{side:?} SKI"), &leaf.extensions.subject_key_id.as_ref(), &Some(&own));
    let authority = leaf.extensions.authority_key_id.as_ref().and_then(|aki| aki.key_id.clone());
    let expected = issuer.and_then(|issuer| {
        certificate(&sides.read(side, format!("{issuer}.pem"))).extensions.subject_key_id.clone()
    });
    found.compare(&format!("{side:?} AKI"), &authority, &expected);
    if sides.has(side, "out-key.pem") {
        let key = pki_core::PrivateKey::from_pem(&sides.read(side, "out-key.pem")).unwrap();
        found.compare(&format!("{side:?} key"), &key.public_key().key_id(), &own);
    }
}
