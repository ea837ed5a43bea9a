//! Reads DER strictly, element by element (X.690 section 10).
//!
//! x509-parser accepts lengths that are longer than necessary, and values that DER encodes differently. Go's crypto/x509
//! does not, so the rules about Go use this reader.

use time::{Date, Month, Time};

/// Elements that follow one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Der<'a> {
    octets: &'a [u8],
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    /// The identifier octet; the tag number is below 31.
    pub(crate) tag: u8,
    pub(crate) contents: &'a [u8],
}

impl<'a> Der<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    /// The rest of the input.
    pub(crate) const fn octets(self) -> &'a [u8] {
        self.octets
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.octets.is_empty()
    }

    /// True if the next element has this identifier octet.
    pub(crate) fn is_next(self, tag: u8) -> bool {
        self.octets.first() == Some(&tag)
    }

    /// Reads the next element; `None` at the end, or if the element is not in DER.
    pub(crate) fn element(&mut self) -> Option<Element<'a>> {
        let (tag, contents, rest) = split(self.octets).ok()?;
        self.octets = rest;
        Some(Element { tag, contents })
    }

    /// Reads the contents of the next element, which must have this identifier octet.
    pub(crate) fn read(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.element().filter(|element| element.tag == tag).map(|element| element.contents)
    }

    /// Reads the elements within the next element, which must have this identifier octet.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.read(tag).map(Self::new)
    }
}

/// The tag and the contents of the first element, and the data after it; or how the element is not DER.
pub(super) fn split(der: &[u8]) -> Result<(u8, &[u8], &[u8]), &'static str> {
    const CUT: &str = "an element ends too early";
    let (tag, rest) = der.split_first().ok_or(CUT)?;
    if tag & 0x1f == 0x1f {
        return Err("a tag number above 30");
    }
    let (first, rest) = rest.split_first().ok_or(CUT)?;
    let (length, rest) = match *first {
        short @ ..0x80 => (usize::from(short), rest),
        0x80 => return Err("an indefinite length"),
        long => {
            let (octets, rest) = rest.split_at_checked(usize::from(long & 0x7f)).ok_or(CUT)?;
            let length = octets.iter().try_fold(0_usize, |sum, octet| {
                sum.checked_mul(256).map(|sum| sum + usize::from(*octet))
            });
            let length = length.ok_or(CUT)?;
            if length < 0x80 || octets.first() == Some(&0) {
                return Err("a length with more octets than necessary");
            }
            (length, rest)
        }
    };
    let (contents, rest) = rest.split_at_checked(length).ok_or(CUT)?;
    Ok((*tag, contents, rest))
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// True for the contents of a BOOLEAN (X.690 section 11.1).
pub(crate) const fn is_boolean(contents: &[u8]) -> bool {
    matches!(contents, [0x00 | 0xff])
}

/// True for the contents of an INTEGER: at least one octet, and no octet that could be omitted (X.690 section 8.3).
pub(crate) const fn is_integer(contents: &[u8]) -> bool {
    !matches!(contents, [] | [0, ..0x80, ..] | [0xff, 0x80..=0xff, ..])
}

/// True for the contents of a BIT STRING whose unused bits are zero (X.690 sections 8.6 and 11.2).
pub(crate) fn is_bit_string(contents: &[u8]) -> bool {
    match contents {
        [0] => true,
        [unused @ 0..8, .., last] => last & ((1 << unused) - 1) == 0,
        _ => false,
    }
}

/// True for the contents of an OBJECT IDENTIFIER whose numbers are in their shortest form (X.690 section
/// 8.19) and below 2^31, as Go reads them.
pub(crate) fn is_short_oid(contents: &[u8]) -> bool {
    let mut number: u32 = 0;
    for (at, octet) in contents.iter().enumerate() {
        let begins = at == 0 || contents[at - 1] < 0x80;
        if (begins && *octet == 0x80) || number >= 1 << 24 {
            return false;
        }
        number = number << 7 | u32::from(octet & 0x7f);
        if *octet < 0x80 {
            number = 0;
        }
    }
    contents.last().is_some_and(|octet| *octet < 0x80)
}

/// True for the contents of an OBJECT IDENTIFIER whose numbers are in their shortest form.
pub(crate) fn is_oid(contents: &[u8]) -> bool {
    let begins_with_zero = contents
        .iter()
        .enumerate()
        .any(|(at, octet)| *octet == 0x80 && (at == 0 || contents[at - 1] < 0x80));
    !begins_with_zero && contents.last().is_some_and(|octet| *octet < 0x80)
}

