//! YAML to a document, whose nodes know their lines and columns.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer};
use serde_saphyr::{DuplicateKeyPolicy, Error as YamlError, Spanned, UserMessageFormatter};

use super::reader::{DataVisitor, refuse_pem};
use super::value::{Data, Document, Node, Value};
use crate::error::{Error, Position};

impl Document {
    pub(crate) fn from_yaml(bytes: &[u8]) -> Result<Self, Error> {
        refuse_pem("YAML", bytes)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Error::malformed("YAML", format!("not UTF-8: {error}")))?;
        // A duplicate key is reported like any other mistake, together with the others.
        let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough };
        let parsed = serde_saphyr::from_str_with_options(text, options);
        let YamlNode(root) = parsed.map_err(|error| not_yaml(error.without_snippet()))?;
        Ok(Self { root })
    }
}

/// Functions that only YAML documents need.
impl Value<'_> {
    /// Line and column, if known.
    pub(crate) const fn position(&self) -> Option<Position> {
        self.node.position
    }

    /// The path, and if known the line and column.
    pub(crate) fn place(&self) -> String {
        match self.node.position {
            Some(Position { line, column }) => {
                format!("line {line}, column {column}: {}", self.path())
            }
            None => self.path().to_owned(),
        }
    }

    /// The text of a scalar, for documents whose types are defined elsewhere.
    pub(crate) fn scalar(&self) -> String {
        match self.node.data {
            Data::Null => String::new(),
            ref data => data.describe(),
        }
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self.node.data, Data::Null)
    }

    /// The text of a number as written, including `1e3`.
    pub(crate) fn number(&self) -> Result<String, Error> {
        match &self.node.data {
            Data::Number(number) => Ok(number.to_string()),
            _ => Err(self.expected("a number", "digits, without quotes")),
        }
    }
}

fn not_yaml(error: &YamlError) -> Error {
    if let YamlError::Budget { location, .. } = error {
        let (line, column) = (location.line(), location.column());
        let position = Some(Position { line, column });
        let problem = "more values, or values nested deeper, than are read";
        return Error::malformed("YAML", format!("line {line}, column {column}: {problem}"))
            .at(position)
            .hinted(
                "a manifest of ten thousand hosts is within the limits; is it the right file?",
            );
    }
    let at = error.location();
    let position = at.map(|at| Position { line: at.line(), column: at.column() });
    Error::malformed("YAML", error.render_with_formatter(&UserMessageFormatter))
        .at(position)
        .hinted("check the indentation, brackets and quotes near this line")
}

/// A node of a YAML document.
struct YamlNode(Node);

impl<'de> Deserialize<'de> for YamlNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<YamlData>::deserialize(deserializer)?;
        let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
        let YamlData(data) = spanned.value;
        Ok(Self(Node { data, position: Some(Position { line, column }) }))
    }
}

impl From<YamlNode> for Node {
    fn from(YamlNode(node): YamlNode) -> Self {
        node
    }
}

struct YamlData(Data);

impl<'de> Deserialize<'de> for YamlData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor::<YamlNode>(PhantomData)).map(Self)
    }
}
