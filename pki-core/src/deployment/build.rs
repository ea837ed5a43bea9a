//! From the files of all hosts and their configuration to the part that each file plays.

use time::OffsetDateTime;

use super::clients::ClientConfig;
use super::contents::HostFile;
use super::model::{Crl, Deployment, Member, Pair, Trust};
use super::settings::{self, below};
use crate::bundle::Bundles;
use crate::ca_set::ClusterCas;
use crate::error::Error;
use crate::layout::FileKind;
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
            endpoints: Vec::new(),
            by_path,
        };
        deployment.add_specs()?;
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

    fn add_specs(&mut self) -> Result<(), Error> {
        for spec in self.manifest.certificates()? {
            let manifest = self.manifest;
            let hosts = manifest.hosts().map(|host| host.name.as_str());
            let mut hosts = hosts.chain(manifest.clients.iter().map(|c| c.host.as_str()));
            let Some(host) = hosts.find(|host| *host == spec.host) else { continue };
            self.pairs.push(Pair {
                host,
                certificate: spec.role.certificate_file(),
                key: spec.role.key_file(),
                parts: spec.role.purposes().to_vec(),
                spec: Some(spec),
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
        let (kubeadm, etcdctl) = (FileKind::KubeadmConfig.name(), FileKind::EtcdctlEnv.name());
        let config = self.text(host, &kubeadm).and_then(ClientConfig::from_kubeadm);
        told.extend(config.map(|client| (kubeadm, client)));
        let config = self.text(host, &etcdctl).map(ClientConfig::from_env);
        told.extend(config.map(|client| (etcdctl, client)));
        if told.is_empty() {
            self.add_trust(host, Purpose::Server, Some(&*FileKind::TrustedCas.name()));
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
