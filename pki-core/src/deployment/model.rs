//! The hosts of a cluster, for the rules.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

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
    pub(super) by_path: HashMap<(&'a str, &'a str), &'a HostFile>,
    pub(super) by_host: HashMap<&'a str, OfHost<'a>>,
    pub(super) known_cas: OnceCell<Vec<&'a Certificate>>,
    pub(super) judging: [OnceCell<Vec<&'a [Certificate]>>; 3],
}

/// What belongs to one host, so that no rule searches all hosts for it.
#[derive(Default)]
pub(super) struct OfHost<'a> {
    pub(super) files: Vec<&'a HostFile>,
    /// Its position among the members.
    pub(super) member: Option<usize>,
    /// The positions of its pairs.
    pub(super) pairs: Vec<usize>,
    /// The positions of its trust files.
    pub(super) trusts: Vec<usize>,
    /// The purposes of certificates that its configuration names and that are not in its folder.
    pub(super) elsewhere: Vec<Purpose>,
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
    pub(crate) purposes: Vec<Purpose>,
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
        self.files_of(host)
            .map(|file| {
                let is_text = file.contents.form == Form::Other;
                let text = is_text.then_some(file.contents.text.as_str());
                FolderFile { path: &file.name, text }
            })
            .collect()
    }

    fn files_of(&self, host: &str) -> impl Iterator<Item = &'a HostFile> {
        self.by_host.get(host).into_iter().flat_map(|of_host| of_host.files.iter().copied())
    }

    /// The member with this name.
    pub(crate) fn member(&self, host: &str) -> Option<&Member<'a>> {
        self.by_host.get(host)?.member.map(|at| &self.members[at])
    }

    /// The pairs of a host.
    pub(crate) fn pairs_of(&self, host: &str) -> impl Iterator<Item = &Pair<'a>> {
        let of_host = self.by_host.get(host).into_iter();
        of_host.flat_map(|of_host| of_host.pairs.iter().map(|at| &self.pairs[*at]))
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
        let mut pairs = self.pairs_of(host).filter(|pair| pair.plays(part));
        pairs.find_map(|pair| Some((pair, self.leaf(pair)?)))
    }

    /// The cluster's CAs, and all CAs in the hosts' folders, without duplicates.
    pub(crate) fn known_cas(&self) -> &[&'a Certificate] {
        self.known_cas.get_or_init(|| {
            let held = self.files.iter().flat_map(|file| &file.contents.certificates);
            let all = self.cas.all().into_iter().chain(held.filter(|one| one.is_ca()));
            let mut known = HashSet::new();
            all.filter(|ca| known.insert(ca.der())).collect()
        })
    }

    /// The files of a host that contain only CAs.
    pub(crate) fn cas_beside(&self, host: &str) -> impl Iterator<Item = &'a [Certificate]> {
        let all = self.files_of(host).map(|file| file.contents.certificates.as_slice());
        all.filter(|all| !all.is_empty() && all.iter().all(Certificate::is_ca))
    }

    /// The sets of CAs that certificates with a purpose are verified with, without duplicates.
    pub(crate) fn judging(&self, part: Purpose) -> &[&'a [Certificate]] {
        let at = match part {
            Purpose::Client => 0,
            Purpose::Peer => 1,
            Purpose::Server => 2,
            // No program verifies certificates for any other purpose.
            Purpose::Any | Purpose::Ca => return &[],
        };
        self.judging[at].get_or_init(|| {
            let trusts = self.trusts.iter().filter(|trust| trust.purposes.contains(&part));
            let mut sets: Vec<&[Certificate]> = Vec::new();
            for trusted in trusts.map(|trust| self.trusted(trust)) {
                if !sets.contains(&trusted) {
                    sets.push(trusted);
                }
            }
            sets
        })
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
