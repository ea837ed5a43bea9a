//! Go's crypto/x509 and crypto/tls, which etcd and the API server are made of, against `--policy etcd`.
//!
//! What Go refuses we refuse, without exception. What Go accepts and we refuse belongs to a class that
//! docs/verification.md explains.

mod by_construction;
pub(crate) mod chains;
mod classes;
mod compare;
mod crowds;
mod demands;
mod documentation;
mod faults;
mod found;
pub(crate) mod full;
mod issued;
pub(crate) mod judge;
mod kinds;
mod pem;
mod policies;
mod rare_keys;
pub(crate) mod samples;
mod shapes;
mod signatures;
mod tree;
mod twins;
mod vectors;
