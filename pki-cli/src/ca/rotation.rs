//! The folder of a CA during a rotation.
//!
//! `ca.pem` holds the CA that issues first, and the other one as a root that hosts trust. The key of the new CA is in
//! `ca-next-key.pem` until the rotation is over; whichever of the two keys belongs to the first certificate signs. So one
//! file says which CA issues, and it is replaced in one step.

use std::fs;
use std::path::{Path, PathBuf};

use pki_core::{Authority, CaRequest, Certificate, Issued, KeyAlgorithm, PublicKey};
use time::Duration;

use super::chain::{Chain, issued_by, read_certificates};
use super::folder::LockedFolder;
use super::paths::{certificate_path, key_path, next_key_path, previous_path};
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::{self, Entry, Inventory, rfc3339};
use crate::recorded::Pending;
use crate::signer::{self, Custody, NewKey};
use crate::store::{self, Access, Batch, Existing};

/// A new root, which has signed itself and is not recorded yet.
pub(crate) struct NextCa {
    certificate: Pending<Issued>,
    key: NewKey,
    /// The certificate, before it is recorded.
    pub(crate) root: Certificate,
}

impl NextCa {
    /// Creates a root in memory. It becomes valid later than the root that it replaces, so that everybody can tell which is
    /// the new one.
    pub(crate) fn create(
        request: &CaRequest,
        algorithm: KeyAlgorithm,
        old: &Certificate,
        folder: &Path,
        custody: &Custody,
    ) -> Result<Self, Failure> {
        let mut request = request.clone();
        let context = host::issuance_context()?;
        let age = context.now - old.not_before - Duration::SECOND;
        if age.is_negative() {
            return Err(Failure::environment(format!(
                "{} is valid only from {}, and the new CA must become valid after it",
                old.subject,
                rfc3339(old.not_before)
            ))
            .hinted("run this again after that time, or correct the clock of this machine: `timedatectl set-ntp true`"));
        }
        // Certificates have whole seconds.
        request.backdate = request.backdate.min(Duration::seconds(age.whole_seconds()));
        let place = next_key_path(folder);
        custody.check_new_key(&place, &key_path(folder))?;
        let key = custody.create(algorithm, &place)?;
        if *key.signer.public_key() == old.public_key {
            return Err(Failure::usage(format!(
                "{} is the key of the old CA, which a rotation replaces",
                custody.name(&place)
            ))
            .hinted(
                "name a key that is not in the token yet, such as object=etcd-ca-2 in --pkcs11, or the command and the public \
                 key of a new key",
            ));
        }
        let draft = Authority::draft_root(&request, key.signer.public_key(), &context)?;
        let issued = draft.sign(&*key.signer)?;
        let root = issued.certificate.clone();
        let certificate = Pending::signed(issued, inventory::CA_PROFILE, context.now)?;
        Ok(Self { certificate, key, root })
    }

    /// Records it and puts it in the folder as a CA that hosts trust, while `chain` continues to issue. Both files are put in
    /// place or neither.
    pub(crate) fn put(self, folder: &LockedFolder, chain: &Chain) -> Result<Chain, Failure> {
        let mut others: Vec<Certificate> = chain.all().skip(1).cloned().collect();
        others.push(self.root);
        let both = Chain::from_certificates(chain.ca().clone(), others)?;
        let path = folder.path();
        let staged = self.certificate.stage(|_| {
            let mut batch = Batch::new(Existing::Replace);
            if let Some(pem) = &self.key.pem {
                batch.stage(next_key_path(path), pem.as_bytes(), Access::Secret)?;
            }
            batch.stage(certificate_path(path), both.to_pem()?.as_bytes(), Access::Public)?;
            batch.sync()
        })?;
        // The row of the old CA comes first: if the inventory was lost, this file is still recognized as the old CA's.
        let old = Entry::of_ca(chain.ca())?;
        staged.record(&Inventory::of(path), &old)?.into_inner().commit()?;
        Ok(both)
    }
}

impl LockedFolder {
    /// Replaces ca.pem.
    pub(crate) fn put_chain(&self, chain: &Chain) -> Result<(), Failure> {
        let mut batch = Batch::new(Existing::Replace);
        let path = certificate_path(self.path());
        batch.stage(path, chain.to_pem()?.as_bytes(), Access::Public)?;
        batch.commit()
    }

