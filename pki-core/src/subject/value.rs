//! The value of one attribute: what X.520 allows, what is unusual, and the ASN.1 string type.

use super::attribute::{Attribute, DOMAIN_COMPONENT};
use crate::error::{Error, Input};

/// The ASN.1 string type of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StringType {
    Ia5,
    Printable,
    Utf8,
}

pub(super) fn second_value(attribute: &Attribute, first: &str, second: &str) -> Error {
    let name = attribute.short_name();
    let problem = format!("a second {name} (the first is {first:?})");
    invalid(name, second, problem, "remove one of the two")
}

pub(super) fn repeated(attribute: &Attribute, value: &str) -> Error {
    let problem = "the same value twice".to_owned();
    invalid(attribute.short_name(), value, problem, "remove one of the two")
}

fn invalid(name: &str, value: &str, problem: String, hint: &str) -> Error {
    Error::invalid(name, value, problem).hinted(hint).of(Input::Subject)
}

/// What is unusual about a value that programs still accept.
pub(super) fn unusual(attribute: &Attribute, value: &str) -> Option<Error> {
    let found = |problem: &str, hint| {
        Some(invalid(attribute.short_name(), value, problem.to_owned(), hint))
    };
    if !value.is_empty() && value.trim() != value {
        return found("it starts or ends with a space", "remove the space");
    }
    let is_code = value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase());
    if *attribute == Attribute::Country && !value.is_empty() && !is_code {
        let hint = "write two capital letters from ISO 3166-1: DE, US";
        return found("not a country code", hint);
    }
    None
}

pub(super) fn check(attribute: &Attribute, value: &str) -> Result<(), Error> {
    let bad =
        |problem: String, hint: &str| Err(invalid(attribute.short_name(), value, problem, hint));
    if value.is_empty() {
        return bad("empty".to_owned(), "remove the field, or give it a value");
    }
    if value.chars().any(char::is_control) {
        return bad("it contains a control character".to_owned(), "remove it");
    }
    let bound = attribute.upper_bound();
    if value.chars().count() > bound {
        return bad(
            format!("longer than {bound} characters (RFC 5280 appendix A.1)"),
            "shorten it",
        );
    }
    match string_type(attribute, value) {
        StringType::Ia5 if !value.is_ascii() => {
            bad("only ASCII is allowed here".to_owned(), "write it in ASCII")
        }
        StringType::Printable if !is_printable(value) => bad(
            "only letters, digits, spaces and '()+,-./:=? are allowed here".to_owned(),
            "remove the other characters",
        ),
        _ => Ok(()),
    }
}

/// RFC 5280 appendix A.1 defines the type of serialNumber (PrintableString), E and DC (IA5String). For all
/// others, this crate writes PrintableString if possible, like Go and cfssl, because Go compares names byte for byte.
pub(crate) fn string_type(attribute: &Attribute, value: &str) -> StringType {
    match attribute {
        Attribute::SerialNumber => StringType::Printable,
        Attribute::EmailAddress => StringType::Ia5,
        Attribute::Other(oid) if oid.as_str() == DOMAIN_COMPONENT => StringType::Ia5,
        _ if is_printable(value) => StringType::Printable,
        _ => StringType::Utf8,
    }
}

/// PrintableString (X.680 section 41.4).
fn is_printable(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_types_are_those_of_cfssl() {
        assert_eq!(string_type(&Attribute::CommonName, "who?"), StringType::Printable);
        assert_eq!(string_type(&Attribute::CommonName, "a@b"), StringType::Utf8);
        assert_eq!(string_type(&Attribute::CommonName, "etcd CA"), StringType::Printable);
    }
}
