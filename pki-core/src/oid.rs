//! Object identifiers (OIDs) in dotted form.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use x509_parser::asn1_rs;

use crate::error::Error;

/// An object identifier that can be encoded.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Oid(Cow<'static, str>);

/// The dotted form of the OIDs in almost every certificate of a cluster, so that reading one does not allocate memory for them.
const fn common(content: &[u8]) -> Option<&'static str> {
    Some(match content {
        [0x55, 0x04, 0x03] => "2.5.4.3",
        [0x55, 0x04, 0x06] => "2.5.4.6",
        [0x55, 0x04, 0x0a] => "2.5.4.10",
        [0x55, 0x04, 0x0b] => "2.5.4.11",
        [0x55, 0x1d, 0x0e] => "2.5.29.14",
        [0x55, 0x1d, 0x0f] => "2.5.29.15",
        [0x55, 0x1d, 0x11] => "2.5.29.17",
        [0x55, 0x1d, 0x13] => "2.5.29.19",
        [0x55, 0x1d, 0x23] => "2.5.29.35",
        [0x55, 0x1d, 0x25] => "2.5.29.37",
        [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01] => "1.3.6.1.5.5.7.3.1",
        [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02] => "1.3.6.1.5.5.7.3.2",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02] => "1.2.840.10045.4.3.2",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b] => "1.2.840.113549.1.1.11",
        _ => return None,
    })
}

impl Oid {
    /// An OID from a literal in this crate.
    pub(crate) const fn trusted(dotted: &'static str) -> Self {
        Self(Cow::Borrowed(dotted))
    }

    /// Reads the contents of a DER OBJECT IDENTIFIER (X.690 section 8.19). Malformed contents become the
    /// text `malformed:` and their octets in hexadecimal, for which [`Oid::arcs`] returns `None`.
    ///
    /// asn1-rs 0.7.2 is not used here, because it reads 2.999 as 3.16.55.
    pub(crate) fn from_der(content: &[u8]) -> Self {
        if let Some(dotted) = common(content) {
            return Self::trusted(dotted);
        }
        Self(Cow::Owned(dotted(content).unwrap_or_else(|| {
            let octets = content.iter().map(|octet| format!("{octet:02x}"));
            format!("malformed:{}", octets.collect::<String>())
        })))
    }

    /// The dotted form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The contents of the DER OBJECT IDENTIFIER, or `None` if [`Oid::arcs`] is `None`.
    pub(crate) fn to_der(&self) -> Option<Vec<u8>> {
        let [first, second, rest @ ..] = &self.arcs()?[..] else {
            return None;
        };
        // A relative OID has the same encoding, except that the first two numbers are encoded as one.
        let arcs = [&[40 * first + second], rest].concat();
        asn1_rs::Oid::from_relative(&arcs).ok().map(|oid| oid.as_bytes().to_vec())
    }

    /// The numbers between the dots, or `None` if one does not fit in 64 bits, where the encoder would panic.
    pub(crate) fn arcs(&self) -> Option<Vec<u64>> {
        let arcs: Vec<u64> =
            self.0.split('.').map(|arc| arc.parse().ok()).collect::<Option<_>>()?;
        // The first two are encoded as one number: 40 * first + second (X.690 section 8.19.4).
        matches!(arcs[..], [0..=2, 0..0xffff_ffff_ffff_ffaf, ..]).then_some(arcs)
    }
}

/// The dotted form of an encoded OID: each octet has seven bits, and its top bit means that more follow.
fn dotted(content: &[u8]) -> Option<String> {
    if !matches!(content, [.., ..0x80]) {
        return None;
    }
    let mut text = String::new();
    for octets in content.split_inclusive(|octet| *octet < 0x80) {
        if octets[0] == 0x80 {
            return None;
        }
        let number = octets.iter().try_fold(0_u128, |number, octet| {
            number.checked_mul(0x80)?.checked_add(u128::from(octet & 0x7f))
        })?;
        // The first two numbers are encoded as one: 40 * first + second, where first is at most 2.
        let (before, number) = match number {
            _ if !text.is_empty() => (".", number),
            0..40 => ("0.", number),
            40..80 => ("1.", number - 40),
            _ => ("2.", number - 80),
        };
        write!(text, "{before}{number}").ok()?;
    }
    Some(text)
}

