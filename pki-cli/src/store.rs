//! Files: modes, sets of files that are written completely or not at all, the lock, reading with a limit.

mod access;
mod batch;
mod durability;
mod lock;
mod read;
mod sets;
mod sweep;
mod unfinished;

pub use access::Owners;
pub(crate) use access::{Access, absolute, is_there, make_folder};
pub(crate) use batch::{Batch, Existing, Synced, create_whole};
pub(crate) use durability::Durability;
pub(crate) use lock::Lock;
pub(crate) use read::{
    LIMIT, Read, mode_for_others, read, read_open, read_regular, read_secret, read_with,
};
pub(crate) use sweep::{sweep_own, sweep_shared};
pub(crate) use unfinished::UNFINISHED;
