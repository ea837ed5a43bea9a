//! The outer structure of everything that a CA signs (`SIGNED{…}` in X.509), and details of its encoding that a decoder
//! does not report.

use std::ops::Range;
use std::sync::OnceLock;

use x509_parser::asn1_rs::{Any, Class, FromDer, Header, Length, Tag};

use super::der::split;
use crate::error::Error;
use crate::key::PublicKey;

/// The positions of the three parts of `SIGNED{…}` in its DER.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Signed {
    body: Range<usize>,
    algorithm: Range<usize>,
    signature: Vec<u8>,
    signer: KnownSigner,
}

/// The key that verified the signature, if one did: it is not checked again for each question about one certificate, or for
/// each of the many certificates of a CRL. It is not a part of the encoding, so equal encodings are equal whatever is known.
#[derive(Clone, Debug, Default)]
struct KnownSigner(OnceLock<PublicKey>);

impl PartialEq for KnownSigner {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KnownSigner {}

impl Signed {
    pub(crate) fn read(expected: &'static str, der: &[u8]) -> Result<Self, Error> {
        let bad = || Error::malformed(expected, "its signature cannot be read");
        let (behind, whole) = element(der).ok_or_else(bad)?;
        let (rest, body) = element(whole.data).ok_or_else(bad)?;
        let body_at = der.len() - whole.data.len();
        let algorithm_outer = der.len() - rest.len();
        let (rest, algorithm) = element(rest).ok_or_else(bad)?;
        let algorithm_end = der.len() - rest.len();
        let (rest, signature) = element(rest).ok_or_else(bad)?;
        if !(rest.is_empty() && behind.is_empty()) {
            return Err(Error::malformed(expected, "something follows its signature"));
        }
        // The parser checks the number of a tag but not its class (x509-parser 0.18.1).
        if [&whole, &body, &algorithm, &signature].map(tag_octet) != [0x30, 0x30, 0x30, 0x03] {
            return Err(Error::malformed(expected, "its parts are not those of SIGNED (X.509)"));
        }
        // BIT STRING: the first byte counts the unused bits. A signature has no unused bits.
        let [0, signature @ ..] = signature.data else {
            return Err(Error::malformed(expected, "its signature is not a whole number of bytes"));
        };
        Ok(Self {
            body: body_at..algorithm_outer,
            algorithm: algorithm_end - algorithm.data.len()..algorithm_end,
            signature: signature.to_vec(),
            signer: KnownSigner::default(),
        })
    }

    /// The signed bytes.
    pub(crate) fn body<'a>(&self, der: &'a [u8]) -> &'a [u8] {
        &der[self.body.clone()]
    }

    /// The contents of signatureAlgorithm.
    pub(crate) fn algorithm<'a>(&self, der: &'a [u8]) -> &'a [u8] {
        &der[self.algorithm.clone()]
    }

    /// The contents of the signature's BIT STRING.
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The parts of `new`, if it differs from `old` only in the signature.
    pub(crate) fn signed_again(&self, old: &[u8], new: &[u8]) -> Option<Self> {
        let signed = Self::read("SIGNED", new).ok()?;
        let same =
            signed.body(new) == self.body(old) && signed.algorithm(new) == self.algorithm(old);
        same.then_some(signed)
    }

    pub(crate) fn verifies(&self, der: &[u8], key: &PublicKey) -> bool {
        if self.signer.0.get() == Some(key) {
            return true;
        }
        let verifies = key.verifies(self.algorithm(der), self.body(der), &self.signature);
        if verifies {
            // Another thread may have been faster, with the same result.
            let _ = self.signer.0.set(key.clone());
        }
        verifies
    }
}

/// Details of the encoding of a to-be-signed certificate or CRL that RFC 5280 prescribes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Encoding {
    /// True if the algorithm inside the signed part is the one outside.
    pub(crate) algorithms_agree: bool,
    /// What is wrong with the encoding of each of the two times of a certificate or CRL.
    pub(crate) times: [Option<&'static str>; 2],
    /// True if it has an issuerUniqueID or a subjectUniqueID.
    pub(crate) unique_ids: bool,
}

