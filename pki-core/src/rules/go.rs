//! The requirements of Go's crypto/x509 and crypto/tls, with which etcd, etcdctl and the Kubernetes API server are built,
//! where they reject what RFC 5280 or OpenSSL allows, or apply an RFC more strictly.
//!
//! The evidence of each violation quotes Go. These rules belong to `--policy etcd` only.

mod constraints;
mod crls;
mod demand;
mod domains;
mod extensions;
mod form;
mod handshake;
mod keys;
mod names;
mod path;
mod pem;
mod policies;
mod rows;
mod subject_alt_names;
mod subtrees;
mod times;
mod unseen;
mod unused;
mod uris;

pub(super) use self::crls::{RULE as GO_CRL, fault as crl_fault};
pub use self::demand::Demand;
use self::demand::{ALL, UNPARSABLE};
pub(super) use self::form::{GoCertificate, Role};
pub(crate) use self::handshake::unsendable;
pub(crate) use self::path::{is_in_go_chain, too_many_candidates};
#[cfg(feature = "manifest")]
pub(super) use self::pem::foreign_block;
pub(super) use self::pem::{FOREIGN_BLOCK, RULE as PEM_DAMAGED};
pub use self::pem::{crl_damage, pem_damage};
pub(super) use self::rows::ROWS;
pub use self::rows::go_demands;
pub(super) use self::subtrees::rejects;
pub(super) use self::unused::{RULE as GO_UNUSED, faults as faults_of_unused};
