//! The CA's folder: its certificate, its key, its inventory, its lock.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pki_core::{Authority, Certificate, PrivateKey, Signer};

use crate::failure::Failure;
use crate::host;
use crate::inventory::{self, Inventory};
use crate::store::{self, Access, Batch, Existing, Lock};

/// What the inventory calls the profile of the CA's own certificate.
pub(crate) const CA_PROFILE: &str = "ca";

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
    path: PathBuf,
    _lock: Lock,
}

impl CaFolder {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        restore(path)?;
        check_complete(path)?;
        let lock = Lock::take(path)?;
        store::sweep_own(path)?;
        let certificate_path = certificate_path(path);
        let mut certificates = read_certificates(&certificate_path)?;
        check_chain(&certificates).map_err(|failure| failure.in_file(&certificate_path))?;
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
                certificate_path.display(),
                key.public_key().key_id(),
                authority.certificate().public_key.key_id(),
            ))
            .hinted("restore the two files that belong together; the CA's own certificate comes first in ca.pem"));
        }
        Ok(Self { authority, chain, key, path: path.to_owned(), _lock: lock })
    }

    /// The inventory; it is made where there is none, so not before there is something to record.
    pub(crate) fn inventory(&self) -> Result<Inventory, Failure> {
        Inventory::open(&self.path)
    }

    pub(crate) fn certificate_path(&self) -> PathBuf {
        certificate_path(&self.path)
    }

    /// Refuses a place that is one of the CA's own files. `issue ca --out pki --force` would put a
    /// leaf where the CA was, and everything that it signed depends on it.
    pub(crate) fn check_foreign(&self, place: &Path) -> Result<(), Failure> {
        let file = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
        let own =
            [certificate_path(&self.path), key_path(&self.path), self.path.join(inventory::FILE)];
        match file(place).filter(|place| own.iter().any(|own| file(own) == Some(*place))) {
            None => Ok(()),
            Some(_) => Err(Failure::environment(format!(
                "{} belongs to the CA; it is never overwritten",
                place.display()
            ))
            .hinted("choose another NAME, or write elsewhere with --out")),
        }
    }
}

/// A CA is two files. With one of them missing, the other is all that is left of it.
fn check_complete(path: &Path) -> Result<(), Failure> {
    let (certificate, key) = (certificate_path(path), key_path(path));
    match (store::is_there(&certificate)?, store::is_there(&key)?) {
        (true, true) => Ok(()),
        (false, false) => Err(Failure::environment(format!(
            "{}: no CA here (no ca.pem, no ca-key.pem)",
            path.display()
        ))
        .hinted("make one with etcdpki init-ca, or name its folder with --dir")),
        (there, _) => {
            let (gone, left) = if there { (key, certificate) } else { (certificate, key) };
            Err(Failure::environment(format!(
                "{} is missing, and {} is there",
                gone.display(),
                left.display()
            ))
            .hinted("restore it from a backup, or name another folder with --dir"))
        }
    }
}

/// The CAs behind the first stand above it, in order. Roots may stand there too, for those who trust
/// the whole file.
fn check_chain(certificates: &[Certificate]) -> Result<(), Failure> {
    let mut intermediates = certificates.iter().skip(1).filter(|ca| !ca.is_self_issued());
    let mut below = certificates.first();
    while let (Some(ca), Some(above)) = (below, intermediates.next()) {
        if ca.issuer.der() != above.subject.der() {
            return Err(Failure::usage(format!(
                "it carries {}, which is not the issuer of {}",
                above.subject, ca.subject
            ))
            .hinted("put the CA first, then the CAs above it in order, and remove all others"));
        }
        below = Some(above);
    }
    Ok(())
}

/// The certificate that belongs to a CA's key, where the key stands alone in the folder.
///
/// The key is put in its place first, and a run that is killed before the certificate follows leaves
/// it alone there. The inventory was told of the certificate before either.
pub(crate) fn lost_certificate(folder: &Path) -> Result<Option<Certificate>, Failure> {
    let key_path = key_path(folder);
    if store::is_there(&certificate_path(folder))?
        || !store::is_there(&key_path)?
        || !store::is_there(&folder.join(inventory::FILE))?
    {
        return Ok(None);
    }
    let key = PrivateKey::from_pem(&store::read_secret(&key_path)?)
        .map_err(|error| Failure::from(error).in_file(&key_path))?;
    let known = Inventory::open(folder)?.issued_by(CA_PROFILE)?;
    Ok(known.into_iter().find(|ca| ca.public_key == *key.public_key()))
}

/// Puts the certificate of a CA beside its key again, where it was lost.
fn restore(folder: &Path) -> Result<(), Failure> {
    if lost_certificate(folder)?.is_none() {
        return Ok(());
    }
    let _lock = Lock::take(folder)?;
    // Whoever held the lock may just have put it there.
    if let Some(certificate) = lost_certificate(folder)? {
        let path = certificate_path(folder);
        let mut batch = Batch::new(Existing::Keep);
        batch.stage(path.clone(), certificate.to_pem()?.as_bytes(), Access::Public)?;
        batch.commit()?;
        let path = path.display();
        host::say(&format!("note: {path} was missing; put back from the inventory\n"));
    }
    Ok(())
}

/// Reads every certificate of a file; there is at least one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    Certificate::from_pem_or_der(&store::read(path)?)
        .map_err(|error| Failure::from(error).in_file(path))
}
