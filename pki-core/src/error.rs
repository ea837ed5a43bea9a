//! Errors: why an operation failed, as kinds for programs and as messages for people.

use der::{Decode, ErrorKind, Header, Reader, SliceReader};

use crate::file_format;
use crate::finding::Finding;
use crate::quote;

/// The error of every fallible function of this crate.
///
/// The variant is the kind of failure, and the fields say where it is. Match on those, never on the text:
/// the message of [`Display`](std::fmt::Display) can change. [`Error::hint`] says how to fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field has a value that cannot be used.
    #[error(transparent)]
    Invalid(Box<Invalid>),

    /// Bytes are not the structure that was expected.
    #[error("not {expected}: {problem}")]
    Malformed {
        /// The structure that was expected, with its article: `a certificate`.
        expected: &'static str,
        /// The kind of defect.
        defect: Defect,
        /// What is wrong with the bytes.
        problem: String,
        /// Where in the text the defect is, if the reader knows.
        position: Option<Position>,
        /// How to fix it.
        hint: Option<String>,
    },

    /// A request is well-formed, but its profile or this crate does not allow what it asks for.
    #[error("refused: {0}")]
    NotAdmitted(Box<Invalid>),

    /// The rules forbid signing, for these reasons, worst first.
    #[error("refused: {}", reasons(.0))]
    Refused(Vec<Finding>),

    /// A document has several mistakes, in its order.
    #[error("{}", mistakes(.0))]
    Several(Vec<Error>),

    /// The holder of the key could not sign, would not sign, or returned a wrong signature.
    #[error("the signer failed: {0}")]
    Signer(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// An invariant of this crate is violated, which is a bug.
    #[error("internal error: {0}")]
    Internal(String),
}

/// The input of an operation that a value came from.
///
/// This crate does not know from which file or option an input was read. A program that knows can use this to
/// name it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// The argument itself, such as the text that was parsed.
    #[default]
    Argument,
    /// The certificate or the key of the CA.
    Authority,
    /// The time of issuance.
    Clock,
    /// The signing profile.
    Profile,
    /// The request: its names, its key, its extensions or its lifetime.
    Request,
    /// The subject of the request, or of a new CA.
    Subject,
}

/// A place in a text: line and column, starting at 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column, counted in characters.
    pub column: u64,
}

/// A value that cannot be used in its field.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Invalid {
    /// The input that the value belongs to.
    pub input: Input,
    /// The field with the value, in the notation of the input: `hosts[2]`, `expiry`.
    pub field: String,
    /// Where the value is, if the input is a text with lines.
    pub position: Option<Position>,
    /// The value as shown by [`quote::value`]: in quotes and shortened, or only described if it may be a secret.
    pub found: String,
    /// What is wrong with the value.
    pub problem: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        write!(f, "{} {}: {}", self.field, self.found, self.problem)
    }
}

impl std::error::Error for Invalid {}

/// The kind of defect in malformed bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Defect {
    /// The bytes are damaged, or they are another structure.
    Damaged,
    /// The input is empty.
    Empty,
    /// The bytes are encrypted and must be decrypted first.
    Encrypted,
    /// A PEM file has no block of the expected kind.
    Missing,
    /// A PEM file has several blocks instead of one.
    Repeated,
    /// The structure is intact, but its algorithm, size or version is not supported.
    Unsupported,
    /// The passphrase does not decrypt the bytes.
    WrongPassphrase,
}

impl Error {
    /// A value that cannot be used in its field.
    pub fn invalid(
        field: impl Into<String>,
        found: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self::Invalid(Box::new(Invalid {
            input: Input::Argument,
            field: field.into(),
            position: None,
            found: quote::value(&found.into()),
            problem: quote::sentence(&problem.into()),
            hint: None,
        }))
    }

    /// A value that is not allowed, by its profile or because nobody should rely on it.
    pub(crate) fn not_admitted(
        field: impl Into<String>,
        found: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        match Self::invalid(field, found, problem) {
            Self::Invalid(invalid) => Self::NotAdmitted(invalid).of(Input::Request),
            other => other,
        }
    }

    /// The only error, or all of them as one.
    #[cfg(feature = "profiles")]
    pub(crate) fn all(mut errors: Vec<Self>) -> Self {
        if errors.len() == 1 { errors.remove(0) } else { Self::Several(errors) }
    }

    pub(crate) fn malformed(expected: &'static str, problem: impl Into<String>) -> Self {
        Self::defective(Defect::Damaged, expected, problem)
            .hinted("the file is damaged or is something else; copy it again from its source")
    }

    pub(crate) fn defective(
        defect: Defect,
        expected: &'static str,
        problem: impl Into<String>,
    ) -> Self {
        let problem = quote::sentence(&problem.into());
        Self::Malformed { expected, defect, problem, position: None, hint: None }
    }

