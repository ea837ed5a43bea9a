//! The output format.

use clap::ValueEnum;

/// What `--format` chooses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    #[default]
    Text,
    /// JSON for programs; docs/json.md describes the fields
    Json,
    /// SARIF 2.1.0 for code scanning, only with `verify`
    Sarif,
    /// JUnit XML for the test reports of CI servers, only with `verify`
    Junit,
    /// Annotations for GitHub Actions, only with `verify`
    Github,
}

impl Format {
    /// True for the formats that work only with `verify`.
    pub(crate) const fn is_verdict(self) -> bool {
        matches!(self, Self::Sarif | Self::Junit | Self::Github)
    }
}
