//! Why a question could not be answered.

use crate::finding::Finding;
use crate::quote;

/// The error of every fallible function of this crate.
///
/// `Display` says what is wrong; [`Error::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field holds a value that cannot be used.
    #[error(transparent)]
    Invalid(Box<Invalid>),

    /// Bytes are not the structure that they were taken for.
    #[error("not {wanted}: {problem}")]
    Malformed {
        /// The structure that was wanted, with its article.
        wanted: &'static str,
        /// What stands in the way.
        problem: String,
        /// What to do about it.
        hint: Option<String>,
    },

    /// What is asked for is well-formed, and is not admitted.
    #[error("refused: {0}")]
    NotAdmitted(Box<Invalid>),

    /// The rules forbid the certificate, for these reasons, worst first.
    #[error("refused: {}", lines(.0))]
    Refused(Vec<Finding>),

    /// The holder of the CA key could not or would not sign.
    #[error("the signer failed: {0}")]
    Signer(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A promise that this crate makes to itself is broken: a bug.
    #[error("internal error: {0}")]
    Internal(String),
}

/// A value that its field cannot hold.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Invalid {
    /// Where the value stands, as its reader would name the place: `hosts[2]`, `--expiry`.
    pub field: String,
    /// The value as [`quote::value`] shows it: in quotes, cut, or named where it may be a secret.
    pub found: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.field, self.found, self.problem)
    }
}

impl std::error::Error for Invalid {}

impl Error {
    /// A value that its field cannot hold.
    pub fn invalid(
        field: impl Into<String>,
        found: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self::Invalid(Box::new(Invalid {
            field: field.into(),
            found: quote::value(&found.into()),
            problem: quote::sentence(&problem.into()),
            hint: None,
        }))
    }

    /// A value that is not admitted: by its profile, or because nobody should rely on it.
    pub(crate) fn not_admitted(
        field: impl Into<String>,
        found: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        match Self::invalid(field, found, problem) {
            Self::Invalid(invalid) => Self::NotAdmitted(invalid),
            other => other,
        }
    }

    pub(crate) fn malformed(wanted: &'static str, problem: impl Into<String>) -> Self {
        let hint = "it is damaged or something else; copy it again from where it was made";
        let problem = quote::sentence(&problem.into());
        Self::Malformed { wanted, problem, hint: Some(hint.to_owned()) }
    }

    /// Bytes that a decoder of DER gave up on.
    pub(crate) fn bad_der(
        wanted: &'static str,
        der: &[u8],
        decoder_says: &dyn std::fmt::Display,
    ) -> Self {
        let decoder_says = decoder_says.to_string();
        match der.trim_ascii() {
            [] => Self::malformed(wanted, "it is empty")
                .hinted("copy it again from where it was made"),
            // Everything that we read is a SEQUENCE.
            [0x30, ..] if decoder_says.contains("Eof") => {
                Self::malformed(wanted, "its DER ends too early")
            }
            [0x30, ..] => Self::malformed(wanted, format!("its DER is damaged ({decoder_says})")),
            _ => Self::malformed(wanted, "it is neither PEM nor DER"),
        }
    }

    /// The same error with advice on what to do about it.
    #[must_use]
    pub fn hinted(mut self, advice: impl Into<String>) -> Self {
        let advice = quote::sentence(&advice.into());
        match &mut self {
            Self::Invalid(invalid) | Self::NotAdmitted(invalid) => {
                invalid.hint = Some(advice);
            }
            Self::Malformed { hint, .. } => *hint = Some(advice),
            Self::Refused(_) | Self::Signer(_) | Self::Internal(_) => {}
        }
        self
    }

    /// The same error about a value that stands in `field`.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        if let Self::Invalid(invalid) = &mut self {
            invalid.field = field.into();
        }
        self
    }

    /// What to do about it, where there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Invalid(invalid) | Self::NotAdmitted(invalid) => invalid.hint.as_deref(),
            Self::Malformed { hint, .. } => hint.as_deref(),
            Self::Refused(_) | Self::Signer(_) | Self::Internal(_) => None,
        }
    }
}

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
