//! `--ignore RULE=REASON` and `--warn-as-error`: which findings count, and with which severity.

use std::ffi::OsStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, Error, ErrorKind};
use clap::{Arg, Command};
use pki_core::{Finding, Severity, rules};

use crate::output::verdict::ReportedFinding;

/// A rule whose findings do not count, and why.
#[derive(Clone, Debug)]
pub(super) struct Ignore {
    rule: String,
    reason: String,
}

/// Reads RULE=REASON. For an unknown rule, the error suggests the most similar one.
#[derive(Clone, Debug)]
pub(super) struct IgnoreParser;

impl TypedValueParser for IgnoreParser {
    type Value = Ignore;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Ignore, Error> {
        let text = value.to_str().unwrap_or_default();
        let (rule, reason) = text.split_once('=').unwrap_or((text, ""));
        if let Some(rule) = rules().find(|known| known.id == rule && known.is_about_trust()) {
            return Err(Error::raw(
                ErrorKind::ValueValidation,
                format!(
                    "{} cannot be ignored: a certificate without a path to a trusted CA proves nothing\n  hint: name the CA that signed it with --ca, and intermediate CAs with --intermediates\n",
                    rule.id
                ),
            )
            .with_cmd(command));
        }
        let ids = PossibleValuesParser::new(rules().map(|rule| rule.id));
        let rule = ids.parse_ref(command, arg, OsStr::new(rule)).map_err(|mut error| {
            // The most similar rule is enough; the documentation lists the others.
            error.remove(ContextKind::ValidValue);
            error
        })?;
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(Error::raw(
                ErrorKind::ValueValidation,
                format!(
                    "--ignore {rule} lacks a reason\n  hint: write why, so that others understand it later: --ignore '{rule}=REASON'\n"
                ),
            )
            .with_cmd(command));
        }
        Ok(Ignore { rule, reason })
    }
}

/// How findings are counted in this run.
pub(super) struct Exceptions {
    pub(super) ignored: Vec<Ignore>,
    /// Count warnings as errors.
    pub(super) warn_as_error: bool,
}

impl Exceptions {
    /// The findings that are not ignored.
    pub(super) const fn ignoring_nothing(&self) -> Self {
        Self { ignored: Vec::new(), warn_as_error: self.warn_as_error }
    }

    /// Worst first; findings of the same severity keep their order.
    pub(super) fn apply(&self, findings: Vec<Finding>) -> Vec<ReportedFinding> {
        let mut found: Vec<ReportedFinding> =
            findings.into_iter().map(|finding| self.one(finding)).collect();
        found.sort_by_key(|found| std::cmp::Reverse(found.finding.severity));
        found
    }

    fn one(&self, mut finding: Finding) -> ReportedFinding {
        let mut ignored = self.ignored.iter().filter(|ignored| ignored.rule == finding.rule.id);
        let ignored = ignored.next().map(|ignored| ignored.reason.clone());
        if self.warn_as_error && finding.severity == Severity::Warning && ignored.is_none() {
            finding.severity = Severity::Error;
        }
        ReportedFinding { finding, ignored }
    }
}
