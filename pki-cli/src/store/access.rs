//! Access to files: modes and owners.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, shown};

/// Who may read a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Only its owner, whatever the umask says.
    Secret,
    /// Everybody, as far as the umask allows.
    Public,
    /// The same, and the group may change it: the mode of the certificates that cfssljson writes.
    Group,
}

impl Access {
    pub(crate) const fn mode(self) -> u32 {
        match self {
            Self::Secret => 0o600,
            Self::Public => 0o644,
            Self::Group => 0o664,
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

/// Who may own the folder of a CA, and its key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between the two")]
pub enum Owners {
    /// The user who runs the program, or root.
    Trusted,
    /// Anybody.
    Any,
}

impl Owners {
    /// Refuses a file or folder that another user owns or can write to, like sshd with `StrictModes`, because that user
    /// could replace the CA. Folders above it are not checked.
    pub(crate) fn check_folder(self, path: &Path) -> Result<(), Failure> {
        let metadata = fs::metadata(path);
        let metadata = metadata.map_err(|error| Failure::file("looking at", path, &error))?;
        let mode = metadata.mode() & 0o777;
        if mode & 0o022 != 0 {
            let path = shown(path);
            return Err(Failure::environment(format!(
                "{path} has mode {mode:04o}: users other than its owner can write to it"
            ))
            .hinted(format!("check that nobody changed it, then run chmod go-w {path}")));
        }
        self.check_owner(path, &metadata)
    }

    /// The same for a file in the folder, if it exists, but only for its owner: the code that reads the file checks its
    /// mode.
    pub(crate) fn check_file(self, path: &Path) -> Result<(), Failure> {
        fs::metadata(path).map_or(Ok(()), |metadata| self.check_owner(path, &metadata))
    }

    fn check_owner(self, path: &Path, metadata: &Metadata) -> Result<(), Failure> {
        let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
        let path = shown(path);
        if self == Self::Any || owner == user || owner == 0 {
            return Ok(());
        }
        Err(Failure::environment(format!(
            "{path} belongs to the user ID {owner}, which is neither root nor the user who runs this ({user})"
        ))
        .hinted(
            "run this as that user, or chown it, or, if you trust that user with the CA, add --allow-foreign-owner",
        ))
    }
}

/// Creates a folder and those above it.
pub(crate) fn make_folder(path: &Path, access: Access) -> Result<(), Failure> {
    let mode = match access {
        Access::Secret => 0o700,
        Access::Public | Access::Group => 0o755,
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

/// Whether the path exists, including broken links. A failure to check is an error, not a "no".
pub(crate) fn is_there(path: &Path) -> Result<bool, Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(Failure::file("looking at", path, &error)),
    }
}

/// The absolute path of a file, without following links.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::file("looking at", path, &error))
}
