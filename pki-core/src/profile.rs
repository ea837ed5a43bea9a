//! Signing profiles in cfssl's grammar: what a CA is willing to certify.

mod admission;
mod json;
mod model;

pub(crate) use self::admission::Admission;
pub use self::model::{
    CopyExtensions, CsrWhitelist, NamePattern, Profile, SigningConfig, Unusable,
};
