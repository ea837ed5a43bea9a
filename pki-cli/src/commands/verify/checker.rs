//! What every certificate is checked against, wherever it was read from.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pki_core::{
    Certificate, CertificateFile, Defect, Finding, PrivateKey, PublicKey, Purpose, Signer,
    Verifier, VerifyOptions,
};

use super::args::{PolicyArg, VerifyArgs};
use super::folders::Folders;
use super::ignore::Exceptions;
use super::options;
use crate::ca::read_certificate_file;
use crate::failure::Failure;
use crate::output::verdict::Verified;
use crate::store;

pub(super) struct Checker {
    pub(super) verifier: Verifier,
    pub(super) options: VerifyOptions,
    pub(super) exceptions: Exceptions,
    /// The roles of the files in the folders.
    pub(super) folders: Folders,
    /// Verifiers that trust the CAs in a trust file of a folder, unless the command line names CAs.
    of_folders: HashMap<PathBuf, FolderTrust>,
    /// Findings about the files that options name.
    damages: Vec<Finding>,
}

/// What a trust file of a folder contains.
struct FolderTrust {
    verifier: Verifier,
    /// The findings about the file.
    damages: Vec<Finding>,
}

/// Whether a key may stand beside a certificate.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum KeyBeside {
    /// The folder was listed, and there is none.
    Missing,
    Possible,
}

impl Checker {
    /// `folder` is that of the CA.
    pub(super) fn new(
        args: &VerifyArgs,
        folder: &Path,
        exceptions: Exceptions,
    ) -> Result<Self, Failure> {
        let mut folders = Folders::look(&args.files);
        // RFC 5280 does not define roles of etcd.
        let is_asked = args.purpose.is_some() || args.profile.is_some();
        if is_asked || args.policy == PolicyArg::Rfc5280 {
            folders = folders.without_purposes();
        }
        let mut of_folders = HashMap::new();
        let (crls, mut damages) = options::crls(args)?;
        let anchors = if options::names_cas(args, folder)? || folders.trust_files().is_empty() {
            let (anchors, found) = options::anchors(args, folder)?;
            damages.extend(found);
            anchors
        } else {
            let mut all = Vec::new();
            for file in folders.trust_files() {
                let trusted = read_certificate_file(file)?;
                all.extend(trusted.certificates.iter().cloned());
                let damages = options::damage_of_trust(options::policy(args), file, &trusted);
                let verifier = options::verifier(args, &crls, trusted.certificates)?;
                of_folders.insert(file.to_owned(), FolderTrust { verifier, damages });
            }
            all
        };
        let verifier = options::verifier(args, &crls, anchors)?;
        let (options, key) = options::options(args)?;
        damages.extend(key);
        Ok(Self { verifier, options, exceptions, folders, of_folders, damages })
    }

    /// The trusted CAs of the folders, for people.
    pub(super) fn words(&self) -> String {
        let mut words = options::words(&self.options, self.verifier.policy());
        if self.folders.know_purposes() {
            words = words.replacen("for any purpose", "each for its purpose", 1);
        }
        let files = self.folders.trust_files();
        let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
        if !self.of_folders.is_empty() {
            words = format!("{words}, trusting {}", files.join(" and "));
        }
        words
    }

    /// Verifies the certificates of a file, which etcd may be unable to read.
    pub(super) fn check_file(
        &self,
        path: &Path,
        file: &CertificateFile,
        key: KeyBeside,
    ) -> Result<Verified, Failure> {
        let mut options = self.options.clone();
        let part = self.folders.part(path);
        if let Some(part) = part {
            part.complete(&mut options)?;
        }
        let policy = self.verifier.policy();
        let mut damages: Vec<Finding> = options::damage(policy, path, file).into_iter().collect();
        if options.key.is_none()
            && key == KeyBeside::Possible
            && let Some((key, damage)) = self.key_beside(path)?
        {
            options.key = Some(key);
            damages.extend(damage);
        }
        let trusted = part.and_then(|part| part.trusted.as_ref());
        let trusted = trusted.and_then(|file| self.of_folders.get(file));
        damages.extend(trusted.iter().flat_map(|trusted| trusted.damages.iter().cloned()));
        let verifier = trusted.map_or(&self.verifier, |trusted| &trusted.verifier);
        // A file that was read holds at least one certificate.
        let all = &file.certificates;
        let mut result = self.verified(verifier, &all[0], &all[1..], &options, damages);
        if let Some(part) = part {
            result.found.retain(|found| !part.inapplicable.contains(&found.finding.rule.id));
        }
        Ok(result)
    }

    /// Whether CAs are verified too; otherwise a file that contains only CAs is skipped.
    pub(super) fn is_for_cas(&self) -> bool {
        self.options.purpose == Purpose::Ca
    }

    /// Verifies the first certificate; the others may be intermediates.
    pub(super) fn check(
        &self,
        leaf: &Certificate,
        chain: &[Certificate],
        options: &VerifyOptions,
    ) -> Verified {
        self.verified(&self.verifier, leaf, chain, options, Vec::new())
    }

    fn verified(
        &self,
        verifier: &Verifier,
        leaf: &Certificate,
        chain: &[Certificate],
        options: &VerifyOptions,
        damages: Vec<Finding>,
    ) -> Verified {
        let (path, mut findings) = verifier.check(leaf, chain, options).into_parts();
        findings.extend(damages);
        findings.extend(self.damages.iter().cloned());
        Verified { path: Some(path), endpoint: None, found: self.exceptions.apply(findings) }
    }

    /// The public half of the key beside a certificate: `X-key.pem` beside `X.pem`. If this user cannot read the key, or if
    /// it is encrypted, the certificate is verified without it.
    fn key_beside(
        &self,
        certificate: &Path,
    ) -> Result<Option<(PublicKey, Option<Finding>)>, Failure> {
        let Some(name) = key_name(certificate) else { return Ok(None) };
        let path = certificate.with_file_name(name);
        if !path.is_file() {
            return Ok(None);
        }
        let Ok(bytes) = store::read(&path) else { return Ok(None) };
        let key = match PrivateKey::from_pem(&bytes) {
            Ok(key) => key,
            Err(error) if error.defect() == Some(Defect::Encrypted) => return Ok(None),
            Err(error) => return Err(Failure::from(error).in_file(&path)),
        };
        let damage = options::damage_of_key(self.verifier.policy(), &path, &bytes);
        Ok(Some((key.public_key().clone(), damage)))
    }
}

/// The name of the key beside a certificate.
pub(super) fn key_name(certificate: &Path) -> Option<OsString> {
    let (stem, ending) = (certificate.file_stem()?, certificate.extension()?);
    let mut name = stem.to_owned();
    name.push("-key.");
    name.push(ending);
    Some(name)
}
