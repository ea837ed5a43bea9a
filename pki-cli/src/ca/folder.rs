//! The folder of a CA: ca.pem, ca-key.pem, inventory.db, hosts/. What it contains, and its lock.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pki_core::Signer;

use super::chain::{Chain, read_certificates};
use super::foreign::import_command;
use super::paths::{
    certificate_path, hosts_of, key_path, next_key_path, pending_crl_path, pending_path, separate,
};
use crate::failure::{Failure, shown};
use crate::hosts;
use crate::inventory::{self, Inventory};
use crate::signer::Custody;
use crate::store::{self, Access, Batch, Existing, Lock, Owners};

/// What the folder of a CA contains, by the names of its files. Their contents are read when they are needed, the key only
/// when there is something to sign.
pub(crate) enum Found {
    /// No CA, and nothing that an earlier one left.
    Nothing,
    /// No CA, but something that an earlier one left: what that is, for people.
    Remains(String),
    /// A certificate, and a key in the folder or elsewhere.
    Complete,
    /// A certificate whose key is elsewhere, or lost.
    WithoutKey,
    /// A key whose certificate is missing, and the certificate as the inventory has it.
    WithoutCertificate(Box<Lost>),
    /// A key for which the inventory has no certificate.
    KeyAlone,
    /// An intermediate CA that the CA above it has not signed yet.
    Unsigned,
}

/// A certificate that is missing from the folder and was found in the inventory.
pub(crate) struct Lost {
    /// The certificate and the CAs above it.
    pub(crate) chain: Chain,
    /// Its key, which had to be read to find it.
    pub(crate) signer: Box<dyn Signer + Send + Sync>,
}

/// What to do about an intermediate CA that waits for its signature.
const FINISH: &str = "finish it with etcdpki init-ca --intermediate --root-dir DIR --signature-in FILE; or remove ca.pending, which \
    has the new key, and start again";

impl Found {
    /// Examines a folder. Changes nothing.
    pub(crate) fn find(folder: &Path, custody: &Custody) -> Result<Self, Failure> {
        let there = |path: PathBuf| store::is_there(&path);
        match (there(certificate_path(folder))?, there(key_path(folder))?) {
            (true, key) if key || !custody.is_file() => Ok(Self::Complete),
            (true, _) => Ok(Self::WithoutKey),
            (false, true) => {
                let lost = Lost::find(folder, custody)?;
                Ok(lost.map_or(Self::KeyAlone, |lost| Self::WithoutCertificate(Box::new(lost))))
            }
            (false, false) => Self::without_certificate(folder),
        }
    }

    /// Examines a folder that has no ca.pem.
    pub(super) fn without_certificate(folder: &Path) -> Result<Self, Failure> {
        if store::is_there(&key_path(folder))? {
            return Ok(Self::KeyAlone);
        }
        if store::is_there(&pending_path(folder))? {
            return Ok(Self::Unsigned);
        }
        Ok(remains(folder)?.map_or(Self::Nothing, Self::Remains))
    }

    /// Why no CA is created here. An existing CA, or half of one, is never replaced, because everything that it signed
    /// depends on it.
    pub(crate) fn exists(&self, folder: &Path) -> Failure {
        let there = match self {
            Self::Nothing | Self::Remains(_) => return self.refusal(folder),
            Self::Complete | Self::WithoutKey => certificate_path(folder),
            Self::WithoutCertificate(_) | Self::KeyAlone => key_path(folder),
            Self::Unsigned => pending_path(folder),
        };
        let there = shown(&there);
        let failure =
            Failure::environment(format!("{there} exists already; a CA is never overwritten"));
        failure.hinted(match self {
            Self::WithoutCertificate(_) => {
                "an earlier run was killed; etcdpki issue and apply put the certificate back from the inventory"
            }
            Self::Unsigned => FINISH,
            _ => "choose another folder with --dir, or move the old CA away yourself",
        })
    }

    /// Why this folder has no CA that can sign, and what to do about it.
    pub(crate) fn refusal(&self, folder: &Path) -> Failure {
        let (certificate, key) = (certificate_path(folder), key_path(folder));
        let half = |missing: &Path, there: &Path, from: &str| {
            Failure::environment(format!(
                "{} is missing, but {} is there",
                shown(missing),
                shown(there)
            ))
            .hinted(format!("restore it from {from}, or name another folder with --dir"))
        };
        if matches!(self, Self::Nothing | Self::Remains(_))
            && let Some(failure) = separate(folder)
        {
            return failure;
        }
        match self {
            Self::Nothing => no_ca(folder),
            Self::Remains(remains) => Failure::environment(format!(
                "{}: ca.pem and ca-key.pem are missing, but there is {remains}",
                shown(folder)
            ))
            .hinted(format!(
                "restore the two files from a backup; or replace the CA without an outage: etcdpki rotate-ca begin -f \
                 MANIFEST; or start again with new certificates for all hosts at once: etcdpki --dir {} init-ca --new",
                shown(folder)
            )),
            Self::KeyAlone => half(&certificate, &key, "a backup"),
            Self::Unsigned => Failure::environment(format!(
                "{}: the CA above has not signed this CA yet",
                shown(&pending_path(folder))
            ))
            .hinted(FINISH),
            Self::WithoutKey | Self::WithoutCertificate(_) | Self::Complete => {
                let failure = half(&key, &certificate, "a backup or from where it is kept");
                let hint = failure.hint.clone().unwrap_or_default();
                failure.hinted(format!(
                    "{hint}; if the key is elsewhere, add --pkcs11 or --signer-cmd, or issue with --tbs-out"
                ))
            }
        }
    }
}

