//! The forms of the answer: one trait, and one file for each.

use super::github::Github;
use super::json::Json;
use super::junit::Junit;
use super::outcome::Outcome;
use super::sarif::Sarif;
use super::text::Text;
use super::totals::{PassedOver, Totals};
use crate::output::{Format, text};

/// A form of the answer. All workers share it, so it keeps nothing.
pub(super) trait Form: Sync {
    /// What stands before the first outcome.
    fn head(&self) -> Head {
        Head::Known(String::new())
    }

    /// One outcome.
    fn outcome(&self, outcome: &Outcome, view: &View) -> String;

    /// What stands between two outcomes.
    fn separator(&self) -> &'static str {
        ""
    }

    /// What stands behind the last outcome.
    fn end(&self, totals: &Totals, view: &View) -> String;
}

/// The beginning of a document.
pub(super) enum Head {
    Known(String),
    /// It holds the totals, so everything else has to wait until they are known.
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

/// What came of one input, ready to be printed.
pub(crate) enum Rendered {
    PassedOver(PassedOver),
    Judged {
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
    /// What was asked, in words: `as server, for etcdone, at 2027-01-01T00:00:00Z`.
    pub(crate) asked: String,
    /// Only one thing was named, so it needs no totals.
    pub(crate) alone: bool,
}

impl View {
    /// One outcome in the form of this view. Workers call it.
    pub(crate) fn render(&self, outcome: &Outcome) -> Rendered {
        let data = self.format.form().outcome(outcome, self);
        let messages = outcome.result.as_ref().err().map(text::failure).unwrap_or_default();
        Rendered::Judged { data, messages, totals: Box::new(Totals::of(&outcome.result)) }
    }
}

/// `1 error`, `2 errors`
pub(super) fn plural(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
