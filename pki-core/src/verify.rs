//! The verifier: rustls-webpki finds the paths, and the rules give the reasons.
//!
//! webpki finds the paths and can reject them. The rules check each path that it finds, and can only reject more: webpki
//! knows only the name, the key and the name constraints of a trust anchor, so the rules check its dates and whether it
//! may sign.
//!
//! There are valid paths that webpki cannot accept ([`PathLimit`]). Only for a path that meets one of these limits, this
//! crate's own walk replaces webpki, and the same rules check the path. docs/verification.md explains why this does not
//! accept anything invalid.
//!
//! Trust is independent of the rules: either the signatures lead to an anchor, or they do not. It is therefore also known
//! for an expired certificate, and a caller that ignores findings cannot change it.
//!
//! [`PathLimit`]: crate::report::PathLimit

mod algorithms;
mod anchors;
mod check;
mod explain;
mod go_search;
mod known;
mod limits;
mod paths;
mod validation;
mod verifier;
mod walk;

pub use self::verifier::{Verifier, VerifierBuilder, is_crl};
