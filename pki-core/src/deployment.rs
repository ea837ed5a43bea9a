//! What the hosts of a cluster really hold, and the part that each file plays there: the input of
//! the rules about a cluster as a whole.

mod clients;
mod contents;
mod settings;

use std::collections::HashMap;

use time::OffsetDateTime;

use self::clients::ClientConfig;
pub(crate) use self::contents::{Contents, Form, Section};
use crate::bundle::{Bundles, ETCDCTL_ENV, KUBEADM_CONFIG};
use crate::certificate::Certificate;
use crate::cluster::Wanted;
use crate::error::Error;
use crate::etcd::EtcdSettings;
use crate::manifest::{Host, Manifest};
use crate::revocation_list::RevocationList;
use crate::usage::Purpose;

/// A file in a host's folder. What it holds is read once; no secret is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostFile {
    /// Whose folder it is in.
    pub host: String,
    /// Its name there.
    pub name: String,
    /// Its permission bits.
    pub mode: u32,
    pub(crate) contents: Contents,
}

impl HostFile {
    /// Reads the bytes of a file, whatever they are.
    pub fn new(host: impl Into<String>, name: impl Into<String>, mode: u32, bytes: &[u8]) -> Self {
        let contents = Contents::read(bytes);
        Self { host: host.into(), name: name.into(), mode, contents }
    }

    /// The certificate that it holds first.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.contents.certificates.first()
    }

    /// `HOST/NAME`
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.host, self.name)
    }
}

/// All hosts of a cluster.
pub(crate) struct Deployment<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) ca: &'a Certificate,
    pub(crate) now: OffsetDateTime,
    pub(crate) files: &'a [HostFile],
    pub(crate) members: Vec<Member<'a>>,
    pub(crate) pairs: Vec<Pair<'a>>,
    pub(crate) trusts: Vec<Trust<'a>>,
    pub(crate) crls: Vec<Crl<'a>>,
    /// Where clients dial, with the file that says so.
    pub(crate) endpoints: Vec<(String, String)>,
    by_path: HashMap<(&'a str, &'a str), &'a HostFile>,
}

/// A member and how it is configured.
pub(crate) struct Member<'a> {
    pub(crate) host: &'a Host,
    pub(crate) settings: EtcdSettings,
}

/// A certificate and its key, by the names of their files, and the parts that they play.
pub(crate) struct Pair<'a> {
    pub(crate) host: &'a str,
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) parts: Vec<Purpose>,
    /// What the manifest wants there.
    pub(crate) wanted: Option<Wanted>,
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

/// A file of CAs that a host trusts, and whose certificates it judges.
pub(crate) struct Trust<'a> {
    pub(crate) host: &'a str,
    pub(crate) file: String,
    pub(crate) judges: Vec<Purpose>,
}

/// A CRL that a member enforces, against those who come as clients or as peers.
pub(crate) struct Crl<'a> {
    pub(crate) host: &'a str,
    pub(crate) file: String,
    pub(crate) against: Purpose,
}

impl Member<'_> {
    /// Whether etcd dials its own client port with the server's certificate, for its gateway.
    pub(crate) fn uses_gateway(&self) -> bool {
        self.settings.is_not_off("enable-grpc-gateway")
            && self.settings.find("client-cert-file").is_none()
            && self.settings.asks_clients()
    }
}

impl Trust<'_> {
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.host, self.file)
    }
}

/// A leaf with what its file holds beside it.
#[derive(Clone)]
pub(crate) struct Leaf<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) chain: Vec<&'a Certificate>,
}

impl<'a> Deployment<'a> {
    pub(crate) fn new(
        manifest: &'a Manifest,
        ca: &'a Certificate,
        files: &'a [HostFile],
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let by_path =
            files.iter().map(|file| ((file.host.as_str(), file.name.as_str()), file)).collect();
        let mut deployment = Self {
            manifest,
            ca,
            now,
            files,
            members: Vec::new(),
            pairs: Vec::new(),
            trusts: Vec::new(),
            crls: Vec::new(),
            endpoints: Vec::new(),
            by_path,
        };
        deployment.add_wanted()?;
        let bundles = Bundles::new(manifest);
        for member in &manifest.etcd {
            deployment.add_member(member, &bundles);
        }
        for host in manifest.control_plane.iter().map(|host| host.name.as_str()) {
            deployment.add_client(host, &manifest.paths.kubernetes);
        }
        let mut others: Vec<&str> = manifest.clients.iter().map(|c| c.host.as_str()).collect();
        others.dedup();
        for host in others {
            if !manifest.control_plane.iter().any(|known| known.name == host) {
                deployment.add_client(host, &manifest.paths.etcd);
            }
        }
        Ok(deployment)
    }

