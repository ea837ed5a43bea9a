//! cfssl's log on standard error, which scripts read: `DATE TIME [LEVEL] text`, in local time.

use std::cell::Cell;

use pki_core::{Finding, Invalid, Severity, quote};
use time::macros::format_description;

use super::flags::Flags;
use crate::failure::Failure;
use crate::host;

/// How much a line matters. `-loglevel` hides the lines below its number.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Level {
    Info = 1,
    Warning = 2,
    Error = 3,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// The log of one run.
///
/// Scripts take the number of a certificate from the line with the word "serial", so no other line has it.
#[derive(Debug)]
pub(super) struct Log {
    lowest: i64,
    warnings: Cell<usize>,
}

impl Log {
    /// Shows all lines; cfssl's default level is 1.
    pub(super) const fn new() -> Self {
        Self { lowest: 1, warnings: Cell::new(0) }
    }

    /// Sets the level from `-loglevel`. The error is a sentence about the flag.
    pub(super) fn set_level(&mut self, flags: &Flags) -> Result<(), String> {
        if let Some(level) = flags.value("loglevel") {
            self.lowest = level.parse().map_err(|_| {
                format!("invalid value {level:?} for flag -loglevel: write 0 (all lines) to 5")
            })?;
        }
        Ok(())
    }

    /// A line that cfssl also writes, with the same text.
    pub(super) fn info(&self, text: &str) {
        if self.lowest <= Level::Info as i64 {
            write(Level::Info, text);
        }
    }

    /// A warning that cfssl also writes, with the same text, which has several lines.
    pub(super) fn warning_of_cfssl(&self, text: &str) {
        if self.lowest <= Level::Warning as i64 {
            write(Level::Warning, text);
        }
    }

    /// A difference from what cfssl would have made or accepted. It is shown at every level.
    pub(super) fn difference(&self, text: &str) {
        self.warnings.set(self.warnings.get() + 1);
        write(Level::Warning, &without_word(text));
    }

    /// Advice about something that cfssl creates in the same way.
    pub(super) fn advice(&self, text: &str) {
        self.warnings.set(self.warnings.get() + 1);
        if self.lowest <= Level::Warning as i64 {
            write(Level::Warning, &without_word(text));
        }
    }

    /// Each unusual property of an input, as a difference.
    pub(super) fn differences(&self, input: &str, warnings: &[Invalid]) {
        for warning in warnings {
            let hint = warning.hint.as_deref().map_or_else(String::new, |hint| format!("; {hint}"));
            self.difference(&format!("{input}: {warning}{hint}"));
        }
    }

    /// The warnings of the rules about a certificate that was issued.
    pub(super) fn findings(&self, findings: &[Finding]) {
        for finding in findings.iter().filter(|finding| finding.severity == Severity::Warning) {
            self.advice(&sentence(finding));
        }
    }

    /// Why there is no result, at every level: each mistake of an input in a line of its own.
    pub(super) fn failure(failure: &Failure) {
        let fix =
            |hint: Option<&str>| hint.map_or_else(String::new, |hint| format!(" (fix: {hint})"));
        for line in format!("{}{}", failure.message, fix(failure.hint.as_deref())).lines() {
            write(Level::Error, &without_word(line));
        }
        for mistake in &failure.mistakes {
            write(Level::Error, &without_word(&format!("{mistake}{}", fix(mistake.hint()))));
        }
        for finding in failure.findings.iter().filter(|f| f.severity == Severity::Error) {
            write(Level::Error, &without_word(&sentence(finding)));
        }
    }

    /// Fails if `ETCDPKI_STRICT` is 1 and there was a warning. Call this before anything is printed.
    pub(super) fn check_strict(&self) -> Result<(), Failure> {
        let strict = host::variable("ETCDPKI_STRICT").is_some_and(|value| value.as_slice() == b"1");
        match self.warnings.get() {
            warnings @ 1.. if strict => {
                let count = if warnings == 1 {
                    "1 warning".to_owned()
                } else {
                    format!("{warnings} warnings")
                };
                Err(Failure::refused(format!("{count}, and ETCDPKI_STRICT is 1"))
                    .hinted("correct what the warnings above report, or unset ETCDPKI_STRICT"))
            }
            _ => Ok(()),
        }
    }
}

fn sentence(finding: &Finding) -> String {
    let rule = finding.rule;
    format!("{}: {} [{}] {}", finding.subject, finding.evidence, rule.id, rule.impact)
}

/// The text without the word "serial", which scripts search for.
fn without_word(text: &str) -> String {
    text.replace("serial number", "number")
        .replace("serialNumber", "SerialNumber")
        .replace("serial", "Serial")
}

fn write(level: Level, text: &str) {
    let format = format_description!("[year]/[month]/[day] [hour]:[minute]:[second]");
    let now = host::local_now().format(format).unwrap_or_default();
    host::say(&format!("{now} [{}] {}\n", level.as_str(), quote::sentence(text)));
}
