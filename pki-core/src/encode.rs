//! Encodes values as structures with an empty signature, which contain the bytes to sign. Only this module uses the encoders.
//!
//! rcgen writes the parts that this crate creates: validity, extensions, the entries of CRLs, the attributes of
//! requests. It signs while it encodes, without a step in between. It therefore gets a key that returns an empty
//! signature, and the to-be-signed part is extracted from its output.
//!
//! Names, keys and algorithm identifiers are existing bytes, or values that rcgen does not support (several values of one
//! attribute type). They replace what rcgen wrote, unchanged ([`carried`]).

mod carried;
mod certificate;
mod crl;
mod errors;
mod extensions;
mod name;
mod renewal;
mod request;
mod signatory;

pub(crate) use self::carried::{signed, unsigned_certificate, unsigned_crl, unsigned_request};
pub(crate) use self::certificate::certificate;
pub(crate) use self::crl::crl;
pub(crate) use self::renewal::{Replacements, renewed};
pub(crate) use self::request::{CsrTemplate, request};
pub(crate) use self::signatory::signature_algorithm;
