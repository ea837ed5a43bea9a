//! Files: modes, replacement, links, full disks, killed runs, races.

mod bounds;
pub(crate) mod disk;
mod existing;
mod filesystems;
mod links;
mod memory;
mod modes;
mod owners;
mod races;
pub(crate) mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pki_core::{Certificate, PrivateKey, Signer};

/// The permission bits and the special bits above them.
fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The only certificate in a file, which must be complete.
fn certificate(path: &Path) -> Certificate {
    let certificates = Certificate::from_pem_or_der(&fs::read(path).unwrap());
    certificates.unwrap_or_else(|error| panic!("{}: {error}", path.display())).remove(0)
}

/// The key in a file, which must be complete and readable only by its owner.
fn key(path: &Path) -> PrivateKey {
    assert_eq!(mode(path), 0o600, "{}", path.display());
    let key = PrivateKey::from_pem(&fs::read(path).unwrap());
    key.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether `BASE.pem` is for `BASE-key.pem`.
fn is_pair(folder: &Path, base: &str) -> bool {
    let certificate = certificate(&folder.join(format!("{base}.pem")));
    certificate.public_key == *key(&folder.join(format!("{base}-key.pem"))).public_key()
}

/// All certificates in the inventory of a CA's folder, in PEM.
fn inventory(ca: &Path) -> BTreeSet<String> {
    let database = rusqlite::Connection::open(ca.join("inventory.db")).unwrap();
    let mut query = database.prepare("SELECT pem FROM certificates").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}
