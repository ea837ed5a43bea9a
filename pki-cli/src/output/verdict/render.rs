//! Renders one outcome in the format that the user chose.

use super::form::{Form, View};
use super::github::Github;
use super::json::Json;
use super::junit::Junit;
use super::outcome::Outcome;
use super::sarif::Sarif;
use super::text::Text;
use super::totals::{Skipped, Totals};
use crate::output::{Format, text};

impl Format {
    pub(super) fn form(self) -> &'static dyn Form {
        match self {
            Self::Text => &Text,
            Self::Json => &Json,
            Self::Sarif => &Sarif,
            Self::Junit => &Junit,
            Self::Github => &Github,
        }
    }
}

/// The rendered outcome of one input.
pub(crate) enum Rendered {
    Skipped(Skipped),
    Verified {
        /// For standard output.
        data: String,
        /// For standard error.
        messages: String,
        totals: Box<Totals>,
    },
}

impl View {
    /// Renders one outcome. Workers call this.
    pub(crate) fn render(&self, outcome: &Outcome) -> Rendered {
        let data = self.format.form().outcome(outcome, self);
        let messages = outcome.result.as_ref().err().map(text::failure).unwrap_or_default();
        Rendered::Verified { data, messages, totals: Box::new(Totals::of(&outcome.result)) }
    }
}
