//! A certificate authority as a service: it drafts, signs and records, and only gives out what is recorded.

mod chain;
mod cluster;
mod create;
mod folder;
mod foreign;
mod import;
mod intermediate;
mod paths;
mod renew;
mod revocation;
mod rotation;
mod scan;
mod service;

pub(crate) use self::chain::{Chain, issued_by, read_certificate_file, read_certificates};
pub(crate) use self::cluster::{cluster_around, cluster_cas, crl_file, name, read_cluster};
pub(crate) use self::create::{NewCa, Opened, Remains};
pub(crate) use self::folder::{Found, LockedFolder, check_foreign};
pub(crate) use self::import::{Files, ForeignCa, has_its_key};
pub(crate) use self::intermediate::{Finished, finish_intermediate};
pub(crate) use self::paths::{
    certificate_path, folder_of, folders_in, folders_of, hosts_from, hosts_of, is_separate,
    key_path, name_one, next_key_path, pending_crl_path, pending_path, traffic_of,
};
pub(crate) use self::renew::lifetime_after;
pub(crate) use self::revocation::{CRL_LIFETIME, CrlDue, CrlState, crl_number};
pub(crate) use self::rotation::{NextCa, issuers};
pub(crate) use self::scan::Scan;
pub use self::service::Ca;
