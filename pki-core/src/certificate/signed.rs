//! The outer form of what a CA signs (`SIGNED{…}` of X.509), and what its bytes say that a decoder
//! smooths over.

use std::ops::Range;

use x509_parser::asn1_rs::{Any, FromDer, Tag};

use crate::error::Error;
use crate::key::PublicKey;

/// The three parts of `SIGNED{…}` in their DER, as places in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Signed {
    body: Range<usize>,
    algorithm: Range<usize>,
    signature: Vec<u8>,
}

impl Signed {
    pub(crate) fn read(wanted: &'static str, der: &[u8]) -> Result<Self, Error> {
        let bad = |_| Error::malformed(wanted, "its signature cannot be read");
        let (behind, whole) = Any::from_der(der).map_err(bad)?;
        let (rest, _) = Any::from_der(whole.data).map_err(bad)?;
        let body_at = der.len() - whole.data.len();
        let algorithm_outer = der.len() - rest.len();
        let (rest, algorithm) = Any::from_der(rest).map_err(bad)?;
        let algorithm_end = der.len() - rest.len();
        let (rest, signature) = Any::from_der(rest).map_err(bad)?;
        if !(rest.is_empty() && behind.is_empty()) {
            return Err(Error::malformed(wanted, "something stands behind its signature"));
        }
        // BIT STRING: the first byte counts the unused bits, of which a signature has none.
        let [0, signature @ ..] = signature.data else {
            return Err(Error::malformed(wanted, "its signature is no whole number of bytes"));
        };
        Ok(Self {
            body: body_at..algorithm_outer,
            algorithm: algorithm_end - algorithm.data.len()..algorithm_end,
            signature: signature.to_vec(),
        })
    }

    /// The bytes that are signed.
    pub(crate) fn body<'a>(&self, der: &'a [u8]) -> &'a [u8] {
        &der[self.body.clone()]
    }

    /// The contents of signatureAlgorithm.
    pub(crate) fn algorithm<'a>(&self, der: &'a [u8]) -> &'a [u8] {
        &der[self.algorithm.clone()]
    }

    pub(crate) fn verifies(&self, der: &[u8], key: &PublicKey) -> bool {
        key.verifies(self.algorithm(der), self.body(der), &self.signature)
    }
}

/// How a to-be-signed certificate or CRL is written, where RFC 5280 leaves no choice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Encoding {
    /// True when the signature algorithm inside is the one outside.
    pub(crate) algorithms_agree: bool,
    /// The two times of the validity, or of a CRL: what is wrong with how each is written.
    pub(crate) times: [Option<&'static str>; 2],
    /// True when issuerUniqueID or subjectUniqueID is there.
    pub(crate) unique_ids: bool,
}

impl Encoding {
    /// Of a TBSCertificate: `[0] version, serialNumber, signature, issuer, validity, subject, …`.
    pub(super) fn of_certificate(signed: &Signed, der: &[u8]) -> Option<Self> {
        let fields = elements(contents(signed.body(der))?)?;
        // The parser looks at the number of a tag and not always at its class (x509-parser 0.18.1).
        let tags: Vec<u8> = fields.iter().map(tag_octet).collect();
        let ([0xa0, tags @ ..] | tags) = &tags[..];
        let [0x02, 0x30, 0x30, 0x30, 0x30, 0x30, optional @ ..] = tags else {
            return None;
        };
        let versioned = fields.len() - tags.len();
        let validity = elements(fields.get(versioned + 3)?.data)?;
        let [not_before, not_after] = &validity[..] else {
            return None;
        };
        Some(Self {
            algorithms_agree: fields.get(versioned + 1)?.data == signed.algorithm(der),
            times: [time_fault(not_before), time_fault(not_after)],
            unique_ids: optional.iter().any(|tag| *tag != 0xa3),
        })
    }

    /// Of a TBSCertList: `version, signature, issuer, thisUpdate, nextUpdate, revoked, …`, and how
    /// many entries it has.
    pub(crate) fn of_crl(signed: &Signed, der: &[u8]) -> Option<(Self, usize)> {
        let fields = elements(contents(signed.body(der))?)?;
        let versioned = usize::from(fields.first()?.header.tag() == Tag::Integer);
        let times: Vec<_> =
            fields.iter().skip(versioned + 2).take_while(|field| is_time(field)).collect();
        let entries = match fields.get(versioned + 2 + times.len()) {
            Some(revoked) if revoked.header.tag() == Tag::Sequence => elements(revoked.data)?.len(),
            _ => 0,
        };
        let encoding = Self {
            algorithms_agree: fields.get(versioned)?.data == signed.algorithm(der),
            times: [
                times.first().and_then(|time| time_fault(time)),
                times.get(1).and_then(|time| time_fault(time)),
            ],
            unique_ids: false,
        };
        Some((encoding, entries))
    }
}

/// The elements that stand one behind the other in `der`.
pub(super) fn elements(mut der: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let (rest, element) = Any::from_der(der).ok()?;
        found.push(element);
        der = rest;
    }
    Some(found)
}

/// The contents of the one element that `der` is.
pub(super) fn contents(der: &[u8]) -> Option<&[u8]> {
    let (rest, element) = Any::from_der(der).ok()?;
    rest.is_empty().then_some(element.data)
}

fn is_time(element: &Any<'_>) -> bool {
    matches!(tag_octet(element), UTC_TIME | GENERALIZED_TIME)
}

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The first octet of the element; every tag here is below 31.
fn tag_octet(element: &Any<'_>) -> u8 {
    let header = &element.header;
    let number = u8::try_from(header.tag().0).unwrap_or(0x1f) & 0x1f;
    (header.class() as u8) << 6 | u8::from(header.constructed()) << 5 | number
}

/// Sections 4.1.2.5.1 and 4.1.2.5.2: in UTC, with seconds and no fraction, and each year in the one
/// form that is its own.
fn time_fault(time: &Any<'_>) -> Option<&'static str> {
    let (digits, rest) = match time.data.split_last() {
        Some((b'Z', digits)) => (digits, true),
        _ => (time.data, false),
    };
    let whole = rest && digits.iter().all(u8::is_ascii_digit);
    match tag_octet(time) {
        UTC_TIME if whole && digits.len() == 12 => None,
        UTC_TIME => Some("a UTCTime that is not YYMMDDHHMMSSZ"),
        GENERALIZED_TIME if !(whole && digits.len() == 14) => {
            Some("a GeneralizedTime that is not YYYYMMDDHHMMSSZ")
        }
        // As text: four digits each.
        GENERALIZED_TIME if digits < b"2050".as_slice() => {
            Some("a GeneralizedTime before 2050, where UTCTime is wanted")
        }
        GENERALIZED_TIME => None,
        _ => Some("neither a UTCTime nor a GeneralizedTime"),
    }
}
