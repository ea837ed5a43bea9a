//! A set of files that is written completely or not at all.
//!
//! Each file is staged first, in a temporary file of its final mode beside its place; all are synced, and then
//! renamed into place in the order given. Until the first rename nothing has changed, and a rename that
//! fails undoes those before it. A signal that arrives while files are staged ends the run with nothing
//! changed; once the first is renamed, all of them follow.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::Advice;
use tempfile::{NamedTempFile, TempPath};

use super::access::{Access, is_there};
use super::durability::Durability;
use super::sets::{self, Staged};
use super::sweep::sweep_shared;
use super::unfinished::{self, UNFINISHED, parent};
use crate::failure::{Failure, shown};
use crate::signals::{self, Uninterrupted};

/// What to do with an existing file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// Files that will be put in their places together.
#[derive(Debug)]
pub(crate) struct Batch {
    existing: Existing,
    durability: Durability,
    staged: Vec<Staged>,
    /// The last field, so that it is dropped after the files. It exists from the first file on, until all are in place or
    /// removed.
    uninterrupted: Option<Uninterrupted>,
}

impl Batch {
    pub(crate) const fn new(existing: Existing) -> Self {
        let durability = Durability::AtOnce;
        Self { existing, durability, staged: Vec::new(), uninterrupted: None }
    }

    /// The same with another durability.
    pub(crate) fn durable(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// Writes the contents beside their place, so that a full disk is noticed before anything is replaced.
    pub(crate) fn stage(
        &mut self,
        path: PathBuf,
        contents: &[u8],
        access: Access,
    ) -> Result<(), Failure> {
        self.stage_with(path, access, |file, path| {
            let written = file.write_all(contents);
            written.map_err(|error| Failure::file("writing", path, &error))
        })
    }

    /// The same with contents that `write` writes to the new file, or to the path of it.
    pub(crate) fn stage_with(
        &mut self,
        path: PathBuf,
        access: Access,
        write: impl FnOnce(&mut NamedTempFile, &Path) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let folder = parent(&path);
        if !self.staged.iter().any(|staged| parent(&staged.place) == folder) {
            // First, because a killed run may have put some of its files in their places.
            sweep_shared(folder);
        }
        self.check_place(&path)?;
        if self.uninterrupted.is_none() {
            self.uninterrupted = Some(Uninterrupted::begin()?);
        }
        let mut file = unfinished::file(&path, access)?;
        write(&mut file, &path)?;
        if self.durability == Durability::AtOnce || is_there(&path)? {
            // The kernel begins to write the file. So the sync of several takes hardly longer than that of one, and without a
            // sync, a power failure finds the new contents on disk unless it follows within milliseconds.
            let _ = rustix::fs::fadvise(file.as_file(), 0, None, Advice::DontNeed);
        }
        self.staged.push(Staged { file, place: path });
        signals::check()
    }

    /// Checks that a file may be written, before any work is done for it.
    pub(crate) fn check_place(&self, path: &Path) -> Result<(), Failure> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Failure::file("looking at", path, &error)),
            Ok(metadata) if metadata.is_symlink() => Err(Failure::environment(format!(
                "{} is a symbolic link; it is not followed",
                shown(path)
            ))
            .hinted("remove the link, or write elsewhere")),
            Ok(metadata) if !metadata.is_file() => {
                Err(Failure::environment(format!("{} is not a file", shown(path)))
                    .hinted("write elsewhere"))
            }
            Ok(_) if self.existing == Existing::Keep => Err(exists(path)),
            Ok(_) => Ok(()),
        }
    }

    /// Waits until the files that must be on disk are there. What depends on them, such as a row of the inventory, comes after this.
    pub(crate) fn sync(self) -> Result<Synced, Failure> {
        for Staged { file, place } in &self.staged {
            if self.durability.needs_sync(file.as_file()) {
                let synced = file.as_file().sync_all();
                synced.map_err(|error| Failure::file("writing", place, &error))?;
            }
        }
        signals::check()?;
        Ok(Synced(self))
    }

    /// Puts every file in its place, in order, once all are on disk.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        self.sync()?.commit()
    }
}

/// A batch whose files are on disk, as far as its durability says so.
#[derive(Debug)]
pub(crate) struct Synced(Batch);

