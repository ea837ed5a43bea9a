//! Certificates that Go parses, because they are in a file with those of the path, and does not use.

use std::net::IpAddr;

use super::{ALL, Demand};
use crate::certificate::der::{Der, INTEGER, SEQUENCE, is_integer};
use crate::certificate::{Certificate, GeneralName};
use crate::finding::{Rule, Severity, Source};
use crate::key::PublicKey;
use crate::name::EmailAddress;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "go-unused",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server exit when they load a file of trusted CAs with this certificate, and they reject a peer that sends it: they parse every certificate, whether they need it or not.",
    remedy: "Remove the certificate from its file. In the file of a member or client leave only its certificate and the intermediates: `cat LEAF.pem INTERMEDIATE.pem > FILE`. In a file of trusted CAs leave only those that issued certificates: `cat CA.pem > FILE`.",
    citation: "etcd client/pkg/tlsutil (NewCertPool); Go crypto/tls (processCertsFromClient, verifyServerCertificate)",
};

static UNPARSABLE: Demand = Demand {
    name: "unused",
    rule: &RULE,
    refused: "A certificate outside the path that Go cannot parse, in a file of trusted CAs or in the file of the leaf",
    words: "x509: …",
    versions: ALL,
    rfc5280: "allows it",
};

pub(super) static DEMANDS: &[&Demand] = &[&UNPARSABLE];

/// What other rules report about a certificate in the path.
pub(in crate::rules) fn faults(certificate: &Certificate) -> impl Iterator<Item = &'static str> {
    let extensions = &certificate.extensions;
    let is_negative = certificate.serial.as_bytes().first().is_some_and(|octet| *octet >= 0x80);
    let constraints = extensions.name_constraints.iter();
    let mut bases = constraints.flat_map(|one| one.permitted.iter().chain(&one.excluded));
    let is_bad_base = |base: &GeneralName| match base {
        GeneralName::Email(text) => text.contains('@') && text.parse::<EmailAddress>().is_err(),
        GeneralName::Uri(domain) => domain.parse::<IpAddr>().is_ok(),
        _ => false,
    };
    [
        (is_negative, "its serial number is negative"),
        (!certificate.encoding.algorithms_agree, "its two signature algorithms differ"),
        (
            !is_readable(&certificate.public_key),
            "its key has a form or a curve that Go does not read",
        ),
        (bases.any(is_bad_base), "a constraint on email addresses or URIs is malformed"),
    ]
    .into_iter()
    .filter_map(|(is_fault, fault)| is_fault.then_some(fault))
}

const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
const X25519: &[u8] = &[0x2b, 0x65, 0x6e];
const ML_DSA_44: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17];
const ML_DSA_65: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
const ML_DSA_87: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19];

/// False for a key of an algorithm that Go knows, in a form that it does not. The other rules report keys of the algorithms
/// that this crate supports, and Go ignores keys of algorithms that it does not know.
fn is_readable(key: &PublicKey) -> bool {
    if key.algorithm().is_some() || key.is_rsa() {
        return true;
    }
    let algorithm =
        Der::new(key.spki_der()).enter(SEQUENCE).and_then(|mut key| key.enter(SEQUENCE));
    let Some(mut algorithm) = algorithm else { return false };
    let Some(oid) = algorithm.element() else { return false };
    let without_parameters = |length| algorithm.is_empty() && key.bits().len() == length;
    match oid.contents {
        EC => false,
        DSA => {
            are_positive(Der::new(key.bits()), 1)
                && algorithm.enter(SEQUENCE).is_some_and(|numbers| are_positive(numbers, 3))
        }
        X25519 => without_parameters(32),
        ML_DSA_44 => without_parameters(1312),
        ML_DSA_65 => without_parameters(1952),
        ML_DSA_87 => without_parameters(2592),
        _ => true,
    }
}

fn are_positive(mut numbers: Der<'_>, count: usize) -> bool {
    (0..count).all(|_| {
        let number = numbers.read(INTEGER);
        number.is_some_and(|number| {
            is_integer(number) && number[0] < 0x80 && number.iter().any(|octet| *octet != 0)
        })
    })
}
