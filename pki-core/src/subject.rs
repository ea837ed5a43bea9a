//! Distinguished names that we write: one value an attribute type, X.520 limits kept.

use std::fmt;

use crate::error::Error;
use crate::oid::Oid;

/// An attribute type of a distinguished name, in the order in which cfssl and Go write them.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Attribute {
    /// C
    Country,
    /// ST
    State,
    /// L
    Locality,
    /// street
    StreetAddress,
    /// postalCode
    PostalCode,
    /// O
    Organization,
    /// OU
    OrganizationalUnit,
    /// CN
    CommonName,
    /// serialNumber, of the subject and not of the certificate
    SerialNumber,
    /// Any other type, by its OID.
    Other(Oid),
    /// E, in PKCS #9
    EmailAddress,
}

const NAMED: [(Attribute, &str, &str, usize); 10] = {
    use Attribute::{
        CommonName, Country, EmailAddress, Locality, Organization, OrganizationalUnit, PostalCode,
        SerialNumber, State, StreetAddress,
    };
    // Upper bounds: RFC 5280 appendix A.1; X.520 for street and postalCode.
    [
        (Country, "C", "2.5.4.6", 2),
        (State, "ST", "2.5.4.8", 128),
        (Locality, "L", "2.5.4.7", 128),
        (StreetAddress, "street", "2.5.4.9", 128),
        (PostalCode, "postalCode", "2.5.4.17", 40),
        (Organization, "O", "2.5.4.10", 64),
        (OrganizationalUnit, "OU", "2.5.4.11", 64),
        (CommonName, "CN", "2.5.4.3", 64),
        (SerialNumber, "serialNumber", "2.5.4.5", 64),
        (EmailAddress, "E", "1.2.840.113549.1.9.1", 255),
    ]
};

/// domainComponent (RFC 4519 section 2.4), the one other type that must be an IA5String.
const DOMAIN_COMPONENT: &str = "0.9.2342.19200300.100.1.25";

impl Attribute {
    /// The attribute type that an OID names.
    pub fn from_oid(oid: &Oid) -> Self {
        NAMED
            .iter()
            .find(|(_, _, dotted, _)| *dotted == oid.as_str())
            .map_or_else(|| Self::Other(oid.clone()), |(attribute, ..)| attribute.clone())
    }

    /// The OID of the attribute type.
    pub fn oid(&self) -> Oid {
        match self {
            Self::Other(oid) => oid.clone(),
            named => Oid::trusted(named.row().map_or("", |(_, _, dotted, _)| *dotted)),
        }
    }

    /// `CN`, `O`, …; the dotted OID where there is no short name.
    pub fn short_name(&self) -> &str {
        match self {
            Self::Other(oid) if oid.as_str() == DOMAIN_COMPONENT => "DC",
            Self::Other(oid) => oid.as_str(),
            named => named.row().map_or("", |(_, name, ..)| *name),
        }
    }

    fn row(&self) -> Option<&'static (Self, &'static str, &'static str, usize)> {
        NAMED.iter().find(|(attribute, ..)| attribute == self)
    }

    fn upper_bound(&self) -> usize {
        self.row().map_or(32_768, |(.., bound)| *bound)
    }
}

/// Which ASN.1 string type carries a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StringType {
    Ia5,
    Printable,
    Utf8,
}

/// The subject of a certificate that we are asked to write.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Subject {
    attributes: Vec<(Attribute, String)>,
}

