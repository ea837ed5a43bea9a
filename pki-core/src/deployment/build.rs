//! Determines the role of each file from the files of all hosts and their configuration.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use time::OffsetDateTime;

use super::clients::ClientConfig;
use super::contents::HostFile;
use super::model::{ClientFile, ConfiguredCrl, Deployment, Member, OfHost, Pair, Trust};
use super::settings;
use crate::bundle::{Bundles, InitialStates};
use crate::ca_set::ClusterCas;
use crate::cluster::CertificateSpec;
use crate::error::Error;
use crate::layout::{FileKind, Role, below};
use crate::manifest::{Host, Manifest};
use crate::pki_folder::PkiFolder;
use crate::usage::Purpose;

/// The environment file of kubespray, which also has the settings of etcdctl.
const MEMBER_ENVIRONMENT: &str = "etcd.env";

impl<'a> Deployment<'a> {
    pub(crate) fn new(
        manifest: &'a Manifest,
        cas: &'a ClusterCas,
        files: &'a [HostFile],
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let by_path =
            files.iter().map(|file| ((file.host.as_str(), file.name.as_str()), file)).collect();
        let mut by_host: HashMap<&str, OfHost<'_>> = HashMap::new();
        for file in files {
            by_host.entry(&file.host).or_default().files.push(file);
        }
        let mut deployment = Self {
            manifest,
            cas,
            now,
            files,
            members: Vec::new(),
            pairs: Vec::new(),
            trusts: Vec::new(),
            crls: Vec::new(),
            clients: Vec::new(),
            unseen: Vec::new(),
            by_path,
            by_host,
            known_cas: OnceCell::new(),
            judging: Default::default(),
        };
        let bundles = Bundles::new(manifest, InitialStates::default());
        for member in &manifest.etcd {
            deployment.add_member(member, &bundles);
        }
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for host in manifest.control_plane.iter().map(|host| host.name.as_str()) {
            known.insert(host);
            deployment.add_client(host, &manifest.paths.kubernetes);
        }
        let clients: BTreeSet<&str> = manifest.clients.iter().map(|c| c.host.as_str()).collect();
        for host in clients.into_iter().filter(|host| known.insert(host)) {
            deployment.add_client(host, &manifest.paths.etcd);
        }
        // Other tools put etcdctl and its settings on every member.
        for host in manifest.etcd.iter().map(|member| member.name.as_str()) {
            if !known.contains(host) {
                deployment.add_client_configs(host, &manifest.paths.etcd);
            }
        }
        deployment.add_specs()?;
        Ok(deployment)
    }

    /// Adds the certificates of the manifest. If a host's configuration uses other files, as with other tools, the manifest
    /// does not apply to them.
    fn add_specs(&mut self) -> Result<(), Error> {
        let order = manifest_order(self.manifest);
        for spec in self.manifest.certificates()? {
            let Some((host, _)) = order.get_key_value(spec.host.as_str()) else { continue };
            let certificate = spec.role.certificate_file();
            if let Some(at) = self.position(host, &certificate) {
                self.pairs[at].spec = Some(spec);
                continue;
            }
            if self.file(host, &certificate).is_some() || !self.uses_others(host, &spec) {
                self.push_pair(Pair {
                    host,
                    certificate,
                    key: spec.role.key_file(),
                    parts: spec.role.purposes().to_vec(),
                    spec: Some(spec),
                });
            }
        }
        self.pairs.sort_by_key(|pair| order.get(pair.host).copied());
        self.by_host.values_mut().for_each(|of_host| of_host.pairs.clear());
        for (at, pair) in self.pairs.iter().enumerate() {
            self.by_host.entry(pair.host).or_default().pairs.push(at);
        }
        Ok(())
    }

    /// The position of the pair with this certificate.
    fn position(&self, host: &str, certificate: &str) -> Option<usize> {
        let mut pairs = self.by_host.get(host)?.pairs.iter().copied();
        pairs.find(|at| self.pairs[*at].certificate == certificate)
    }

    fn push_pair(&mut self, pair: Pair<'a>) {
        self.by_host.entry(pair.host).or_default().pairs.push(self.pairs.len());
        self.pairs.push(pair);
    }

    /// True if a host uses other files for all purposes of a certificate in the manifest, as its configuration or the names
    /// of its files say.
    fn uses_others(&self, host: &str, spec: &CertificateSpec) -> bool {
        let others = || self.pairs_of(host).filter(|pair| pair.spec.is_none());
        // A host can have several clients, but its configuration may name only one.
        let clients = self.manifest.clients.iter().filter(|client| client.host == host).count();
        let are_all = match spec.role {
            Role::Client(_) => {
                clients <= others().filter(|pair| pair.plays(Purpose::Client)).count().max(1)
            }
            _ => true,
        };
        let of_host = self.by_host.get(host);
        let elsewhere = of_host.map(|of_host| &*of_host.elsewhere).unwrap_or_default();
        let plays =
            |part: &Purpose| others().any(|pair| pair.plays(*part)) || elsewhere.contains(part);
        are_all && spec.role.purposes().iter().all(plays)
    }