impl Encoding {
    /// For a TBSCertificate: `[0] version, serialNumber, signature, issuer, validity, subject, …`.
    pub(super) fn of_certificate(signed: &Signed, der: &[u8]) -> Option<Self> {
        let fields = elements(contents(signed.body(der))?)?;
        // The parser checks the number of a tag but not always its class (x509-parser 0.18.1).
        let tags: Vec<u8> = fields.iter().map(tag_octet).collect();
        let ([0xa0, tags @ ..] | tags) = &tags[..];
        let [0x02, 0x30, 0x30, 0x30, 0x30, 0x30, optional @ ..] = tags else {
            return None;
        };
        let versioned = fields.len() - tags.len();
        // With a leading zero, it would never match a number in a CRL.
        if !is_integer(fields.get(versioned)?) {
            return None;
        }
        for extensions in fields.iter().filter(|field| tag_octet(field) == 0xa3) {
            explicit_extensions(extensions)?;
        }
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

    /// For a TBSCertList: `version, signature, issuer, thisUpdate, nextUpdate, revoked, [0] extensions`, and the number of
    /// extensions of each entry.
    pub(crate) fn of_crl(signed: &Signed, der: &[u8]) -> Option<(Self, Vec<usize>)> {
        let fields = elements(contents(signed.body(der))?)?;
        let tags: Vec<u8> = fields.iter().map(tag_octet).collect();
        let ([0x02, tags @ ..] | tags) = &tags[..];
        let versioned = fields.len() - tags.len();
        let times = tags.iter().skip(2).take_while(|tag| is_time(**tag)).count();
        let listed = match tags {
            [0x30, 0x30, rest @ ..] if matches!(times, 1 | 2) => match &rest[times..] {
                [] | [0xa0] => None,
                [0x30] | [0x30, 0xa0] => fields.get(versioned + 2 + times),
                _ => return None,
            },
            _ => return None,
        };
        let entries = match listed {
            Some(listed) => elements(listed.data)?.iter().map(entry_extensions).collect(),
            None => Some(Vec::new()),
        };
        if tags.last() == Some(&0xa0) {
            explicit_extensions(fields.last()?)?;
        }
        let fault = |at: usize| (at < times).then(|| time_fault(&fields[versioned + 2 + at]));
        let encoding = Self {
            algorithms_agree: fields.get(versioned)?.data == signed.algorithm(der),
            times: [fault(0).flatten(), fault(1).flatten()],
            unique_ids: false,
        };
        Some((encoding, entries?))
    }
}

/// The number of extensions of a CRL entry: `userCertificate, revocationDate, crlEntryExtensions`. This crate counts them
/// itself, because the parser treats an extension that it cannot read, and everything after it, as absent, and accepts
/// numbers with another tag or with leading zeros (x509-parser 0.18.1).
fn entry_extensions(entry: &Any<'_>) -> Option<usize> {
    let fields = elements(entry.data)?;
    let [serial, date, extensions @ ..] = &fields[..] else {
        return None;
    };
    let is_entry = tag_octet(entry) == 0x30 && is_integer(serial) && is_time(tag_octet(date));
    match extensions {
        [] if is_entry => Some(0),
        [extensions] if is_entry => count_extensions(extensions),
        _ => None,
    }
}

/// The number of `extnID, critical, extnValue`, without any data after them, which the parser does not check
/// (x509-parser 0.18.1).
fn count_extensions(list: &Any<'_>) -> Option<usize> {
    let all = elements(list.data).filter(|_| tag_octet(list) == 0x30)?;
    let is_extension = |extension: &Any<'_>| {
        let parts = elements(extension.data).unwrap_or_default();
        let named = match &parts[..] {
            [oid, value] => [oid, value].map(tag_octet) == [0x06, 0x04],
            [oid, critical, value] => [oid, critical, value].map(tag_octet) == [0x06, 0x01, 0x04],
            _ => false,
        };
        named && tag_octet(extension) == 0x30
    };
    all.iter().all(is_extension).then_some(all.len())
}

