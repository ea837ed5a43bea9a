//! The manifest of a cluster: its grammar, and every mistake in it at once.

mod model;
mod reader;
mod values;

pub use self::model::{CaSpec, Client, Host, Manifest, Paths};
