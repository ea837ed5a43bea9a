//! The CA that a run of `rotate-ca` replaces: the CA of the cluster, or one of its separate CAs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pki_core::{
    CaSpec, Certificate, CertificateSpec, ClusterCas, Error, FileKind, HostCas, HostLeaf, Manifest,
    Purpose, Traffic, TrustFile,
};

use super::SeparateCa;
use super::parallel::in_parallel;
use super::specs::specs_by_host;
use crate::ca::{self, Chain};
use crate::failure::{Failure, shown};
use crate::hosts;

/// A CA of a cluster that can be replaced.
#[derive(Clone, Copy)]
pub(crate) struct RotatedCa<'a> {
    pub(crate) manifest: &'a Manifest,
    /// The folder around those of the hosts.
    pub(crate) folder: &'a Path,
    /// What it issues, in a cluster with separate CAs.
    pub(crate) traffic: Option<Traffic>,
}

/// The CA that `--ca` chooses. A cluster with separate CAs needs the option, and no other has it.
pub(crate) fn traffic(
    manifest: &Manifest,
    chosen: Option<SeparateCa>,
) -> Result<Option<Traffic>, Failure> {
    match (&manifest.cas, chosen) {
        (Some(_), None) => Err(Failure::usage(
            "the manifest has separate CAs (\"cas\"), and rotate-ca replaces one at a time",
        )
        .hinted("name it with --ca server, --ca peer or --ca client")),
        (None, Some(_)) => Err(Failure::usage(
            "--ca works only with separate CAs, and the manifest has no \"cas\"",
        )
        .hinted("leave it out")),
        (_, chosen) => Ok(chosen.map(SeparateCa::traffic)),
    }
}

impl<'a> RotatedCa<'a> {
    /// The CAs of a cluster.
    pub(crate) fn all(manifest: &'a Manifest, folder: &'a Path) -> impl Iterator<Item = Self> {
        let all = manifest.ca_specs().into_iter();
        all.map(move |(traffic, _)| Self { manifest, folder, traffic })
    }

    /// The folder of the CA.
    pub(crate) fn ca_folder(self) -> PathBuf {
        ca::folder_of(self.folder, self.traffic)
    }

