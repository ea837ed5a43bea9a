//! Files: modes, atomic replacement, the lock, never overwriting by accident.
//!
//! A set of files is staged first, each in a temporary file of its final mode beside its place and
//! synced; then all are renamed into place in the order given. Until the first rename nothing has
//! changed, and a rename that fails undoes those before it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::{NamedTempFile, TempPath};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// What the names of our unfinished files and folders begin with.
pub(crate) const UNFINISHED: &str = ".etcdpki-";

/// Who may read a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Its owner alone, whatever the umask.
    Secret,
    /// Everybody whom the umask lets.
    Public,
}

impl Access {
    pub(crate) const fn mode(self) -> u32 {
        match self {
            Self::Secret => 0o600,
            Self::Public => 0o644,
        }
    }
}

/// What to do with a file that is there already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// Files on their way to their places.
#[derive(Debug)]
pub(crate) struct Batch {
    existing: Existing,
    staged: Vec<(NamedTempFile, PathBuf)>,
}

impl Batch {
    pub(crate) const fn new(existing: Existing) -> Self {
        Self { existing, staged: Vec::new() }
    }

    /// Writes the contents beside their place, so that all that can run full has run full before
    /// anything is replaced.
    pub(crate) fn stage(
        &mut self,
        path: PathBuf,
        contents: &[u8],
        access: Access,
    ) -> Result<(), Failure> {
        self.check_place(&path)?;
        let failed = |error: &io::Error| Failure::file("writing", &path, error);
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(fs::Permissions::from_mode(access.mode()))
            .tempfile_in(parent(&path))
            .map_err(|error| failed(&error))?;
        file.write_all(contents).map_err(|error| failed(&error))?;
        file.as_file().sync_all().map_err(|error| failed(&error))?;
        self.staged.push((file, path));
        Ok(())
    }

    /// Says that a file may not be written before any work is done for it.
    pub(crate) fn check_place(&self, path: &Path) -> Result<(), Failure> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Failure::file("looking at", path, &error)),
            Ok(metadata) if metadata.is_symlink() => Err(Failure::environment(format!(
                "{} is a symbolic link; it is not followed",
                path.display()
            ))
            .hinted("remove the link, or write elsewhere")),
            Ok(metadata) if !metadata.is_file() => {
                Err(Failure::environment(format!("{} is not a file", path.display()))
                    .hinted("write elsewhere"))
            }
            Ok(_) if self.existing == Existing::Keep => Err(exists(path)),
            Ok(_) => Ok(()),
        }
    }

    /// Puts every file in its place, in order.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let mut undo = Undo::default();
        let mut folders: Vec<PathBuf> = Vec::new();
        for (file, path) in self.staged {
            let folder = parent(&path).to_owned();
            undo.remember(&path)?;
            let renamed = match self.existing {
                Existing::Keep => file.persist_noclobber(&path),
                Existing::Replace => file.persist(&path),
            };
            if let Err(error) = renamed {
                undo.forget_last();
                return Err(match error.error.kind() {
                    ErrorKind::AlreadyExists => exists(&path),
                    _ => Failure::file("putting in place", &path, &error.error),
                });
            }
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        for folder in folders {
            sync_folder(&folder)?;
        }
        undo.done();
        Ok(())
    }
}

/// How to get back to what was there before: dropped before it is done, it goes back.
#[derive(Default)]
struct Undo(Vec<(PathBuf, Option<TempPath>)>);

impl Undo {
    fn remember(&mut self, path: &Path) -> Result<(), Failure> {
        let failed = |error: &io::Error| Failure::file("keeping a copy of", path, error);
        let before = if fs::symlink_metadata(path).is_ok() {
            // A second name for the same file costs no space.
            let spare = tempfile::Builder::new()
                .prefix(UNFINISHED)
                .make_in(parent(path), |spare| fs::hard_link(path, spare))
                .map_err(|error| failed(&error))?;
            Some(spare.into_temp_path())
        } else {
            None
        };
        self.0.push((path.to_owned(), before));
        Ok(())
    }

    fn forget_last(&mut self) {
        self.0.pop();
    }

    fn done(mut self) {
        self.0.clear();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for (path, before) in self.0.drain(..).rev() {
            // The failure that led here is the one to report.
            let _ = match before {
                Some(spare) => spare.persist(&path).map_err(|error| error.error),
                None => fs::remove_file(&path),
            };
        }
    }
}

fn exists(path: &Path) -> Failure {
    Failure::environment(format!("{} exists already", path.display()))
        .hinted("write elsewhere with --out or under another NAME, or replace it with --force")
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn sync_folder(folder: &Path) -> Result<(), Failure> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Failure::file("syncing", folder, &error))
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
                Failure::environment(format!("{} is not a folder", path.display()))
                    .hinted("name another folder")
            }
            _ => Failure::file("making the folder", path, &error),
        }
    })
}

/// Removes what a run that was killed left in a folder. The CA's lock must be held: what begins so
/// and belongs to a run that is alive is in use.
pub(crate) fn sweep(folder: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| Failure::file("reading", folder, &error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file("reading", folder, &error))?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed =
                if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|error| Failure::file("removing", &path, &error))?;
        }
    }
    Ok(())
}

/// An exclusive lock on a folder, held until it is dropped; the kernel frees it when a process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _folder: File,
}

impl Lock {
    /// Waits a while for whoever else is at work in the folder.
    pub(crate) fn take(folder: &Path) -> Result<Self, Failure> {
        const PATIENCE: Duration = Duration::from_secs(30);
        const STEP: Duration = Duration::from_millis(5);
        let file = File::open(folder).map_err(|error| Failure::file("opening", folder, &error))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _folder: file }),
                Err(fs::TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(STEP);
                }
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(Failure::environment(format!(
                        "{} has been locked by another etcdpki for {} seconds",
                        folder.display(),
                        PATIENCE.as_secs()
                    ))
                    .hinted(format!(
                        "wait for it to end; find it: fuser -v {}",
                        folder.display()
                    )));
                }
                Err(fs::TryLockError::Error(error)) => {
                    return Err(Failure::file("locking", folder, &error));
                }
            }
        }
    }
}

/// Whether something has this name, a link to nowhere included. Not being allowed to look is no "no".
pub(crate) fn is_there(path: &Path) -> Result<bool, Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(Failure::file("looking at", path, &error)),
    }
}

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path == Path::new("-") {
        return crate::host::stdin()
            .map_err(|error| Failure::file("reading", Path::new("standard input"), &error));
    }
    fs::read(path).map(Zeroizing::new).map_err(|error| Failure::file("reading", path, &error))
}

/// Reads a secret, if nobody but its owner can.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let metadata = fs::metadata(path).map_err(|error| Failure::file("reading", path, &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_file() && mode & 0o077 != 0 {
        return Err(Failure::environment(format!(
            "{} has mode {mode:04o}: others than its owner can read or change it",
            path.display()
        ))
        .hinted(format!("chmod 600 {}", path.display())));
    }
    read(path)
}

/// Makes an empty file that its owner alone can read, if it is not there. A link is not followed.
pub(crate) fn touch_secret(path: &Path) -> Result<(), Failure> {
    Batch::new(Existing::Replace).check_place(path)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(Failure::file("making", path, &error))
        }
        _ => Ok(()),
    }
}
