//! The output formats: one trait, and one file for each.

use super::github::Github;
use super::json::Json;
use super::junit::Junit;
use super::outcome::Outcome;
use super::sarif::Sarif;
use super::text::Text;
use super::totals::{Skipped, Totals};
use crate::output::{Format, text};

/// An output format. All workers share it, so it has no state.
pub(super) trait Form: Sync {
    /// The text before the first outcome.
    fn head(&self) -> Head {
        Head::Known(String::new())
    }

    /// One outcome.
    fn outcome(&self, outcome: &Outcome, view: &View) -> String;

    /// The text between two outcomes.
    fn separator(&self) -> &'static str {
        ""
    }

    /// The text after the last outcome.
    fn end(&self, totals: &Totals, view: &View) -> String;
}

/// The beginning of a document.
pub(super) enum Head {
    Known(String),
    /// It contains the totals, so everything else has to wait until they are known.
    FromTotals(fn(&Totals) -> String),
}

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

/// How outcomes are shown.
pub(crate) struct View {
    pub(crate) format: Format,
    /// The options as text: `as server, for etcdone, at 2027-01-01T00:00:00Z`.
    pub(crate) asked: String,
    /// Only one input was named, so totals are not printed.
    pub(crate) alone: bool,
}

impl View {
    /// Renders one outcome. Workers call this.
    pub(crate) fn render(&self, outcome: &Outcome) -> Rendered {
        let data = self.format.form().outcome(outcome, self);
        let messages = outcome.result.as_ref().err().map(text::failure).unwrap_or_default();
        Rendered::Verified { data, messages, totals: Box::new(Totals::of(&outcome.result)) }
    }
}

/// `1 error`, `2 errors`
pub(super) fn plural(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
