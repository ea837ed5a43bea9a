//! The certificates and CRLs of a CA in files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use pki_core::{Certificate, Crl, FileKind, SerialNumber};

use crate::commands::small_folder;
use crate::failure::{Failure, shown};
use crate::inventory::{FilePlace, profile_of};
use crate::{ca, hosts, store};

/// A certificate in a file.
pub(super) struct FoundCertificate {
    pub(super) certificate: Certificate,
    pub(super) file: PathBuf,
    pub(super) profile: &'static str,
    pub(super) place: FilePlace,
}

/// What CAs issued, by the files that are there.
#[derive(Default)]
pub(super) struct Files {
    pub(super) certificates: Vec<FoundCertificate>,
    /// The CRL with the highest number: its file, the number, and the CRL.
    pub(super) newest_crl: Option<(PathBuf, u64, Crl)>,
    serials: HashSet<SerialNumber>,
}

impl Files {
    /// Reads the hosts' folders in a CA's folder, and other folders.
    ///
    /// `issuers` are the CAs whose certificates are searched for; the CRL is that of the first one.
    pub(super) fn read(
        folder: &Path,
        others: &[PathBuf],
        issuers: &[Certificate],
    ) -> Result<Self, Failure> {
        let mut files = Self::default();
        let hosts_folder = ca::hosts_from(folder);
        let all = ca::hosts_of(folder);
        for host in hosts::list(&all)? {
            for (name, file) in hosts::read(&all.join(&host))? {
                let relative = hosts_folder.join(&host).join(&name);
                let kind = name.to_str().and_then(FileKind::from_name);
                let profile = match kind {
                    Some(FileKind::Certificate(role)) => Some(role.profile()),
                    _ => None,
                };
                let place = FilePlace::of_host(&host, &relative);
                files.add(&file.contents, all.join(&host).join(&name), profile, place, issuers);
            }
        }
        for other in others {
            let names = small_folder::files_of(other).ok_or_else(|| {
                Failure::usage(format!("{}: too many files", shown(other)))
                    .hinted("name the folders in it one by one, each with --scan")
            })?;
            for name in names {
                let file = other.join(name);
                let Ok(contents) = store::read_regular(&file) else { continue };
                let place = FilePlace::elsewhere(&file);
                files.add(&contents, file, None, place, issuers);
            }
        }
        Ok(files)
    }

    fn add(
        &mut self,
        contents: &[u8],
        file: PathBuf,
        profile: Option<&'static str>,
        place: FilePlace,
        issuers: &[Certificate],
    ) {
        if let Ok(mut read) = Certificate::from_pem_or_der(contents) {
            let certificate = read.swap_remove(0);
            let is_ours = issuers.iter().any(|ca| ca::issued_by(ca, &certificate))
                && issuers.iter().all(|ca| ca.public_key != certificate.public_key);
            if is_ours && self.serials.insert(certificate.serial.clone()) {
                let profile = profile.unwrap_or_else(|| profile_of(&certificate));
                self.certificates.push(FoundCertificate { certificate, file, profile, place });
            }
        } else if let Ok(crl) = Crl::from_pem_or_der(contents)
            && let [ca, ..] = issuers
            && crl.issuer.der() == ca.subject.der()
            && crl.is_signed_by(&ca.public_key)
            && let Some(number) = ca::crl_number(&crl)
            && self.newest_crl.as_ref().is_none_or(|(_, newest, _)| *newest < number)
        {
            self.newest_crl = Some((file, number, crl));
        }
    }
}
