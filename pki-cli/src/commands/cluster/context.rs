//! What the work on every host's folder depends on: the manifest, the CAs, and the files that all hosts get.

use std::path::{Path, PathBuf};

use pki_core::{Bundles, ClusterCas, FileKind, Manifest, Purpose, SigningConfig, Traffic};
use time::OffsetDateTime;

use super::revoked::RevokedCertificates;
use super::states::{self, Decided, Next};
use crate::ca;
use crate::failure::Failure;
use crate::host;
use crate::hosts::{self, Origins};

/// The inputs of the work on every host's folder.
pub(crate) struct ApplyContext<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) bundles: Bundles<'a>,
    pub(crate) profiles: SigningConfig,
    /// None before there is a CA.
    pub(crate) cas: Option<&'a ClusterCas>,
    /// The CAs that a host trusts, in PEM. Empty before there is a CA.
    trusted: String,
    /// Other files that every member gets: with separate CAs those that it trusts on each port, and CRLs.
    of_members: Vec<(FileKind, Vec<u8>)>,
    /// What the CAs have revoked.
    pub(super) revoked: RevokedCertificates,
    /// How members start, and the commands for the cluster.
    next: Vec<Next>,
    /// Warnings about the hosts' folders.
    pub(crate) warning: Option<String>,
    /// The folder of all hosts.
    pub(crate) all: PathBuf,
    /// The same, relative to the folder of a CA.
    pub(crate) relative: PathBuf,
    /// The clusters that their folders were made for.
    pub(crate) origins: Origins,
    pub(crate) now: OffsetDateTime,
    pub(super) leaves: Leaves,
}

/// What to do with certificates that a host has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Leaves {
    /// They are reissued or renewed as the manifest says.
    AsManifest,
    /// They are kept unchanged.
    Keep,
}

impl<'a> ApplyContext<'a> {
    pub(crate) fn new(
        manifest: &'a Manifest,
        cas: Option<&'a ClusterCas>,
        crls: Vec<(FileKind, Vec<u8>)>,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let trusted = cas.map(|cas| cas.server.trust_pem()).transpose()?;
        let mut of_members = crls;
        if manifest.cas.is_some() {
            for (kind, purpose) in
                [(FileKind::ClientCas, Purpose::Client), (FileKind::PeerCas, Purpose::Peer)]
            {
                let trusted = cas.map(|cas| cas.trust_pem(purpose)).transpose()?;
                of_members.push((kind, trusted.unwrap_or_default().into_bytes()));
            }
        }
        let Decided { states, next, warning } = states::decide(manifest, folder)?;
        Ok(Self {
            manifest,
            bundles: Bundles::new(manifest, states),
            profiles: SigningConfig::etcd(),
            cas,
            trusted: trusted.unwrap_or_default(),
            of_members,
            revoked: RevokedCertificates::read(manifest, folder)?,
            next,
            warning,
            all: folder.join(hosts::FOLDER),
            relative: ca::hosts_from(&ca::folder_of(
                folder,
                manifest.cas.as_ref().map(|_| Traffic::Server),
            )),
            origins: Origins::read(folder)?,
            now: host::now(),
            leaves: Leaves::AsManifest,
        })
    }

    /// The same, for a run that treats existing certificates in this way.
    pub(crate) fn with_leaves(self, leaves: Leaves) -> Self {
        Self { leaves, ..self }
    }

    /// The commands for the cluster about these hosts, or about all hosts if the list is empty.
    pub(crate) fn next_for(&self, only: &[String]) -> Vec<Next> {
        let is_asked = |next: &&Next| only.is_empty() || only.contains(&next.host);
        self.next.iter().filter(is_asked).cloned().collect()
    }

    /// The files of a host's folder other than certificates and keys.
    pub(crate) fn public_files(&self, host: &str) -> Vec<(FileKind, Vec<u8>)> {
        let trusted = (FileKind::TrustedCas, self.trusted.clone().into_bytes());
        let is_member = self.manifest.etcd.iter().any(|member| member.name == host);
        let of_members = self.of_members.iter().filter(|_| is_member).cloned();
        let generated = self.bundles.generated(host).into_iter();
        let generated = generated.map(|file| (file.kind, file.contents.into_bytes()));
        [trusted].into_iter().chain(of_members).chain(generated).collect()
    }
}
