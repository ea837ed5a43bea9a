//! The folders of all hosts of a lab, in memory. They have no faults until a test edits them.

use std::collections::BTreeMap;

use pki_core::{
    Attribute, Bundles, CaSet, Certificate, ClusterCas, Finding, GeneralName, HostFile,
    InitialStates, KeyFormat, Manifest, PrivateKey, Signer, SigningConfig,
};
use rcgen::{CertificateParams, KeyUsagePurpose, SanType};

use super::chain::key;
use crate::foreign::{extended_key_usages, params, signed};
use crate::lab::{Ca, NOW, moment};

pub(crate) const MANIFEST: &str = "\
cluster: lab
domain: example.com
etcd:
  - { name: etcdone, ip: 192.168.29.61 }
  - { name: etcdtwo, ip: 192.168.29.62 }
  - { name: etcdthree, ip: 192.168.29.63 }
control_plane: [ { name: masterone, ip: 192.168.29.51 } ]
workers: [ { name: workerone, ip: 192.168.29.71 } ]
";

/// The lab that this project started with.
pub(crate) struct Hosts {
    pub(crate) ca: Ca,
    pub(crate) cas: ClusterCas,
    manifest: Manifest,
    /// By path: `etcdone/peer.pem`.
    files: BTreeMap<String, File>,
}

/// What the command line reads of a file, in bytes.
pub(crate) const LIMIT: usize = 16 << 20;

pub(crate) struct File {
    pub(crate) mode: u32,
    pub(crate) contents: Vec<u8>,
}

impl Hosts {
    pub(crate) fn new() -> Self {
        Self::of(Ca::new(), Manifest::from_yaml(MANIFEST.as_bytes()).unwrap())
    }

    /// The lab under a CA that is below these CAs.
    pub(crate) fn below(ca: Ca, above: &[Certificate]) -> Self {
        let manifest = Manifest::from_yaml(MANIFEST.as_bytes()).unwrap();
        let chain = [&[ca.certificate().clone()], above].concat();
        Self::under(ca, ClusterCas::shared(CaSet::new(chain).unwrap()), manifest)
    }

    pub(crate) fn of(ca: Ca, manifest: Manifest) -> Self {
        let set = CaSet::new(vec![ca.certificate().clone()]).unwrap();
        Self::under(ca, ClusterCas::shared(set), manifest)
    }

    fn under(ca: Ca, cas: ClusterCas, manifest: Manifest) -> Self {
        let mut hosts = Self { ca, cas, manifest, files: BTreeMap::new() };
        for spec in hosts.manifest.certificates().unwrap() {
            let key = key();
            let request = spec.request(key.public_key().clone());
            let config = SigningConfig::etcd();
            let profile = config.profile(spec.role.profile()).unwrap();
            let draft = hosts.ca.authority.draft(&request, profile, &moment()).unwrap();
            let certificate = draft.sign(&hosts.ca.key).unwrap().certificate;
            let base = format!("{}/{}", spec.host, spec.role.base());
            hosts.write_pair(&base, &certificate, &key);
            let set = hosts.cas.for_role(&spec.role).clone();
            hosts.write(&format!("{base}.pem"), 0o644, set.leaf_pem(&certificate).unwrap());
            hosts.write(&format!("{}/ca.pem", spec.host), 0o644, set.trust_pem().unwrap());
            for file in Bundles::new(&hosts.manifest.clone(), InitialStates::default())
                .generated(&spec.host)
            {
                let path = format!("{}/{}", spec.host, file.kind.name());
                hosts.write(&path, 0o644, file.contents);
            }
        }
        hosts
    }

