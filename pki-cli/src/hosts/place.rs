//! Puts a host's folder in its place, and removes one.
//!
//! If the file system can exchange two folders in one step (`RENAME_EXCHANGE`), that is used. FUSE, NFS and 9p cannot,
//! and overlayfs cannot even rename a folder of a lower layer. There, the new folder first gets a name that marks it as
//! complete, then the old folder is moved away, and then the new one is moved to its place. If a run is killed in
//! between, the next one finishes the work.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tempfile::TempDir;

use crate::failure::Failure;
use crate::signals::Uninterrupted;
use crate::store::{self, UNFINISHED};

/// A complete folder that will be moved to its place.
const NEW: &str = "new-";

/// An old folder that was moved away.
const OLD: &str = "old-";

/// The first folder of a host before it is in its place; a dot and random characters follow the name of the host.
const FIRST: &str = "first-";

/// A folder that will be removed.
const GONE: &str = "gone-";

/// The name of a temporary folder beside a host's folder. Its prefix says what will happen to it.
fn aside(place: &Path, kind: &str) -> PathBuf {
    let mut name = OsString::from(format!("{UNFINISHED}{kind}"));
    name.push(place.file_name().unwrap_or_default());
    place.with_file_name(name)
}

/// The host in the name of a temporary folder.
fn host_of<'a>(name: &'a str, kind: &str) -> Option<&'a str> {
    let host = name.strip_prefix(UNFINISHED)?.strip_prefix(kind)?;
    // Not the name of a host, and perhaps a path out of this folder.
    (!host.starts_with('.')).then_some(host)
}

/// The prefix of the name of a folder that is being written.
pub(super) fn prefix(place: &Path) -> OsString {
    let mut prefix = OsString::from(UNFINISHED);
    if place.symlink_metadata().is_err() {
        prefix.push(FIRST);
        prefix.push(place.file_name().unwrap_or_default());
        prefix.push(".");
    }
    prefix
}

/// The first folders of hosts that a killed run did not put in their places, complete or not, by host.
pub(crate) fn first_folders(all: &Path) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let entries = match fs::read_dir(all) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(|error| Failure::file("reading", all, &error))?,
    };
    let mut folders = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file("reading", all, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((host, _)) = host_of(&name, FIRST).and_then(|rest| rest.rsplit_once('.')) {
            folders.insert(host.to_owned(), entry.path());
        }
    }
    Ok(folders)
}

/// The path of a host's folder: its place, or beside that if a run was killed before it moved the folder.
pub(crate) fn folder_of(all: &Path, host: &str) -> PathBuf {
    let place = all.join(host);
    let new = aside(&place, NEW);
    let is_between = place.symlink_metadata().is_err() && new.symlink_metadata().is_ok();
    if is_between { new } else { place }
}

/// Finishes what a killed run left unfinished in the folder of all hosts, and removes the rest. The caller holds the CA's
/// lock.
pub(crate) fn clean(all: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(all) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| Failure::file("reading", all, &error))?,
    };
    let _uninterrupted = Uninterrupted::begin()?;
    let mut is_clean = true;
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file("reading", all, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        is_clean &= !name.starts_with(UNFINISHED);
        if let Some(host) = host_of(&name, NEW) {
            finish(&all.join(host))?;
        } else if let Some(host) = host_of(&name, GONE) {
            remove_all(&all.join(host))?;
        }
    }
    if is_clean { Ok(()) } else { store::sweep_own(all) }
}

/// Checks that the file system can rename folders, before anything is issued.
pub(crate) fn probe(all: &Path) -> Result<(), Failure> {
    let failed = |error: &io::Error| {
        Failure::file("renaming a folder in", all, error).hinted(
            "keep the CA's folder on a file system that can rename folders, such as ext4 or xfs",
        )
    };
    let folder = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(all);
    let folder = folder.map_err(|error| Failure::file("making a folder in", all, &error))?;
    let renamed = folder.path().with_extension("renamed");
    fs::rename(folder.path(), &renamed).map_err(|error| failed(&error))?;
    let _ = folder.keep();
    fs::remove_dir(&renamed).map_err(|error| failed(&error))
}

/// Replaces a host's folder with a new one.
pub(super) fn put(place: &Path, new: TempDir) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file("putting in place", place, &error);
    if place.symlink_metadata().is_err() {
        fs::rename(new.path(), place).map_err(failed)?;
        // The folder is in its place, so it must not be removed as a temporary one.
        let _ = new.keep();
        return Ok(());
    }
    match renameat_with(CWD, new.path(), CWD, place, RenameFlags::EXCHANGE) {
        // After the exchange, the old folder has the temporary name and is removed with it.
        Ok(()) => Ok(()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::XDEV) => {
            fs::rename(new.path(), aside(place, NEW)).map_err(failed)?;
            let _ = new.keep();
            finish(place)
        }
        Err(error) => Err(failed(error.into())),
    }
}

/// Puts a complete folder in its place, from the name that marks it as complete.
fn finish(place: &Path) -> Result<(), Failure> {
    let (new, old) = (aside(place, NEW), aside(place, OLD));
    if place.symlink_metadata().is_ok() {
        remove_all(&old)?;
        make_room(place, &old)?;
    }
    fs::rename(&new, place).map_err(|error| {
        // The first failure is the one to report.
        let _ = fs::rename(&old, place);
        Failure::file("putting in place", place, &error)
    })?;
    remove_all(&old)
}

/// Moves a folder away, or removes it if it cannot be moved.
fn make_room(place: &Path, aside: &Path) -> Result<(), Failure> {
    match fs::rename(place, aside) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => remove_all(place),
        renamed => renamed.map_err(|error| Failure::file("replacing", place, &error)),
    }
}

/// Removes a host's folder. If this run is killed, the next one continues.
pub(crate) fn remove(all: &Path, host: &str) -> Result<(), Failure> {
    let _uninterrupted = Uninterrupted::begin()?;
    let place = all.join(host);
    let gone = aside(&place, GONE);
    let failed = |error: io::Error| Failure::file("removing", &place, &error);
    match fs::rename(&place, &gone) {
        Ok(()) => remove_all(&gone),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::create_dir(&gone).map_err(failed)?;
            remove_all(&place)?;
            remove_all(&gone)
        }
        Err(error) => Err(failed(error)),
    }
}

fn remove_all(path: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::file("removing", path, &error))
        }
        _ => Ok(()),
    }
}
