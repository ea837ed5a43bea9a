//! Reads certificates and certification requests from DER once.
//!
//! The fields contain what the bytes say, even if it is wrong; the rules check it.

mod constraints;
pub(crate) mod der;
mod element;
mod extension;
mod fields;
mod file;
mod general_name;
mod host;
mod name;
mod request;
mod serial;
mod shape;
mod signature_algorithm;
mod signed;
mod strict;

pub use self::constraints::NameConstraints;
pub(crate) use self::constraints::covers_domain;
pub use self::extension::{
    AccessDescription, AuthorityKeyId, BasicConstraints, DistributionPoint, Extension, Extensions,
    PolicyConstraints,
};
pub use self::fields::{Certificate, CertificateFields};
pub use self::file::CertificateFile;
pub use self::general_name::GeneralName;
pub(crate) use self::general_name::prefix;
pub use self::name::{DistinguishedName, NameAttribute};
pub use self::request::CertificateRequest;
pub use self::serial::SerialNumber;
pub(crate) use self::signature_algorithm::is_weak_signature;
pub use self::signature_algorithm::signature_algorithm_name;
pub(crate) use self::signed::{Encoding, Signed, no_rest};
pub(crate) use self::strict::der_fault;