    fn add_member(&mut self, member: &'a Host, bundles: &Bundles<'_>) {
        let host = member.name.as_str();
        let folder = &self.manifest.paths.etcd;
        let settings = settings::read(self, member, bundles);
        let mut unseen = Vec::new();
        let mut file = |option: &str| {
            let path = settings.find(option)?;
            let file = below(folder, path);
            if file.is_none() {
                unseen.push(format!("{option} is {path}, which is outside {folder}"));
            }
            file.map(str::to_owned)
        };
        for (part, certificate, key) in [
            (Purpose::Server, "cert-file", "key-file"),
            (Purpose::Peer, "peer-cert-file", "peer-key-file"),
        ] {
            let is_seen = settings.is_absent(certificate);
            let (certificate, key) = (file(certificate), file(key));
            if certificate.is_none() && !is_seen {
                self.by_host.entry(host).or_default().elsewhere.push(part);
            }
            self.add_pair(host, part, certificate.as_deref(), key.as_deref());
        }
        for (part, trusted) in
            [(Purpose::Client, "trusted-ca-file"), (Purpose::Peer, "peer-trusted-ca-file")]
        {
            let trusted = file(trusted);
            self.add_trust(host, part, trusted.as_deref());
        }
        for (part, listed) in
            [(Purpose::Client, "client-crl-file"), (Purpose::Peer, "peer-crl-file")]
        {
            self.crls.extend(file(listed).map(|file| ConfiguredCrl { host, file, against: part }));
        }
        let name = settings.file().unwrap_or_default();
        let unseen = unseen.into_iter().map(|evidence| (format!("{host}/{name}"), evidence));
        self.unseen.extend(unseen.collect::<Vec<_>>());
        self.by_host.entry(host).or_default().member.get_or_insert(self.members.len());
        self.members.push(Member { host: member, settings });
    }

    /// Adds the files that the API server, kubeadm and etcdctl on a host use, as their configuration or the names of the
    /// files say.
    fn add_client(&mut self, host: &'a str, folder: &str) {
        if self.add_client_configs(host, folder) > 0 {
            return;
        }
        let read = PkiFolder::read(&self.folder(host), self.manifest.etcd_version);
        let mut trusted = Some(FileKind::TrustedCas.name().into_owned());
        for pair in read.pairs.iter().filter(|pair| pair.purpose == Purpose::Client) {
            let key = pair.key_file();
            self.add_pair(host, Purpose::Client, Some(&pair.certificate), Some(&key));
            if trusted.as_ref().is_none_or(|file| self.file(host, file).is_none()) {
                trusted = pair.trusted.clone().or(trusted);
            }
        }
        self.add_trust(host, Purpose::Server, trusted.as_deref());
    }

    /// Adds the files that the configuration of kubeadm and etcdctl on a host names. Returns the number of configurations.
    fn add_client_configs(&mut self, host: &'a str, folder: &str) -> usize {
        let mut configs = Vec::new();
        for (name, read) in [
            (FileKind::KubeadmConfig.name(), ClientConfig::from_kubeadm as fn(&str) -> _),
            (FileKind::EtcdctlEnv.name(), ClientConfig::from_env),
            (MEMBER_ENVIRONMENT.into(), ClientConfig::from_member_env),
        ] {
            configs.extend(self.text(host, &name).and_then(read).map(|config| (name, config)));
        }
        let count = configs.len();
        for (name, config) in configs {
            let named = config.files();
            for (setting, path) in named.iter().filter_map(|(name, at)| Some((name, at.path()?))) {
                if below(folder, path).is_none() {
                    let evidence = format!("{setting} is {path}, which is outside {folder}");
                    self.unseen.push((format!("{host}/{name}"), evidence));
                }
            }
            if named[1].1.path().is_some_and(|path| below(folder, path).is_none()) {
                self.by_host.entry(host).or_default().elsewhere.push(Purpose::Client);
            }
            let [ca, certificate, key] =
                named.map(|(_, setting)| setting.path().and_then(|path| below(folder, path)));
            self.add_pair(host, Purpose::Client, certificate, key);
            self.add_trust(host, Purpose::Server, ca);
            self.clients.push(ClientFile { host, name: name.into_owned(), config });
        }
        count
    }

    fn add_pair(
        &mut self,
        host: &'a str,
        part: Purpose,
        certificate: Option<&str>,
        key: Option<&str>,
    ) {
        let (Some(certificate), Some(key)) = (certificate, key) else { return };
        if let Some(at) = self.position(host, certificate) {
            let pair = &mut self.pairs[at];
            key.clone_into(&mut pair.key);
            if !pair.plays(part) {
                pair.parts.push(part);
            }
            return;
        }
        self.push_pair(Pair {
            host,
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            parts: vec![part],
            spec: None,
        });
    }

    fn add_trust(&mut self, host: &'a str, purposes: Purpose, file: Option<&str>) {
        let Some(file) = file else { return };
        let of_host = &mut self.by_host.entry(host).or_default().trusts;
        match of_host.iter().find(|at| self.trusts[**at].file == file) {
            Some(at) if self.trusts[*at].purposes.contains(&purposes) => {}
            Some(at) => self.trusts[*at].purposes.push(purposes),
            None => {
                of_host.push(self.trusts.len());
                self.trusts.push(Trust { host, file: file.to_owned(), purposes: vec![purposes] });
            }
        }
    }
}

/// The position of each host in the manifest.
fn manifest_order(manifest: &Manifest) -> HashMap<&str, usize> {
    let hosts = manifest.hosts().map(|host| host.name.as_str());
    let hosts = hosts.chain(manifest.clients.iter().map(|client| client.host.as_str()));
    let mut order = HashMap::new();
    for (at, host) in hosts.enumerate() {
        order.entry(host).or_insert(at);
    }
    order
}
