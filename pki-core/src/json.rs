//! JSON read strictly: every value knows its path, no key goes unnoticed.
//!
//! cfssl's own reader matches keys without regard to case, keeps the last of two equal keys, and
//! drops keys that it does not know. The first is kept, for the files that rely on it; the other
//! two hide mistakes and are errors.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::Error;
use crate::suggest;

/// A JSON value with the keys of its objects as they stand, doubles included.
#[derive(Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| {
            let error = Error::malformed("JSON", error.to_string());
            if bytes.starts_with(b"\xef\xbb\xbf") {
                error.hinted("the file starts with a byte order mark; save it as UTF-8 without one")
            } else {
                error.hinted("check the file with `python3 -m json.tool FILE`")
            }
        })
    }

    pub(crate) fn root(&self) -> Value<'_> {
        Value { json: self, path: String::new() }
    }

    fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::String(text) => text.clone(),
            Self::Array(_) => "[…]".to_owned(),
            Self::Object(_) => "{…}".to_owned(),
        }
    }
}

/// A value and the path that leads to it.
pub(crate) struct Value<'a> {
    json: &'a Json,
    path: String,
}

impl<'a> Value<'a> {
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() { "the document" } else { &self.path }
    }

    pub(crate) fn invalid(&self, problem: impl Into<String>) -> Error {
        Error::invalid(self.path(), self.json.describe(), problem)
    }

    fn wanted(&self, what: &str, example: &str) -> Error {
        let found = match self.json {
            Json::Null => "null",
            Json::Bool(_) => "a truth value",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        };
        self.invalid(format!("{found} where {what} belongs")).hinted(format!("write {example}"))
    }

    pub(crate) fn string(&self) -> Result<&'a str, Error> {
        match self.json {
            Json::String(text) => Ok(text),
            _ => Err(self.wanted("a string", "it in quotes: \"…\"")),
        }
    }

    pub(crate) fn boolean(&self) -> Result<bool, Error> {
        match self.json {
            Json::Bool(value) => Ok(*value),
            _ => Err(self.wanted("a truth value", "true or false, without quotes")),
        }
    }

    pub(crate) fn integer(&self) -> Result<i64, Error> {
        let wanted = || self.wanted("a whole number", "digits alone, without quotes");
        match self.json {
            Json::Number(number) => number.as_i64().ok_or_else(wanted),
            _ => Err(wanted()),
        }
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, Error> {
        let Json::Array(items) = self.json else {
            return Err(self.wanted("a list", "it in brackets: [\"…\", \"…\"]"));
        };
        let items = items.iter().enumerate();
        Ok(items
            .map(|(index, json)| Self { json, path: format!("{}[{index}]", self.path) })
            .collect())
    }

    /// Each string of a list, parsed.
    pub(crate) fn parsed_list<T>(
        &self,
        parse: impl Fn(&str) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.list()?.iter().map(|item| item.parsed(&parse)).collect()
    }

    /// A string, parsed; the error tells the path.
    pub(crate) fn parsed<T>(&self, parse: impl Fn(&str) -> Result<T, Error>) -> Result<T, Error> {
        parse(self.string()?).map_err(|error| error.in_field(self.path()))
    }

    /// The members of an object of any keys.
    pub(crate) fn members(&self) -> Result<Vec<(&'a str, Self)>, Error> {
        let Json::Object(members) = self.json else {
            return Err(self.wanted("an object", "it in braces: {\"…\": …}"));
        };
        let mut values: Vec<(&str, Self)> = Vec::new();
        for (key, json) in members {
            let path =
                if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            let value = Self { json, path };
            if values.iter().any(|(earlier, _)| earlier == key) {
                return Err(value.twice());
            }
            values.push((key.as_str(), value));
        }
        Ok(values)
    }

    fn twice(&self) -> Error {
        self.invalid("the key is given twice").hinted("keep one; cfssl silently keeps the last")
    }

    /// The members of an object whose keys are known; `null` counts as absent.
    pub(crate) fn fields(&self, known: &'static [&'static str]) -> Result<Fields<'a>, Error> {
        let mut seen: Vec<&str> = Vec::new();
        let mut fields = Vec::new();
        for (key, value) in self.members()? {
            let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(key)) else {
                return Err(value
                    .invalid("no such field")
                    .hinted(suggest::one_of(key, known.iter().copied())));
            };
            // Go takes the keys of a struct in any case, and those of a map to the letter.
            if seen.contains(name) {
                return Err(value.twice());
            }
            seen.push(*name);
            if !matches!(value.json, Json::Null) {
                fields.push((*name, value));
            }
        }
        Ok(Fields(fields))
    }

    /// True for a value that says nothing: `false`, `""`, `[]`, `{}`, `0`.
    pub(crate) fn is_zero(&self) -> bool {
        match self.json {
            Json::Null => true,
            Json::Bool(value) => !value,
            Json::Number(number) => number.as_i64() == Some(0),
            Json::String(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(members) => members.is_empty(),
        }
    }
}

/// The fields of an object.
pub(crate) struct Fields<'a>(Vec<(&'static str, Value<'a>)>);

impl<'a> Fields<'a> {
    pub(crate) fn find(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<&'a str>, Error> {
        self.find(name).map(Value::string).transpose()
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<bool, Error> {
        self.find(name).map_or(Ok(false), Value::boolean)
    }

    /// A string field, parsed; empty counts as absent.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.find(name) {
            Some(value) if !value.string()?.is_empty() => value.parsed(parse).map(Some),
            _ => Ok(None),
        }
    }

    pub(crate) fn parsed_list<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.find(name).map_or_else(|| Ok(Vec::new()), |value| value.parsed_list(parse))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        serde_json::Number::from_f64(value)
            .map(Json::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}
