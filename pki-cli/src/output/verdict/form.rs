//! What every output format has in common: one trait, which a file for each format implements.

use super::outcome::Outcome;
use super::totals::Totals;
use crate::output::Format;

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

/// How outcomes are shown.
pub(crate) struct View {
    pub(crate) format: Format,
    /// The options as text: `as server, for etcdone, at 2027-01-01T00:00:00Z`.
    pub(crate) asked: String,
    /// Only one input was named, so totals are not printed.
    pub(crate) alone: bool,
}

/// `1 error`, `2 errors`
pub(super) fn plural(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
