//! `apply` killed at any time, and many processes on one CA: the files on disk stay consistent.

mod at_once;
pub(crate) mod between;
mod injected;
mod killed;
mod signalled;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pki_core::{Certificate, PrivateKey, Signer};

use crate::lab::Lab;

/// The files of each host, by host and name.
type Hosts = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// A cluster in one of two states. They differ in every certificate of every host, and in the configuration of the
/// members.
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

/// The number of certificates of the hosts in [`manifest`].
const CERTIFICATES: usize = 7;

/// The contents of each host's folder. A folder that is not in its final place yet does not count.
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

/// The pairs in a host's folder. Each certificate must belong to its key.
fn pairs(files: &BTreeMap<String, Vec<u8>>) -> Vec<Certificate> {
    let mut leaves = Vec::new();
    for (name, key) in files.iter().filter(|(name, _)| name.ends_with("-key.pem")) {
        let base = name.trim_end_matches("-key.pem");
        let leaf = certificate(&files[&format!("{base}.pem")]);
        let key = PrivateKey::from_pem(key).unwrap();
        assert_eq!(
            leaf.public_key,
            *key.public_key(),
            "{base}: the key belongs to another certificate"
        );
        leaves.push(leaf);
    }
    leaves
}

/// The certificates in a copy of the inventory. Reading the original would do the recovery that the next run has to
/// do.
fn inventory(lab: &Lab) -> Vec<Vec<u8>> {
    if !lab.path("pki/inventory.db").exists() {
        return Vec::new();
    }
    let copy = tempfile::tempdir().unwrap();
    for name in ["inventory.db", "inventory.db-wal", "inventory.db-journal"] {
        let from = lab.path(Path::new("pki").join(name));
        if from.exists() {
            std::fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    let connection = rusqlite::Connection::open(copy.path().join("inventory.db")).unwrap();
    let Ok(mut query) = connection.prepare("SELECT pem FROM certificates") else {
        // Killed before the table was created.
        return Vec::new();
    };
    let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|pem| certificate(pem.unwrap().as_bytes()).der().to_vec()).collect()
}

/// Every certificate of the lab belongs to its key, and is in the inventory.
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

/// No temporary files are left in the CA's folder or in the hosts' folders.
fn check_no_strays(lab: &Lab) {
    for folder in ["pki", "pki/hosts"] {
        let names = std::fs::read_dir(lab.path(folder)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let strays: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
        assert!(strays.is_empty(), "{folder}: {strays:?}");
    }
}
