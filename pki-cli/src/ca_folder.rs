//! The CA's folder: its certificate, its key, its inventory, its lock.

use std::path::{Path, PathBuf};

use pki_core::{Authority, Certificate, PrivateKey, Signer};

use crate::failure::Failure;
use crate::inventory::Inventory;
use crate::store::{self, Lock};

pub(crate) fn certificate_path(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

pub(crate) fn key_path(folder: &Path) -> PathBuf {
    folder.join("ca-key.pem")
}

/// A CA that is ready to sign. Nobody else works in its folder while this lives.
pub(crate) struct CaFolder {
    pub(crate) authority: Authority,
    /// The CAs that stand between a leaf and the root, this one first; empty for a root.
    pub(crate) chain: Vec<Certificate>,
    pub(crate) key: PrivateKey,
    pub(crate) inventory: Inventory,
    _lock: Lock,
}

impl CaFolder {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if !certificate_path(path).exists() && !key_path(path).exists() {
            return Err(Failure::environment(format!(
                "{}: no CA here (no ca.pem, no ca-key.pem)",
                path.display()
            ))
            .hinted("make one with etcdpki init-ca, or name its folder with --dir"));
        }
        let lock = Lock::take(path)?;
        let mut certificates = read_certificates(&certificate_path(path))?;
        let key_path = key_path(path);
        let key = PrivateKey::from_pem(&store::read_secret(&key_path)?)
            .map_err(|error| Failure::from(error).in_file(&key_path))?;
        let chain: Vec<Certificate> =
            certificates.iter().filter(|ca| !ca.is_self_issued()).cloned().collect();
        let authority = Authority::new(certificates.swap_remove(0));
        if *key.public_key() != authority.certificate().public_key {
            return Err(Failure::usage(format!(
                "{} is not the key of {}: it is {}, the certificate is for {}",
                key_path.display(),
                certificate_path(path).display(),
                key.public_key().key_id(),
                authority.certificate().public_key.key_id(),
            ))
            .hinted("restore the two files that belong together from a backup"));
        }
        let inventory = Inventory::open(path)?;
        Ok(Self { authority, chain, key, inventory, _lock: lock })
    }
}

/// Reads every certificate of a file; there is at least one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    Certificate::from_pem_or_der(&store::read(path)?)
        .map_err(|error| Failure::from(error).in_file(path))
}
