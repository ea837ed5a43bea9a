//! One requirement of Go.

use crate::finding::Rule;

/// The impact of a certificate that Go cannot parse.
pub(super) const UNPARSABLE: &str = "etcd and the API server cannot parse the certificate: they exit when they load it, and they reject a peer that sends it.";

/// The versions of a requirement that holds in every version with which etcd 3.4 and later were built.
pub(super) const ALL: &str = "all versions";

/// A requirement of Go for a certificate or its path.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "demands are written as literals in one table")]
pub struct Demand {
    /// Identifies the demand, in lower case with hyphens.
    pub name: &'static str,
    /// The rule that reports a violation.
    pub rule: &'static Rule,
    /// What Go rejects.
    pub refused: &'static str,
    /// Go's message, with `…` instead of values.
    pub words: &'static str,
    /// The Go versions with this requirement.
    pub versions: &'static str,
    /// What RFC 5280, or a standard that it refers to, says about it.
    pub rfc5280: &'static str,
}

impl Demand {
    /// The evidence of a violation of this requirement.
    pub(super) fn violated(&self, what: impl std::fmt::Display) -> String {
        format!("{what}; Go says `{}` ({})", self.words, self.versions)
    }
}
