//! What commands print: data on standard output, words on standard error.

pub(crate) mod facts;
pub(crate) mod json;
pub(crate) mod text;
pub(crate) mod verdict;

use clap::ValueEnum;

/// The form of what goes to standard output.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; the fields are described in docs/json.md
    Json,
    /// SARIF 2.1.0, of `verify`: code scanning
    Sarif,
    /// JUnit XML, of `verify`: the test reports of CI servers
    Junit,
    /// Annotations of GitHub Actions, of `verify`
    Github,
}

impl Format {
    /// True for the forms that only a verdict has.
    pub(crate) const fn is_verdict(self) -> bool {
        matches!(self, Self::Sarif | Self::Junit | Self::Github)
    }
}
