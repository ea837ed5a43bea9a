//! Finishes or removes the files that a killed run left.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::sets;
use super::unfinished::{UNFINISHED, is_in_use, is_ours};
use crate::failure::Failure;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Access;
    use crate::store::unfinished::file;

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
