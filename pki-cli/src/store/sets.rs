//! Sets of files that are replaced together. The next run finishes what a killed one began.
//!
//! No file system renames two files at once. So before the first file of a set takes its place, each gets a name that
//! says where it goes, the last file at the end: `.etcdpki-put-SET-INDEX-COUNT-NAME`. If the last file has such a name,
//! all of them are whole, and whoever finds them can put them in their places. Otherwise none is in its place yet, and
//! they are removed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::unfinished::{UNFINISHED, is_in_use, parent, suffix};

/// The prefix of the name of a file of a set.
const PUT: &str = "put-";

/// A file that was written, and its place.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) file: NamedTempFile,
    pub(super) place: PathBuf,
}

/// Gives the files of a set names that say where they go. A set whose names would be too long for the file system keeps
/// its own, and is removed after a kill.
pub(super) fn name(staged: Vec<Staged>) -> Vec<Staged> {
    let Some(set) = set_of(&staged) else { return staged };
    let count = staged.len();
    let named = staged.into_iter().enumerate().map(|(index, Staged { file, place })| {
        let mut name = OsString::from(format!("{UNFINISHED}{PUT}{set}-{index}-{count}-"));
        name.push(place.file_name().unwrap_or_default());
        Staged { file: renamed(file, &place.with_file_name(name)), place }
    });
    named.collect()
}

/// The name of a set of files in one folder. A single file needs none.
fn set_of(staged: &[Staged]) -> Option<String> {
    let [first, others @ ..] = staged else { return None };
    let is_beside = |other: &Staged| parent(&other.place) == parent(&first.place);
    let is_set = !others.is_empty() && others.iter().all(is_beside);
    suffix(first.file.path()).filter(|_| is_set).map(str::to_owned)
}

fn renamed(file: NamedTempFile, to: &Path) -> NamedTempFile {
    let (Ok(path), Ok(())) = (TempPath::try_from_path(to), fs::rename(file.path(), to)) else {
        return file;
    };
    let (file, old) = file.into_parts();
    // The file has a new name now.
    let _ = old.keep();
    NamedTempFile::from_parts(file, path)
}

/// A file of a set that a killed run left.
struct Left {
    path: PathBuf,
    place: PathBuf,
    index: usize,
    count: usize,
}

/// Puts complete sets of killed runs in their places, and removes incomplete ones.
pub(super) fn finish(folder: &Path) {
    let mut sets: BTreeMap<String, Vec<Left>> = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Some((set, left)) = Left::read(&entry.path()) {
            sets.entry(set).or_default().push(left);
        }
    }
    for mut files in sets.into_values() {
        if !files.iter().all(Left::is_abandoned) {
            continue;
        }
        files.sort_by_key(|file| file.index);
        // A power failure can leave a file without contents that was not synced.
        let is_complete = files.last().is_some_and(|last| last.index + 1 == last.count)
            && files.iter().all(Left::has_contents);
        for file in files {
            // Another process may be doing the same.
            let _ = if is_complete {
                fs::rename(&file.path, &file.place)
            } else {
                fs::remove_file(&file.path)
            };
        }
    }
}

impl Left {
    fn read(path: &Path) -> Option<(String, Self)> {
        let name = path.file_name()?.as_bytes();
        let rest = name.strip_prefix(UNFINISHED.as_bytes())?.strip_prefix(PUT.as_bytes())?;
        let mut parts = rest.splitn(4, |byte| *byte == b'-');
        let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
        let (set, index, count) =
            (text()?.to_owned(), text()?.parse().ok()?, text()?.parse().ok()?);
        let name = OsStr::from_bytes(parts.next()?);
        let (path, place) = (path.to_owned(), path.with_file_name(name));
        // Neither an empty name nor a path out of the folder.
        (place.file_name() == Some(name)).then_some((set, Self { path, place, index, count }))
    }

    fn has_contents(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|file| file.len() > 0)
    }

    /// Whether it is an unfinished file of etcdpki that no running process writes.
    fn is_abandoned(&self) -> bool {
        let is_ours = fs::symlink_metadata(&self.path).is_ok_and(|file| {
            file.is_file() && file.nlink() == 1 && file.uid() == rustix::process::geteuid().as_raw()
        });
        is_ours && !is_in_use(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str) {
        fs::write(folder.join(name), name).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_complete_set_is_put_in_place_and_any_other_is_removed() {
        for (left, then) in [
            (&["0-2-a-key.pem", "1-2-a.pem"][..], &["a-key.pem", "a.pem"][..]),
            (&["1-2-a.pem"], &["a.pem"]),
            (&["0-2-a-key.pem"], &[]),
            (&["0-3-a", "1-3-b"], &[]),
            (&["1-3-b", "2-3-c"], &["b", "c"]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for name in left {
                file(folder.path(), &format!(".etcdpki-put-abCD12-{name}"));
            }
            finish(folder.path());
            assert_eq!(names(folder.path()), then, "{left:?}");
        }
    }

    #[test]
    fn a_set_with_an_empty_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        file(folder.path(), ".etcdpki-put-abCD12-0-2-a-key.pem");
        fs::write(folder.path().join(".etcdpki-put-abCD12-1-2-a.pem"), "").unwrap();
        finish(folder.path());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn what_is_not_such_a_set_or_belongs_to_somebody_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let others =
            [".etcdpki-put-", ".etcdpki-put-x-1-a", ".etcdpki-put-x-0-1-", ".etcdpki-put-x-0-1-.."];
        for name in others {
            file(folder.path(), name);
        }
        let (linked, link) = (folder.path().join("linked"), ".etcdpki-put-y-0-1-a.pem");
        file(folder.path(), "linked");
        fs::hard_link(linked, folder.path().join(link)).unwrap();
        std::os::unix::fs::symlink("linked", folder.path().join(".etcdpki-put-z-0-1-b.pem"))
            .unwrap();
        let before = names(folder.path());
        finish(folder.path());
        assert_eq!(names(folder.path()), before);
    }
}
