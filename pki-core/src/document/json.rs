//! JSON to a document: as RFC 8259 has it, or as Go's `encoding/json` reads it for cfssl.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};

use super::reader::{DataVisitor, refuse_pem};
use super::value::{Data, Document, Node};
use crate::dialect::{Dialect, Faults};
use crate::error::Error;

impl Document {
    /// Reads JSON in the dialect of the faults. In that of cfssl, text that is not Unicode is replaced with a warning, and
    /// `null` is the zero value of its field's type, as in Go.
    pub(crate) fn from_json(bytes: &[u8], faults: &mut Faults) -> Result<Self, Error> {
        refuse_pem("JSON", bytes)?;
        let root = match faults.dialect {
            Dialect::Native => parse::<JsonNode>(bytes)?.0,
            Dialect::Cfssl => {
                let text = unicode(bytes);
                if text.as_bytes() != bytes {
                    faults.harmless(Error::invalid(
                        "the document",
                        "\u{fffd}",
                        "the file has text that is not Unicode; each such character is replaced with this one",
                    ).hinted("save the file as UTF-8"));
                }
                parse::<GoNode>(in_range(&text).as_bytes())?.0
            }
        };
        Ok(Self { root })
    }
}

fn parse<N: DeserializeOwned>(bytes: &[u8]) -> Result<N, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let error = Error::malformed("JSON", error.to_string());
        if bytes.starts_with(b"\xef\xbb\xbf") {
            error.hinted("the file starts with a byte order mark; save it as UTF-8 without one")
        } else {
            error.hinted("check the file with `python3 -m json.tool FILE`")
        }
    })
}

/// The text that Go reads: U+FFFD in place of each octet that is not UTF-8, and of each escaped half of a surrogate pair.
fn unicode(bytes: &[u8]) -> Cow<'_, str> {
    let mut text = Cow::Borrowed("");
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        for _ in chunk.invalid() {
            text += "\u{fffd}";
        }
    }
    let (mut read, mut from) = (String::new(), 0);
    while let Some(at) = text[from..].find('\\').map(|at| from + at) {
        let (escape, is_half) = escape(&text[at..]);
        read += &text[from..at];
        read += if is_half { "\u{fffd}" } else { escape };
        from = at + escape.len();
    }
    if from == 0 { text } else { Cow::Owned(read + &text[from..]) }
}

/// The escape at the start of a text, with the second half of its surrogate pair, and whether it is a half without the other.
fn escape(text: &str) -> (&str, bool) {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    };
    match unit(text) {
        Some(0xd800..=0xdbff) if matches!(unit(&text[6..]), Some(0xdc00..=0xdfff)) => {
            (&text[..12], false)
        }
        Some(0xd800..=0xdfff) => (&text[..6], true),
        // The backslash and what it escapes, which may be another backslash.
        _ => (&text[..text.char_indices().nth(2).map_or(text.len(), |(end, _)| end)], false),
    }
}

/// The text with the largest power of ten in place of each number beyond the range of a floating-point number: Go reads such a
/// number in a field that it ignores, and refuses it, as any decimal number, where it expects an integer.
fn in_range(text: &str) -> Cow<'_, str> {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let (mut read, mut from, mut at) = (String::new(), 0, 0);
    while let Some(byte) = text.as_bytes().get(at) {
        let length = match byte {
            b'"' => string_length(&text[at..]),
            b'-' | b'0'..=b'9' => {
                let length = text[at..].bytes().take_while(is_of_number).count();
                let number = &text[at..at + length];
                let is_json = || serde_json::from_str::<IgnoredAny>(number).is_ok();
                if number.parse().is_ok_and(f64::is_infinite) && is_json() {
                    read += &text[from..at];
                    read += if number.starts_with('-') { "-1e308" } else { "1e308" };
                    from = at + length;
                }
                length
            }
            _ => 1,
        };
        at += length;
    }
    if from == 0 { Cow::Borrowed(text) } else { Cow::Owned(read + &text[from..]) }
}

/// The length of the string at the start of a text, in octets.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

/// A node of a JSON document, whose reader gives no positions.
struct JsonNode(Node);

impl<'de> Deserialize<'de> for JsonNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = deserializer.deserialize_any(DataVisitor::<Self>(PhantomData))?;
        Ok(Self(Node { data, position: None }))
    }
}

impl From<JsonNode> for Node {
    fn from(JsonNode(node): JsonNode) -> Self {
        node
    }
}

/// The same, with Go's meaning of `null`.
struct GoNode(Node);

impl<'de> Deserialize<'de> for GoNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = match deserializer.deserialize_any(DataVisitor::<Self>(PhantomData))? {
            Data::Null => Data::Zero,
            data => data,
        };
        Ok(Self(Node { data, position: None }))
    }
}

impl From<GoNode> for Node {
    fn from(GoNode(node): GoNode) -> Self {
        node
    }
}

#[cfg(test)]
mod tests {
    use super::{in_range, unicode};

    #[test]
    fn a_number_that_is_too_large_is_still_a_number() {
        for (text, expected) in [
            (r#"{"a": 1e400, "b": -2.5E+999}"#, r#"{"a": 1e308, "b": -1e308}"#),
            (r#"["1e400", "\"1e400", 1e5, 1e-400]"#, r#"["1e400", "\"1e400", 1e5, 1e-400]"#),
            // These are not JSON, and stay as they are.
            ("[1e400e, 1.e400, 01e400, 1e, -]", "[1e400e, 1.e400, 01e400, 1e, -]"),
            ("\"1e400", "\"1e400"),
        ] {
            assert_eq!(in_range(text), expected);
        }
    }

    #[test]
    fn text_that_is_not_unicode_is_read_as_go_reads_it() {
        for (bytes, expected) in [
            (&b"a\xe2\x82b\xff"[..], "a\u{fffd}\u{fffd}b\u{fffd}"),
            (br"\ud83d\ude00 \ude00 \ud83d", "\\ud83d\\ude00 \u{fffd} \u{fffd}"),
            (br"\ud83d\ud83d\ude00", "\u{fffd}\\ud83d\\ude00"),
            (br"\\ud83d \n\u00e9 \uD83", "\\\\ud83d \\n\\u00e9 \\uD83"),
            (b"\\", "\\"),
            (b"\\\xff", "\\\u{fffd}"),
        ] {
            assert_eq!(unicode(bytes), expected);
        }
    }
}
