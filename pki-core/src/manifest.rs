//! The manifest of a cluster: its grammar, and a reader that reports every mistake at once.

mod model;
mod reader;
mod values;

pub use self::model::{CaSpec, Client, Host, Manifest, Paths};