    pub(crate) fn write(&mut self, path: &str, mode: u32, contents: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), File { mode, contents: contents.into() });
    }

    /// Writes `BASE.pem` and `BASE-key.pem`.
    pub(crate) fn write_pair(&mut self, base: &str, certificate: &Certificate, key: &PrivateKey) {
        let key = key.to_pem(KeyFormat::Pkcs8).unwrap();
        self.write(&format!("{base}.pem"), 0o644, certificate.to_pem().unwrap());
        self.write(&format!("{base}-key.pem"), 0o600, key.as_bytes());
    }

    /// Reissues the certificate of a pair for the same key, with a change.
    pub(crate) fn reissue(&mut self, base: &str, change: impl FnOnce(&mut CertificateParams)) {
        let old = self.certificate(base);
        let key = self.key(base);
        let mut params = params(cn(&old), &key);
        self.like(base, &mut params);
        change(&mut params);
        let certificate = signed(&params, &key, self.ca.certificate(), &self.ca.key);
        self.write(&format!("{base}.pem"), 0o644, certificate.to_pem().unwrap());
    }

    /// Reissues the certificate of a pair under another CA.
    pub(crate) fn reissue_under(&mut self, base: &str, ca: &Ca) {
        let old = self.certificate(base);
        let key = self.key(base);
        let mut params = params(cn(&old), &key);
        self.like(base, &mut params);
        let certificate = signed(&params, &key, ca.certificate(), &ca.key);
        self.write(&format!("{base}.pem"), 0o644, certificate.to_pem().unwrap());
    }

    /// Copies the names and usages of an existing certificate.
    pub(crate) fn like(&mut self, base: &str, params: &mut CertificateParams) {
        let old = self.certificate(base);
        let names = old.extensions.subject_alt_name.iter().flatten();
        params.subject_alt_names = names.map(as_encoded).collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let usages = old.extensions.extended_key_usage.as_deref().unwrap_or_default();
        params.extended_key_usages = extended_key_usages(usages);
    }

    /// The certificate of a pair.
    pub(crate) fn certificate(&mut self, base: &str) -> Certificate {
        let file = self.file(&format!("{base}.pem"));
        Certificate::from_pem_or_der(&file.contents).unwrap().swap_remove(0)
    }

    /// The key of a pair.
    pub(crate) fn key(&mut self, base: &str) -> PrivateKey {
        PrivateKey::from_pem(&self.file(&format!("{base}-key.pem")).contents).unwrap()
    }

    /// Replaces text in a file.
    pub(crate) fn edit(&mut self, path: &str, from: &str, to: &str) {
        let file = self.file(path);
        let text = String::from_utf8(file.contents.clone()).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}:\n{text}");
        file.contents = text.replace(from, to).into_bytes();
    }

    /// Appends one file to another.
    pub(crate) fn append(&mut self, path: &str, bytes: impl AsRef<[u8]>) {
        self.file(path).contents.extend_from_slice(bytes.as_ref());
    }

    /// All text files, by path.
    pub(crate) fn contents(&self) -> Vec<(String, String)> {
        let files = self.files.iter();
        let text = |file: &File| String::from_utf8(file.contents.clone()).unwrap();
        files.map(|(path, file)| (path.clone(), text(file))).collect()
    }

    pub(crate) fn file(&mut self, path: &str) -> &mut File {
        self.files.get_mut(path).unwrap_or_else(|| panic!("{path} does not exist"))
    }

    pub(crate) fn copy(&mut self, from: &str, to: &str) {
        let file = self.file(from);
        let (mode, contents) = (file.mode, file.contents.clone());
        self.write(to, mode, contents);
    }

    pub(crate) fn remove(&mut self, path: &str) {
        assert!(self.files.remove(path).is_some(), "{path} does not exist");
    }

    pub(crate) fn findings(self) -> Vec<Finding> {
        let files = self.files.into_iter().map(|(path, file)| {
            let (host, name) = path.split_once('/').unwrap();
            match file.contents.len() {
                ..=LIMIT => HostFile::new(host, name, file.mode, &file.contents),
                _ => HostFile::unread(host, name, file.mode),
            }
        });
        let files: Vec<HostFile> = files.collect();
        let reports = self.manifest.audit(&self.cas, &files, NOW).unwrap();
        reports.iter().flat_map(|report| report.findings().cloned()).collect()
    }
}

fn cn(certificate: &Certificate) -> &str {
    let mut attributes = certificate.subject.attributes.iter();
    &attributes.find(|a| a.attribute == Attribute::CommonName).unwrap().value
}

fn as_encoded(name: &GeneralName) -> SanType {
    match name {
        GeneralName::Dns(name) => SanType::DnsName(name.as_str().try_into().unwrap()),
        _ => SanType::IpAddress(name.ip().unwrap()),
    }
}
