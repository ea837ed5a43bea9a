//! Tests of the command line as a user runs it. Each module covers one subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod bad_input;
mod cluster;
mod crash;
mod etcd;
mod explain;
mod export;
mod faults;
mod files;
mod foreign;
mod inventory;
mod lab;
mod leaks;
mod limbo;
mod live;
mod machines;
mod members;
mod oracles;
mod peers;
mod process;
mod settings;
mod usage;
mod verify;
mod words;