impl Synced {
    /// Puts every file in its place, in order.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let Self(batch) = self;
        let mut undo = Undo::default();
        let mut places: Vec<PathBuf> = Vec::new();
        let staged = match batch.existing {
            Existing::Keep => batch.staged,
            Existing::Replace => sets::name(batch.staged),
        };
        for Staged { file, place: path } in staged {
            undo.remember(&path)?;
            let put = match batch.existing {
                Existing::Keep => put_new(file, &path),
                Existing::Replace => file.persist(&path).map(drop).map_err(|error| error.error),
            };
            if let Err(error) = put {
                undo.forget_last();
                return Err(match error.kind() {
                    ErrorKind::AlreadyExists => exists(&path),
                    _ => Failure::file("putting in place", &path, &error),
                });
            }
            places.push(path);
        }
        let mut folders: Vec<&Path> = places.iter().map(|path| parent(path)).collect();
        folders.dedup();
        // Without it, a power failure may bring a replaced file back, which is whole.
        if batch.durability == Durability::AtOnce {
            for folder in folders {
                sync_folder(folder)?;
            }
        }
        undo.done();
        signals::check().map_err(|interrupted| {
            let places: Vec<String> = places.iter().map(|path| shown(path)).collect();
            interrupted.hinted(format!("the files were already in place: {}", places.join(", ")))
        })
    }
}

/// Creates a file that does not exist yet. It gets its name when it is complete and on disk.
pub(crate) fn create_whole(
    path: &Path,
    access: Access,
    write: impl FnOnce(&NamedTempFile) -> Result<(), Failure>,
) -> Result<(), Failure> {
    Batch::new(Existing::Keep).check_place(path)?;
    let _uninterrupted = Uninterrupted::begin()?;
    let file = unfinished::file(path, access)?;
    write(&file)?;
    file.as_file().sync_all().map_err(|error| Failure::file("writing", path, &error))?;
    put_new(file, path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let failure = Failure::environment(format!("{} exists already", shown(path)));
            failure.hinted("another etcdpki has just created it; run this again")
        }
        _ => Failure::file("putting in place", path, &error),
    })?;
    sync_folder(parent(path))
}

/// Puts a file in a place where no file may exist.
fn put_new(file: NamedTempFile, path: &Path) -> io::Result<()> {
    let error = match file.persist_noclobber(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Err(error.error),
        Err(error) => error,
    };
    // The file system supports neither RENAME_NOREPLACE nor hard links. An empty file takes the name first, which works
    // only once, and is then replaced.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    error.file.persist(path).map(drop).map_err(|error| {
        let _ = fs::remove_file(path);
        error.error
    })
}

/// Restores the earlier files when it is dropped before [`Undo::done`].
#[derive(Default)]
struct Undo(Vec<(PathBuf, Option<TempPath>)>);

impl Undo {
    fn remember(&mut self, path: &Path) -> Result<(), Failure> {
        let before = if fs::symlink_metadata(path).is_ok() {
            Some(spare(path).map_err(|error| Failure::file("keeping a copy of", path, &error))?)
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

/// A hard link to a file, which needs no space, or a copy if the file system has no hard links.
fn spare(path: &Path) -> io::Result<TempPath> {
    let named = |make: &mut dyn FnMut(&Path) -> io::Result<()>| {
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED).make_in(parent(path), make)
    };
    let linked = named(&mut |spare| fs::hard_link(path, spare));
    let spare = linked.or_else(|_| named(&mut |spare| copy(path, spare)))?;
    Ok(spare.into_temp_path())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut old = File::open(from)?;
    let mode = old.metadata()?.permissions().mode() & 0o7777;
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let copied = io::copy(&mut old, &mut new);
    let copied = copied.and_then(|_| new.set_permissions(fs::Permissions::from_mode(mode)));
    copied.inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

impl Drop for Undo {
    fn drop(&mut self) {
        for (path, before) in self.0.drain(..).rev() {
            // The first failure is the one to report.
            let _ = match before {
                Some(spare) => spare.persist(&path).map_err(|error| error.error),
                None => fs::remove_file(&path),
            };
        }
    }
}

fn exists(path: &Path) -> Failure {
    Failure::environment(format!("{} exists already", shown(path)))
        .hinted("write elsewhere with --out or under another NAME, or replace it with --force")
}

fn sync_folder(folder: &Path) -> Result<(), Failure> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Failure::file("syncing", folder, &error))
}
