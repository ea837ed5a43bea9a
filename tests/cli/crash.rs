//! `apply` killed at any moment, and many processes on one CA: what is on the disk stays whole.

mod at_once;
mod between;
mod injected;
mod killed;
mod signalled;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pki_core::{Certificate, PrivateKey, Signer};

use crate::lab::Lab;

/// The files of each host, by host and name.
type Hosts = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// A cluster in one of two states, in which every certificate of every host differs, and beside them
/// the configuration of the members.
fn manifest(second: bool) -> String {
    let (key, data, san) = if second {
        ("ecdsa-p384", "/srv/etcd", "sans: [new.example.com]")
    } else {
        ("ecdsa-p256", "/var/lib/etcd", "sans: [old.example.com]")
    };
    format!(
        "cluster: lab\n\
         defaults: {{ key: {key} }}\n\
         paths: {{ data: {data} }}\n\
         etcd:\n\
         \x20 - {{ name: etcdone, ip: 192.168.29.61, {san} }}\n\
         \x20 - {{ name: etcdtwo, ip: 192.168.29.62, {san} }}\n\
         \x20 - {{ name: etcdthree, ip: 192.168.29.63, {san} }}\n\
         control_plane:\n\
         \x20 - {{ name: masterone, ip: 192.168.29.51 }}\n"
    )
}

/// How many certificates the hosts of [`manifest`] hold.
const CERTIFICATES: usize = 7;

/// What the folder of each host holds. A folder that is not in its place yet is none.
fn hosts(lab: &Lab) -> Hosts {
    let mut hosts = Hosts::new();
    let Ok(folders) = std::fs::read_dir(lab.path("pki/hosts")) else { return hosts };
    for folder in folders.map(Result::unwrap) {
        let host = folder.file_name().into_string().unwrap();
        if host.starts_with(".etcdpki-") {
            continue;
        }
        let files = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        let files = files.map(|file| {
            (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())
        });
        hosts.insert(host, files.collect());
    }
    hosts
}

fn certificate(bytes: &[u8]) -> Certificate {
    Certificate::from_pem_or_der(bytes).unwrap().swap_remove(0)
}

/// The pairs of a host's folder, each of which must be one.
fn pairs(files: &BTreeMap<String, Vec<u8>>) -> Vec<Certificate> {
    let mut leaves = Vec::new();
    for (name, key) in files.iter().filter(|(name, _)| name.ends_with("-key.pem")) {
        let base = name.trim_end_matches("-key.pem");
        let leaf = certificate(&files[&format!("{base}.pem")]);
        let key = PrivateKey::from_pem(key).unwrap();
        assert_eq!(leaf.public_key, *key.public_key(), "{base}: the key is another one's");
        leaves.push(leaf);
    }
    leaves
}

/// The certificates that the inventory knows, in a copy of it: reading it in its place would do the
/// work that the next run is to be seen doing.
fn inventory(lab: &Lab) -> Vec<Vec<u8>> {
    if !lab.path("pki/inventory.db").exists() {
        return Vec::new();
    }
    let copy = tempfile::tempdir().unwrap();
    for name in ["inventory.db", "inventory.db-journal"] {
        let from = lab.path(Path::new("pki").join(name));
        if from.exists() {
            std::fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    let connection = rusqlite::Connection::open(copy.path().join("inventory.db")).unwrap();
    let Ok(mut query) = connection.prepare("SELECT pem FROM certificates") else {
        // Killed before the table was made.
        return Vec::new();
    };
    let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|pem| certificate(pem.unwrap().as_bytes()).der().to_vec()).collect()
}

/// Every certificate of the lab is the one of the key beside it, and the inventory knows it.
fn check_pairs_and_inventory(lab: &Lab) {
    let known: BTreeSet<Vec<u8>> = inventory(lab).into_iter().collect();
    for (host, files) in hosts(lab) {
        for leaf in pairs(&files) {
            assert!(known.contains(leaf.der()), "{host}: not in the inventory: {}", leaf.subject);
        }
    }
    if lab.path("pki/ca.pem").exists() {
        let ca = certificate(&lab.read("pki/ca.pem"));
        let key = PrivateKey::from_pem(&lab.read("pki/ca-key.pem")).unwrap();
        assert_eq!(ca.public_key, *key.public_key());
        assert!(known.contains(ca.der()), "the CA is not in the inventory");
    }
}

/// Nothing unfinished is left, in the CA's folder or in that of the hosts.
fn check_no_strays(lab: &Lab) {
    for folder in ["pki", "pki/hosts"] {
        let names = std::fs::read_dir(lab.path(folder)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let strays: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
        assert!(strays.is_empty(), "{folder}: {strays:?}");
    }
}