/// The same of what an explicit tag contains.
fn explicit_extensions(tagged: &Any<'_>) -> Option<usize> {
    match &elements(tagged.data)?[..] {
        [list] => count_extensions(list),
        _ => None,
    }
}

/// True for an INTEGER in DER: it has an octet, and no octet that could be left out (X.690 section 8.3).
fn is_integer(element: &Any<'_>) -> bool {
    tag_octet(element) == 0x02
        && !matches!(element.data, [] | [0, ..0x80, ..] | [0xff, 0x80..=0xff, ..])
}

/// The first element of `der`, and the data after it. The parser may still read what is not DER.
fn element(der: &[u8]) -> Option<(&[u8], Any<'_>)> {
    let Ok((tag, contents, rest)) = split(der) else { return Any::from_der(der).ok() };
    let class = match tag >> 6 {
        0 => Class::Universal,
        1 => Class::Application,
        2 => Class::ContextSpecific,
        _ => Class::Private,
    };
    let (constructed, tag) = (tag & 0x20 != 0, Tag(u32::from(tag & 0x1f)));
    let header = Header::new(class, constructed, tag, Length::Definite(contents.len()));
    Some((rest, Any::new(header, contents)))
}

/// The elements of `der`, which follow each other.
pub(super) fn elements(mut der: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let (rest, next) = element(der)?;
        found.push(next);
        der = rest;
    }
    Some(found)
}

/// True for a Name without unread octets: each relative name has one or more attributes with a type and a value
/// (RFC 5280 section 4.1.2.4). The parser treats a part that it cannot read, and everything after it, as absent.
pub(super) fn is_name(der: &[u8]) -> bool {
    let attributes = |set: &[u8]| !set.is_empty() && each(set, 0x30, is_attribute);
    let relative = |names: &[u8]| each(names, 0x31, attributes);
    contents(der).is_some() && each(der, 0x30, relative)
}

fn is_attribute(parts: &[u8]) -> bool {
    let Some((value, oid)) = element(parts) else {
        return false;
    };
    tag_octet(&oid) == 0x06 && contents(value).is_some()
}

/// True if `der` consists of elements of this tag with such contents.
fn each(mut der: &[u8], tag: u8, check: impl Fn(&[u8]) -> bool) -> bool {
    while !der.is_empty() {
        match element(der) {
            Some((rest, next)) if tag_octet(&next) == tag && check(next.data) => der = rest,
            _ => return false,
        }
    }
    true
}

/// The contents of the only element in `der`.
pub(super) fn contents(der: &[u8]) -> Option<&[u8]> {
    let (rest, only) = element(der)?;
    rest.is_empty().then_some(only.data)
}

const fn is_time(tag: u8) -> bool {
    matches!(tag, UTC_TIME | GENERALIZED_TIME)
}

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The first octet of the element. All tags here are below 31.
pub(super) fn tag_octet(element: &Any<'_>) -> u8 {
    let header = &element.header;
    let number = u8::try_from(header.tag().0).unwrap_or(0x1f) & 0x1f;
    (header.class() as u8) << 6 | u8::from(header.constructed()) << 5 | number
}

/// Sections 4.1.2.5.1 and 4.1.2.5.2: in UTC, with seconds but without a fraction, and with the time type that its year
/// requires.
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
        // Compared as text; each year has four digits.
        GENERALIZED_TIME if digits < b"2050".as_slice() => {
            Some("a GeneralizedTime before 2050, which must be a UTCTime")
        }
        GENERALIZED_TIME => None,
        _ => Some("neither a UTCTime nor a GeneralizedTime"),
    }
}
