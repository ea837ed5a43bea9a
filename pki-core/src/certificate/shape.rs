//! Checks the outermost elements of an extension's value, because x509-parser accepts more than the grammar allows.

use x509_parser::asn1_rs::Oid as Asn1Oid;

use super::element::{CONTEXT_SPECIFIC, Elements, UNIVERSAL};
use crate::oid::Oid;

/// True for the extensions that RFC 5280 defines: those in id-ce and in id-pe.
pub(super) fn is_of_rfc5280(oid: &Asn1Oid<'_>) -> bool {
    matches!(oid.as_bytes(), [0x55, 0x1d, _] | [0x2b, 6, 1, 5, 5, 7, 1, _])
}

/// The parser checks the numbers of some tags but not their class (x509-parser 0.18.1): a `[3]` instead of a BIT STRING is
/// not a keyUsage.
pub(super) fn has_its_shape(oid: &Oid, value: &[u8]) -> bool {
    let (tag, inside) = match oid.as_str() {
        "2.5.29.14" => (0x04, None),
        "2.5.29.15" => (0x03, None),
        "2.5.29.20" | "2.5.29.54" => (0x02, None),
        "2.5.29.17" | "2.5.29.28" | "2.5.29.30" | "2.5.29.35" | "2.5.29.36" => {
            (0x30, Some(CONTEXT_SPECIFIC))
        }
        "2.5.29.19" => return is_basic_constraints(value),
        "2.5.29.31" | "2.5.29.32" | "2.5.29.33" | "2.5.29.37" | "1.3.6.1.5.5.7.1.1" => {
            (0x30, Some(UNIVERSAL))
        }
        _ => return true,
    };
    let fits = |inside| {
        Elements::within(value).is_some_and(|all| all.all(|element| element.class() == inside))
    };
    value.first() == Some(&tag) && inside.is_none_or(fits)
}

/// A BOOLEAN and an INTEGER, both optional. The parser also reads elements that only have their tag numbers.
fn is_basic_constraints(value: &[u8]) -> bool {
    let mut fields = Elements::within(value).unwrap_or_default();
    let (mut is_known, mut last) = (true, 0);
    while !fields.is_empty() {
        let Some(field) = fields.element() else {
            // The parser reports it.
            is_known = true;
            break;
        };
        is_known &= matches!((last, field.tag), (0, 0x01 | 0x02) | (0x01, 0x02));
        last = field.tag;
    }
    value.first() == Some(&0x30) && is_known
}
