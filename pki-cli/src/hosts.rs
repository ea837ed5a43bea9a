//! The hosts' folders: reading them, and replacing an old one with a new one.

mod folder;
mod list;
mod origins;
mod place;
mod write;

pub(crate) use folder::{Extent, HeldFile, WrongMode, read, read_some, set_modes, wrong_mode};
pub(crate) use list::{FOLDER, list};
pub(crate) use origins::Origins;
pub(crate) use place::{clean, first_folders, folder_of, probe, remove};
pub use write::NewFolder;
pub(crate) use write::{BundleFile, sync_all};
