//! Tests of the command line as a user runs it. Each module covers one subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ansible;
mod audit;
mod bad_input;
mod cfssl;
mod cluster;
mod crash;
mod custody;
#[path = "../core/der.rs"]
#[expect(dead_code, reason = "the tests of the library need more of it")]
mod der;
mod differential;
mod documents;
mod etcd;
mod explain;
mod export;
mod faults;
mod files;
mod foreign;
mod intermediate;
mod inventory;
mod lab;
mod leaks;
mod life;
mod limbo;
mod live;
mod machines;
mod members;
mod messages;
mod oracles;
mod package;
mod peers;
mod process;
mod revocation;
mod settings;
mod structure;
mod usage;
mod verify;
mod words;
