//! The contents of a folder: names, kinds, modes, contents.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[derive(Clone, Eq, PartialEq)]
struct Entry {
    mode: u32,
    holds: Holds,
}

#[derive(Clone, Eq, PartialEq)]
enum Holds {
    File(Vec<u8>),
    Folder,
    Link(PathBuf),
}

/// A snapshot of everything below a folder.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Tree(BTreeMap<PathBuf, Entry>);

impl Tree {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut tree = BTreeMap::new();
        add(folder, folder, &mut tree);
        Self(tree)
    }

    /// The files that are new, missing or different.
    pub(crate) fn changes(&self, now: &Self) -> Vec<String> {
        let names: BTreeSet<&PathBuf> = self.0.keys().chain(now.0.keys()).collect();
        names
            .into_iter()
            .filter(|name| self.0.get(*name) != now.0.get(*name))
            .map(|name| match (self.0.get(name), now.0.get(name)) {
                (None, _) => format!("{} is new", name.display()),
                (_, None) => format!("{} is gone", name.display()),
                (Some(before), Some(now)) => {
                    format!("{} differs, mode {:o} and {:o}", name.display(), before.mode, now.mode)
                }
            })
            .collect()
    }

    /// All names; a folder comes before its contents.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// The hidden files, which include all temporary ones.
    pub(crate) fn strays(&self) -> Vec<&Path> {
        let hidden = |name: &&Path| {
            name.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
        };
        self.names().filter(hidden).collect()
    }
}

fn add(root: &Path, folder: &Path, tree: &mut BTreeMap<PathBuf, Entry>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let holds = if metadata.is_symlink() {
            Holds::Link(fs::read_link(&path).unwrap())
        } else if metadata.is_dir() {
            add(root, &path, tree);
            Holds::Folder
        } else {
            // Files that their owner cannot read are not read.
            Holds::File(fs::read(&path).unwrap_or_default())
        };
        let name = path.strip_prefix(root).unwrap().to_owned();
        tree.insert(name, Entry { mode: metadata.permissions().mode() & 0o7777, holds });
    }
}
