//! Determines the role of each file from the files of all hosts and their configuration.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::clients::ClientConfig;
use super::contents::HostFile;
use super::model::{ClientFile, ConfiguredCrl, Deployment, Member, Pair, Trust};
use super::settings;
use crate::bundle::{Bundles, InitialStates};
use crate::ca_set::ClusterCas;
use crate::cluster::CertificateSpec;
use crate::error::Error;
use crate::layout::{FileKind, Role, below};
use crate::manifest::{Host, Manifest};
use crate::usage::Purpose;

impl<'a> Deployment<'a> {
    pub(crate) fn new(
        manifest: &'a Manifest,
        cas: &'a ClusterCas,
        files: &'a [HostFile],
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let by_path =
            files.iter().map(|file| ((file.host.as_str(), file.name.as_str()), file)).collect();
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
        };
        let bundles = Bundles::new(manifest, InitialStates::default());
        for member in &manifest.etcd {
            deployment.add_member(member, &bundles);
        }
        for host in manifest.control_plane.iter().map(|host| host.name.as_str()) {
            deployment.add_client(host, &manifest.paths.kubernetes);
        }
        let mut others: Vec<&str> = manifest.clients.iter().map(|c| c.host.as_str()).collect();
        others.sort_unstable();
        others.dedup();
        for host in others {
            if !manifest.control_plane.iter().any(|known| known.name == host) {
                deployment.add_client(host, &manifest.paths.etcd);
            }
        }
        deployment.add_specs()?;
        Ok(deployment)
    }

    /// Adds the certificates of the manifest. If a host's configuration uses other files, as with other tools, the manifest
    /// does not apply to them.
    fn add_specs(&mut self) -> Result<(), Error> {
        let of_pairs = self.pairs.iter().enumerate();
        let at: HashMap<(&str, String), usize> =
            of_pairs.map(|(at, pair)| ((pair.host, pair.certificate.clone()), at)).collect();
        for spec in self.manifest.certificates()? {
            let manifest = self.manifest;
            let hosts = manifest.hosts().map(|host| host.name.as_str());
            let mut hosts = hosts.chain(manifest.clients.iter().map(|c| c.host.as_str()));
            let Some(host) = hosts.find(|host| *host == spec.host) else { continue };
            let certificate = spec.role.certificate_file();
            if let Some(at) = at.get(&(host, certificate.clone())) {
                self.pairs[*at].spec = Some(spec);
                continue;
            }
            if self.file(host, &certificate).is_some() || !self.uses_others(host, &spec) {
                self.pairs.push(Pair {
                    host,
                    certificate,
                    key: spec.role.key_file(),
                    parts: spec.role.purposes().to_vec(),
                    spec: Some(spec),
                });
            }
        }
        let order = manifest_order(self.manifest);
        self.pairs.sort_by_key(|pair| order.get(pair.host).copied());
        Ok(())
    }

    /// True if the configuration of a host uses other files for all purposes of a certificate in the manifest.
    fn uses_others(&self, host: &str, spec: &CertificateSpec) -> bool {
        let plays = |part: &Purpose| {
            self.pairs
                .iter()
                .any(|pair| pair.host == host && pair.spec.is_none() && pair.plays(*part))
        };
        // A host can have several clients, but its configuration names only one.
        let clients = self.manifest.clients.iter().filter(|client| client.host == host);
        let is_only = !matches!(spec.role, Role::Client(_)) || clients.count() < 2;
        is_only && spec.role.purposes().iter().all(plays)
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
            let (certificate, key) = (file(certificate), file(key));
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
        self.members.push(Member { host: member, settings });
    }

    /// Adds the files that the API server, kubeadm and etcdctl on a host are configured to use.
    fn add_client(&mut self, host: &'a str, folder: &str) {
        let (kubeadm, etcdctl) = (FileKind::KubeadmConfig.name(), FileKind::EtcdctlEnv.name());
        let kubeadm_config = self.text(host, &kubeadm).and_then(ClientConfig::from_kubeadm);
        let etcdctl_config = self.text(host, &etcdctl).and_then(ClientConfig::from_env);
        let configs = [(kubeadm, kubeadm_config), (etcdctl, etcdctl_config)];
        let configs = configs.into_iter().filter_map(|(name, config)| Some((name, config?)));
        let configs: Vec<_> = configs.collect();
        if configs.is_empty() {
            self.add_trust(host, Purpose::Server, Some(&*FileKind::TrustedCas.name()));
        }
        for (name, config) in configs {
            let named = config.files();
            for (setting, path) in named.iter().filter_map(|(name, at)| Some((name, at.path()?))) {
                if below(folder, path).is_none() {
                    let evidence = format!("{setting} is {path}, which is outside {folder}");
                    self.unseen.push((format!("{host}/{name}"), evidence));
                }
            }
            let [ca, certificate, key] =
                named.map(|(_, setting)| setting.path().and_then(|path| below(folder, path)));
            self.add_pair(host, Purpose::Client, certificate, key);
            self.add_trust(host, Purpose::Server, ca);
            self.clients.push(ClientFile { host, name: name.into_owned(), config });
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
            spec: None,
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
