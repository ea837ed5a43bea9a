//! JSON for programs: one document for each run.

use serde::Serialize;

use super::facts::{self, FindingFacts};
use crate::failure::Failure;
use crate::host;

/// Prints one document.
pub(crate) fn print(document: &impl Serialize) -> Result<(), Failure> {
    host::print(&text(document)?)
}

#[derive(Serialize)]
struct OfCas<T> {
    cas: Vec<OfCa<T>>,
}

#[derive(Serialize)]
struct OfCa<T> {
    ca: &'static str,
    #[serde(flatten)]
    document: T,
}

/// Prints one document about the CAs of a run: that of the only CA, or a list of those of separate CAs, each with its name.
pub(crate) fn print_of_cas<T: Serialize>(
    documents: Vec<(Option<&'static str>, T)>,
) -> Result<(), Failure> {
    let mut cas = Vec::new();
    for (name, document) in documents {
        match name {
            None => return print(&document),
            Some(ca) => cas.push(OfCa { ca, document }),
        }
    }
    if cas.is_empty() { Ok(()) } else { print(&OfCas { cas }) }
}

/// One document, with a line end.
pub(crate) fn text(document: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(document)
        .map_err(|error| Failure::environment(format!("cannot write JSON: {error}")))?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct FailureDocument<'a> {
    error: FailureFacts<'a>,
}

/// Why something failed, under stable names.
#[derive(Serialize)]
pub(crate) struct FailureFacts<'a> {
    kind: &'static str,
    exit_code: u8,
    message: &'a str,
    hint: Option<&'a str>,
    findings: Vec<FindingFacts>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mistakes: Vec<MistakeFacts<'a>>,
}

/// A mistake in a manifest.
#[derive(Serialize)]
struct MistakeFacts<'a> {
    /// The field, such as `etcd[0].ip`.
    path: Option<&'a str>,
    line: Option<u64>,
    column: Option<u64>,
    message: String,
    hint: Option<&'a str>,
}

impl<'a> From<&'a pki_core::Error> for MistakeFacts<'a> {
    fn from(error: &'a pki_core::Error) -> Self {
        Self {
            path: error.field(),
            line: error.position().map(|position| position.line),
            column: error.position().map(|position| position.column),
            message: error.to_string(),
            hint: error.hint(),
        }
    }
}

impl<'a> From<&'a Failure> for FailureFacts<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            kind: failure.kind.as_str(),
            exit_code: failure.kind.exit_code(),
            message: &failure.message,
            hint: failure.hint.as_deref(),
            findings: facts::findings(&failure.findings),
            mistakes: failure.mistakes.iter().map(MistakeFacts::from).collect(),
        }
    }
}

/// Prints a failure instead of the result.
pub(crate) fn print_failure(failure: &Failure) -> Result<(), Failure> {
    print(&FailureDocument { error: failure.into() })
}
