//! The folders of all hosts of a lab, in memory: nothing is wrong with them until somebody edits them.

use std::collections::BTreeMap;

use pki_core::{
    Certificate, Finding, HostFile, KeyFormat, Manifest, PrivateKey, Signer, SigningConfig,
};

use super::chain::key;
use crate::lab::{Ca, NOW, moment};

const MANIFEST: &str = "\
cluster: lab
domain: example.com
etcd:
  - { name: etcdone, ip: 192.168.29.61 }
  - { name: etcdtwo, ip: 192.168.29.62 }
  - { name: etcdthree, ip: 192.168.29.63 }
control_plane: [ { name: masterone, ip: 192.168.29.51 } ]
workers: [ { name: workerone, ip: 192.168.29.71 } ]
";

/// The lab that this project comes from.
pub(super) struct Hosts {
    pub(super) ca: Ca,
    manifest: Manifest,
    /// By path: `etcdone/peer.pem`.
    files: BTreeMap<String, File>,
}

pub(super) struct File {
    pub(super) mode: u32,
    pub(super) contents: Vec<u8>,
}

impl Hosts {
    pub(super) fn new() -> Self {
        let manifest = Manifest::from_yaml(MANIFEST.as_bytes()).unwrap();
        let mut hosts = Self { ca: Ca::new(), manifest, files: BTreeMap::new() };
        for wanted in hosts.manifest.wanted().unwrap() {
            let key = key();
            let request = wanted.request(key.public_key().clone());
            let config = SigningConfig::etcd();
            let profile = config.profile(wanted.profile).unwrap();
            let draft = hosts.ca.authority.draft(&request, profile, &moment()).unwrap();
            let certificate = draft.sign(&hosts.ca.key).unwrap().certificate;
            hosts.write_pair(&format!("{}/{}", wanted.host, wanted.file), &certificate, &key);
            let ca = hosts.ca.certificate().to_pem().unwrap();
            hosts.write(&format!("{}/ca.pem", wanted.host), 0o644, ca);
            for file in hosts.manifest.generated(&wanted.host) {
                hosts.write(&format!("{}/{}", wanted.host, file.name), 0o644, file.contents);
            }
        }
        hosts
    }

    pub(super) fn write(&mut self, path: &str, mode: u32, contents: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), File { mode, contents: contents.into() });
    }

    /// Writes `BASE.pem` and `BASE-key.pem`.
    pub(super) fn write_pair(&mut self, base: &str, certificate: &Certificate, key: &PrivateKey) {
        let key = key.to_pem(KeyFormat::Pkcs8).unwrap();
        self.write(&format!("{base}.pem"), 0o644, certificate.to_pem().unwrap());
        self.write(&format!("{base}-key.pem"), 0o600, key.as_bytes());
    }

    pub(super) fn file(&mut self, path: &str) -> &mut File {
        self.files.get_mut(path).unwrap_or_else(|| panic!("{path} is not there"))
    }

    pub(super) fn copy(&mut self, from: &str, to: &str) {
        let file = self.file(from);
        let (mode, contents) = (file.mode, file.contents.clone());
        self.write(to, mode, contents);
    }

    pub(super) fn remove(&mut self, path: &str) {
        assert!(self.files.remove(path).is_some(), "{path} is not there");
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        let files = self.files.into_iter().map(|(path, file)| {
            let (host, name) = path.split_once('/').unwrap();
            HostFile::new(host, name, file.mode, &file.contents)
        });
        let files: Vec<HostFile> = files.collect();
        let reports = self.manifest.audit(self.ca.certificate(), &files, NOW).unwrap();
        reports.into_iter().flat_map(|found| found.report.findings).collect()
    }
}
