//! What commands print: data on standard output, messages on standard error.

pub(crate) mod facts;
mod format;
pub(crate) mod json;
pub(crate) mod record;
pub(crate) mod text;
pub(crate) mod verdict;

pub(crate) use self::format::Format;
