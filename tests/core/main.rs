//! Tests of the library through its public API. Each module covers one subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authority;
mod bundle;
mod ca_set;
mod cfssl;
mod cluster;
mod der;
mod differential;
mod documents;
mod encrypted_keys;
mod foreign;
mod keys;
mod lab;
mod openssl;
mod outside;
mod paths;
mod profiles;
mod properties;
mod rcgen_traps;
mod revocation;
mod rotation;
mod rules;
mod trust;
mod verify;
