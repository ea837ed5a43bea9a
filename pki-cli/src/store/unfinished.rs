//! Files that are not in their place yet: their names and their locks.
//!
//! A process holds a lock on each unfinished file that it writes, and the kernel releases the lock when the process ends.
//! So a cleanup can tell files in use from leftovers, in any folder and without other locks.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use super::access::Access;
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

/// Whether a file has a name that [`file`] gives.
pub(super) fn is_ours(name: &[u8]) -> bool {
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
