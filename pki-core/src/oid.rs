//! Object identifiers in their dotted form.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::error::Error;

/// An object identifier, known to be encodable.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Oid(String);

impl Oid {
    /// For text that a DER decoder or a literal in this crate already vouches for.
    pub(crate) fn trusted(dotted: impl Into<String>) -> Self {
        Self(dotted.into())
    }

    /// From the contents of a DER OBJECT IDENTIFIER (X.690 section 8.19). What is none becomes a
    /// text that stands for itself and that [`Oid::arcs`] does not take.
    ///
    /// asn1-rs 0.7.2 has such a function too, which reads 2.999 as 3.16.55.
    pub(crate) fn from_der(content: &[u8]) -> Self {
        Self(dotted(content).unwrap_or_else(|| {
            let octets = content.iter().map(|octet| format!("{octet:02x}"));
            format!("malformed:{}", octets.collect::<String>())
        }))
    }

    /// The dotted form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The numbers between the dots; `None` where the encoder, which counts in 64 bits, would panic.
    pub(crate) fn arcs(&self) -> Option<Vec<u64>> {
        let arcs: Vec<u64> =
            self.0.split('.').map(|arc| arc.parse().ok()).collect::<Option<_>>()?;
        // The first two are written as one: 40 * first + second (X.690 section 8.19.4).
        matches!(arcs[..], [0..=2, 0..0xffff_ffff_ffff_ffaf, ..]).then_some(arcs)
    }
}

/// The numbers of an OID with dots between them: seven bits an octet, the top bit for "more".
fn dotted(content: &[u8]) -> Option<String> {
    if !matches!(content, [.., ..0x80]) {
        return None;
    }
    // Written as it is read: a certificate holds some twenty OIDs, and reading them must be cheap.
    let mut text = String::with_capacity(4 * content.len());
    for octets in content.split_inclusive(|octet| *octet < 0x80) {
        if octets[0] == 0x80 {
            return None;
        }
        let number = octets.iter().try_fold(0_u128, |number, octet| {
            number.checked_mul(0x80)?.checked_add(u128::from(octet & 0x7f))
        })?;
        // The first two numbers share one: 40 for each of the first, which is at most 2.
        let (before, number) = match number {
            _ if !text.is_empty() => (".", number),
            0..40 => ("0.", number),
            40..80 => ("1.", number - 40),
            _ => ("2.", number - 80),
        };
        text.push_str(before);
        match u8::try_from(number) {
            // The common case, without the detour of a formatter.
            Ok(digit @ 0..10) => text.push(char::from(b'0' + digit)),
            _ => write!(text, "{number}").ok()?,
        }
    }
    Some(text)
}

impl FromStr for Oid {
    type Err = Error;

    // X.660: the first arc is 0, 1 or 2; below 0 and 1 the second is at most 39.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |problem: &str| {
            Err(Error::invalid("OID", text, problem)
                .hinted("write it with dots: 1.3.6.1.4.1.44363"))
        };
        let mut arcs = Vec::new();
        for arc in text.split('.') {
            let canonical = arc == "0" || !arc.starts_with('0');
            match arc.parse::<u32>() {
                Ok(number) if canonical && !arc.starts_with('+') => arcs.push(number),
                _ => return bad("not numbers (below 4294967296) with dots between them"),
            }
        }
        match arcs.as_slice() {
            [] | [_] => bad("an OID has at least two numbers"),
            [first, ..] if *first > 2 => bad("the first number of an OID is 0, 1 or 2"),
            [0 | 1, second, ..] if *second > 39 => {
                bad("below 0 and 1 the second number of an OID is at most 39")
            }
            _ => Ok(Self(text.to_owned())),
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
    fn the_first_two_numbers_share_an_octet_or_several() {
        for (content, wanted) in [
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
            assert_eq!(Oid::from_der(content).as_str(), wanted);
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
            "1.4294967296",
            "a.b",
        ] {
            assert!(Oid::from_str(text).is_err(), "{text}");
        }
        for text in ["0.0", "1.39", "2.999", "2.5.29.17", "1.3.6.1.5.5.7.3.1"] {
            assert_eq!(Oid::from_str(text).unwrap().to_string(), text);
        }
    }
}
