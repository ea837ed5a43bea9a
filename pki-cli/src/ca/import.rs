//! Taking over a CA that another tool made: everything is checked before anything is written.

use std::path::Path;

use pki_core::{Authority, CaSet, Certificate, Error, Finding, Severity};

use super::chain::{Chain, read_certificates};
use super::folder::{Found, LockedFolder};
use super::paths::{certificate_path, key_path};
use super::scan::Scan;
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::{Entry, Inventory, Merged};
use crate::signer::{Custody, NewKey};
use crate::store::{self, Access, Batch, Existing, Owners};

/// The files of a CA that another tool made.
pub(crate) struct ForeignCa<'a> {
    /// Its certificate, then those above it; or a PKCS #12 file with the key too.
    pub(crate) certificate: &'a Path,
    pub(crate) key: Option<&'a Path>,
}

/// A CA that was checked and is not in its folder yet.
pub(crate) struct CheckedCa {
    pub(crate) chain: Chain,
    key: NewKey,
    custody: Custody,
    /// Warnings of the rules about the CA.
    pub(crate) findings: Vec<Finding>,
}

/// What happened to a CA's files in its folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Files {
    Written,
    /// A killed run had written the key, and this run wrote the certificate.
    Completed,
    /// The files existed already, and only the inventory did not have them.
    Kept,
}

impl ForeignCa<'_> {
    /// Reads and checks a CA. Everything that is wrong with it is reported at once.
    pub(crate) fn check(&self, custody: &Custody) -> Result<CheckedCa, Failure> {
        let mut problems = Vec::new();
        let (key, chain) = match self.key {
            None if !custody.is_file() => {
                let certificates = noted(read_certificates(self.certificate), &mut problems);
                let chain = certificates.and_then(|all| self.chain(all, &mut problems));
                let key = chain.as_ref().map(|chain| key_elsewhere(chain, custody));
                (key.and_then(|key| noted(key, &mut problems)), chain)
            }
            Some(path) => {
                let key = read_key(path, custody, &mut problems);
                let certificates = noted(read_certificates(self.certificate), &mut problems);
                (key, certificates.and_then(|all| self.chain(all, &mut problems)))
            }
            None => match noted(self.pkcs12(custody), &mut problems) {
                Some((key, all)) => (Some(key), self.chain(all, &mut problems)),
                None => (None, None),
            },
        };
        let mut findings = Vec::new();
        if let Some(chain) = &chain {
            findings = Authority::new(chain.ca().clone()).findings(host::now());
            findings.retain(|finding| finding.severity >= Severity::Warning);
            if findings.iter().any(|finding| finding.severity == Severity::Error) {
                let mut refused = Failure::refused("the rules refuse this CA");
                refused.findings = std::mem::take(&mut findings);
                problems.push(refused.in_file(self.certificate));
            }
        }
        if let (Some(key), Some(chain)) = (&key, &chain) {
            problems.extend(self.check_pair(key, chain));
        }
        match (key, chain) {
            (Some(key), Some(chain)) if problems.is_empty() => {
                Ok(CheckedCa { chain, key, findings, custody: custody.clone() })
            }
            _ => Err(Failure::joined(problems)),
        }
    }

    fn pkcs12(&self, custody: &Custody) -> Result<(NewKey, Vec<Certificate>), Failure> {
        if !has_its_key(self.certificate)? {
            return Err(Failure::usage(format!(
                "{}: its private key is missing",
                shown(self.certificate)
            ))
            .hinted("pass it with --key, or pass a PKCS #12 file with both as --cert"));
        }
        custody.import_pkcs12(self.certificate, &store::read(self.certificate)?)
    }

    /// The certificates as a chain: in order, with correct signatures, up to a root.
    fn chain(&self, all: Vec<Certificate>, problems: &mut Vec<Failure>) -> Option<Chain> {
        let complete = CaSet::new(all.clone()).map(drop);
        let complete = complete.map_err(|error| Failure::from(error).in_file(self.certificate));
        noted(complete, problems);
        let chain = Chain::in_order(all).map_err(|failure| failure.in_file(self.certificate));
        noted(chain, problems)
    }

    fn check_pair(&self, key: &NewKey, chain: &Chain) -> Option<Failure> {
        let given = key.signer.public_key();
        if *given == chain.ca().public_key {
            return None;
        }
        let path = shown(self.key.unwrap_or(self.certificate));
        let owner = chain.all().find(|other| other.public_key == *given);
        let (problem, hint) = match owner {
            Some(owner) => (
                format!(
                    "{path} is the key of {}, which is not the first certificate",
                    owner.subject
                ),
                "put the certificate of the CA first, then those above it in order",
            ),
            None => (
                format!(
                    "{path} is not the key of {}: it is {}, but the certificate is for {}",
                    shown(self.certificate),
                    given.key_id(),
                    chain.ca().public_key.key_id()
                ),
                "give the two files that belong together",
            ),
        };
        Some(Failure::usage(problem).hinted(hint))
    }
}

