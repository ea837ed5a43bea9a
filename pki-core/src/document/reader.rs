//! Reads bytes into the nodes of a document with serde, which JSON and YAML share.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, MapAccess, SeqAccess, Visitor};

use super::value::{Data, Node};
use crate::error::Error;

/// Reports a file that is a certificate or a key, which a YAML reader would read as a string.
pub(super) fn refuse_pem(expected: &'static str, bytes: &[u8]) -> Result<(), Error> {
    if !bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
        return Ok(());
    }
    let line = bytes.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let what = if line.windows(11).any(|word| word == b"PRIVATE KEY") {
        "it is a PEM private key"
    } else {
        "it is PEM, such as a certificate"
    };
    Err(Error::malformed(expected, what)
        .hinted("name another file; check that two paths are not swapped"))
}

/// Reads any value. Its children are nodes of kind `N`.
pub(super) struct DataVisitor<N>(pub(super) PhantomData<N>);

impl<'de, N: Deserialize<'de> + Into<Node>> Visitor<'de> for DataVisitor<N> {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Data, E> {
        Ok(Data::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Data, E> {
        Ok(Data::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Data, E> {
        Ok(Data::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Data, E> {
        serde_json::Number::from_f64(value)
            .map(Data::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Data, E> {
        Ok(Data::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element::<N>()? {
            array.push(item.into());
        }
        Ok(Data::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Data, A::Error> {
        let mut object = Vec::new();
        while let Some((key, value)) = members.next_entry::<String, N>()? {
            object.push((key, value.into()));
        }
        Ok(Data::Object(object))
    }
}
