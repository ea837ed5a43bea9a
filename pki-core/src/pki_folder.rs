//! Analyses a folder that may be from another tool: which files belong together, and the purpose of each certificate.
//!
//! The configuration in the folder decides. Without configuration, the file names of kubeadm, etcdadm, kubespray and RKE
//! do. For other file names, only the pairs are known.

mod names;

use self::names::{Named, named};
use crate::etcd::{EtcdSettings, EtcdVersion, FileLookup};
use crate::usage::Purpose;

/// A file in a folder: its path, and its text if it may be configuration.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct FolderFile<'a> {
    /// `server.crt`, `issued/server.crt`
    pub path: &'a str,
    /// The text, unless the file is a certificate or a key.
    pub text: Option<&'a str>,
}

/// A certificate in a folder, and the files that belong to it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FolderPair {
    /// The file of the certificate.
    pub certificate: String,
    /// The file of its key, if it exists.
    pub key: Option<String>,
    /// The trust file that verifies it, if it exists.
    pub trusted: Option<String>,
    /// Its purpose.
    pub purpose: Purpose,
    /// The host in its name.
    pub host: Option<String>,
}

/// The contents of a folder.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PkiFolder {
    /// Its certificates, by path.
    pub pairs: Vec<FolderPair>,
    /// The configuration of the etcd in this folder, if it exists.
    pub settings: Option<EtcdSettings>,
}

/// The extensions of certificate files.
const ENDINGS: [&str; 3] = [".pem", ".crt", ".cer"];

impl PkiFolder {
    /// Reads the names and the configuration of a folder.
    pub fn read(files: &[FolderFile<'_>], version: EtcdVersion) -> Self {
        let settings = settings(files, version);
        let has = |path: &str| files.iter().any(|file| file.path == path);
        let mut pairs: Vec<FolderPair> = Vec::new();
        for file in files.iter().filter(|file| file.text.is_none()) {
            let Some(Named { key, purpose, trusted, host }) = named(file.path, &has) else {
                continue;
            };
            let mut pair = FolderPair {
                certificate: file.path.to_owned(),
                key,
                trusted,
                purpose,
                host: host.map(str::to_owned),
            };
            if let Some(settings) = &settings {
                configure(&mut pair, settings, files);
            }
            pairs.push(pair);
        }
        pairs.sort_by(|one, other| one.certificate.cmp(&other.certificate));
        Self { pairs, settings }
    }
}

/// The information in the configuration about a certificate.
fn configure(pair: &mut FolderPair, settings: &EtcdSettings, files: &[FolderFile<'_>]) {
    let named = |option: &str| settings.find(option).and_then(|path| in_folder(files, path));
    // A certificate for both ports must satisfy the requirements of peers, which are stricter.
    for (certificate, key, trusted, purpose) in [
        ("cert-file", "key-file", None, Purpose::Server),
        ("peer-cert-file", "peer-key-file", Some("peer-trusted-ca-file"), Purpose::Peer),
    ] {
        if named(certificate) != Some(pair.certificate.as_str()) {
            continue;
        }
        pair.purpose = purpose;
        if let Some(key) = named(key) {
            pair.key = Some(key.to_owned());
        }
        if let Some(trusted) = trusted.and_then(named) {
            pair.trusted = Some(trusted.to_owned());
        }
    }
    if pair.purpose == Purpose::Client
        && let Some(trusted) = named("trusted-ca-file")
    {
        pair.trusted = Some(trusted.to_owned());
    }
}

/// The file in the folder for a path on the host. It is found by its name, because the location of the folder on the host
/// is unknown.
fn in_folder<'f>(files: &[FolderFile<'f>], path: &str) -> Option<&'f str> {
    let name = base(path);
    let same = |file: &&FolderFile<'f>| base(file.path) == name;
    files.iter().find(same).map(|file| file.path)
}

