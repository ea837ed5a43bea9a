//! The errors of the encoders.

use std::fmt::Display;

use crate::error::{Error, Input};
use crate::oid::Oid;

/// An encoder failed on values that were checked before.
pub(super) fn failed(error: &dyn Display) -> Error {
    Error::Internal(format!("cannot encode: {error}"))
}

pub(super) fn unwritable_oid(oid: &Oid, input: Input) -> Error {
    Error::invalid("OID", oid.as_str(), "an OID with a number that is too large to encode")
        .hinted("remove the field with this OID")
        .of(input)
}
