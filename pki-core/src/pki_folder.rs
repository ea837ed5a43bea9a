//! Analyses a folder that may be from another tool: which files belong together, and the purpose of each certificate.
//!
//! The configuration in the folder decides. Without configuration, the file names of kubeadm, etcdadm, kubespray and RKE
//! do. For other file names, only the pairs are known.

mod configuration;
mod names;

use std::collections::HashSet;

pub use self::configuration::FolderFile;
pub(crate) use self::configuration::{Location, settings};
use self::names::{Named, named};
use crate::certificate::Certificate;
use crate::etcd::{EtcdSettings, EtcdVersion};
use crate::usage::{ExtendedKeyUsage, Purpose};

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
    /// False if its name says that it is for another program of Kubernetes.
    pub is_for_etcd: bool,
}

impl FolderPair {
    /// The purpose that its name does not say, as the certificate says it: easy-rsa's files have the names of hosts. `read`
    /// returns the certificate, if it can be read, and is called only for such a file.
    pub fn purpose_of(&self, read: impl FnOnce() -> Option<Certificate>) -> Purpose {
        let is_of_easy_rsa = self.certificate.rsplit('/').nth(1) == Some(ISSUED);
        if self.purpose != Purpose::Any || !is_of_easy_rsa {
            return self.purpose;
        }
        let Some(certificate) = read() else { return self.purpose };
        let usages = certificate.extensions.extended_key_usage.as_deref().unwrap_or_default();
        if usages.contains(&ExtendedKeyUsage::server_auth()) {
            Purpose::Server
        } else if usages.contains(&ExtendedKeyUsage::client_auth()) {
            Purpose::Client
        } else {
            Purpose::Any
        }
    }

    /// The file of its key, or the file where its tool would put the key.
    pub(crate) fn key_file(&self) -> String {
        let conventional = || match self.certificate.rsplit_once('.') {
            Some((stem, "pem")) => format!("{stem}-key.pem"),
            Some((stem, _)) => format!("{stem}.key"),
            None => format!("{}.key", self.certificate),
        };
        self.key.clone().unwrap_or_else(conventional)
    }
}

/// The contents of a folder.
/// ```
/// use pki_core::{EtcdVersion, FolderFile, PkiFolder, Purpose};
///
/// // As kubeadm names the files of etcd.
/// let names = ["ca.crt", "server.crt", "server.key", "peer.crt", "peer.key"];
/// let files = names.map(|path| FolderFile { path, text: None });
/// let folder = PkiFolder::read(&files, EtcdVersion(3, 6, 0));
/// let server = folder.pairs.iter().find(|pair| pair.certificate == "server.crt").expect("a pair");
/// assert_eq!((server.key.as_deref(), server.trusted.as_deref()), (Some("server.key"), Some("ca.crt")));
/// assert_eq!(server.purpose, Purpose::Server);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PkiFolder {
    /// Its certificates, by path.
    pub pairs: Vec<FolderPair>,
    /// The configuration of the etcd in this folder, if it exists.
    pub settings: Option<EtcdSettings>,
}

/// The folder of the certificates in easy-rsa's `pki`.
const ISSUED: &str = "issued";

impl PkiFolder {
    /// Reads the names and the configuration of a folder.
    pub fn read(files: &[FolderFile<'_>], version: EtcdVersion) -> Self {
        let settings = settings(files, version, Location::Unknown);
        let paths: HashSet<&str> = files.iter().map(|file| file.path).collect();
        let has = |path: &str| paths.contains(path);
        let mut pairs: Vec<FolderPair> = Vec::new();
        for file in files.iter().filter(|file| file.text.is_none()) {
            let Some(Named { key, purpose, trusted, host, is_for_etcd }) = named(file.path, &has)
            else {
                continue;
            };
            let mut pair = FolderPair {
                certificate: file.path.to_owned(),
                key,
                trusted,
                purpose,
                host: host.map(str::to_owned),
                is_for_etcd,
            };
            if let Some(settings) = &settings {
                configure(&mut pair, settings, files);
            }
            pairs.push(pair);
        }
        pairs.sort_by(|one, other| one.certificate.cmp(&other.certificate));
        Self { pairs, settings }
    }

    /// Whether the configuration or the names say which certificates are those of members.
    pub fn knows_members(&self) -> bool {
        self.pairs.iter().any(|pair| matches!(pair.purpose, Purpose::Peer | Purpose::Server))
    }

    /// The trust file for clients that the configuration names, if it is in the folder.
    pub(crate) fn client_trust<'f>(&self, files: &[FolderFile<'f>]) -> Option<&'f str> {
        in_folder(files, self.settings.as_ref()?.find("trusted-ca-file")?)
    }

    /// Whether another CA than that of etcd's certificates issues a certificate, which is not for etcd: kubeadm has
    /// its API server's certificates next to etcd's folder.
    pub fn is_of_another_ca(&self, pair: &FolderPair) -> bool {
        let of_etcd = self.pairs.iter().filter(|pair| pair.purpose != Purpose::Any);
        let mut of_etcd = of_etcd.filter_map(|pair| pair.trusted.as_ref()).peekable();
        !pair.is_for_etcd
            && of_etcd.peek().is_some()
            && pair.trusted.as_ref().is_some_and(|own| of_etcd.all(|trusted| trusted != own))
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
        pair.is_for_etcd = true;
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

/// The file in the folder for a path on the host. The location of the folder on the host is unknown, so it is the file of
/// that name with the most equal folders above it: of `ca.crt` and `etcd/ca.crt`, the latter is
/// `/etc/kubernetes/pki/etcd/ca.crt`.
fn in_folder<'f>(files: &[FolderFile<'f>], path: &str) -> Option<&'f str> {
    let equal = |file: &FolderFile<'f>| {
        let parts = file.path.rsplit('/').zip(path.rsplit('/'));
        parts.take_while(|(one, other)| one == other).count()
    };
    let named = files.iter().filter(|file| equal(file) > 0).map(|file| (equal(file), file.path));
    let best = named.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, path)| path)
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
