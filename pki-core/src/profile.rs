//! Signing profiles in cfssl's grammar: what a CA is willing to certify.

mod admission;
mod json;
mod model;
mod sentinel;

pub(crate) use self::admission::Admission;
pub use self::model::{
    CopyExtensions, CsrWhitelist, NamePattern, Profile, SigningConfig, Unusable,
};
#[cfg(feature = "manifest")]
pub(crate) use self::sentinel::is_sentinel;
