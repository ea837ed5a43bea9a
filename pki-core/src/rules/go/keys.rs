//! The subject public key.

use super::form::GoCertificate;
use super::{ALL, Demand};
use crate::certificate::der::{Der, INTEGER, NULL, SEQUENCE, is_integer};
use crate::finding::{Rule, Severity, Source};
use crate::key::{KeyAlgorithm, PublicKey};

pub(super) static RULE: Rule = Rule {
    id: "go-key",
    severity: Severity::Error,
    source: Source::Go,
    impact: super::UNPARSABLE,
    remedy: "Reissue the certificate; the command also generates the key: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
    citation: "RFC 3279 section 2.3.1; RFC 5480 section 2.2; RFC 8410 section 3; Go crypto/x509 (parsePublicKey)",
};

static RSA_NULL: Demand = Demand {
    name: "rsa-parameters",
    rule: &RULE,
    refused: "An RSA key whose algorithm has parameters other than NULL, or none",
    words: "x509: RSA key missing NULL parameters",
    versions: ALL,
    rfc5280: "forbids it (RFC 3279 section 2.3.1)",
};

static RSA_FORM: Demand = Demand {
    name: "rsa-form",
    rule: &RULE,
    refused: "An RSA key whose numbers are not in DER, or whose public exponent has more than 63 bits",
    words: "x509: invalid RSA …",
    versions: ALL,
    rfc5280: "forbids other forms than DER, allows large exponents (RFC 8017 section 3.1)",
};

static RSA_SIGN: Demand = Demand {
    name: "rsa-zero",
    rule: &RULE,
    refused: "An RSA key whose modulus or public exponent is zero or negative",
    words: "x509: RSA … is not a positive number",
    versions: ALL,
    rfc5280: "forbids it (RFC 8017 section 3.1)",
};

static POINT: Demand = Demand {
    name: "curve-point",
    rule: &RULE,
    refused: "An elliptic curve point that is not on its curve",
    words: "point not on curve",
    versions: "all versions; before 1.26, the message is different",
    rfc5280: "forbids it (RFC 5480 section 2.2, SEC 1 section 2.3.4)",
};

static ED25519_SIZE: Demand = Demand {
    name: "ed25519-size",
    rule: &RULE,
    refused: "An Ed25519 key that does not have 32 octets",
    words: "x509: wrong Ed25519 public key size",
    versions: ALL,
    rfc5280: "forbids it (RFC 8410 section 4, RFC 8032 section 5.1.5)",
};

static ED25519_PARAMETERS: Demand = Demand {
    name: "ed25519-parameters",
    rule: &RULE,
    refused: "An Ed25519 key whose algorithm has parameters",
    words: "x509: Ed25519 key encoded with illegal parameters",
    versions: ALL,
    rfc5280: "forbids it (RFC 8410 section 3)",
};

pub(super) static DEMANDS: &[&Demand] =
    &[&RSA_NULL, &RSA_FORM, &RSA_SIGN, &POINT, &ED25519_SIZE, &ED25519_PARAMETERS];

pub(super) fn check(GoCertificate { certificate, .. }: &GoCertificate<'_>) -> Vec<String> {
    let fault = fault(&certificate.public_key);
    fault.map(|(demand, what)| demand.violated(what)).into_iter().collect()
}

/// The requirement that a key violates, and how. `key-curve` reports keys of other algorithms.
fn fault(key: &PublicKey) -> Option<(&'static Demand, &'static str)> {
    match key.algorithm() {
        _ if key.is_rsa() => {
            let null = parameters(key).is_some_and(|parameters| parameters.octets() == [NULL, 0]);
            if null {
                rsa_fault(key.bits())
            } else {
                Some((&RSA_NULL, "its RSA key does not have NULL as parameters"))
            }
        }
        Some(KeyAlgorithm::Ed25519) => match parameters(key) {
            Some(parameters) if parameters.is_empty() => (key.bits().len() != 32)
                .then_some((&ED25519_SIZE, "its Ed25519 key does not have 32 octets")),
            _ => Some((&ED25519_PARAMETERS, "its Ed25519 key has parameters")),
        },
        Some(_) => (!key.is_on_its_curve())
            .then_some((&POINT, "its public key is not a point on its curve")),
        None => None,
    }
}

/// The parameters after the OID of the key's algorithm.
fn parameters(key: &PublicKey) -> Option<Der<'_>> {
    let mut algorithm = Der::new(key.spki_der()).enter(SEQUENCE)?.enter(SEQUENCE)?;
    algorithm.element()?;
    Some(algorithm)
}

/// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 appendix A.1.1)
fn rsa_fault(bits: &[u8]) -> Option<(&'static Demand, &'static str)> {
    let malformed: (&Demand, &str) =
        (&RSA_FORM, "its RSA key is not valid DER, or its exponent is too large");
    let Some(mut numbers) = Der::new(bits).enter(SEQUENCE) else {
        return Some(malformed);
    };
    for longest in [usize::MAX, 8] {
        match numbers.read(INTEGER) {
            Some([0] | [0x80..=0xff, ..]) => {
                return Some((&RSA_SIGN, "a number in its RSA key is zero or negative"));
            }
            Some(number) if is_integer(number) && number.len() <= longest => {}
            _ => return Some(malformed),
        }
    }
    None
}
