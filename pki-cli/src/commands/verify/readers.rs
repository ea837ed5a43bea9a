//! On a host: which of etcd's files the user of its unit cannot read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use pki_core::{EtcdSettings, FileLookup, Finding, UnitAccount, unreadable_file};

use super::folders::RELEASE;
use crate::store;

/// Where systemd finds units; an earlier folder takes precedence (systemd.unit(5), "Unit File Load Path").
const UNIT_FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

const UNIT: &str = "etcd.service";

/// A file that etcd's user cannot read, or a folder that it cannot enter.
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) finding: Finding,
}

/// Finds what etcd's user cannot read of its files in these folders. A folder that was copied from another host has no unit
/// that refers to it.
pub(super) fn unreadable(folders: &[PathBuf]) -> Vec<Unreadable> {
    let folders = folders.iter().filter(|path| path.is_dir());
    let folders: Vec<PathBuf> = folders.filter_map(|path| fs::canonicalize(path).ok()).collect();
    if folders.is_empty() {
        return Vec::new();
    }
    let Some(unit) = HostUnit::find(&folders) else { return Vec::new() };
    let settings = unit.settings();
    let is_here = |file: &&str| folders.iter().any(|folder| Path::new(file).starts_with(folder));
    let files: Vec<&str> = settings.files().into_iter().filter(is_here).collect();
    if files.is_empty() {
        // The database of users may be far away.
        return Vec::new();
    }
    let Some(reader) = settings.account().and_then(Reader::find) else { return Vec::new() };
    let mut blocked: BTreeMap<PathBuf, (Obstacle, BTreeSet<&str>)> = BTreeMap::new();
    for file in files {
        if let Some((at, obstacle)) = reader.obstacle(Path::new(file)) {
            blocked.entry(at).or_insert((obstacle, BTreeSet::new())).1.insert(file);
        }
    }
    let blocked = blocked.into_iter();
    blocked
        .map(|(path, (obstacle, files))| {
            let files: Vec<&str> = files.into_iter().collect();
            let done = match obstacle.kind {
                Kind::File => "cannot read it".to_owned(),
                Kind::Folder => format!("cannot enter it to read {}", files.join(", ")),
            };
            let evidence = format!(
                "etcd's user {} (User= in {}) {done}: owner {}, group {}, mode {:04o}",
                reader.name,
                unit.path.display(),
                name_of(User::from_uid(Uid::from_raw(obstacle.owner)), |u| u.name, obstacle.owner),
                name_of(Group::from_gid(Gid::from_raw(obstacle.group)), |g| g.name, obstacle.group),
                obstacle.mode
            );
            let finding = unreadable_file(&path.display().to_string(), evidence);
            Unreadable { path, finding }
        })
        .collect()
}

/// The unit of etcd on this host.
struct HostUnit {
    path: PathBuf,
    /// The unit, then its drop-ins.
    texts: Vec<String>,
}

impl HostUnit {
    /// The unit that systemd uses, otherwise the one in a folder.
    fn find(folders: &[PathBuf]) -> Option<Self> {
        let systemd = || UNIT_FOLDERS.iter().map(Path::new);
        let candidates = systemd().chain(folders.iter().map(PathBuf::as_path));
        let mut units = candidates.map(|folder| folder.join(UNIT));
        let (path, text) = units.find_map(|path| Some((path.clone(), read(&path)?)))?;
        // Of drop-ins with the same name, that in the earliest folder counts; all are read by name.
        let mut drop_ins = BTreeMap::new();
        for folder in systemd().map(|folder| folder.join(format!("{UNIT}.d"))) {
            for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
                let path = entry.path();
                if path.extension().is_some_and(|ending| ending == "conf") {
                    drop_ins.entry(entry.file_name()).or_insert(path);
                }
            }
        }
        let drop_ins = drop_ins.into_values().filter_map(|path| read(&path));
        Some(Self { path, texts: std::iter::once(text).chain(drop_ins).collect() })
    }

    /// The settings, with the files of this host that the unit refers to.
    fn settings(&self) -> EtcdSettings {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
        loop {
            let asked = RefCell::new(BTreeSet::new());
            let lookup = |path: &str| match known.get(path) {
                Some(Some(text)) => FileLookup::Found(text),
                Some(None) => FileLookup::Missing,
                None => {
                    asked.borrow_mut().insert(path.to_owned());
                    FileLookup::Unseen
                }
            };
            let settings = EtcdSettings::from_unit(UNIT, &texts, RELEASE, &lookup);
            let asked = asked.into_inner();
            if asked.is_empty() {
                return settings;
            }
            // An environment file can name the configuration file, so there may be a second round.
            known.extend(asked.into_iter().map(|path| {
                let text = read(Path::new(&path));
                (path, text)
            }));
        }
    }
}