/// True for a time that Go reads: an existing time without fractions, with an offset if it is not in UTC. A UTCTime can
/// omit the seconds.
pub(crate) fn is_time(tag: u8, contents: &[u8]) -> bool {
    let (digits, zone) =
        contents.split_at(contents.iter().take_while(|o| o.is_ascii_digit()).count());
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 10 | 12) => {
            let year = number(&digits[..2]);
            (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
        }
        (GENERALIZED_TIME, 14) => (number(&digits[..4]), &digits[4..]),
        _ => return false,
    };
    let [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map(|at| {
        u8::try_from(number(rest.get(at..at + 2).unwrap_or_default())).unwrap_or(u8::MAX)
    });
    let date = Month::try_from(month)
        .ok()
        .and_then(|month| Date::from_calendar_date(year, month, day).ok());
    date.is_some() && Time::from_hms(hour, minute, second).is_ok() && is_zone(zone)
}

fn is_zone(zone: &[u8]) -> bool {
    match zone {
        b"Z" => true,
        [b'+' | b'-', offset @ ..]
            if offset.len() == 4 && offset.iter().all(u8::is_ascii_digit) =>
        {
            // Go encodes the time again and compares; an offset of zero is encoded as Z.
            number(&offset[..2]) <= 24 && number(&offset[2..]) < 60 && offset != b"0000"
        }
        _ => false,
    }
}

fn number(digits: &[u8]) -> i32 {
    digits.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_in_their_shortest_form_only() {
        for (octets, wanted) in [
            (&[0x04, 0x01, 0x07][..], Some(&[0x07][..])),
            (&[0x04, 0x81, 0x01, 0x07], None),
            (&[0x04, 0x82, 0x00, 0x01, 0x07], None),
            (&[0x04, 0x80, 0x07, 0x00, 0x00], None),
            (&[0x1f, 0x04, 0x00], None),
            (&[0x04, 0x02, 0x07], None),
            (&[0x04], None),
        ] {
            let element = Der::new(octets).element();
            assert_eq!(element.map(|element| element.contents), wanted, "{octets:02x?}");
        }
    }

    #[test]
    fn values_are_told_from_their_other_forms() {
        for (contents, wanted) in
            [(&[0x00][..], true), (&[0xff], true), (&[0x01], false), (&[], false)]
        {
            assert_eq!(is_boolean(contents), wanted, "{contents:02x?}");
        }
        for (contents, wanted) in [
            (&[0x00][..], true),
            (&[0x00, 0x80], true),
            (&[0x00, 0x7f], false),
            (&[0xff, 0x80], false),
            (&[0xff, 0x7f], true),
            (&[], false),
        ] {
            assert_eq!(is_integer(contents), wanted, "{contents:02x?}");
        }
        for (contents, wanted) in [
            (&[0x00][..], true),
            (&[0x01], false),
            (&[0x07, 0x80], true),
            (&[0x07, 0xc0], false),
            (&[0x08, 0x00], false),
            (&[], false),
        ] {
            assert_eq!(is_bit_string(contents), wanted, "{contents:02x?}");
        }
    }

    #[test]
    fn numbers_of_an_oid_are_short_and_below_two_to_the_31() {
        for (contents, short, any) in [
            (&[0x55, 0x04, 0x03][..], true, true),
            (&[0x2a, 0x87, 0xff, 0xff, 0xff, 0x7f], true, true),
            (&[0x2a, 0x88, 0x80, 0x80, 0x80, 0x00], false, true),
            (&[0x2a, 0x80, 0x01], false, false),
            (&[0x80, 0x01], false, false),
            (&[0x2a, 0x81], false, false),
            (&[], false, false),
        ] {
            assert_eq!((is_short_oid(contents), is_oid(contents)), (short, any), "{contents:02x?}");
        }
    }

    #[test]
    fn times_are_those_of_a_calendar() {
        for (tag, text, wanted) in [
            (UTC_TIME, "270101120000Z", true),
            (UTC_TIME, "2701011200Z", true),
            (UTC_TIME, "270101130000+0100", true),
            (UTC_TIME, "2701011300-2459", true),
            (UTC_TIME, "270101120000+0000", false),
            (UTC_TIME, "270101120000", false),
            (UTC_TIME, "270229120000Z", false),
            (UTC_TIME, "280229120000Z", true),
            (UTC_TIME, "271301120000Z", false),
            (UTC_TIME, "270101240000Z", false),
            (UTC_TIME, "270101120060Z", false),
            (UTC_TIME, "270101120000.5Z", false),
            (GENERALIZED_TIME, "20510101120000Z", true),
            (GENERALIZED_TIME, "00000101000000Z", true),
            (GENERALIZED_TIME, "205101011200Z", false),
            (GENERALIZED_TIME, "20510101120000.5Z", false),
            (GENERALIZED_TIME, "21000229120000Z", false),
            (SEQUENCE, "270101120000Z", false),
        ] {
            assert_eq!(is_time(tag, text.as_bytes()), wanted, "{text}");
        }
    }
}
