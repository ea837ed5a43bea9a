//! The dialect of a document: etcdpki's own rules, or those of cfssl.

use crate::error::{Error, Invalid};

/// The rules for reading a CSR JSON, a `ca-config.json` or a certification request.
///
/// Both dialects have the same grammar and refuse what no program can use. They differ in what works although it looks
/// like a mistake, such as an unknown field.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there is one other tool with this grammar")]
pub enum Dialect {
    /// Everything that looks like a mistake is an error.
    #[default]
    Native,
    /// Anything usable that cfssl accepts is accepted, with a warning.
    Cfssl,
}

/// A value that was read, and what is unusual about its input.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a value and its warnings, nothing else")]
pub struct Lenient<T> {
    /// The value.
    pub value: T,
    /// Warnings: how the value differs from its input, or from what cfssl would read.
    pub warnings: Vec<Invalid>,
}

/// What is wrong with an input. It is collected while the input is read, so that everything is reported at once.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) dialect: Dialect,
    errors: Vec<Error>,
    warnings: Vec<Invalid>,
}

impl Faults {
    pub(crate) const fn new(dialect: Dialect) -> Self {
        Self { dialect, errors: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) fn error(&mut self, error: Error) {
        self.errors.push(error);
    }

    /// A harmless mistake that cfssl accepts: an error natively, and a warning in cfssl's dialect.
    pub(crate) fn harmless(&mut self, error: Error) {
        match (self.dialect, error) {
            (Dialect::Cfssl, Error::Invalid(invalid)) => self.warnings.push(*invalid),
            (_, error) => self.error(error),
        }
    }

    pub(crate) const fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The value, or `None` and one more error.
    pub(crate) fn take<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.error(error)).ok()
    }

    /// The result of the reading: the value and the warnings, or every error.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<Lenient<T>, Error> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(Lenient { value, warnings: self.warnings }),
            _ => Err(Error::all(self.errors)),
        }
    }
}