/// The text of a file, if it can be read.
fn read(path: &Path) -> Option<String> {
    let bytes = store::read_regular(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The user and the groups that etcd runs as.
struct Reader {
    name: String,
    user: u32,
    groups: Vec<u32>,
}

/// What a user cannot read or enter.
struct Obstacle {
    kind: Kind,
    owner: u32,
    group: u32,
    mode: u32,
}

#[derive(Clone, Copy)]
enum Kind {
    File,
    Folder,
}

impl Reader {
    /// `None` for root, who can read everything, and for a user whom this host does not know.
    fn find(account: &UnitAccount) -> Option<Self> {
        let user = account.user.as_deref()?;
        let user = match user.parse() {
            Ok(number) => User::from_uid(Uid::from_raw(number)),
            Err(_) => User::from_name(user),
        };
        let user = user.ok().flatten().filter(|user| !user.uid.is_root())?;
        let group = |name: &String| {
            let group = match name.parse() {
                Ok(number) => Some(Gid::from_raw(number)),
                Err(_) => Group::from_name(name).ok().flatten().map(|group| group.gid),
            };
            group.map(Gid::as_raw)
        };
        let own = account.group.as_ref().and_then(group).unwrap_or(user.gid.as_raw());
        let mut groups = vec![own];
        groups.extend(account.supplementary_groups.iter().filter_map(group));
        if let Ok(name) = std::ffi::CString::new(user.name.as_str()) {
            let all = getgrouplist(&name, user.gid).unwrap_or_default();
            groups.extend(all.into_iter().map(Gid::as_raw));
        }
        Some(Self { name: user.name, user: user.uid.as_raw(), groups })
    }

    /// The first folder on the way to a file that this user cannot enter, or the file if it cannot read that.
    fn obstacle(&self, file: &Path) -> Option<(PathBuf, Obstacle)> {
        // Where a link leads, the folders on that way count too.
        let target = fs::canonicalize(file).ok()?;
        [file, &target].into_iter().find_map(|path| {
            let mut way: Vec<&Path> = path.ancestors().collect();
            way.reverse();
            way.into_iter().find_map(|at| {
                let metadata = fs::metadata(at).ok()?;
                let kind = if metadata.is_dir() { Kind::Folder } else { Kind::File };
                if self.may(at, &metadata, kind) {
                    return None;
                }
                let (owner, group, mode) =
                    (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
                Some((at.to_owned(), Obstacle { kind, owner, group, mode }))
            })
        })
    }

    /// Whether the user may read a file or enter a folder (path_resolution(7)). An access control list can allow what the mode
    /// does not show, so a file that has one is taken as readable.
    fn may(&self, path: &Path, metadata: &Metadata, kind: Kind) -> bool {
        let bit = match kind {
            Kind::File => 0o4,
            Kind::Folder => 0o1,
        };
        let shift = if metadata.uid() == self.user {
            6
        } else if self.groups.contains(&metadata.gid()) {
            3
        } else {
            0
        };
        (metadata.mode() >> shift) & bit != 0 || has_access_list(path)
    }
}

fn has_access_list(path: &Path) -> bool {
    let size = rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0_u8; 0]);
    size.is_ok_and(|size| size > 0)
}

/// The name of a user or group, or its number if it has none.
fn name_of<T>(found: nix::Result<Option<T>>, name: fn(T) -> String, number: u32) -> String {
    found.ok().flatten().map_or_else(|| number.to_string(), name)
}
