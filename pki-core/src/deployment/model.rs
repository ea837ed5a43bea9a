//! The hosts of a cluster, for the rules.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::clients::ClientConfig;
use super::contents::{Form, HostFile};
use crate::ca_set::ClusterCas;
use crate::certificate::Certificate;
use crate::cluster::CertificateSpec;
use crate::crl::Crl;
use crate::etcd::EtcdSettings;
use crate::manifest::{Host, Manifest};
use crate::pki_folder::FolderFile;
use crate::usage::Purpose;

/// All hosts of a cluster.
pub(crate) struct Deployment<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) cas: &'a ClusterCas,
    pub(crate) now: OffsetDateTime,
    pub(crate) files: &'a [HostFile],
    pub(crate) members: Vec<Member<'a>>,
    pub(crate) pairs: Vec<Pair<'a>>,
    pub(crate) trusts: Vec<Trust<'a>>,
    pub(crate) crls: Vec<ConfiguredCrl<'a>>,
    pub(crate) clients: Vec<ClientFile<'a>>,
    /// Files outside the host's folder that a file, `HOST/NAME`, refers to.
    pub(crate) unseen: Vec<(String, String)>,
    /// The hosts whose configuration names a certificate that is not in the host's folder, and its purpose.
    pub(super) elsewhere: Vec<(&'a str, Purpose)>,
    pub(super) by_path: HashMap<(&'a str, &'a str), &'a HostFile>,
    pub(super) by_host: HashMap<&'a str, Vec<&'a HostFile>>,
}

/// A member and its configuration.
pub(crate) struct Member<'a> {
    pub(crate) host: &'a Host,
    pub(crate) settings: EtcdSettings,
}

/// The file names of a certificate and its key, and their purposes.
pub(crate) struct Pair<'a> {
    pub(crate) host: &'a str,
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) parts: Vec<Purpose>,
    /// The certificate in the manifest.
    pub(crate) spec: Option<CertificateSpec>,
}

impl Pair<'_> {
    pub(crate) fn plays(&self, part: Purpose) -> bool {
        self.parts.contains(&part)
    }

    /// `HOST/NAME` of the certificate.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.host, self.certificate)
    }
}

/// A trust file of a host, and the purposes of the certificates that are verified with it.
pub(crate) struct Trust<'a> {
    pub(crate) host: &'a str,
    pub(crate) file: String,
    pub(crate) judges: Vec<Purpose>,
}

/// A CRL that a member enforces for clients or for peers.
pub(crate) struct ConfiguredCrl<'a> {
    pub(crate) host: &'a str,
    pub(crate) file: String,
    pub(crate) against: Purpose,
}

/// A file that configures a client of etcd.
pub(crate) struct ClientFile<'a> {
    pub(crate) host: &'a str,
    pub(crate) name: String,
    pub(crate) config: ClientConfig,
}

impl ClientFile<'_> {
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.host, self.name)
    }
}

impl Trust<'_> {
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.host, self.file)
    }
}

/// A leaf certificate, with the other certificates in its file.
#[derive(Clone)]
pub(crate) struct Leaf<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) chain: Vec<&'a Certificate>,
}

impl<'a> Deployment<'a> {
    pub(crate) fn file(&self, host: &str, name: &str) -> Option<&'a HostFile> {
        self.by_path.get(&(host, name)).copied()
    }

    /// The folder of a host, which another tool may have made.
    pub(super) fn folder(&self, host: &str) -> Vec<FolderFile<'a>> {
        let files = self.by_host.get(host).into_iter().flatten();
        files
            .map(|file| {
                let is_text = file.contents.form == Form::Other;
                let text = is_text.then_some(file.contents.text.as_str());
                FolderFile { path: &file.name, text }
            })
            .collect()
    }

    pub(super) fn text(&self, host: &str, name: &str) -> Option<&'a str> {
        self.file(host, name).map(|file| file.contents.text.as_str())
    }

    /// The leaf certificate of a pair, if etcd could load it.
    pub(crate) fn leaf(&self, pair: &Pair<'_>) -> Option<Leaf<'a>> {
        let contents = &self.file(pair.host, &pair.certificate)?.contents;
        if contents.form != Form::Pem || contents.damage.is_some() {
            return None;
        }
        let all = &contents.certificates;
        let at = first_leaf(all);
        let chain = all.iter().enumerate().filter(|(index, _)| *index != at);
        let chain = chain.map(|(_, certificate)| certificate).collect();
        Some(Leaf { certificate: all.get(at)?, chain })
    }

    /// The pairs with a purpose, and their leaf certificates.
    pub(crate) fn playing(&self, part: Purpose) -> impl Iterator<Item = (&Pair<'a>, Leaf<'a>)> {
        let pairs = self.pairs.iter().filter(move |pair| pair.plays(part));
        pairs.filter_map(|pair| Some((pair, self.leaf(pair)?)))
    }

    /// The pair that a member uses for a purpose.
    pub(crate) fn of_member(&self, host: &str, part: Purpose) -> Option<(&Pair<'a>, Leaf<'a>)> {
        self.playing(part).find(|(pair, _)| pair.host == host)
    }

    /// The cluster's CAs, and all CAs in the hosts' folders.
    pub(crate) fn known_cas(&self) -> Vec<&'a Certificate> {
        let held = self.files.iter().flat_map(|file| &file.contents.certificates);
        self.cas.all().into_iter().chain(held.filter(|certificate| certificate.is_ca())).collect()
    }

    /// The files of a host that contain only CAs.
    pub(crate) fn cas_beside(&self, host: &str) -> impl Iterator<Item = &'a [Certificate]> {
        let files = self.by_host.get(host).into_iter().flatten();
        let all = files.map(|file| file.contents.certificates.as_slice());
        all.filter(|all| !all.is_empty() && all.iter().all(Certificate::is_ca))
    }

    /// The sets of CAs that certificates with a purpose are verified with, without duplicates.
    pub(crate) fn judging(&self, part: Purpose) -> Vec<&'a [Certificate]> {
        let trusts = self.trusts.iter().filter(|trust| trust.judges.contains(&part));
        let mut sets: Vec<&[Certificate]> = Vec::new();
        for trusted in trusts.map(|trust| self.trusted(trust)) {
            if !sets.contains(&trusted) {
                sets.push(trusted);
            }
        }
        sets
    }

    /// The CRL in a file, if some version of etcd can read its format.
    pub(crate) fn list(&self, crl: &ConfiguredCrl<'_>) -> Option<&'a Crl> {
        self.file(crl.host, &crl.file)?.contents.crl.as_ref()
    }

    /// The certificates of a trust file.
    pub(crate) fn trusted(&self, trust: &Trust<'_>) -> &'a [Certificate] {
        let file = self.file(trust.host, &trust.file);
        file.map(|file| file.contents.certificates.as_slice()).unwrap_or_default()
    }
}

/// The position of the leaf certificate in its file: the first one, unless that is a CA and a later one is not.
pub(crate) fn first_leaf(all: &[Certificate]) -> usize {
    match all.first() {
        Some(first) if first.is_ca() => all.iter().position(|c| !c.is_ca()).unwrap_or(0),
        _ => 0,
    }
}
