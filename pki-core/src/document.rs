//! Reading of JSON and YAML documents: every value knows its path, and no key is ignored silently.
//!
//! cfssl's reader matches keys case-insensitively, keeps the last of two equal keys, and ignores unknown
//! keys. This reader is also case-insensitive, because existing files rely on it. Duplicate and unknown
//! keys hide mistakes, so they are errors, or warnings in cfssl's dialect. Manifests in YAML use the same
//! reader, with line numbers.

mod reader;
#[cfg(feature = "manifest")]
mod yaml;

use crate::dialect::Faults;
use crate::error::{Error, Position};
use crate::quote;
use crate::suggest;

/// A document. Its objects keep all keys as written, including duplicates.
#[derive(Debug)]
pub(crate) struct Document {
    root: Node,
}

/// A value and its position.
#[derive(Debug)]
struct Node {
    data: Data,
    position: Option<Position>,
}

#[derive(Debug)]
enum Data {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Document {
    pub(crate) const fn root(&self) -> Value<'_> {
        Value { node: &self.root, path: String::new() }
    }
}

impl Data {
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

/// A value and its path in the document.
#[derive(Clone)]
pub(crate) struct Value<'a> {
    node: &'a Node,
    path: String,
}

impl<'a> Value<'a> {
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() { "the document" } else { &self.path }
    }

    pub(crate) fn invalid(&self, problem: impl Into<String>) -> Error {
        self.located(Error::invalid("", self.node.data.describe(), problem))
    }

    /// The same error, about this value.
    pub(crate) fn located(&self, error: Error) -> Error {
        error.in_field(self.path()).at(self.node.position)
    }

    fn expected(&self, what: &str, example: &str) -> Error {
        let found = match self.node.data {
            Data::Null => "null",
            Data::Bool(_) => "a boolean",
            Data::Number(ref number) if number.is_f64() => "a decimal number",
            Data::Number(_) => "a number",
            Data::String(_) => "a string",
            Data::Array(_) => "a list",
            Data::Object(_) => "an object",
        };
        self.invalid(format!("expected {what}, found {found}")).hinted(format!("write {example}"))
    }

    pub(crate) fn string(&self) -> Result<&'a str, Error> {
        match &self.node.data {
            Data::String(text) => Ok(text),
            _ => Err(self.expected("a string", "it in quotes: \"…\"")),
        }
    }

    pub(crate) fn boolean(&self) -> Result<bool, Error> {
        match &self.node.data {
            Data::Bool(value) => Ok(*value),
            _ => Err(self.expected("a boolean", "true or false, without quotes")),
        }
    }

    pub(crate) fn integer(&self) -> Result<i64, Error> {
        let error = || self.expected("an integer", "only digits, without quotes");
        match &self.node.data {
            Data::Number(number) => number.as_i64().ok_or_else(error),
            _ => Err(error()),
        }
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, Error> {
        let Data::Array(items) = &self.node.data else {
            return Err(self.expected("a list", "it in brackets: [\"…\", \"…\"]"));
        };
        let items = items.iter().enumerate();
        Ok(items
            .map(|(index, node)| Self { node, path: format!("{}[{index}]", self.path) })
            .collect())
    }

    #[cfg(feature = "manifest")]
    /// Each string of a list, parsed.
    pub(crate) fn parsed_list<T>(
        &self,
        parse: impl Fn(&str) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.list()?.iter().map(|item| item.parsed(&parse)).collect()
    }

    /// A string, parsed. The error contains the path.
    pub(crate) fn parsed<T>(&self, parse: impl Fn(&str) -> Result<T, Error>) -> Result<T, Error> {
        parse(self.string()?).map_err(|error| self.located(error))
    }

    #[cfg(feature = "manifest")]
    /// The members of an object with any keys.
    pub(crate) fn members(&self) -> Result<Vec<(&'a str, Self)>, Error> {
        let (values, duplicates) = self.once_each()?;
        match duplicates.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(values),
        }
    }

    /// The members of an object. A duplicate key keeps its last value, as in Go, and yields an error.
    #[expect(clippy::type_complexity, reason = "two lists that the callers destructure")]
    fn once_each(&self) -> Result<(Vec<(&'a str, Self)>, Vec<(Self, Error)>), Error> {
        let Data::Object(members) = &self.node.data else {
            return Err(self.expected("an object", "it in braces: {\"…\": …}"));
        };
        let mut values: Vec<(&str, Self)> = Vec::new();
        let mut duplicates = Vec::new();
        for (key, node) in members {
            let shown = quote::name(key);
            let path = if self.path.is_empty() { shown } else { format!("{}.{shown}", self.path) };
            let value = Self { node, path };
            if let Some((_, kept)) = values.iter_mut().find(|(earlier, _)| earlier == key) {
                kept.node = value.node;
                duplicates.push(value.duplicate());
            } else {
                values.push((key.as_str(), value));
            }
        }
        Ok((values, duplicates))
    }

    fn duplicate(self) -> (Self, Error) {
        // Only JSON files have no positions, and they can be cfssl's.
        let hint = match self.node.position {
            Some(_) => "remove one of the two",
            None => "remove one of the two; cfssl silently uses the last one",
        };
        let error = self.invalid("duplicate key").hinted(hint);
        (self, error)
    }

    /// The members of an object with these keys. `null` counts as absent.
    pub(crate) fn fields(&self, known: &'static [&'static str]) -> Result<Fields<'a>, Error> {
        let (fields, unknown) = self.known_fields(known)?;
        match unknown.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(fields),
        }
    }

    /// The members of an object with these keys, and an error for each unknown or duplicate key.
    pub(crate) fn known_fields(
        &self,
        known: &'static [&'static str],
    ) -> Result<(Fields<'a>, Vec<(Self, Error)>), Error> {
        let (members, mut unknown) = self.once_each()?;
        let mut seen: Vec<&str> = Vec::new();
        let mut fields: Vec<(&'static str, Self)> = Vec::new();
        for (key, value) in members {
            if let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(key)) {
                // In Go, the keys of a struct are case-insensitive, and those of a map are case-sensitive.
                if seen.contains(name) {
                    fields.retain(|(earlier, _)| earlier != name);
                    unknown.push(value.clone().duplicate());
                }
                seen.push(*name);
                if !matches!(value.node.data, Data::Null) {
                    fields.push((*name, value));
                }
            } else {
                let error = value
                    .invalid("unknown field")
                    .hinted(suggest::one_of(key, known.iter().copied()));
                unknown.push((value, error));
            }
        }
        Ok((Fields(fields), unknown))
    }

    /// The same, with these errors among the faults. A value that is not an object has no fields.
    pub(crate) fn read_fields(
        &self,
        known: &'static [&'static str],
        faults: &mut Faults,
    ) -> Fields<'a> {
        match self.known_fields(known) {
            Ok((fields, unknown)) => {
                for (_, error) in unknown {
                    faults.harmless(error);
                }
                fields
            }
            Err(error) => {
                faults.error(error);
                Fields(Vec::new())
            }
        }
    }

    /// The members of an object with any keys. Duplicate keys are added to the faults.
    pub(crate) fn read_members(&self, faults: &mut Faults) -> Vec<(&'a str, Self)> {
        match self.once_each() {
            Ok((values, duplicates)) => {
                for (_, error) in duplicates {
                    faults.harmless(error);
                }
                values
            }
            Err(error) => {
                faults.error(error);
                Vec::new()
            }
        }
    }

    /// True for an empty value: `null`, `false`, `""`, `[]`, `{}`, `0`.
    pub(crate) fn is_zero(&self) -> bool {
        match &self.node.data {
            Data::Null => true,
            Data::Bool(value) => !value,
            Data::Number(number) => number.as_i64() == Some(0),
            Data::String(text) => text.is_empty(),
            Data::Array(items) => items.is_empty(),
            Data::Object(members) => members.is_empty(),
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

    /// Reads a field. A field that cannot be read is treated as absent, and its error is added to the faults.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        read: impl FnOnce(&Value<'a>) -> Result<T, Error>,
    ) -> Option<T> {
        self.find(name).and_then(|value| faults.take(read(value)))
    }

    /// A list of strings, each of them parsed.
    pub(crate) fn read_list<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        parse: impl Fn(&str) -> Result<T, Error>,
    ) -> Vec<T> {
        let items = self.read(name, faults, Value::list).unwrap_or_default();
        items.iter().filter_map(|item| faults.take(item.parsed(&parse))).collect()
    }

    /// A string field, parsed. An empty string counts as absent.
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
}
