//! Files that are not in their place yet, and files that a killed run left.
//!
//! A process holds a lock on each unfinished file that it writes, and the kernel releases the lock when the process ends.
//! So a cleanup can tell files in use from leftovers, in any folder and without other locks.

use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use super::access::Access;
use super::sets;
use crate::failure::Failure;

/// The prefix of the names of unfinished files and folders.
pub(crate) const UNFINISHED: &str = ".etcdpki-";

/// The number of random letters and digits that follow.
const RANDOM: usize = 6;

/// Creates a new file beside its later place, with a unique name, locked, and readable only as `access` allows.
pub(super) fn file(place: &Path, access: Access) -> Result<NamedTempFile, Failure> {
    let failed = |error: &io::Error| Failure::file("writing", place, error);
    loop {
        let mut options = File::options();
        options.read(true).write(true).create_new(true).mode(access.mode());
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .rand_bytes(RANDOM)
            .make_in(parent(place), |path| options.open(path))
            .map_err(|error| failed(&error))?;
        // If files cannot be locked, cleanup removes nothing either.
        let _ = file.as_file().lock();
        let metadata = file.as_file().metadata().map_err(|error| failed(&error))?;
        // A cleanup may have removed the file before it was locked.
        if metadata.nlink() > 0 {
            access.check(metadata.mode(), place)?;
            return Ok(file);
        }
    }
}

/// The folder of a file.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes the files and folders that a killed run left in the CA's folder or in that of its hosts. The caller holds the
/// CA's lock.
pub(crate) fn sweep_own(folder: &Path) -> Result<(), Failure> {
    let unfinished =
        || unfinished_in(folder).map_err(|error| Failure::file("reading", folder, &error));
    if unfinished()?.is_empty() {
        return Ok(());
    }
    sets::finish(folder);
    for entry in unfinished()? {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = match is_folder {
            true => fs::remove_dir_all(&path),
            false if is_in_use(&path) => Ok(()),
            false => fs::remove_file(&path),
        };
        removed.map_err(|error| Failure::file("removing", &path, &error))?;
    }
    Ok(())
}

/// Removes the files that a killed run left in any other folder: only files that are named exactly like ours. Files that
/// cannot be removed do no harm.
pub(crate) fn sweep_shared(folder: &Path) {
    if unfinished_in(folder).is_ok_and(|unfinished| unfinished.is_empty()) {
        return;
    }
    sets::finish(folder);
    for entry in unfinished_in(folder).into_iter().flatten() {
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_ours(entry.file_name().as_encoded_bytes()) && is_file() && !is_in_use(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What has a name of an unfinished file. A folder that does not exist has nothing.
fn unfinished_in(folder: &Path) -> io::Result<Vec<DirEntry>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let is_unfinished =
        |entry: &DirEntry| entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes());
    // What cannot be read is an error, which says that the folder is not swept.
    entries.filter(|entry| entry.as_ref().map_or(true, is_unfinished)).collect()
}

fn is_ours(name: &[u8]) -> bool {
    name.strip_prefix(UNFINISHED.as_bytes())
        .is_some_and(|rest| rest.len() == RANDOM && rest.iter().all(u8::is_ascii_alphanumeric))
}

/// The random part of the name of an unfinished file.
pub(super) fn suffix(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.strip_prefix(UNFINISHED)
}

/// Whether a running process holds the lock on a file.
pub(super) fn is_in_use(path: &Path) -> bool {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = File::options();
    options.read(true).write(true).custom_flags(flags.bits().cast_signed());
    options.open(path).is_ok_and(|file| file.try_lock().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_leaves_what_is_in_use_and_what_only_resembles_ours() {
        let folder = tempfile::tempdir().unwrap();
        let others = [".etcdpki-notes.txt", ".etcdpki-", ".etcdpki-abc-de", "etcdpki-abcdef"];
        for name in others.into_iter().chain([".etcdpki-abCD12"]) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join(".etcdpki-folder")).unwrap();
        let in_use = file(&folder.path().join("key.pem"), Access::Secret).unwrap();
        sweep_shared(folder.path());
        assert!(in_use.path().exists(), "a file in use was removed");
        assert!(!folder.path().join(".etcdpki-abCD12").exists(), "a stray was left");
        assert!(others.iter().all(|name| folder.path().join(name).exists()));
        assert!(folder.path().join(".etcdpki-folder").exists());
    }
}
