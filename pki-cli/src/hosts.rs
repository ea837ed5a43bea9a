//! The hosts' folders: reading them, and replacing an old one with a new one.

mod folder;
mod list;
mod origins;
mod place;
mod write;

pub(crate) use folder::{Extent, HeldFile, WrongMode, read, read_some, set_modes, wrong_mode};
pub(crate) use list::list;
pub(crate) use origins::Origins;
pub(crate) use place::{clean, first_folders, folder_of, probe, remove};
pub use write::NewFolder;
pub(crate) use write::{BundleFile, sync_all};

/// The folder of all hosts in the CA's folder.
pub(crate) const FOLDER: &str = "hosts";

/// The mode of a host's folder: its keys are only for its owner.
const FOLDER_MODE: u32 = 0o700;
