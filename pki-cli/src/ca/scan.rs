//! The certificates of a CA in a folder that another tool keeps.

use std::fs;
use std::path::Path;

use pki_core::Certificate;

use crate::failure::{Failure, shown};
use crate::inventory::Entry;
use crate::store;

/// The profile in the row of a certificate that another tool issued.
const IMPORTED_PROFILE: &str = "imported";

/// The limit on files, and on levels of folders: a larger folder is not a store of certificates.
const MOST_FILES: usize = 100_000;
const MOST_LEVELS: usize = 8;

/// What a folder holds.
#[derive(Default)]
pub(crate) struct Scan {
    /// The rows of what the CA issued, each certificate once.
    pub(crate) entries: Vec<Entry>,
    /// How many certificates other CAs issued.
    pub(crate) foreign: usize,
    /// The files that could not be read, with the reason.
    pub(crate) unreadable: Vec<String>,
    files: usize,
    found: std::collections::HashSet<Vec<u8>>,
}

impl Scan {
    /// Reads every file of a folder and of the folders below it. Links to folders are not followed.
    pub(crate) fn of(folder: &Path, ca: &Certificate) -> Result<Self, Failure> {
        let mut scan = Self::default();
        scan.read_folder(folder, ca, 0)?;
        Ok(scan)
    }

    fn read_folder(
        &mut self,
        folder: &Path,
        ca: &Certificate,
        level: usize,
    ) -> Result<(), Failure> {
        let failed = |error: &_| Failure::file("reading", folder, error);
        let mut entries: Vec<_> = fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<_, _>>)
            .map_err(|error| failed(&error))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type().map_err(|error| failed(&error))?);
            if kind.is_dir() && level + 1 < MOST_LEVELS {
                self.read_folder(&path, ca, level + 1)?;
            } else if kind.is_file() || (kind.is_symlink() && path.is_file()) {
                self.files += 1;
                if self.files > MOST_FILES {
                    return Err(Failure::usage(format!(
                        "{} has more than {MOST_FILES} files",
                        shown(folder)
                    ))
                    .hinted("name the folder that holds only the certificates with --scan"));
                }
                self.read_file(&path, ca)?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path, ca: &Certificate) -> Result<(), Failure> {
        let bytes = match store::read_regular(path) {
            Ok(bytes) => bytes,
            Err(failure) => {
                self.unreadable.push(failure.message);
                return Ok(());
            }
        };
        let is_certificate = bytes.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE);
        match Certificate::from_pem_or_der(&bytes) {
            Ok(certificates) => {
                for certificate in &certificates {
                    self.add(certificate, ca)?;
                }
            }
            Err(error) if is_certificate => {
                self.unreadable.push(format!("{}: {error}", shown(path)));
            }
            // Keys, requests and configuration.
            Err(_) => {}
        }
        Ok(())
    }

    fn add(&mut self, certificate: &Certificate, ca: &Certificate) -> Result<(), Failure> {
        if certificate == ca || !self.found.insert(certificate.der().to_vec()) {
            return Ok(());
        }
        let is_issued = certificate.issuer.der() == ca.subject.der()
            && certificate.is_signed_by(&ca.public_key);
        if is_issued {
            let issued_at = certificate.not_before;
            self.entries.push(Entry::new(certificate, IMPORTED_PROFILE, issued_at)?);
        } else {
            self.foreign += 1;
        }
        Ok(())
    }
}

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
