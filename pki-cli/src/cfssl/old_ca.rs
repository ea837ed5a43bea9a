//! The CA whose files cfssljson is about to replace.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pki_core::{Certificate, PrivateKey, Signer};
use zeroize::Zeroizing;

use super::log::Log;
use crate::failure::Failure;
use crate::store::{self, Access, Batch, Existing};

/// The CA certificates in BASE.pem, and their key.
pub(super) struct OldCa {
    certificates: Vec<Certificate>,
    key: Option<Zeroizing<Vec<u8>>>,
    versions: [Option<Version>; 2],
}

/// What changes whenever a file is written or replaced.
#[derive(Eq, PartialEq)]
struct Version {
    device: u64,
    inode: u64,
    ctime: (i64, i64),
}

impl OldCa {
    /// Reads the files of a BASE. There may be none, or those of a leaf.
    pub(super) fn read(base: &str) -> Self {
        let versions = versions(base);
        let [key, certificate] = paths(base);
        let read = |path: &str| store::read_regular(Path::new(path)).ok();
        let found = read(&certificate).and_then(|bytes| Certificate::from_pem_or_der(&bytes).ok());
        let mut certificates = found.unwrap_or_default();
        certificates.retain(Certificate::is_ca);
        // Most old certificates are leaves, whose keys are not even read.
        let key = if certificates.is_empty() { None } else { read(&key) };
        Self { certificates, key, versions }
    }

    /// Copies the key of the CA to a name of its own, unless the new key is the same: whatever that CA signed depends on it, and a
    /// second `gencert -initca` replaces it without asking.
    pub(super) fn keep_key(self, base: &str, new: &[u8], log: &Log) -> Result<(), Failure> {
        // The files may have been replaced since they were read.
        let current = if self.versions == versions(base) { self } else { Self::read(base) };
        let Some(pem) = current.key.filter(|key| key.as_slice() != new) else { return Ok(()) };
        let Ok(key) = PrivateKey::from_pem(&pem) else { return Ok(()) };
        if !current.certificates.iter().any(|ca| ca.public_key == *key.public_key()) {
            return Ok(());
        }
        let kept = PathBuf::from(format!("{base}-key-{}.pem", key.public_key().key_id()));
        if !store::is_there(&kept)? {
            let mut batch = Batch::new(Existing::Keep);
            batch.stage(kept.clone(), &pem, Access::Secret)?;
            batch.commit()?;
        }
        log.difference(&format!(
            "{base}-key.pem is the key of a CA and is replaced; the old key is kept in {}",
            kept.display()
        ));
        Ok(())
    }
}

fn paths(base: &str) -> [String; 2] {
    [format!("{base}-key.pem"), format!("{base}.pem")]
}

fn versions(base: &str) -> [Option<Version>; 2] {
    let version = |file: Metadata| Version {
        device: file.dev(),
        inode: file.ino(),
        ctime: (file.ctime(), file.ctime_nsec()),
    };
    paths(base).map(|path| fs::metadata(path).ok().map(version))
}