impl CheckedCa {
    /// Records the CA and what a scan found, then puts its files in the folder, which must have no other CA.
    pub(crate) fn put(
        self,
        path: &Path,
        owners: Owners,
        scan: &Scan,
    ) -> Result<(Files, Merged), Failure> {
        store::make_folder(path, Access::Secret)?;
        let _folder = LockedFolder::lock(path, owners)?;
        let files = self.examine(path)?;
        let inventory = Inventory::of(path);
        inventory.examine(self.chain.ca())?;
        let mut batch = Batch::new(Existing::Keep);
        if let (Files::Written, Some(pem)) = (files, &self.key.pem) {
            batch.stage(key_path(path), pem.as_bytes(), Access::Secret)?;
        }
        if files != Files::Kept {
            let pem = self.chain.to_pem()?;
            batch.stage(certificate_path(path), pem.as_bytes(), Access::Public)?;
        }
        let imported = inventory.merge(&Entry::of_ca(self.chain.ca())?, &scan.entries)?;
        batch.commit()?;
        Ok((files, imported))
    }

    /// Whether the folder is free, or has this CA already.
    fn examine(&self, path: &Path) -> Result<Files, Failure> {
        match Found::find(path, &self.custody)? {
            Found::Nothing | Found::Remains(_) => Ok(Files::Written),
            Found::Complete if Chain::read(path)?.ca() == self.chain.ca() => Ok(Files::Kept),
            Found::WithoutCertificate(lost) if lost.chain.ca() == self.chain.ca() => {
                Ok(Files::Completed)
            }
            other => Err(other.exists(path)),
        }
    }
}

/// Whether a file with a CA's certificate is in a format that has the key too: it is neither PEM nor a certificate in DER.
pub(crate) fn has_its_key(certificate: &Path) -> Result<bool, Failure> {
    let bytes = store::read(certificate)?;
    Ok(!pki_core::is_pem(&bytes) && Certificate::from_der(&bytes).is_err())
}

/// The key in a token or behind a command, after a trial signature.
fn key_elsewhere(chain: &Chain, custody: &Custody) -> Result<NewKey, Failure> {
    let signer = custody.open(Path::new(""), &chain.ca().public_key)?;
    let trial = b"etcdpki import-ca: a trial";
    signer.sign(trial).map_err(|error| Failure::from(Error::Signer(error)))?;
    Ok(NewKey { signer, pem: None })
}

/// The key, and what is wrong with its file. A file that others can read is reported, but still read.
fn read_key(path: &Path, custody: &Custody, problems: &mut Vec<Failure>) -> Option<NewKey> {
    let bytes = match store::read_secret(path) {
        Ok(bytes) => bytes,
        Err(failure) => {
            problems.push(failure);
            store::read(path).ok()?
        }
    };
    noted(custody.import(path, &bytes), problems)
}

/// The value, or `None` after adding its failure to the list.
fn noted<T>(result: Result<T, Failure>, problems: &mut Vec<Failure>) -> Option<T> {
    result.map_err(|failure| problems.push(failure)).ok()
}
