//! The folders on the command line of `verify`: the roles of their files, according to names and configuration.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pki_core::{EtcdVersion, FolderFile, PkiFolder, PrivateKey, Purpose, Signer, VerifyOptions};

use crate::ca::read_certificates;
use crate::commands::small_folder::{files_of, may_be_configuration};
use crate::failure::Failure;
use crate::store;

/// The release whose options are used for a folder from an unknown host: the newest one.
pub(super) const RELEASE: EtcdVersion = EtcdVersion(3, 6, u32::MAX);

/// The roles of the certificates in the folders.
#[derive(Default)]
pub(super) struct Folders {
    parts: HashMap<PathBuf, Part>,
}

/// What is known about a certificate.
pub(super) struct Part {
    purpose: Purpose,
    key: Option<PathBuf>,
    pub(super) trusted: Option<PathBuf>,
    /// The rules that do not apply to the certificate.
    pub(super) inapplicable: Vec<&'static str>,
}

impl Part {
    /// Adds the purpose, if the command line has none, and the key.
    pub(super) fn complete(&self, options: &mut VerifyOptions) -> Result<(), Failure> {
        if options.purpose == Purpose::Any {
            options.purpose = self.purpose;
        }
        if let Some(path) = self.key.as_ref().filter(|_| options.key.is_none()) {
            let key = PrivateKey::from_pem(&store::read(path)?)
                .map_err(|error| Failure::from(error).in_file(path))?;
            options.key = Some(key.public_key().clone());
        }
        Ok(())
    }
}

impl Folders {
    /// Reads the names and the configuration in the folders among these paths. A folder that cannot be read is reported
    /// later, when its certificates are read.
    pub(super) fn look(files: &[PathBuf]) -> Self {
        let mut folders = Self::default();
        for folder in files.iter().filter(|path| path.is_dir()) {
            if let Some(paths) = files_of(folder) {
                folders.add(folder, &paths);
            }
        }
        folders
    }

    fn add(&mut self, folder: &Path, paths: &[String]) {
        let texts: Vec<Option<String>> =
            paths.iter().map(|path| configuration(folder, path)).collect();
        let files: Vec<FolderFile<'_>> = paths
            .iter()
            .zip(&texts)
            .map(|(path, text)| FolderFile { path, text: text.as_deref() })
            .collect();
        let read = PkiFolder::read(&files, RELEASE);
        let pairs = &read.pairs;
        for pair in pairs {
            let inside = |file: &String| folder.join(file);
            let certificate = inside(&pair.certificate);
            let mut trusted = pair.trusted.as_ref().map(inside);
            // Nothing in a member's folder says which CA its clients trust.
            if trusted.is_none() && pair.purpose != Purpose::Any {
                let others = pairs.iter().filter(|other| other.key.is_none());
                trusted = issuer_of(&certificate, others.map(|other| inside(&other.certificate)));
            }
            let key = pair.key.as_ref().map(inside);
            let mut inapplicable = Vec::new();
            if read.is_of_another_ca(pair) {
                inapplicable.push("peer-port-open-to-clients");
            }
            if read.settings.as_ref().is_some_and(|settings| !settings.uses_gateway()) {
                inapplicable.push("srv-eku-client");
            }
            // The code that verifies the file reports why it cannot be read.
            let purpose =
                pair.purpose_of(|| Some(read_certificates(&certificate).ok()?.swap_remove(0)));
            let part = Part { purpose, key, trusted, inapplicable };
            self.parts.insert(certificate, part);
        }
    }

    /// No roles, because the command line has one purpose for all certificates.
    pub(super) fn without_purposes(mut self) -> Self {
        self.parts.values_mut().for_each(|part| part.purpose = Purpose::Any);
        self
    }

    /// What is known about this certificate.
    pub(super) fn part(&self, certificate: &Path) -> Option<&Part> {
        self.parts.get(certificate)
    }

    /// True if a certificate has a known role.
    pub(super) fn know_purposes(&self) -> bool {
        self.parts.values().any(|part| part.purpose != Purpose::Any)
    }

    /// The trust files, in order and without duplicates.
    pub(super) fn trust_files(&self) -> Vec<&Path> {
        let mut files: Vec<&Path> =
            self.parts.values().filter_map(|part| part.trusted.as_deref()).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}

/// The first of these files that contains the root of a certificate.
fn issuer_of(certificate: &Path, mut files: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    let leaf = read_certificates(certificate).ok()?.swap_remove(0);
    files.find(|file| {
        let roots = read_certificates(file).unwrap_or_default();
        roots.iter().any(|root| root.is_ca() && root.subject.der() == leaf.issuer.der())
    })
}

/// The text of a file that may configure etcd.
fn configuration(folder: &Path, path: &str) -> Option<String> {
    let bytes = may_be_configuration(path).then(|| store::read(&folder.join(path)).ok());
    Some(String::from_utf8_lossy(&bytes.flatten()?).into_owned())
}
