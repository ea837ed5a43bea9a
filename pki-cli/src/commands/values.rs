//! Values of the command line that pki-core parses.

use pki_core::{Attribute, Error, Subject, parse_lifetime};
use time::Duration;

use crate::failure::Failure;

/// A lifetime. `parse_duration` would also accept `0` and `-1h`.
pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    core(parse_lifetime(text))
}

/// A value of the command line that pki-core parses. The message contains the hint.
pub(super) fn core<T>(parsed: Result<T, pki_core::Error>) -> Result<T, String> {
    parsed.map_err(|error| {
        let reason = match &error {
            Error::Invalid(invalid) => invalid.problem.clone(),
            other => other.to_string(),
        };
        match error.hint() {
            Some(hint) => format!("{reason}\n  hint: {hint}"),
            None => reason,
        }
    })
}

/// The subject with the values of --cn and --org instead of those in a file.
pub(super) fn override_subject(
    mut subject: Subject,
    cn: Option<&String>,
    org: Option<&String>,
) -> Result<Subject, Failure> {
    let options = [(Attribute::CommonName, cn), (Attribute::Organization, org)];
    for (attribute, value) in options {
        if let Some(value) = value {
            subject = subject.with(attribute, value)?;
        }
    }
    Ok(subject)
}
