//! The rules: one table that both `issue` and `verify` apply.
//!
//! Rules are in groups, one file for each. A new rule is one row in a group, one function in the same
//! file, and an example: the same input with and without the fault.

mod apply;
mod ca;
#[cfg(feature = "manifest")]
mod client_config;
#[cfg(feature = "manifest")]
mod client_files;
mod clients;
#[cfg(feature = "manifest")]
mod cluster;
#[cfg(feature = "manifest")]
mod config;
mod constraints;
#[cfg(feature = "manifest")]
mod crls;
mod endpoint;
#[cfg(feature = "manifest")]
mod files;
mod form;
mod go;
mod in_path;
mod itself;
mod keys;
mod names;
mod options;
mod path;
#[cfg(feature = "manifest")]
mod peers;
#[cfg(feature = "manifest")]
mod pem;
mod policies;
#[cfg(feature = "manifest")]
mod reach;
#[cfg(feature = "manifest")]
mod remarks;
mod revocation;
mod row;
#[cfg(feature = "manifest")]
mod servers;
mod symptoms;
mod table;
#[cfg(feature = "manifest")]
mod trust;
mod usages;
mod validity;

#[cfg(feature = "manifest")]
pub(crate) use self::apply::check_deployment;
pub(crate) use self::apply::{check, check_before_signing};
pub use self::endpoint::EndpointFault;
#[cfg(feature = "manifest")]
pub(crate) use self::files::MANIFEST_DRIFT;
#[cfg(feature = "manifest")]
pub use self::files::unreadable_file;
pub use self::go::{Demand as GoDemand, crl_damage, go_demands, pem_damage};
pub(crate) use self::go::{is_in_go_chain, too_many_candidates, unsendable};
pub(crate) use self::in_path::CertificateInPath;
pub(crate) use self::itself::{OwnViolations, unused_violations};
pub(crate) use self::options::finding;
pub use self::options::{Policy, VerifyOptions};
pub(crate) use self::path::{
    CHAIN_ORDER, PATH_REJECTED, PATH_SIGNATURE, PATH_TOO_DEEP, PATH_UNKNOWN_AUTHORITY, not_der,
};
pub(crate) use self::revocation::{
    check_crl_before_signing, unused_crls, violations as revocation_violations,
};
use self::row::Row;
#[cfg(feature = "manifest")]
use self::row::Violation;
pub use self::symptoms::rules_behind;
pub use self::table::{rule, rules};