impl Subject {
    /// Checks the attributes and puts them in cfssl's and Go's order.
    ///
    /// A repeated type is refused: the encoder cannot write multi-valued RDNs, and keeping one of
    /// two values silently would give another name than was asked for.
    pub fn new(attributes: impl IntoIterator<Item = (Attribute, String)>) -> Result<Self, Error> {
        // A type that has a name of its own is the same type by its OID.
        let named = |(attribute, value): (Attribute, String)| match attribute {
            Attribute::Other(oid) => (Attribute::from_oid(&oid), value),
            named => (named, value),
        };
        let mut attributes: Vec<(Attribute, String)> = attributes.into_iter().map(named).collect();
        for (attribute, value) in &attributes {
            check(attribute, value)?;
        }
        // Stable, so that a repeated type reports its second value.
        attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some(pair) = attributes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let (attribute, value) = &pair[1];
            return Err(Error::invalid(
                attribute.short_name(),
                value.clone(),
                format!("a second {} (the first is {:?})", attribute.short_name(), pair[0].1),
            )
            .hinted("keep one; names with several values of one type cannot be written"));
        }
        Ok(Self { attributes })
    }

    /// A subject that is a common name alone.
    pub fn from_common_name(name: impl Into<String>) -> Result<Self, Error> {
        Self::new([(Attribute::CommonName, name.into())])
    }

    /// The attributes, in the order in which they are written.
    pub fn attributes(&self) -> &[(Attribute, String)] {
        &self.attributes
    }

    /// The common name, where there is one.
    pub fn common_name(&self) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(attribute, _)| *attribute == Attribute::CommonName)
            .map(|(_, value)| value.as_str())
    }

    /// True when the subject has no attribute.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (attribute, value)) in self.attributes.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}={value}", attribute.short_name())?;
        }
        Ok(())
    }
}

fn check(attribute: &Attribute, value: &str) -> Result<(), Error> {
    let name = attribute.short_name().to_owned();
    let bad = |problem: String, hint: &str| {
        Err(Error::invalid(name.clone(), value, problem).hinted(hint))
    };
    if value.is_empty() {
        return bad("empty".to_owned(), "leave the field out, or give it a value");
    }
    if value.trim() != value {
        return bad("a blank before or behind it".to_owned(), "remove the blank");
    }
    if value.chars().any(char::is_control) {
        return bad("a control character".to_owned(), "remove it");
    }
    if *attribute == Attribute::Country
        && !(value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase()))
    {
        return bad(
            "not a country code".to_owned(),
            "write the two capital letters of ISO 3166-1: DE, US",
        );
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
            "only letters, digits, blanks and '()+,-./:= are allowed here".to_owned(),
            "remove the other characters",
        ),
        _ => Ok(()),
    }
}

/// RFC 5280 appendix A.1 fixes C and serialNumber (PrintableString), E and DC (IA5String). For the
/// rest Go and cfssl write PrintableString where it fits, and so do we: peers compare names byte
/// for byte.
pub(crate) fn string_type(attribute: &Attribute, value: &str) -> StringType {
    match attribute {
        Attribute::Country | Attribute::SerialNumber => StringType::Printable,
        Attribute::EmailAddress => StringType::Ia5,
        Attribute::Other(oid) if oid.as_str() == DOMAIN_COMPONENT => StringType::Ia5,
        _ if is_printable(value) => StringType::Printable,
        _ => StringType::Utf8,
    }
}

/// X.680's PrintableString less the question mark, at which the encoder panics (rcgen 0.14.10).
fn is_printable(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(attribute: Attribute, value: &str) -> Result<Subject, Error> {
        Subject::new([(attribute, value.to_owned())])
    }

    #[test]
    fn x520_limits_are_kept() {
        assert!(one(Attribute::CommonName, &"x".repeat(64)).is_ok());
        assert!(one(Attribute::CommonName, &"x".repeat(65)).is_err());
        assert!(one(Attribute::Country, "DE").is_ok());
        for country in ["DEU", "d", "de", "D1", ""] {
            assert!(one(Attribute::Country, country).is_err(), "{country}");
        }
        for name in [" x", "x ", "", "a\0b", "a\nb"] {
            assert!(one(Attribute::CommonName, name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn order_is_cfssls_and_repetition_is_refused() {
        let subject = Subject::new([
            (Attribute::CommonName, "etcd CA".to_owned()),
            (Attribute::Organization, "Lab".to_owned()),
            (Attribute::Country, "DE".to_owned()),
        ])
        .unwrap();
        assert_eq!(subject.to_string(), "C=DE, O=Lab, CN=etcd CA");
        let twice = ["a", "b"].map(|unit| (Attribute::OrganizationalUnit, unit.to_owned()));
        assert!(Subject::new(twice).unwrap_err().to_string().contains("a second OU"));
    }

    #[test]
    fn a_question_mark_is_utf8_because_the_encoder_panics_on_it() {
        assert_eq!(string_type(&Attribute::CommonName, "who?"), StringType::Utf8);
        assert_eq!(string_type(&Attribute::CommonName, "etcd CA"), StringType::Printable);
    }
}
