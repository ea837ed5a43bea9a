//! The outer structure of everything that a CA signs (`SIGNED{…}` in X.509), and details of its encoding that a decoder
//! does not report.

use std::ops::Range;
use std::sync::OnceLock;

use super::element::{Element, Elements, contents};
use crate::error::Error;
use crate::key::PublicKey;

/// The positions of the three parts of `SIGNED{…}` in its DER.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Signed {
    body: Range<usize>,
    algorithm: Range<usize>,
    signature: Range<usize>,
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
        let (whole, behind) = Element::read(der).ok_or_else(bad)?;
        let body_at = der.len() - behind.len() - whole.contents.len();
        let (body, rest) = Element::read(whole.contents).ok_or_else(bad)?;
        let at_end = |rest: &[u8]| der.len() - behind.len() - rest.len();
        let body_end = at_end(rest);
        let (algorithm, rest) = Element::read(rest).ok_or_else(bad)?;
        let algorithm_end = at_end(rest);
        let (signature, rest) = Element::read(rest).ok_or_else(bad)?;
        if !(rest.is_empty() && behind.is_empty()) {
            return Err(Error::malformed(expected, "something follows its signature"));
        }
        // The parser checks the number of a tag but not its class (x509-parser 0.18.1).
        if [whole, body, algorithm, signature].map(|part| part.tag) != [0x30, 0x30, 0x30, 0x03] {
            return Err(Error::malformed(expected, "its parts are not those of SIGNED (X.509)"));
        }
        // BIT STRING: the first byte counts the unused bits. A signature has no unused bits.
        let [0, signature @ ..] = signature.contents else {
            return Err(Error::malformed(expected, "its signature is not a whole number of bytes"));
        };
        Ok(Self {
            body: body_at..body_end,
            algorithm: algorithm_end - algorithm.contents.len()..algorithm_end,
            signature: der.len() - signature.len()..der.len(),
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
    pub(crate) fn signature<'a>(&self, der: &'a [u8]) -> &'a [u8] {
        &der[self.signature.clone()]
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
        let verifies = key.verifies(self.algorithm(der), self.body(der), self.signature(der));
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
        const SEQUENCE: u8 = 0x30;
        let mut fields = Elements::within(signed.body(der))?;
        // The parser checks the number of a tag but not always its class (x509-parser 0.18.1).
        let first = fields.element()?;
        let serial = if first.tag == 0xa0 { fields.element()? } else { first };
        // With a leading zero, it would never match a number in a CRL.
        if !is_integer(serial) {
            return None;
        }
        let algorithm = fields.of(SEQUENCE)?;
        let _issuer = fields.of(SEQUENCE)?;
        let mut validity = Elements::new(fields.of(SEQUENCE)?.contents);
        let times = [time_fault(validity.element()?), time_fault(validity.element()?)];
        let _subject = fields.of(SEQUENCE)?;
        let _key = fields.of(SEQUENCE)?;
        let mut unique_ids = false;
        while !fields.is_empty() {
            let optional = fields.element()?;
            if optional.tag == 0xa3 {
                explicit_extensions(optional)?;
            } else {
                unique_ids = true;
            }
        }
        validity.is_empty().then_some(Self {
            algorithms_agree: algorithm.contents == signed.algorithm(der),
            times,
            unique_ids,
        })
    }

    /// For a TBSCertList: `version, signature, issuer, thisUpdate, nextUpdate, revoked, [0] extensions`, and the number of
    /// extensions of each entry.
    pub(crate) fn of_crl(signed: &Signed, der: &[u8]) -> Option<(Self, Vec<usize>)> {
        const SEQUENCE: u8 = 0x30;
        let mut fields = Elements::within(signed.body(der))?;
        let first = fields.element()?;
        let algorithm = if first.tag == 0x02 { fields.element()? } else { first };
        let issuer = fields.element()?;
        let this_update = fields.element()?;
        if [algorithm.tag, issuer.tag] != [SEQUENCE; 2] || !is_time(this_update.tag) {
            return None;
        }
        let mut times = [time_fault(this_update), None];
        let mut entries = Vec::new();
        let mut next = fields.element_or_end()?;
        if let Some(next_update) = next.filter(|field| is_time(field.tag)) {
            times[1] = time_fault(next_update);
            next = fields.element_or_end()?;
        }
        if let Some(list) = next.filter(|field| field.tag == SEQUENCE) {
            let mut listed = Elements::new(list.contents);
            while !listed.is_empty() {
                entries.push(entry_extensions(listed.element()?)?);
            }
            next = fields.element_or_end()?;
        }
        if let Some(extensions) = next {
            (extensions.tag == 0xa0).then(|| explicit_extensions(extensions))??;
        }
        let encoding = Self {
            algorithms_agree: algorithm.contents == signed.algorithm(der),
            times,
            unique_ids: false,
        };
        fields.is_empty().then_some((encoding, entries))
    }
}