    /// Bytes that a DER decoder could not read.
    pub(crate) fn bad_der(
        expected: &'static str,
        der: &[u8],
        decoder_says: &dyn std::fmt::Display,
    ) -> Self {
        if let Some(format) = file_format::recognize(der) {
            return Self::malformed(expected, format!("it is {}", format.name)).hinted(format.hint);
        }
        match der.trim_ascii() {
            [] => Self::empty(expected),
            // Every structure that this crate reads is a SEQUENCE.
            [0x30, ..] if is_cut_short(der) => Self::malformed(expected, "its DER ends too early"),
            [0x30, ..] => Self::malformed(expected, format!("its DER is damaged ({decoder_says})")),
            _ => Self::malformed(expected, "it is neither PEM nor DER"),
        }
    }

    pub(crate) fn empty(expected: &'static str) -> Self {
        Self::defective(Defect::Empty, expected, "it is empty")
            .hinted("copy it again from its source")
    }

    /// The same error with this hint.
    #[must_use]
    pub fn hinted(mut self, advice: impl Into<String>) -> Self {
        let advice = quote::sentence(&advice.into());
        match &mut self {
            Self::Invalid(invalid) | Self::NotAdmitted(invalid) => {
                invalid.hint = Some(advice);
            }
            Self::Malformed { hint, .. } => *hint = Some(advice),
            Self::Refused(_) | Self::Several(_) | Self::Signer(_) | Self::Internal(_) => {}
        }
        self
    }

    /// The same error about a value in `field`.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        if let Self::Invalid(invalid) = &mut self {
            invalid.field = field.into();
        }
        self
    }

    /// The same error at a place in the input.
    #[cfg(feature = "profiles")]
    #[must_use]
    pub(crate) fn at(mut self, at: Option<Position>) -> Self {
        match &mut self {
            Self::Invalid(invalid) => invalid.position = at,
            Self::Malformed { position, .. } => *position = at,
            Self::NotAdmitted(_)
            | Self::Refused(_)
            | Self::Several(_)
            | Self::Signer(_)
            | Self::Internal(_) => {}
        }
        self
    }

    /// The field of the value. `None` if the error is not about one value.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid(invalid) | Self::NotAdmitted(invalid) => Some(&invalid.field),
            Self::Malformed { .. }
            | Self::Refused(_)
            | Self::Several(_)
            | Self::Signer(_)
            | Self::Internal(_) => None,
        }
    }

    /// Line and column, if the input is a text with lines.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Invalid(invalid) | Self::NotAdmitted(invalid) => invalid.position,
            Self::Malformed { position, .. } => *position,
            Self::Refused(_) | Self::Several(_) | Self::Signer(_) | Self::Internal(_) => None,
        }
    }

    /// The same error about a value of `input`.
    #[must_use]
    pub(crate) fn of(mut self, input: Input) -> Self {
        if let Self::Invalid(invalid) | Self::NotAdmitted(invalid) = &mut self {
            invalid.input = input;
        }
        self
    }

    /// The input that the value came from. `None` if the error is not about one value.
    pub fn input(&self) -> Option<Input> {
        match self {
            Self::Invalid(invalid) | Self::NotAdmitted(invalid) => Some(invalid.input),
            Self::Malformed { .. }
            | Self::Refused(_)
            | Self::Several(_)
            | Self::Signer(_)
            | Self::Internal(_) => None,
        }
    }

    /// The kind of defect. `None` if the error is not about malformed bytes.
    pub const fn defect(&self) -> Option<Defect> {
        match self {
            Self::Malformed { defect, .. } => Some(*defect),
            _ => None,
        }
    }

    /// The hint, if there is one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Invalid(invalid) | Self::NotAdmitted(invalid) => invalid.hint.as_deref(),
            Self::Malformed { hint, .. } => hint.as_deref(),
            Self::Refused(_) | Self::Several(_) | Self::Signer(_) | Self::Internal(_) => None,
        }
    }
}

/// The mistakes in one line.
fn mistakes(errors: &[Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The findings in one line.
fn reasons(findings: &[Finding]) -> String {
    let reason = |finding: &Finding| {
        format!("[{}] {}: {}", finding.rule.id, finding.subject, finding.evidence)
    };
    findings.iter().map(reason).collect::<Vec<_>>().join("; ")
}

/// True if the length of the outer element exceeds the bytes.
fn is_cut_short(der: &[u8]) -> bool {
    let Ok(mut reader) = SliceReader::new(der) else {
        return false;
    };
    match Header::decode(&mut reader) {
        Ok(header) => header.length() > reader.remaining_len(),
        Err(error) => matches!(error.kind(), ErrorKind::Incomplete { .. }),
    }
}

#[cfg(test)]
mod tests {
    use super::is_cut_short;

    #[test]
    fn an_element_that_is_cut_anywhere_is_cut_short() {
        let whole = [[0x30, 0x81, 0x80].as_slice(), &[0; 0x80]].concat();
        assert!(!is_cut_short(&whole));
        assert!(!is_cut_short(&[whole.as_slice(), &[0]].concat()));
        for end in 1..whole.len() {
            assert!(is_cut_short(&whole[..end]), "{end}");
        }
    }
}
