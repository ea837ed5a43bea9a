//! What the front ends of etcdpki share: the command line today, cfssl's command line and a server later.
//!
//! [`Ca`] is a certificate authority as a service. It drafts, signs and records, and everything that it gives
//! out is [`Recorded`]: no certificate leaves before its row in the inventory is on the disk.

// In import order: a file imports only what stands above it.
mod failure;
mod host;
mod keygen;
mod signals;
mod store;

mod inventory;
mod recorded;

mod hosts;
mod passphrase;
mod signer;
mod unsigned;

mod ca;

mod named_pair;

mod archive;
mod endpoint;
mod pairs;
mod progress;

mod output;

mod cfssl;
mod commands;

mod cli;

pub use ca::Ca;
pub use cli::main;
pub use failure::{Failure, Kind};
pub use hosts::NewFolder;
pub use named_pair::StagedPair;
pub use passphrase::PassphraseSource;
pub use recorded::Recorded;
pub use signer::Custody;
pub use store::Owners;
