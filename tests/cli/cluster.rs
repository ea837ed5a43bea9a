//! `plan` and `apply`: a whole cluster from one manifest.

mod ansible;
mod authorities;
mod custody;
mod drift;
mod folder;
mod found;
mod layout;
mod manifest;
mod members;
mod modes;
mod options;
mod progress;
mod prune;
mod schema;
mod separate;
mod several;
mod shapes;
mod twice;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value;

use crate::lab::{Lab, Run};

/// The lab that this project started with.
const LAB: &str = "\
cluster: lab
domain: example.com
ca: { cn: etcd CA, key: ecdsa-p256, expiry: 10y }
defaults: { key: ecdsa-p256, expiry: 1y }
etcd:
  - { name: etcdone, ip: 192.168.29.61 }
  - { name: etcdtwo, ip: 192.168.29.62 }
  - { name: etcdthree, ip: 192.168.29.63 }
control_plane:
  - { name: masterone, ip: 192.168.29.51 }
workers:
  - { name: workerone, ip: 192.168.29.71 }
";

const PLAN: &[&str] = &["plan", "-f", "cluster.yaml", "--exit-code"];
const APPLY: &[&str] = &["apply", "-f", "cluster.yaml"];

/// A file or folder on disk.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Entry {
    mode: u32,
    inode: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// `None` for a folder.
    bytes: Option<Vec<u8>>,
}

/// Everything below `pki`, by path.
fn tree(lab: &Lab) -> BTreeMap<String, Entry> {
    fn walk(folder: &Path, name: &str, tree: &mut BTreeMap<String, Entry>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{name}/{}", entry.file_name().to_str().unwrap());
            let metadata = entry.path().symlink_metadata().unwrap();
            let bytes = metadata.is_file().then(|| std::fs::read(entry.path()).unwrap());
            let modified = (metadata.mtime(), metadata.mtime_nsec());
            let mode = metadata.mode() & 0o7777;
            tree.insert(name.clone(), Entry { mode, inode: metadata.ino(), modified, bytes });
            if metadata.is_dir() {
                walk(&entry.path(), &name, tree);
            }
        }
    }
    let mut entries = BTreeMap::new();
    walk(&lab.path("pki"), "pki", &mut entries);
    entries
}

/// The files that differ between two trees or are only in one of them, except the inventory, which grows.
fn changes(before: &BTreeMap<String, Entry>, after: &BTreeMap<String, Entry>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let bytes = |tree: &BTreeMap<String, Entry>, name: &String| {
        tree.get(name).map(|entry| entry.bytes.clone())
    };
    names
        .into_iter()
        .filter(|name| !name.starts_with("pki/inventory.db"))
        .filter(|name| bytes(before, name) != bytes(after, name))
        .map(|name| name.trim_start_matches("pki/hosts/").to_owned())
        .collect()
}

fn with_manifest(manifest: &str) -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest);
    lab
}

/// A lab whose manifest has been applied.
fn applied(manifest: &str) -> Lab {
    let lab = with_manifest(manifest);
    lab.ok(APPLY);
    lab
}

fn edit(lab: &Lab, from: &str, to: &str) {
    let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
    assert!(manifest.contains(from), "{from:?} is not in the manifest");
    lab.write("cluster.yaml", manifest.replace(from, to));
}

fn nothing_to_do(lab: &Lab) {
    let plan = lab.run(PLAN);
    assert_eq!(plan.code, 0, "{plan:?}");
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// Replaces key ids and times, which differ in each run.
fn steady(text: &str) -> String {
    let is_key_id =
        |word: &str| word.len() >= 40 && word.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
    let is_moment =
        |word: &str| word.len() >= 10 && word.starts_with("20") && word[4..].starts_with('-');
    let steady = |word: &str| {
        if is_key_id(word) {
            "KEY-ID".to_owned()
        } else if is_moment(word) {
            "DATE".to_owned()
        } else if word.len() >= 8 && word[2..].starts_with(':') && word.ends_with('Z') {
            "TIME".to_owned()
        } else {
            word.to_owned()
        }
    };
    let line = |line: &str| line.split(' ').map(steady).collect::<Vec<_>>().join(" ") + "\n";
    text.lines().map(line).collect()
}

/// A snapshot in tests/cli/snapshots.
fn snapshot(name: &str, text: &str) {
    insta::assert_snapshot!(name, text);
}
