//! Writes a host's new folder beside its place.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::AtFlags;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::folder::{FOLDER_MODE, Folder, permissions};
use super::place;
use crate::failure::{Failure, shown};
use crate::recorded::Recorded;
use crate::store::{self, Access};

/// A file for a host's folder.
pub(crate) struct BundleFile {
    pub(crate) name: String,
    pub(crate) contents: Zeroizing<Vec<u8>>,
    pub(crate) access: Access,
}

/// A host's folder, written beside its place.
#[derive(Debug)]
pub struct NewFolder {
    place: PathBuf,
    folder: TempDir,
}

impl NewFolder {
    /// Writes the folder beside its place: the new files, and the files of the old folder that are kept.
    ///
    /// A file that is kept gets a hard link, so that its times do not change. If the file system has no hard links, it is
    /// copied with the same times.
    pub(crate) fn write<'a>(
        all: &Path,
        host: &str,
        files: impl IntoIterator<Item = &'a BundleFile>,
        kept_files: &[OsString],
    ) -> Result<Self, Failure> {
        let place = all.join(host);
        let folder = tempfile::Builder::new()
            .prefix(&place::prefix(&place))
            .permissions(fs::Permissions::from_mode(FOLDER_MODE))
            .tempdir_in(all)
            .map_err(|error| Failure::file("making a folder in", all, &error))?;
        keep(&place, folder.path(), kept_files)?;
        for file in files {
            write(&folder.path().join(&file.name), &place.join(&file.name), file)?;
        }
        Ok(Self { place, folder })
    }
}

impl Recorded<NewFolder> {
    /// Puts the folder in its place and removes the old one, if there was one.
    pub fn put(self) -> Result<(), Failure> {
        let NewFolder { place, folder } = self.into_inner();
        place::put(&place, folder)
    }
}

fn write(path: &Path, place: &Path, file: &BundleFile) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file("writing", place, &error);
    let mode = file.access.mode();
    let mut options = File::options();
    let new = options.write(true).create_new(true).mode(mode).open(path);
    let mut new = new.map_err(failed)?;
    // The umask may have removed bits, which the next run would report as drift. Reading the mode costs less than
    // setting it again.
    if permissions(&new.metadata().map_err(failed)?) != mode {
        new.set_permissions(fs::Permissions::from_mode(mode)).map_err(failed)?;
        file.access.check(permissions(&new.metadata().map_err(failed)?), place)?;
    }
    new.write_all(&file.contents).map_err(failed)
}

/// Links the kept files of the old folder into the new one.
fn keep(place: &Path, new: &Path, names: &[OsString]) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    let (Some(old), Some(new)) = (Folder::open(place)?, Folder::open(new)?) else {
        return Err(Failure::environment(format!("{} has disappeared", shown(place)))
            .hinted("another program is changing the hosts' folders; wait until it ends, then run this again"));
    };
    for name in names {
        if rustix::fs::linkat(old.fd(), name, new.fd(), name, AtFlags::empty()).is_err() {
            copy(&old, &new, name)?;
        }
    }
    Ok(())
}

/// The same contents, mode and times, where there are no hard links.
fn copy(old: &Folder, new: &Folder, name: &OsStr) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file("keeping", &old.path(name), &error);
    let (mut from, metadata) = old.file(name)?;
    if metadata.len() > store::LIMIT {
        let (path, limit) = (old.path(name), store::LIMIT >> 20);
        return Err(Failure::environment(format!(
            "{} is larger than {limit} MiB, and this file system has no hard links to keep it with",
            shown(&path)
        ))
        .hinted("move it away"));
    }
    let mut options = File::options();
    let to = options.write(true).create_new(true).mode(0o600).open(new.path(name));
    let mut to = to.map_err(failed)?;
    io::copy(&mut from, &mut to).map_err(failed)?;
    to.set_permissions(metadata.permissions()).map_err(failed)?;
    let times = metadata.accessed().and_then(|accessed| {
        Ok(FileTimes::new().set_accessed(accessed).set_modified(metadata.modified()?))
    });
    times.and_then(|times| to.set_times(times)).map_err(failed)
}

/// Waits until everything that was written on the file system of `folder` is on the disk.
pub(crate) fn sync_all(folder: &Path) -> Result<(), Failure> {
    let file = File::open(folder).map_err(|error| Failure::file("opening", folder, &error))?;
    rustix::fs::syncfs(&file).map_err(|error| Failure::file("syncing", folder, &error.into()))
}
