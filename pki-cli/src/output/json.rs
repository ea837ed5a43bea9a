//! JSON for programs: one document for each run.

use serde::Serialize;

use super::facts::{self, FindingFacts};
use crate::failure::Failure;
use crate::host;

/// Prints one document.
pub(crate) fn print(document: &impl Serialize) -> Result<(), Failure> {
    host::print(&text(document)?)
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

#[derive(Serialize)]
struct FailureFacts<'a> {
    kind: &'static str,
    exit_code: u8,
    message: &'a str,
    hint: Option<&'a str>,
    findings: Vec<FindingFacts>,
}

/// Prints a failure instead of the result.
pub(crate) fn print_failure(failure: &Failure) -> Result<(), Failure> {
    print(&FailureDocument {
        error: FailureFacts {
            kind: failure.kind.as_str(),
            exit_code: failure.kind.exit_code(),
            message: &failure.message,
            hint: failure.hint.as_deref(),
            findings: facts::findings(&failure.findings),
        },
    })
}
