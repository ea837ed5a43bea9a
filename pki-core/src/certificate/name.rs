//! Reads distinguished names.

use std::borrow::Cow;
use std::fmt;

use x509_parser::asn1_rs::{Any, BmpString, Tag, UniversalString};
#[cfg(feature = "profiles")]
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Name;

use super::signed::is_name;
use crate::error::{Error, Input};
use crate::oid::Oid;
use crate::subject::{Attribute, Subject};

/// A distinguished name in a certificate or request.
///
/// Two names are the same if their bytes are the same: Go, and therefore etcd, compares nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DistinguishedName {
    /// The attributes, in the order of the name.
    pub attributes: Vec<NameAttribute>,
    der: Vec<u8>,
}

/// One attribute of a name.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct NameAttribute {
    /// The attribute type.
    pub attribute: Attribute,
    /// The value. `#` and hexadecimal digits if it is not a string.
    pub value: String,
    /// True if it shares its relative distinguished name with the attribute before it.
    pub same_rdn: bool,
    is_text: bool,
}

impl NameAttribute {
    /// RFC 5280 section 7.1: regardless of case and of the number of spaces.
    fn reads_like(&self, other: &Self) -> bool {
        let folded = |value: &str| {
            value.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
        };
        self.attribute == other.attribute
            && (self.value == other.value || folded(&self.value) == folded(&other.value))
    }
}

impl DistinguishedName {
    /// `None` if a part of it cannot be read.
    pub(crate) fn read(name: &X509Name<'_>) -> Option<Self> {
        if !is_name(name.as_raw()) {
            return None;
        }
        let mut attributes: Vec<NameAttribute> = Vec::new();
        for rdn in name.iter_rdn() {
            for (index, entry) in rdn.iter().enumerate() {
                let oid = Oid::from_der(entry.attr_type().as_bytes());
                let text = text(entry.attr_value());
                attributes.push(NameAttribute {
                    attribute: Attribute::from_oid(&oid),
                    is_text: text.is_some(),
                    value: text.unwrap_or_else(|| hex(entry.as_slice())),
                    same_rdn: index > 0,
                });
            }
        }
        Some(Self { attributes, der: name.as_raw().to_vec() })
    }

    /// The DER of the name.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// True if the name has no attribute.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// True if both are the same name for people: RFC 5280 section 7.1 ignores case, spaces and
    /// the type of string.
    pub(crate) fn reads_like(&self, other: &Self) -> bool {
        self.attributes.len() == other.attributes.len() && self.is_within(other)
    }

    /// True if the relative distinguished names of `base` are the first of this name (RFC 5280
    /// section 4.2.1.10).
    pub(crate) fn is_within(&self, base: &Self) -> bool {
        let (names, base) = (self.relative_names(), base.relative_names());
        base.len() <= names.len()
            && names.iter().zip(&base).all(|(name, base)| {
                name.len() == base.len()
                    && base.iter().all(|wanted| name.iter().any(|found| found.reads_like(wanted)))
            })
    }

    fn relative_names(&self) -> Vec<&[NameAttribute]> {
        // Attributes with `same_rdn` belong to the relative name of the previous attribute.
        self.attributes.chunk_by(|_, next| next.same_rdn).collect()
    }

    /// The first common name.
    pub fn common_name(&self) -> Option<&str> {
        self.attributes
            .iter()
            .find(|entry| entry.attribute == Attribute::CommonName)
            .map(|entry| entry.value.as_str())
    }

    /// All common names.
    pub(crate) fn common_names(&self) -> impl Iterator<Item = &str> {
        let attributes = self.attributes.iter();
        attributes.filter(|a| a.attribute == Attribute::CommonName).map(|a| a.value.as_str())
    }

    /// The same name as a [`Subject`]: the RDNs and their order are kept, and each value gets the string type that
    /// [`Subject`] has for it.
    pub fn to_subject(&self) -> Result<Subject, Error> {
        self.check_texts()?;
        Subject::from_rdns(self.relative_names().into_iter().map(|rdn| {
            rdn.iter().map(|entry| (entry.attribute.clone(), entry.value.clone())).collect()
        }))
    }

    /// The attributes and their texts. Returns an error for a value that is not text.
    #[cfg(feature = "profiles")]
    pub(crate) fn texts(&self) -> Result<impl Iterator<Item = (&Attribute, &str)>, Error> {
        self.check_texts()?;
        Ok(self.attributes.iter().map(|entry| (&entry.attribute, entry.value.as_str())))
    }

    /// True if a T61String has other characters than ASCII.
    #[cfg(feature = "profiles")]
    pub(crate) fn is_latin1(&self) -> bool {
        let is_latin1 =
            |value: &Any<'_>| value.tag() == Tag::TeletexString && !value.data.is_ascii();
        X509Name::from_der(&self.der).is_ok_and(|(_, name)| {
            name.iter_attributes().any(|entry| is_latin1(entry.attr_value()))
        })
    }

    fn check_texts(&self) -> Result<(), Error> {
        let Some(entry) = self.attributes.iter().find(|entry| !entry.is_text) else {
            return Ok(());
        };
        Err(Error::invalid(entry.attribute.short_name(), &*entry.value, "not text")
            .hinted("create the name again in UTF-8")
            .of(Input::Subject))
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attributes.is_empty() {
            return f.write_str("(empty subject)");
        }
        for (index, entry) in self.attributes.iter().enumerate() {
            f.write_str(match (index, entry.same_rdn) {
                (0, _) => "",
                (_, true) => "+",
                (_, false) => ", ",
            })?;
            write!(f, "{}={}", entry.attribute.short_name(), shown(&entry.value))?;
        }
        Ok(())
    }
}

/// The text of an attribute in any string type of RFC 5280, so that the same name in two types has the same text.
fn text(value: &Any<'_>) -> Option<String> {
    match value.tag() {
        Tag::NumericString
        | Tag::PrintableString
        | Tag::Utf8String
        | Tag::Ia5String
        | Tag::VisibleString => std::str::from_utf8(value.data).ok().map(str::to_owned),
        // Read as Latin-1, as all programs do, although T.61 says otherwise.
        Tag::TeletexString => Some(value.data.iter().copied().map(char::from).collect()),
        // The parser reads half a character as a whole one, or panics (asn1-rs 0.7.2).
        Tag::BmpString if !value.data.len().is_multiple_of(2) => None,
        Tag::UniversalString if !value.data.len().is_multiple_of(4) => None,
        Tag::BmpString => BmpString::try_from(value).ok().map(|text| text.string()),
        Tag::UniversalString => UniversalString::try_from(value).ok().map(|text| text.string()),
        _ => None,
    }
}

/// Escapes text from outside, so that it can neither control a terminal nor imitate another line.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // `escape_debug` would also escape these, but they are harmless.
            '\'' | '"' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    Cow::Owned(shown)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold("#".to_owned(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn text_from_outside_cannot_draw_on_a_terminal() {
        assert_eq!(shown("O'Brien & Söhne \"x\""), "O'Brien & Söhne \"x\"");
        assert_eq!(shown("a\nb\u{1b}[31m\u{202e}"), "a\\nb\\u{1b}[31m\\u{202e}");
    }
}