impl FromStr for Oid {
    type Err = Error;

    // X.660: the first arc is 0, 1 or 2. If it is 0 or 1, the second arc is at most 39.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |problem: &str| {
            Err(Error::invalid("OID", text, problem)
                .hinted("write it with dots: 1.3.6.1.4.1.44363"))
        };
        let mut arcs = Vec::new();
        for arc in text.split('.') {
            let canonical = arc == "0" || !arc.starts_with('0');
            match arc.parse::<u32>() {
                // Go, and therefore etcd, does not read larger numbers.
                Ok(number @ ..=0x7fff_ffff) if canonical && !arc.starts_with('+') => {
                    arcs.push(number);
                }
                _ => return bad("expected numbers below 2147483648, separated by dots"),
            }
        }
        match arcs.as_slice() {
            [] | [_] => bad("an OID has at least two numbers"),
            [first, ..] if *first > 2 => bad("the first number of an OID is 0, 1 or 2"),
            [0 | 1, second, ..] if *second > 39 => {
                bad("if the first number of an OID is 0 or 1, the second is at most 39")
            }
            _ => Ok(Self(Cow::Owned(text.to_owned()))),
        }
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_ones_are_what_their_octets_say() {
        let mut seen = 0;
        for last in 0..=u8::MAX {
            for content in [
                &[0x55, 0x04, last][..],
                &[0x55, 0x1d, last],
                &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, last],
                &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last],
                &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last],
            ] {
                let Some(text) = common(content) else { continue };
                assert_eq!(dotted(content).as_deref(), Some(text));
                assert_eq!(Oid::trusted(text).to_der().as_deref(), Some(content));
                seen += 1;
            }
        }
        assert_eq!(seen, 14);
    }

    #[test]
    fn the_first_two_numbers_share_an_octet_or_several() {
        for (content, expected) in [
            (&[0x55, 0x1d, 0x11][..], "2.5.29.17"),
            (&[0x00], "0.0"),
            (&[0x27], "0.39"),
            (&[0x28], "1.0"),
            (&[0x78], "2.40"),
            (&[0x88, 0x37, 0x01], "2.999.1"),
            (&[], "malformed:"),
            (&[0x55, 0x80], "malformed:5580"),
            (&[0x55, 0x80, 0x01], "malformed:558001"),
        ] {
            let oid = Oid::from_der(content);
            assert_eq!(oid.as_str(), expected);
            let is_oid = !expected.starts_with("malformed");
            assert_eq!(oid.to_der().as_deref(), is_oid.then_some(content), "{expected}");
        }
        let large = Oid::from_der(&[0x2a, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]);
        assert_eq!(large.as_str(), "1.2.18446744073709551616");
        assert_eq!(large.arcs(), None);
        let second = Oid::from_der(&[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        assert_eq!((second.as_str(), second.arcs()), ("2.18446744073709551535", None));
    }

    #[test]
    fn oids_that_no_encoder_could_write_are_refused() {
        for text in [
            "",
            "1",
            "1.",
            ".1",
            "3.1",
            "9.9.9",
            "1.40",
            "1.02",
            "1.+2",
            "1.-2",
            "1.2147483648",
            "a.b",
        ] {
            assert!(Oid::from_str(text).is_err(), "{text}");
        }
        for text in ["0.0", "1.39", "2.999", "2.5.29.17", "1.3.6.1.5.5.7.3.1"] {
            assert_eq!(Oid::from_str(text).unwrap().to_string(), text);
        }
    }
}
