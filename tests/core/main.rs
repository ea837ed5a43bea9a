//! Tests of the library through its public face. Each module is one subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lab;
mod properties;
mod rcgen_traps;
mod verify;
