//! The CAs of a cluster: one in the CA's folder, or one for each kind of certificate, in folders of their own beside the
//! hosts' folders.

use std::path::{Path, PathBuf};

use pki_core::{CaSet, ClusterCas, FileKind, Manifest, Traffic};

use super::chain::Chain;
use super::folder::certificate_path;
use crate::failure::{Failure, shown};
use crate::{hosts, store};

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

/// What a CA is called in a sentence.
pub(crate) const fn name(traffic: Option<Traffic>) -> &'static str {
    match traffic {
        None => "the CA",
        Some(Traffic::Server) => "the CA for servers",
        Some(Traffic::Peer) => "the CA for peers",
        Some(Traffic::Client) => "the CA for clients",
    }
}

/// The file in a member's folder for the CRL of a CA. Members check only who connects to them, so they need no CRL of the CA
/// for servers.
pub(crate) const fn crl_file(traffic: Option<Traffic>) -> Option<FileKind> {
    match traffic {
        None | Some(Traffic::Client) => Some(FileKind::Crl),
        Some(Traffic::Peer) => Some(FileKind::PeerCrl),
        Some(Traffic::Server) => None,
    }
}

/// Reads the CAs of a cluster from the folders that a manifest or [`folders_in`] names.
pub(crate) fn read_cluster(folders: &[PathBuf]) -> Result<ClusterCas, Failure> {
    let chains = folders.iter().map(|folder| Chain::read(folder));
    let chains = chains.collect::<Result<Vec<_>, _>>()?;
    cluster_cas(&folders.iter().map(PathBuf::as_path).zip(&chains).collect::<Vec<_>>())
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

/// The CAs of the cluster that a CA belongs to, from its folder and its certificates.
pub(crate) fn cluster_around(ca_folder: &Path, chain: &Chain) -> Result<ClusterCas, Failure> {
    match ca_folder.parent().filter(|_| is_separate(ca_folder)) {
        Some(folder) => read_cluster(&folders_in(folder)?),
        None => cluster_cas(&[(ca_folder, chain)]),
    }
}

/// The CAs of a cluster from their certificates, each with its folder: one, or those for servers, peers and clients.
pub(crate) fn cluster_cas(chains: &[(&Path, &Chain)]) -> Result<ClusterCas, Failure> {
    let sets = chains.iter().map(|(folder, chain)| chain.set(folder));
    let sets = sets.collect::<Result<Vec<_>, _>>()?;
    match <[CaSet; 3]>::try_from(sets) {
        Ok([server, peer, client]) => Ok(ClusterCas { server, peer, client }),
        Err(mut sets) if sets.len() == 1 => Ok(ClusterCas::shared(sets.swap_remove(0))),
        Err(_) => Err(Failure::bug("a cluster has one CA or three")),
    }
}
