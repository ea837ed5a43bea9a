//! The requirements of Go's crypto/x509 and crypto/tls, with which etcd, etcdctl and the Kubernetes API server are built,
//! where they reject what RFC 5280 or OpenSSL allows, or apply an RFC more strictly.
//!
//! The evidence of each violation quotes Go. These rules belong to `--policy etcd` only.

mod constraints;
mod crls;
mod domains;
mod extensions;
mod form;
mod handshake;
mod keys;
mod names;
mod path;
mod pem;
mod policies;
mod subject_alt_names;
mod times;
mod unseen;
mod unused;
mod uris;

pub(super) use self::constraints::rejects;
pub(super) use self::crls::{RULE as GO_CRL, fault as crl_fault};
pub(super) use self::form::{GoCertificate, Role};
pub(crate) use self::handshake::unsendable;
pub(crate) use self::path::{is_in_go_chain, too_many_candidates};
#[cfg(feature = "manifest")]
pub(super) use self::pem::foreign_block;
pub(super) use self::pem::{FOREIGN_BLOCK, RULE as PEM_DAMAGED};
pub use self::pem::{crl_damage, pem_damage};
pub(crate) use self::unused::unused_violations;
use super::Row;
use crate::finding::Rule;

/// The impact of a certificate that Go cannot parse.
const UNPARSABLE: &str = "etcd and the API server cannot parse the certificate: they exit when they load it, and they reject a peer that sends it.";

/// The versions of a requirement that holds in every version with which etcd 3.4 and later were built.
const ALL: &str = "all versions";

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
    fn violated(&self, what: impl std::fmt::Display) -> String {
        format!("{what}; Go says `{}` ({})", self.words, self.versions)
    }
}

/// All requirements of Go beyond the other rules, in the order of the rules.
pub fn go_demands() -> impl Iterator<Item = &'static Demand> {
    [
        form::DEMANDS,
        names::DEMANDS,
        times::DEMANDS,
        keys::DEMANDS,
        extensions::DEMANDS,
        subject_alt_names::DEMANDS,
        unseen::DEMANDS,
        uris::DEMANDS,
        constraints::DEMANDS,
        policies::DEMANDS,
        path::DEMANDS,
        handshake::DEMANDS,
        unused::DEMANDS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

pub(super) static ROWS: &[Row] = &[
    Row::certificate_itself(&form::RULE, form::check),
    Row::certificate_itself(&names::RULE, names::check),
    Row::certificate_itself(&times::RULE, times::check),
    Row::certificate_itself(&keys::RULE, keys::check),
    Row::certificate_itself(&extensions::RULE, extensions::check),
    Row::certificate_itself(&subject_alt_names::RULE, subject_alt_names::check),
    Row::certificate_itself(&unseen::RULE, unseen::check),
    Row::certificate_itself(&uris::RULE, uris::check),
    Row::certificate_itself(&constraints::FORM, constraints::check_form),
    Row::certificate(&constraints::NAMES, constraints::check_names),
    Row::certificate(&constraints::SELF_ISSUED, constraints::check_self_issued),
    Row::certificate(&policies::RULE, policies::check),
    Row::certificate(&path::RULE, path::check),
    Row::certificate(&handshake::RULE, handshake::check),
    Row::whole(&unused::RULE),
];