    fn add_wanted(&mut self) -> Result<(), Error> {
        for wanted in self.manifest.wanted()? {
            let manifest = self.manifest;
            let hosts = manifest.hosts().map(|host| host.name.as_str());
            let mut hosts = hosts.chain(manifest.clients.iter().map(|c| c.host.as_str()));
            let Some(host) = hosts.find(|host| *host == wanted.host) else { continue };
            let parts = match wanted.profile {
                "client" => vec![Purpose::Client],
                "peer" => vec![Purpose::Peer],
                _ if wanted.file == "member" => vec![Purpose::Server, Purpose::Peer],
                _ => vec![Purpose::Server],
            };
            self.pairs.push(Pair {
                host,
                certificate: format!("{}.pem", wanted.file),
                key: format!("{}-key.pem", wanted.file),
                parts,
                wanted: Some(wanted),
            });
        }
        Ok(())
    }

    fn add_member(&mut self, member: &'a Host, bundles: &Bundles<'_>) {
        let host = member.name.as_str();
        let folder = &self.manifest.paths.etcd;
        let settings = settings::read(self, member, bundles);
        for (part, certificate, key) in [
            (Purpose::Server, "cert-file", "key-file"),
            (Purpose::Peer, "peer-cert-file", "peer-key-file"),
        ] {
            let certificate = settings.find(certificate).and_then(|path| below(folder, path));
            let key = settings.find(key).and_then(|path| below(folder, path));
            self.add_pair(host, part, certificate, key);
        }
        for (part, trusted) in
            [(Purpose::Client, "trusted-ca-file"), (Purpose::Peer, "peer-trusted-ca-file")]
        {
            let file = settings.find(trusted).and_then(|path| below(folder, path));
            self.add_trust(host, part, file);
        }
        for (part, listed) in
            [(Purpose::Client, "client-crl-file"), (Purpose::Peer, "peer-crl-file")]
        {
            let file = settings.find(listed).and_then(|path| below(folder, path));
            self.crls.extend(file.map(|file| Crl { host, file: file.to_owned(), against: part }));
        }
        self.members.push(Member { host: member, settings });
    }

    /// What the API server, kubeadm and etcdctl on a host are told to use.
    fn add_client(&mut self, host: &'a str, folder: &str) {
        let mut told = Vec::new();
        let kubeadm = self.text(host, KUBEADM_CONFIG).and_then(ClientConfig::from_kubeadm);
        told.extend(kubeadm.map(|client| (KUBEADM_CONFIG, client)));
        let etcdctl = self.text(host, ETCDCTL_ENV).map(ClientConfig::from_env);
        told.extend(etcdctl.map(|client| (ETCDCTL_ENV, client)));
        if told.is_empty() {
            self.add_trust(host, Purpose::Server, Some("ca.pem"));
        }
        for (name, client) in told {
            let certificate = client.certificate.as_deref().and_then(|path| below(folder, path));
            let key = client.key.as_deref().and_then(|path| below(folder, path));
            self.add_pair(host, Purpose::Client, certificate, key);
            let trusted = client.ca.as_deref().and_then(|path| below(folder, path));
            self.add_trust(host, Purpose::Server, trusted);
            let endpoints = client.endpoints.into_iter();
            self.endpoints.extend(endpoints.map(|url| (format!("{host}/{name}"), url)));
        }
    }

