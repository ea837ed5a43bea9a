//! Who may read what is written.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::batch::{Batch, Existing};
use crate::failure::{Failure, shown};

/// Who may read a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Only its owner, whatever the umask says.
    Secret,
    /// Everybody whom the umask allows.
    Public,
}

impl Access {
    pub(crate) const fn mode(self) -> u32 {
        match self {
            Self::Secret => 0o600,
            Self::Public => 0o644,
        }
    }

    /// Refuses a file with more permissions than it was created with: some file systems (vfat, some FUSE
    /// and network file systems) give every file the mode of the mount, and a key would be readable by all.
    pub(crate) fn check(self, found: u32, path: &Path) -> Result<(), Failure> {
        if found & 0o777 & !self.mode() == 0 {
            return Ok(());
        }
        Err(Failure::environment(format!(
            "{}: the file system does not keep file modes: a file created with mode {:04o} has mode {:04o}",
            shown(path),
            self.mode(),
            found & 0o777
        ))
        .hinted("write to a file system that keeps them, such as ext4, xfs or tmpfs"))
    }
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path, access: Access) -> Result<(), Failure> {
    let mode = match access {
        Access::Secret => 0o700,
        Access::Public => 0o755,
    };
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(|error| {
        match error.kind() {
            ErrorKind::AlreadyExists => {
                Failure::environment(format!("{} is not a folder", shown(path)))
                    .hinted("name another folder")
            }
            _ => Failure::file("making the folder", path, &error),
        }
    })
}

/// Makes an empty file that only its owner can read, if it is not there. A link is not followed.
pub(crate) fn touch_secret(path: &Path) -> Result<(), Failure> {
    Batch::new(Existing::Replace).check_place(path)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(Failure::file("making", path, &error))
        }
        _ => Ok(()),
    }
}

/// Whether something has this name, a link to nowhere included. Not being allowed to look is not a "no".
pub(crate) fn is_there(path: &Path) -> Result<bool, Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(Failure::file("looking at", path, &error)),
    }
}