/// The number of extensions of a CRL entry: `userCertificate, revocationDate, crlEntryExtensions`. This crate counts them
/// itself, because the parser treats an extension that it cannot read, and everything after it, as absent, and accepts
/// numbers with another tag or with leading zeros (x509-parser 0.18.1).
fn entry_extensions(entry: Element<'_>) -> Option<usize> {
    let mut fields = Elements::new(entry.contents);
    let (serial, date) = (fields.element()?, fields.element()?);
    let extensions = fields.element_or_end()?;
    if entry.tag != 0x30 || !is_integer(serial) || !is_time(date.tag) || !fields.is_empty() {
        return None;
    }
    extensions.map_or(Some(0), count_extensions)
}

/// The number of `extnID, critical, extnValue`, without any data after them, which the parser does not check
/// (x509-parser 0.18.1).
fn count_extensions(list: Element<'_>) -> Option<usize> {
    let mut count = 0;
    let is_extension = |extension: Element<'_>| {
        count += 1;
        let mut parts = Elements::new(extension.contents);
        let oid = parts.element();
        let second = parts.element().map(|part| part.tag);
        let value =
            if second == Some(0x01) { parts.element().map(|part| part.tag) } else { second };
        extension.tag == 0x30
            && oid.is_some_and(|oid| oid.tag == 0x06)
            && value == Some(0x04)
            && parts.is_empty()
    };
    let are_all = list.tag == 0x30 && Elements::new(list.contents).all(is_extension);
    are_all.then_some(count)
}

/// The same of what an explicit tag contains.
fn explicit_extensions(tagged: Element<'_>) -> Option<usize> {
    let mut lists = Elements::new(tagged.contents);
    lists.element().filter(|_| lists.is_empty()).and_then(count_extensions)
}

/// True for an INTEGER in DER: it has an octet, and no octet that could be left out (X.690 section 8.3).
const fn is_integer(element: Element<'_>) -> bool {
    element.tag == 0x02
        && !matches!(element.contents, [] | [0, ..0x80, ..] | [0xff, 0x80..=0xff, ..])
}

/// True for a Name without unread octets: each relative name has one or more attributes with a type and a value
/// (RFC 5280 section 4.1.2.4). The parser treats a part that it cannot read, and everything after it, as absent.
pub(super) fn is_name(der: &[u8]) -> bool {
    let attributes = |set: &[u8]| !set.is_empty() && each(set, 0x30, is_attribute);
    let relative = |names: &[u8]| each(names, 0x31, attributes);
    contents(der).is_some() && each(der, 0x30, relative)
}

fn is_attribute(parts: &[u8]) -> bool {
    Element::read(parts).is_some_and(|(oid, value)| oid.tag == 0x06 && contents(value).is_some())
}

/// True if `der` consists of elements of this tag with such contents.
fn each(der: &[u8], tag: u8, check: impl Fn(&[u8]) -> bool) -> bool {
    Elements::new(der).all(|element| element.tag == tag && check(element.contents))
}

const fn is_time(tag: u8) -> bool {
    matches!(tag, UTC_TIME | GENERALIZED_TIME)
}

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Sections 4.1.2.5.1 and 4.1.2.5.2: in UTC, with seconds but without a fraction, and with the time type that its year
/// requires.
fn time_fault(time: Element<'_>) -> Option<&'static str> {
    let (digits, rest) = match time.contents.split_last() {
        Some((b'Z', digits)) => (digits, true),
        _ => (time.contents, false),
    };
    let whole = rest && digits.iter().all(u8::is_ascii_digit);
    match time.tag {
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

pub(crate) fn no_rest(expected: &'static str, rest: &[u8]) -> Result<(), Error> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(Error::malformed(expected, format!("{} byte(s) follow it", rest.len())))
}