    /// Replaces ca.pem with that of the new CA, and keeps the old one for an abort. Both files change, or neither does.
    pub(crate) fn put_new_chain(&self, new: &Chain, old: &Chain) -> Result<(), Failure> {
        let mut batch = Batch::new(Existing::Replace);
        batch.stage(previous_path(self.path()), old.to_pem()?.as_bytes(), Access::Public)?;
        batch.stage(certificate_path(self.path()), new.to_pem()?.as_bytes(), Access::Public)?;
        batch.commit()
    }

    /// The ca.pem from before another CA issued, if there was one.
    pub(crate) fn previous_chain(&self) -> Result<Option<Chain>, Failure> {
        previous_chain(self.path())
    }

    /// Cleans up after a rotation: the key of the CA that issues becomes ca-key.pem, and the key of the other one gets a
    /// name that says which CA it belongs to. Returns the path of the latter. It is not removed: only a person may decide
    /// that.
    pub(crate) fn retire_keys(
        &self,
        issuing: &Certificate,
        custody: &Custody,
    ) -> Result<Option<PathBuf>, Failure> {
        let (key, next) = (key_path(self.path()), next_key_path(self.path()));
        let mut retired = None;
        if store::is_there(&next)? {
            let is_next = public_key(&next, custody)? == issuing.public_key;
            let old = if is_next { &key } else { &next };
            if store::is_there(old)? {
                retired = Some(self.retire(old, &public_key(old, custody)?)?);
            }
            if is_next {
                rename(&next, &key)?;
            }
        } else if !custody.is_file()
            && store::is_there(&key)?
            && let Some(old) = signer::plain_public_key(&key)?
            && old != issuing.public_key
        {
            // The old CA had its key in this file, and the new one has it elsewhere.
            retired = Some(self.retire(&key, &old)?);
        }
        match fs::remove_file(previous_path(self.path())) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::file("removing", &previous_path(self.path()), &error))
            }
            _ => Ok(retired),
        }
    }

    fn retire(&self, key: &Path, public_key: &PublicKey) -> Result<PathBuf, Failure> {
        let id = public_key.key_id().to_string();
        let place = self.path().join(format!("ca-retired-{}-key.pem", &id[..16.min(id.len())]));
        rename(key, &place)?;
        Ok(place)
    }
}

fn public_key(path: &Path, custody: &Custody) -> Result<PublicKey, Failure> {
    Ok(custody.open_file(path)?.public_key().clone())
}

/// Gives a file a name that no other file has.
fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    if store::is_there(to)? {
        return Err(Failure::environment(format!("{} exists already", shown(to)))
            .hinted("move it away; a key is never overwritten"));
    }
    // If the file system cannot check this, the check above is enough, because the folder is locked.
    renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)
        .or_else(|_| rustix::fs::rename(from, to))
        .map_err(|error| Failure::file("renaming", from, &error.into()))
}

fn previous_chain(folder: &Path) -> Result<Option<Chain>, Failure> {
    let path = previous_path(folder);
    if !store::is_there(&path)? {
        return Ok(None);
    }
    Chain::in_order(read_certificates(&path)?).map(Some).map_err(|failure| failure.in_file(&path))
}

/// The CAs whose certificates are in use: the one that issues, first, and during a rotation the one that it replaces or that
/// replaces it. Not those above them, which have folders of their own.
pub(crate) fn issuers(folder: &Path, chain: &Chain) -> Result<Vec<Certificate>, Failure> {
    let previous = previous_chain(folder)?;
    let mut known: Vec<&Certificate> = chain.all().collect();
    known.extend(previous.iter().flat_map(Chain::all));
    let signs_another = |ca: &Certificate| {
        known.iter().any(|other| other.der() != ca.der() && issued_by(ca, other))
    };
    let mut issuers = vec![chain.ca().clone()];
    for ca in &known {
        let is_new = issuers.iter().all(|issuer| issuer.public_key != ca.public_key);
        if is_new && !signs_another(ca) {
            issuers.push((*ca).clone());
        }
    }
    Ok(issuers)
}
