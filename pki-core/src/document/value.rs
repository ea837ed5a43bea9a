//! A document and its values, each with its path.

use crate::error::{Error, Position};

/// A document. Its objects keep all keys as written, including duplicates.
#[derive(Debug)]
pub(crate) struct Document {
    pub(super) root: Node,
}

/// A value and its position.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) data: Data,
    pub(super) position: Option<Position>,
}

#[derive(Debug)]
pub(super) enum Data {
    Null,
    /// `null` as Go reads it: the zero value of whatever type the field has.
    Zero,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Document {
    pub(crate) const fn root(&self) -> Value<'_> {
        Value::new(&self.root, String::new())
    }
}

impl Data {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null | Self::Zero => "null".to_owned(),
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
    pub(super) node: &'a Node,
    /// The lists or objects that the same keys had before: Go reads a later one into them.
    pub(super) earlier: Vec<&'a Node>,
    /// Other values that the same keys had before. Go checks their types although it replaces them.
    pub(super) replaced: Vec<&'a Node>,
    pub(super) path: String,
}

impl<'a> Value<'a> {
    pub(super) const fn new(node: &'a Node, path: String) -> Self {
        Self { node, earlier: Vec::new(), replaced: Vec::new(), path }
    }

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

    pub(super) fn expected(&self, what: &str, example: &str) -> Error {
        let found = match self.node.data {
            Data::Null | Data::Zero => "null",
            Data::Bool(_) => "a boolean",
            Data::Number(ref number) if number.is_f64() => "a decimal number",
            Data::Number(_) => "a number",
            Data::String(_) => "a string",
            Data::Array(_) => "a list",
            Data::Object(_) => "an object",
        };
        self.invalid(format!("expected {what}, found {found}")).hinted(format!("write {example}"))
    }

    /// Reads the values that this one replaced, and then this one.
    pub(super) fn read<T>(&self, read: impl Fn(&Self) -> Result<T, Error>) -> Result<T, Error> {
        for node in &self.replaced {
            read(&Self::new(node, self.path.clone()))?;
        }
        read(self)
    }

    pub(crate) fn string(&self) -> Result<&'a str, Error> {
        self.read(|value| match &value.node.data {
            Data::String(text) => Ok(text.as_str()),
            Data::Zero => Ok(""),
            _ => Err(value.expected("a string", "it in quotes: \"…\"")),
        })
    }

    pub(crate) fn boolean(&self) -> Result<bool, Error> {
        self.read(|value| match &value.node.data {
            Data::Bool(value) => Ok(*value),
            Data::Zero => Ok(false),
            _ => Err(value.expected("a boolean", "true or false, without quotes")),
        })
    }

    pub(crate) fn integer(&self) -> Result<i64, Error> {
        self.read(|value| {
            let error = || value.expected("an integer", "only digits, without quotes");
            match &value.node.data {
                Data::Number(number) => number.as_i64().ok_or_else(error),
                Data::Zero => Ok(0),
                _ => Err(error()),
            }
        })
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, Error> {
        let items = self.read(|value| match &value.node.data {
            Data::Array(items) => Ok(items.as_slice()),
            Data::Zero => Ok(&[]),
            _ => Err(value.expected("a list", "it in brackets: [\"…\", \"…\"]")),
        })?;
        let item = |(index, node)| {
            let before = |list: &&'a Node| match &list.data {
                Data::Array(items) => items.get(index),
                _ => None,
            };
            let mut nodes = self.earlier.iter().filter_map(before).chain([node]);
            let path = format!("{}[{index}]", self.path);
            let first = Self::new(nodes.next().unwrap_or(node), path);
            nodes.fold(first, Self::redefined)
        };
        Ok(items.iter().enumerate().map(item).collect())
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

    /// True for an empty value: `null`, `false`, `""`, `[]`, `{}`, `0`.
    pub(crate) fn is_zero(&self) -> bool {
        match &self.node.data {
            Data::Null | Data::Zero => true,
            Data::Bool(value) => !value,
            Data::Number(number) => number.as_i64() == Some(0),
            Data::String(text) => text.is_empty(),
            Data::Array(items) => items.is_empty(),
            Data::Object(members) => members.is_empty(),
        }
    }
}
