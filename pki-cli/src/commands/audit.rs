//! What `verify -f` and `status` share: every file of every host, read once.

use std::path::Path;

use pki_core::{Certificate, FileReport, HostFile, Manifest, PrivateKey, Signer};

use super::Common;
use super::cluster::in_parallel;
use crate::failure::Failure;
use crate::hosts::HeldFile;
use crate::{ca_folder, host, hosts};

/// Reads the folders of all hosts; files that hold neither certificate nor key are read past.
pub(crate) fn read_hosts(all: &Path) -> Result<Vec<HostFile>, Failure> {
    let names = hosts::list(all)?;
    let files = in_parallel(&names, |host| read_host(&all.join(host), host))?;
    Ok(files.into_iter().flatten().collect())
}

fn read_host(folder: &Path, host: &str) -> Result<Vec<HostFile>, Failure> {
    let mut files = Vec::new();
    for (name, HeldFile { contents, mode }) in hosts::read(folder)? {
        let certificate = Certificate::from_pem_or_der(&contents).ok();
        files.push(HostFile {
            host: host.to_owned(),
            name: name.to_string_lossy().into_owned(),
            mode,
            certificate: certificate.map(|mut all| all.swap_remove(0)),
            key: PrivateKey::from_pem(&contents).ok().map(|key| key.public_key().clone()),
        });
    }
    Ok(files)
}

/// Judges the files of every host by the manifest.
pub(crate) fn judge(manifest: &Manifest, common: &Common) -> Result<Vec<FileReport>, Failure> {
    let ca_path = ca_folder::certificate_path(&common.dir);
    let ca = ca_folder::read_certificates(&ca_path)?.swap_remove(0);
    let files = read_hosts(&common.dir.join(hosts::FOLDER))?;
    Ok(manifest.audit(&ca, &files, host::now())?)
}
