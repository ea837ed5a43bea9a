//! Reading of JSON and YAML documents: every value knows its path, and no key is ignored silently.
//!
//! cfssl's reader matches keys case-insensitively, reads the last of two equal keys over the first, and ignores unknown
//! keys. This reader is also case-insensitive, because existing files rely on it. Duplicate and unknown
//! keys hide mistakes, so they are errors, or warnings in cfssl's dialect. Manifests in YAML use the same
//! reader, with line numbers.

mod json;
mod members;
mod reader;
mod value;
#[cfg(feature = "manifest")]
mod yaml;

pub(crate) use self::members::Fields;
pub(crate) use self::value::{Document, Value};
