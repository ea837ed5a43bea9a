//! What commands print: data on standard output, words on standard error.

pub(crate) mod facts;
pub(crate) mod json;
pub(crate) mod text;

use clap::ValueEnum;

/// The form of what goes to standard output.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; the fields are described in docs/json.md
    Json,
}
