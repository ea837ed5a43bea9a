//! Workflow commands of GitHub Actions, which become annotations.

use std::fmt::Write as _;

use pki_core::Severity;

use super::form::{Form, View};
use super::outcome::{Location, Outcome};
use super::text;
use super::totals::Totals;

pub(super) struct Github;

impl Form for Github {
    fn outcome(&self, outcome: &Outcome, _: &View) -> String {
        let mut out = String::new();
        match &outcome.result {
            Ok(verified) => {
                for found in verified.counting() {
                    let command = match found.severity {
                        Severity::Error => "error",
                        Severity::Warning => "warning",
                        Severity::Info => "notice",
                    };
                    let message = format!(
                        "{}: {}: {}\nimpact: {}\nfix: {}\nsee: {}",
                        outcome.name,
                        found.subject,
                        found.evidence,
                        found.rule.impact,
                        found.rule.remedy,
                        found.rule.citation
                    );
                    annotate(&mut out, command, outcome, found.rule.id, &message);
                }
            }
            Err(failure) => {
                let hint =
                    failure.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
                let message = format!("{}{hint}", failure.message);
                annotate(&mut out, "error", outcome, "not verified", &message);
            }
        }
        out
    }

    /// A line of the log, because only commands become annotations.
    fn end(&self, totals: &Totals, view: &View) -> String {
        format!("{} {}\n", text::summary(totals), view.asked)
    }
}

fn annotate(out: &mut String, command: &str, outcome: &Outcome, title: &str, message: &str) {
    let file = match &outcome.location {
        Location::File(path) => format!("file={},", property(&path.to_string_lossy())),
        Location::Elsewhere => String::new(),
    };
    let title = property(&format!("etcdpki {title}"));
    let _ = writeln!(out, "::{command} {file}title={title}::{}", data(message));
}

/// As actions/toolkit escapes the message of a command. Other control characters could start an
/// escape sequence of a terminal.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// As actions/toolkit escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
