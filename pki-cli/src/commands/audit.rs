//! What `verify -f` and `status` share: every file of every host, read once.

use std::path::Path;

use pki_core::{FileReport, HostFile, Manifest};

use super::cluster::in_parallel;
use crate::ca;
use crate::failure::Failure;
use crate::hosts::{Extent, HeldFile};
use crate::{host, hosts};

/// Reads the folders of all hosts.
pub(crate) fn read_hosts(all: &Path) -> Result<Vec<HostFile>, Failure> {
    let names = hosts::list(all)?;
    let files = in_parallel(&names, |host| read_host(&all.join(host), host))?;
    Ok(files.into_iter().flatten().collect())
}

fn read_host(folder: &Path, host: &str) -> Result<Vec<HostFile>, Failure> {
    let mut files = Vec::new();
    for (name, HeldFile { contents, mode, extent }) in hosts::read(folder)? {
        let name = name.to_string_lossy();
        files.push(match extent {
            Extent::Whole => HostFile::new(host, name, mode, &contents),
            Extent::TooLarge => HostFile::unread(host, name, mode),
        });
    }
    Ok(files)
}

/// Verifies the files of every host in the CA's folder against the manifest.
pub(crate) fn run(manifest: &Manifest, folder: &Path) -> Result<Vec<FileReport>, Failure> {
    let cas = ca::read_cluster(&ca::folders_of(manifest, folder))?;
    let files = read_hosts(&folder.join(hosts::FOLDER))?;
    Ok(manifest.audit(&cas, &files, host::now())?)
}
