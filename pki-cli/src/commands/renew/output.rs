//! What `renew` prints.

use pki_core::{Severity, quote};
use serde::Serialize;

use super::target::Target;
use crate::failure::Failure;
use crate::host;
use crate::output::facts::moment;
use crate::output::{Format, json, text};

#[derive(Default, Serialize)]
pub(super) struct RenewOutput {
    pub(super) changed: bool,
    pub(super) dry_run: bool,
    pub(super) certificates: Vec<Line>,
    pub(super) warnings: Vec<String>,
    pub(super) next: Vec<String>,
}

/// The result for one certificate.
#[derive(Serialize)]
pub(super) struct Line {
    /// The path of the certificate.
    pub(super) file: String,
    pub(super) subject: String,
    pub(super) serial: String,
    pub(super) not_after: String,
    /// `None` with --dry-run.
    pub(super) new_serial: Option<String>,
    pub(super) new_not_after: Option<String>,
}

impl Line {
    pub(super) fn planned(target: &Target) -> Self {
        let old = target.certificate();
        Self {
            file: target.name(),
            subject: old.subject.to_string(),
            serial: old.serial.to_string(),
            not_after: moment(old.not_after),
            new_serial: None,
            new_not_after: None,
        }
    }

    pub(super) fn renewed(target: &Target, new: &pki_core::Certificate) -> Self {
        Self {
            new_serial: Some(new.serial.to_string()),
            new_not_after: Some(moment(new.not_after)),
            ..Self::planned(target)
        }
    }

    pub(super) fn text(&self) -> String {
        let (file, subject) = (quote::name(&self.file), &self.subject);
        match &self.new_not_after {
            Some(end) => {
                format!("renewed {file} ({subject}): expires {end}, was {}\n", self.not_after)
            }
            None => format!("would renew {file} ({subject}), which expires {}\n", self.not_after),
        }
    }
}

impl RenewOutput {
    pub(super) fn print(&self, format: Format) -> Result<(), Failure> {
        if format == Format::Json {
            return json::print(self);
        }
        warn(&self.warnings);
        let mut page: String = self.certificates.iter().map(Line::text).collect();
        if self.certificates.is_empty() {
            page.push_str("nothing is due\n");
        }
        page.extend(self.next.iter().map(|next| format!("next: {next}\n")));
        host::print(&page)
    }
}

/// Warnings, for people.
pub(super) fn warn(warnings: &[String]) {
    let word = text::coloured(Some(Severity::Warning), "warning");
    for warning in warnings {
        host::say(&format!("{word}: {warning}\n"));
    }
}
