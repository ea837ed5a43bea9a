//! Checks whether bytes are strictly DER (X.690 sections 8, 10.1 and 11), which a decoder does not report.

use super::Extensions;
use super::der::split;

/// A violation of DER, in a field or in the value of an extension of RFC 5280.
pub(super) fn der_fault_with(der: &[u8], extensions: &Extensions) -> Option<&'static str> {
    let is_standard = |oid: &str| oid.starts_with("2.5.29.") || oid.starts_with("1.3.6.1.5.5.7.1.");
    let mut known = extensions.all.iter().filter(|extension| is_standard(extension.oid.as_str()));
    der_fault(der).or_else(|| known.find_map(|extension| fault(&extension.value, 0)))
}

/// A violation of DER, apart from the values of extensions.
pub(crate) fn der_fault(der: &[u8]) -> Option<&'static str> {
    fault(der, 0)
}

/// Deeper than any real certificate, and shallow enough for every stack.
const DEEPEST: usize = 64;

/// The first violation in the consecutive elements of `der`, and in their children.
fn fault(mut der: &[u8], depth: usize) -> Option<&'static str> {
    if depth > DEEPEST {
        return Some("elements are nested too deeply");
    }
    while !der.is_empty() {
        match split(der) {
            Ok((tag, contents, rest)) => {
                if let Some(fault) = fault_of(tag, contents, depth) {
                    return Some(fault);
                }
                der = rest;
            }
            Err(fault) => return Some(fault),
        }
    }
    None
}

fn fault_of(tag: u8, contents: &[u8], depth: usize) -> Option<&'static str> {
    const CONSTRUCTED: u8 = 0x20;
    match tag {
        0x01 if !matches!(contents, [0x00 | 0xff]) => Some("a BOOLEAN that is neither 00 nor FF"),
        0x02 | 0x0a if matches!(contents, [] | [0x00, ..0x80, ..] | [0xff, 0x80..=0xff, ..]) => {
            Some("an INTEGER with no octets, or with more than necessary")
        }
        0x03 => match contents {
            [0, ..] => None,
            [unused @ 1..8, .., last] if last.trailing_zeros() >= u32::from(*unused) => None,
            _ => Some("a BIT STRING whose unused bits are not zero"),
        },
        0x17 if !is_time(contents, 12) => Some("a UTCTime that is not YYMMDDHHMMSSZ"),
        0x18 if !is_time(contents, 14) => Some("a GeneralizedTime that is not YYYYMMDDHHMMSSZ"),
        0x05 if !contents.is_empty() => Some("a NULL with contents"),
        // SEQUENCE and SET are always constructed; the other universal types never are.
        0x10 | 0x11 => Some("a SEQUENCE or SET that is not constructed"),
        0x30 | 0x31 => fault(contents, depth + 1),
        0x20..0x40 => Some("a constructed string"),
        tag if tag & CONSTRUCTED != 0 => fault(contents, depth + 1),
        _ => None,
    }
}

/// This number of digits and a Z. X.690 also allows fractions of a second, but RFC 5280 does not.
fn is_time(contents: &[u8], digits: usize) -> bool {
    matches!(contents, [time @ .., b'Z'] if time.len() == digits && time.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn each_form_that_is_not_der_is_named() {
        for (der, wanted) in [
            (&[0x30, 0x03, 0x01, 0x01, 0xff][..], None),
            (&[0x01, 0x01, 0x01], Some("BOOLEAN")),
            (&[0x01, 0x02, 0xff, 0xff], Some("BOOLEAN")),
            (&[0x30, 0x81, 0x03, 0x02, 0x01, 0x05], Some("a length")),
            (&[0x30, 0x82, 0x00, 0x81], Some("a length")),
            (&[0x30, 0x80, 0x00, 0x00], Some("indefinite")),
            (&[0x02, 0x02, 0x00, 0x7f], Some("INTEGER")),
            (&[0x02, 0x02, 0x00, 0x80], None),
            (&[0x02, 0x02, 0xff, 0x80], Some("INTEGER")),
            (&[0x02, 0x00], Some("INTEGER")),
            (&[0x03, 0x02, 0x07, 0x80], None),
            (&[0x03, 0x02, 0x07, 0xc0], Some("BIT STRING")),
            (&[0x03, 0x02, 0x08, 0x00], Some("BIT STRING")),
            (&[0x03, 0x00], Some("BIT STRING")),
            (&[0x03, 0x01, 0x01], Some("BIT STRING")),
            (&[0x24, 0x03, 0x04, 0x01, 0x00], Some("constructed")),
            (&[0xa0, 0x03, 0x01, 0x01, 0x02], Some("BOOLEAN")),
            (&[0x04, 0x05, 0x00], Some("too early")),
            (&[0x1f, 0x1f, 0x00], Some("tag number")),
        ] {
            let found = fault(der, 0);
            let fits = match wanted {
                Some(wanted) => found.is_some_and(|found| found.contains(wanted)),
                None => found.is_none(),
            };
            assert!(fits, "{der:02x?}: {found:?}");
        }
    }
}
