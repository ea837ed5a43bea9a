//! Where the files of a CA are: their names in its folder, and the folders of separate CAs and of the hosts.

use std::path::{Path, PathBuf};

use pki_core::{Manifest, Traffic};

use crate::failure::{Failure, shown};
use crate::{hosts, store};

pub(crate) fn certificate_path(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

pub(crate) fn key_path(folder: &Path) -> PathBuf {
    folder.join("ca-key.pem")
}

/// The key of the CA that takes the place of this one, during a rotation.
pub(crate) fn next_key_path(folder: &Path) -> PathBuf {
    folder.join("ca-next-key.pem")
}

/// The key of an intermediate CA whose certificate waits for the signature of the CA above it, and the bytes to sign.
pub(crate) fn pending_path(folder: &Path) -> PathBuf {
    folder.join("ca.pending")
}

/// A CRL that waits for its signature from elsewhere.
pub(crate) fn pending_crl_path(folder: &Path) -> PathBuf {
    folder.join("crl.pending")
}

/// The certificates of ca.pem before another CA issued, during a rotation.
pub(crate) fn previous_path(folder: &Path) -> PathBuf {
    folder.join("ca-previous.pem")
}

/// The folder of a CA: `pki`, or with separate CAs `pki/server-ca`, `pki/peer-ca` and `pki/client-ca`.
pub(crate) fn folder_of(folder: &Path, traffic: Option<Traffic>) -> PathBuf {
    match traffic {
        None => folder.to_owned(),
        Some(traffic) => folder.join(format!("{}-ca", traffic.as_str())),
    }
}

/// The folder of the hosts: beside the folder of a separate CA, and in that of any other.
pub(crate) fn hosts_of(ca_folder: &Path) -> PathBuf {
    let parent = ca_folder.parent().filter(|_| is_separate(ca_folder));
    parent.unwrap_or(ca_folder).join(hosts::FOLDER)
}

/// The folder of the hosts, as a path relative to the folder of the CA.
pub(crate) fn hosts_from(ca_folder: &Path) -> PathBuf {
    let up = if is_separate(ca_folder) { ".." } else { "" };
    Path::new(up).join(hosts::FOLDER)
}

/// Whether a folder is that of a separate CA.
pub(crate) fn is_separate(ca_folder: &Path) -> bool {
    traffic_of(ca_folder).is_some()
}

/// What a CA issues, from its folder. `None` for a CA that is not one of several.
pub(crate) fn traffic_of(ca_folder: &Path) -> Option<Traffic> {
    let name = |traffic| folder_of(Path::new(""), Some(traffic));
    let is_its = |traffic: &Traffic| ca_folder.file_name() == name(*traffic).file_name();
    // The name does not prove it: any folder can have this name.
    let found = Traffic::ALL.into_iter().find(is_its);
    found.filter(|_| !ca_folder.join(hosts::FOLDER).is_dir())
}

/// The folders of the CAs that a manifest asks for.
pub(crate) fn folders_of(manifest: &Manifest, folder: &Path) -> Vec<PathBuf> {
    let specs = manifest.ca_specs().into_iter();
    specs.map(|(traffic, _)| folder_of(folder, traffic)).collect()
}

/// The folders of the CAs that are in a folder, for commands without a manifest.
pub(crate) fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let separate = Traffic::ALL.map(|traffic| folder_of(folder, Some(traffic)));
    let is_one = store::is_there(&certificate_path(folder))?;
    let is_separate = !is_one && store::is_there(&certificate_path(&separate[0]))?;
    Ok(if is_separate { separate.to_vec() } else { vec![folder.to_owned()] })
}

/// The error of a command for one CA if a folder holds separate CAs. `None` for any other folder.
pub(super) fn separate(folder: &Path) -> Option<Failure> {
    let folders = folders_in(folder).ok().filter(|folders| folders.len() > 1)?;
    Some(name_one(folder, &folders))
}

/// The error of a command for one CA if a cluster has separate CAs, which are in these folders.
pub(crate) fn name_one(folder: &Path, cas: &[PathBuf]) -> Failure {
    let names: Vec<String> = cas.iter().map(|folder| shown(folder)).collect();
    Failure::environment(format!("{}: it holds separate CAs", shown(folder)))
        .hinted(format!("name one of them with --dir: {}", names.join(", ")))
}
