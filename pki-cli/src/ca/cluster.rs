//! The CAs of a cluster: one in the CA's folder, or one for each kind of certificate, in folders of their own beside the
//! hosts' folders.

use std::path::{Path, PathBuf};

use pki_core::{CaSet, ClusterCas, FileKind, Traffic};

use super::chain::Chain;
use super::paths::{folders_in, is_separate};
use crate::failure::Failure;

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