    /// What the manifest says about it.
    pub(crate) fn spec(self) -> &'a CaSpec {
        let separate = self.traffic.zip(self.manifest.cas.as_ref());
        separate.map_or(&self.manifest.ca, |(traffic, cas)| cas.of(traffic))
    }

    /// The common names of the other CAs of the cluster.
    pub(crate) fn other_names(self) -> Result<Vec<String>, Failure> {
        let others = Self::all(self.manifest, self.folder).filter(|ca| ca.traffic != self.traffic);
        let mut names = Vec::new();
        for other in others {
            let chain = Chain::read(&other.ca_folder())?;
            names.extend(chain.all().filter_map(|ca| ca.subject.common_name()).map(str::to_owned));
        }
        Ok(names)
    }

    /// Its name in a sentence.
    pub(crate) const fn name(self) -> &'static str {
        ca::name(self.traffic)
    }

    /// The command line of a step.
    pub(crate) fn command(self, step: &str, manifest: &Path) -> String {
        let option = self.traffic.map(|traffic| format!(" --ca {}", traffic.as_str()));
        let (file, option) = (shown(manifest), option.unwrap_or_default());
        format!("etcdpki rotate-ca {step} -f {file}{option}")
    }

    /// The files of a host that contain the CAs to trust. The client port of a member also trusts the CA for servers,
    /// because etcd's gateway connects to it with the certificate of the server.
    fn trust_files(self, host: &str) -> Vec<FileKind> {
        let is_member = self.manifest.etcd.iter().any(|member| member.name == host);
        match self.traffic {
            Some(Traffic::Server) if is_member => vec![FileKind::TrustedCas, FileKind::ClientCas],
            None | Some(Traffic::Server) => vec![FileKind::TrustedCas],
            Some(Traffic::Peer) if is_member => vec![FileKind::PeerCas],
            Some(Traffic::Client) if is_member => vec![FileKind::ClientCas],
            Some(Traffic::Peer | Traffic::Client) => Vec::new(),
        }
    }

    fn issues(self, spec: &CertificateSpec) -> bool {
        self.traffic.is_none_or(|traffic| spec.role.traffic() == traffic)
    }

    /// The hosts with programs that must trust the CA.
    pub(crate) fn trusting_hosts(self) -> Result<BTreeSet<String>, Failure> {
        let hosts = specs_by_host(self.manifest, &[])?.into_keys();
        Ok(hosts.filter(|host| !self.trust_files(host).is_empty()).collect())
    }

    /// The hosts with programs that present a certificate of the CA.
    pub(crate) fn presenting_hosts(self) -> Result<BTreeSet<String>, Failure> {
        let hosts = specs_by_host(self.manifest, &[])?.into_iter();
        let presents = |specs: &[CertificateSpec]| specs.iter().any(|spec| self.issues(spec));
        Ok(hosts.filter(|(_, specs)| presents(specs)).map(|(host, _)| host).collect())
    }

    /// Whether a host has certificates of clients, whose processes cannot be checked over the network.
    pub(crate) fn has_clients(self, host: &str) -> bool {
        self.manifest.control_plane.iter().any(|other| other.name == host)
            || self.manifest.clients.iter().any(|client| client.host == host)
    }

    /// The roots of the CA for servers, which a member's trust file for clients contains too. `own` is the chain of this
    /// CA, if it is known.
    pub(crate) fn servers(self, own: Option<&Chain>) -> Result<Vec<Certificate>, Failure> {
        match (self.traffic, own) {
            (Some(Traffic::Server), Some(own)) => Ok(own.all().cloned().collect()),
            (Some(Traffic::Client), _) => {
                let folder = ca::folder_of(self.folder, Some(Traffic::Server));
                Ok(Chain::read(&folder)?.all().cloned().collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What the folders of the hosts hold of this CA. Hosts without a folder, and hosts that do not use the
    /// CA, are not in it. `servers` are the roots of the CA for servers.
    pub(crate) fn read(self, servers: &[Certificate]) -> Result<Vec<HostCas>, Failure> {
        let all = self.folder.join(hosts::FOLDER);
        let mut held = Vec::new();
        for (host, specs) in specs_by_host(self.manifest, &[])? {
            let files = hosts::read(&hosts::folder_of(&all, &host))?;
            if files.is_empty() {
                continue;
            }
            let certificates = |name: &str| {
                let file = files.get(std::ffi::OsStr::new(name))?;
                Certificate::from_pem_or_der(&file.contents).ok()
            };
            let of_servers = certificates(&FileKind::TrustedCas.name()).unwrap_or_default();
            let is_for_servers =
                |ca: &Certificate| servers.iter().chain(&of_servers).any(|one| one.is_same_ca(ca));
            let trusted = self.trust_files(&host).into_iter().map(|kind| {
                let mut cas = certificates(&kind.name()).unwrap_or_default();
                if kind == FileKind::ClientCas {
                    let keeps_servers = self.traffic == Some(Traffic::Server);
                    cas.retain(|ca| is_for_servers(ca) == keeps_servers);
                }
                TrustFile { file: kind.name().into_owned(), cas }
            });
            let trusted: Vec<TrustFile> = trusted.collect();
            let leaves = specs.iter().filter(|spec| self.issues(spec)).filter_map(|spec| {
                let file = spec.role.certificate_file();
                let mut chain = certificates(&file)?;
                Some(HostLeaf { certificate: chain.remove(0), chain, file })
            });
            let leaves: Vec<HostLeaf> = leaves.collect();
            if !trusted.is_empty() || !leaves.is_empty() {
                held.push(HostCas { host, trusted, leaves });
            }
        }
        Ok(held)
    }

    /// Whether a trust file of a host differs from what `apply` writes. Usually none does, and nothing else has to be read.
    pub(crate) fn trusts_differ(self, cas: &ClusterCas) -> Result<bool, Failure> {
        let all = self.folder.join(hosts::FOLDER);
        let hosts: Vec<String> = self.trusting_hosts()?.into_iter().collect();
        let contents = |kind: &FileKind| match kind {
            FileKind::ClientCas => cas.trust_pem(Purpose::Client),
            FileKind::PeerCas => cas.trust_pem(Purpose::Peer),
            _ => cas.server.trust_pem(),
        };
        let kinds = [FileKind::TrustedCas, FileKind::ClientCas, FileKind::PeerCas];
        let expected = kinds.iter().map(|kind| Ok((kind, contents(kind)?)));
        let expected = expected.collect::<Result<Vec<_>, Error>>()?;
        let differ = in_parallel(&hosts, |host| {
            let kinds = self.trust_files(host);
            for (kind, expected) in expected.iter().filter(|(kind, _)| kinds.contains(kind)) {
                let name = [std::ffi::OsString::from(&*kind.name())];
                let [file] = hosts::read_some(&hosts::folder_of(&all, host), &name)?;
                if file.is_some_and(|file| *file.contents != *expected.as_bytes()) {
                    return Ok(true);
                }
            }
            Ok(false)
        })?;
        Ok(differ.contains(&true))
    }
}