/// The configuration of etcd: its unit, otherwise its configuration file, its environment file, or the pod of the kubelet.
fn settings(files: &[FolderFile<'_>], version: EtcdVersion) -> Option<EtcdSettings> {
    let texts = || files.iter().filter_map(|file| Some((file.path, file.text?)));
    let lookup = |path: &str| {
        let file = texts().find(|(known, _)| base(known) == base(path));
        file.map_or(FileLookup::Unseen, |(_, text)| FileLookup::Found(text))
    };
    let is_yaml = |path: &str| matches!(path.rsplit('.').next(), Some("yaml" | "yml"));
    if let Some((path, unit)) = texts().find(|(path, _)| base(path) == "etcd.service") {
        return Some(EtcdSettings::from_unit(base(path), &[unit], version, &lookup));
    }
    for (path, text) in texts().filter(|(path, _)| is_yaml(path)) {
        if let Some(settings) = EtcdSettings::from_pod(base(path), text, version) {
            return Some(settings);
        }
        if text.lines().any(|line| line.starts_with("client-transport-security:")) {
            return Some(EtcdSettings::from_yaml(base(path), text, version));
        }
    }
    let mut environments = texts().filter(|(path, _)| !is_yaml(path));
    environments.find_map(|(path, text)| EtcdSettings::from_environment(base(path), text, version))
}

/// The file name in a path.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(paths: &[&str]) -> Vec<(String, Option<String>, Purpose, Option<String>)> {
        let files: Vec<_> = paths.iter().map(|path| FolderFile { path, text: None }).collect();
        let folder = PkiFolder::read(&files, EtcdVersion(3, 6, 0));
        let pairs = folder.pairs.into_iter();
        pairs.map(|pair| (pair.certificate, pair.key, pair.purpose, pair.trusted)).collect()
    }

    fn row(
        certificate: &str,
        key: &str,
        purpose: Purpose,
        trusted: &str,
    ) -> (String, Option<String>, Purpose, Option<String>) {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        (certificate.to_owned(), some(key), purpose, some(trusted))
    }

    #[test]
    fn the_layouts_of_other_tools_are_known() {
        assert_eq!(
            read(&[
                "ca.crt",
                "ca.key",
                "server.crt",
                "server.key",
                "peer.crt",
                "peer.key",
                "healthcheck-client.crt",
                "healthcheck-client.key"
            ]),
            [
                row("ca.crt", "ca.key", Purpose::Any, "ca.crt"),
                row("healthcheck-client.crt", "healthcheck-client.key", Purpose::Client, "ca.crt"),
                row("peer.crt", "peer.key", Purpose::Peer, "ca.crt"),
                row("server.crt", "server.key", Purpose::Server, "ca.crt"),
            ]
        );
        assert_eq!(
            read(&[
                "ca.pem",
                "admin-node1.pem",
                "admin-node1-key.pem",
                "member-node1.pem",
                "member-node1-key.pem",
                "node-node1.pem"
            ]),
            [
                row("admin-node1.pem", "admin-node1-key.pem", Purpose::Client, "ca.pem"),
                row("ca.pem", "", Purpose::Any, "ca.pem"),
                row("member-node1.pem", "member-node1-key.pem", Purpose::Peer, "ca.pem"),
                row("node-node1.pem", "", Purpose::Client, "ca.pem"),
            ]
        );
        assert_eq!(
            read(&["kube-ca.pem", "kube-etcd-10-0-0-1.pem", "kube-etcd-10-0-0-1-key.pem"]),
            [
                row("kube-ca.pem", "", Purpose::Any, "kube-ca.pem"),
                row(
                    "kube-etcd-10-0-0-1.pem",
                    "kube-etcd-10-0-0-1-key.pem",
                    Purpose::Peer,
                    "kube-ca.pem"
                ),
            ]
        );
        assert_eq!(
            read(&[
                "etcd/ca.crt",
                "etcd/server.crt",
                "apiserver-etcd-client.crt",
                "ca.crt",
                "apiserver.crt"
            ]),
            [
                row("apiserver-etcd-client.crt", "", Purpose::Client, "etcd/ca.crt"),
                row("apiserver.crt", "", Purpose::Any, "ca.crt"),
                row("ca.crt", "", Purpose::Any, "ca.crt"),
                row("etcd/ca.crt", "", Purpose::Any, "etcd/ca.crt"),
                row("etcd/server.crt", "", Purpose::Server, "etcd/ca.crt"),
            ]
        );
        assert_eq!(
            read(&["ca.crt", "issued/e1.crt", "private/e1.key"]),
            [
                row("ca.crt", "", Purpose::Any, "ca.crt"),
                row("issued/e1.crt", "private/e1.key", Purpose::Any, "ca.crt"),
            ]
        );
    }

    #[test]
    fn the_configuration_decides() {
        let unit = "[Service]\nEnvironmentFile=/etc/etcd.env\nExecStart=/usr/bin/etcd\n";
        let env = "ETCD_CERT_FILE=/x/a.pem\nETCD_KEY_FILE=/x/b.pem\nETCD_PEER_CERT_FILE=/x/c.pem\n\
            ETCD_PEER_TRUSTED_CA_FILE=/x/peers.pem\n";
        let mut files: Vec<_> = ["a.pem", "b.pem", "c.pem", "peers.pem"]
            .iter()
            .map(|path| FolderFile { path, text: None })
            .collect();
        files.push(FolderFile { path: "etcd.service", text: Some(unit) });
        files.push(FolderFile { path: "etcd.env", text: Some(env) });
        let folder = PkiFolder::read(&files, EtcdVersion(3, 5, 1));
        let of = |name: &str| folder.pairs.iter().find(|pair| pair.certificate == name).unwrap();
        assert_eq!(
            (of("a.pem").purpose, of("a.pem").key.as_deref()),
            (Purpose::Server, Some("b.pem"))
        );
        assert_eq!(
            (of("c.pem").purpose, of("c.pem").trusted.as_deref()),
            (Purpose::Peer, Some("peers.pem"))
        );
    }
}