    fn add_pair(
        &mut self,
        host: &'a str,
        part: Purpose,
        certificate: Option<&str>,
        key: Option<&str>,
    ) {
        let (Some(certificate), Some(key)) = (certificate, key) else { return };
        let known = self.pairs.iter_mut().find(|p| p.host == host && p.certificate == certificate);
        if let Some(pair) = known {
            key.clone_into(&mut pair.key);
            if !pair.plays(part) {
                pair.parts.push(part);
            }
            return;
        }
        self.pairs.push(Pair {
            host,
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            parts: vec![part],
            wanted: None,
        });
    }

    fn add_trust(&mut self, host: &'a str, judges: Purpose, file: Option<&str>) {
        let Some(file) = file else { return };
        match self.trusts.iter_mut().find(|trust| trust.host == host && trust.file == file) {
            Some(trust) if trust.judges.contains(&judges) => {}
            Some(trust) => trust.judges.push(judges),
            None => self.trusts.push(Trust { host, file: file.to_owned(), judges: vec![judges] }),
        }
    }

    pub(crate) fn file(&self, host: &str, name: &str) -> Option<&'a HostFile> {
        self.by_path.get(&(host, name)).copied()
    }

    fn text(&self, host: &str, name: &str) -> Option<&'a str> {
        self.file(host, name).map(|file| file.contents.text.as_str())
    }

    /// The leaf of a pair, where its file holds one that etcd could load.
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

    /// The pairs that play a part, with their leaves.
    pub(crate) fn playing(&self, part: Purpose) -> impl Iterator<Item = (&Pair<'a>, Leaf<'a>)> {
        let pairs = self.pairs.iter().filter(move |pair| pair.plays(part));
        pairs.filter_map(|pair| Some((pair, self.leaf(pair)?)))
    }

    /// The pair that a member uses for a part.
    pub(crate) fn of_member(&self, host: &str, part: Purpose) -> Option<(&Pair<'a>, Leaf<'a>)> {
        self.playing(part).find(|(pair, _)| pair.host == host)
    }

    /// The CA, and every CA that a host holds.
    pub(crate) fn known_cas(&self) -> Vec<&'a Certificate> {
        let held = self.files.iter().flat_map(|file| &file.contents.certificates);
        std::iter::once(self.ca).chain(held.filter(|certificate| certificate.is_ca())).collect()
    }

    /// The CAs by which certificates of a part are judged, each set once.
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

    /// The CRL of a file, in a form that some etcd reads.
    pub(crate) fn list(&self, crl: &Crl<'_>) -> Option<&'a RevocationList> {
        self.file(crl.host, &crl.file)?.contents.crl.as_ref()
    }

    /// The certificates of a trust file.
    pub(crate) fn trusted(&self, trust: &Trust<'_>) -> &'a [Certificate] {
        let file = self.file(trust.host, &trust.file);
        file.map(|file| file.contents.certificates.as_slice()).unwrap_or_default()
    }
}

/// The place of the leaf in its file: the first certificate, unless that is a CA and a later one is not.
pub(crate) fn first_leaf(all: &[Certificate]) -> usize {
    match all.first() {
        Some(first) if first.is_ca() => all.iter().position(|c| !c.is_ca()).unwrap_or(0),
        _ => 0,
    }
}

/// True when issuers lead from a certificate to one of `trusted`, by name and signature. Dates and
/// constraints are the business of the verifier.
pub(crate) fn leads_to(
    certificate: &Certificate,
    chain: &[&Certificate],
    trusted: &[Certificate],
) -> bool {
    // Longer than any chain that the path builder follows.
    let mut current = certificate;
    for _ in 0..8 {
        let issued = |ca: &&Certificate| {
            ca.subject.der() == current.issuer.der() && current.is_signed_by(&ca.public_key)
        };
        if trusted.iter().any(|ca| issued(&ca)) {
            return true;
        }
        let next = chain.iter().copied().filter(|ca| ca.der() != current.der()).find(issued);
        match next {
            Some(next) => current = next,
            None => return false,
        }
    }
    false
}

/// True when a certificate is valid for a host.
pub(crate) fn carries(certificate: &Certificate, host: &str) -> bool {
    certificate.is_valid_for(host)
}

/// The name of a file in the folder of a host, from its path there.
fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(folder)?.strip_prefix('/').filter(|name| !name.contains('/'))
}