fn no_ca(folder: &Path) -> Failure {
    let failure =
        Failure::environment(format!("{}: no CA here (no ca.pem, no ca-key.pem)", shown(folder)));
    match import_command(folder) {
        Some(command) => failure.hinted(format!(
            "import the CA whose files are there: {command}; or name the folder of a CA with --dir"
        )),
        None => failure.hinted("create one with etcdpki init-ca, or name its folder with --dir"),
    }
}

/// What an earlier CA left. A CA that is in the inventory but signed nothing left nothing: perhaps the run that created it
/// was killed before its files were in place.
fn remains(folder: &Path) -> Result<Option<String>, Failure> {
    let hosts = hosts::list(&hosts_of(folder))?.len();
    let hosts = u32::try_from(hosts).unwrap_or(u32::MAX);
    let issued = Inventory::of(folder).count_issued()?;
    let mut remains = Vec::new();
    if hosts > 0 {
        remains.push(format!("{}/ with {}", hosts::FOLDER, count(hosts, "folder")));
    }
    if issued > 0 {
        remains.push(format!("{} with {}", inventory::FILE, count(issued, "certificate")));
    }
    Ok((!remains.is_empty()).then(|| remains.join(" and ")))
}

fn count(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

impl Lost {
    /// Finds the certificate of a key whose certificate is missing from the folder.
    ///
    /// The key is put in place first, so a run that is killed after that leaves a key without its certificate. The
    /// certificate was in the inventory before either.
    fn find(folder: &Path, custody: &Custody) -> Result<Option<Self>, Failure> {
        let known = Inventory::of(folder).ca_certificates()?;
        if known.is_empty() {
            return Ok(None);
        }
        let signer = custody.open_file(&key_path(folder))?;
        // A renewed CA has several certificates for its key.
        let of_key = known.iter().filter(|ca| ca.public_key == *signer.public_key());
        let certificate = of_key.max_by_key(|ca| ca.not_after).cloned();
        let chain = certificate.map(|certificate| Chain::among(certificate, &known));
        Ok(chain.map(|chain| Self { chain, signer }))
    }
}

impl Chain {
    /// Reads and checks the ca.pem of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = certificate_path(folder);
        if !store::is_there(&path)? {
            return Err(Found::without_certificate(folder)?.refusal(folder));
        }
        let certificates = read_certificates(&path)?;
        Self::in_order(certificates).map_err(|failure| failure.in_file(&path))
    }
}

/// The folder of a CA, locked: no other etcdpki writes to it while this exists.
///
/// It is held for one operation. An open [`Ca`](crate::Ca) does not hold it.
pub(crate) struct LockedFolder {
    path: PathBuf,
    _lock: Lock,
}

impl LockedFolder {
    /// Refuses a folder or a key whose owner is not allowed, waits for others to finish, and cleans up after a run that was
    /// killed.
    pub(crate) fn lock(path: &Path, owners: Owners) -> Result<Self, Failure> {
        if !fs::metadata(path).is_ok_and(|folder| folder.is_dir()) {
            return Err(no_ca(path));
        }
        owners.check_folder(path)?;
        owners.check_file(&key_path(path))?;
        let lock = Lock::take(path)?;
        store::sweep_own(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a missing certificate back.
    pub(crate) fn restore(&self, chain: &Chain) -> Result<(), Failure> {
        let mut batch = Batch::new(Existing::Keep);
        let path = certificate_path(&self.path);
        batch.stage(path, chain.to_pem()?.as_bytes(), Access::Public)?;
        batch.commit()
    }
}

/// Refuses to overwrite the CA's own files. `issue ca --out pki --force` would replace the CA by a leaf, and everything
/// that the CA signed depends on it.
pub(crate) fn check_foreign(folder: &Path, place: &Path) -> Result<(), Failure> {
    let file = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let own = [
        certificate_path(folder),
        key_path(folder),
        next_key_path(folder),
        pending_path(folder),
        pending_crl_path(folder),
    ];
    let own = own.into_iter().chain(inventory::files(folder));
    match file(place).filter(|place| own.into_iter().any(|own| file(&own) == Some(*place))) {
        None => Ok(()),
        Some(_) => Err(Failure::environment(format!(
            "{} belongs to the CA; it is never overwritten",
            shown(place)
        ))
        .hinted("choose another NAME, or write elsewhere with --out")),
    }
}
