//! Putting a host's folder in its place, and taking one away.
//!
//! Two folders change places in one step where the file system can do that (`RENAME_EXCHANGE`). FUSE, NFS
//! and 9p cannot, and overlayfs cannot even rename a folder of a lower layer. There the new folder takes a
//! name that says that it is whole, the old one goes out of the way, and the new one follows; a run that
//! dies in between is finished by the next one.

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

/// A folder that is whole and is to take its place.
const NEW: &str = "new-";

/// A folder that has made room.
const OLD: &str = "old-";

/// The first folder of a host, which is not in its place yet; a dot and something random follow the host.
const FIRST: &str = "first-";

/// A folder that is to be removed.
const GONE: &str = "gone-";

/// The name beside a host's folder that says what becomes of what stands there.
fn aside(place: &Path, kind: &str) -> PathBuf {
    let mut name = OsString::from(format!("{UNFINISHED}{kind}"));
    name.push(place.file_name().unwrap_or_default());
    place.with_file_name(name)
}

/// The host whose folder a name beside it is about.
fn host_of<'a>(name: &'a str, kind: &str) -> Option<&'a str> {
    let host = name.strip_prefix(UNFINISHED)?.strip_prefix(kind)?;
    // Nobody's host, and perhaps the way out of here.
    (!host.starts_with('.')).then_some(host)
}

/// How the name of a folder begins that is being written for a place.
pub(super) fn prefix(place: &Path) -> OsString {
    let mut prefix = OsString::from(UNFINISHED);
    if place.symlink_metadata().is_err() {
        prefix.push(FIRST);
        prefix.push(place.file_name().unwrap_or_default());
        prefix.push(".");
    }
    prefix
}

/// The first folders of hosts that a killed run did not put in their places, whole or not, by host.
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

/// Where a host's folder is: in its place, or beside it if a killed run was about to put it there.
pub(crate) fn folder_of(all: &Path, host: &str) -> PathBuf {
    let place = all.join(host);
    let new = aside(&place, NEW);
    let is_between = place.symlink_metadata().is_err() && new.symlink_metadata().is_ok();
    if is_between { new } else { place }
}

/// Finishes what a killed run left half done in the folder of all hosts, and sweeps the rest. The CA's lock
/// must be held.
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

/// Says that the file system cannot rename folders before anything is issued for it.
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

/// Puts a new folder in the place of a host's.
pub(super) fn put(place: &Path, new: TempDir) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file("putting in place", place, &error);
    if place.symlink_metadata().is_err() {
        fs::rename(new.path(), place).map_err(failed)?;
        // It is in its place and no longer temporary.
        let _ = new.keep();
        return Ok(());
    }
    match renameat_with(CWD, new.path(), CWD, place, RenameFlags::EXCHANGE) {
        // What stands under the temporary name now is the old folder, which goes with it.
        Ok(()) => Ok(()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::XDEV) => {
            fs::rename(new.path(), aside(place, NEW)).map_err(failed)?;
            let _ = new.keep();
            finish(place)
        }
        Err(error) => Err(failed(error.into())),
    }
}

/// Puts a folder in place that is whole and has its name for it.
fn finish(place: &Path) -> Result<(), Failure> {
    let (new, old) = (aside(place, NEW), aside(place, OLD));
    if place.symlink_metadata().is_ok() {
        remove_all(&old)?;
        make_room(place, &old)?;
    }
    fs::rename(&new, place).map_err(|error| {
        // The failure that led here is the one to report.
        let _ = fs::rename(&old, place);
        Failure::file("putting in place", place, &error)
    })?;
    remove_all(&old)
}

/// Moves a folder out of the way, or takes it away where it cannot be moved.
fn make_room(place: &Path, aside: &Path) -> Result<(), Failure> {
    match fs::rename(place, aside) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => remove_all(place),
        renamed => renamed.map_err(|error| Failure::file("replacing", place, &error)),
    }
}

/// Removes a host's folder: at once, or so that the next run goes on if this one dies.
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
