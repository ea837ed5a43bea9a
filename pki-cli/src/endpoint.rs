//! Live endpoints: connects to them over TLS and records what they do.
//!
//! Nothing is verified here. The chain that a server presents is recorded even if it is invalid. The server
//! must prove that it has the private key; otherwise there is no session.

mod address;
mod client;
mod connection;
mod dialler;

pub(crate) use self::address::{Address, CLIENT_PORT, PEER_PORT};
pub(crate) use self::client::Identity;
pub(crate) use self::dialler::{Answer, Dialler, Session};
