//! The file names of other tools.

use super::configuration::base;
use crate::usage::Purpose;

/// The extensions of certificate files.
const ENDINGS: [&str; 3] = [".pem", ".crt", ".cer"];

/// The information in a file name.
pub(super) struct Named<'p> {
    pub(super) key: Option<String>,
    pub(super) purpose: Purpose,
    pub(super) trusted: Option<String>,
    pub(super) host: Option<&'p str>,
    pub(super) is_for_etcd: bool,
}

/// The certificates of kubeadm, etcdadm and etcdpki, whose names determine their purposes.
const BY_NAME: [(&str, Purpose); 7] = [
    ("apiserver-etcd-client", Purpose::Client),
    ("etcdctl-etcd-client", Purpose::Client),
    ("healthcheck-client", Purpose::Client),
    // A certificate for both ports must satisfy the requirements of peers, which are stricter.
    ("member", Purpose::Peer),
    ("peer", Purpose::Peer),
    ("server", Purpose::Server),
    // RKE uses the certificate of its nodes as client certificate for etcd.
    ("kube-node", Purpose::Client),
];

/// The prefixes of kubespray and RKE, followed by the host.
const BY_PREFIX: [(&str, Purpose); 4] = [
    ("admin-", Purpose::Client),
    ("kube-etcd-", Purpose::Peer),
    ("member-", Purpose::Peer),
    ("node-", Purpose::Client),
];

/// The certificates of Kubernetes that kubeadm and RKE have in the same folder.
const OF_KUBERNETES: [&str; 10] = [
    "apiserver",
    "apiserver-kubelet-client",
    "front-proxy-client",
    "kube-admin",
    "kube-apiserver",
    "kube-apiserver-proxy-client",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kube-service-account-token",
];

/// The information in the path of a possible certificate file.
pub(super) fn named<'p>(path: &'p str, has: &impl Fn(&str) -> bool) -> Option<Named<'p>> {
    let (stem, ending) = ENDINGS.iter().find_map(|ending| {
        Some((path.strip_suffix(ending).filter(|stem| !stem.is_empty())?, *ending))
    })?;
    if ["-key", ".key"].iter().any(|suffix| stem.ends_with(suffix)) {
        return None;
    }
    let name = base(stem);
    let folder = &path[..path.len() - base(path).len()];
    let by_name = BY_NAME.iter().find(|(known, _)| *known == name);
    let by_prefix = BY_PREFIX.iter().find_map(|(prefix, purpose)| {
        Some((name.strip_prefix(prefix).filter(|host| !host.is_empty())?, *purpose))
    });
    let (host, purpose) = match (by_name, by_prefix) {
        (Some((_, purpose)), _) => (None, *purpose),
        (None, Some((host, purpose))) => (Some(host), purpose),
        (None, None) => (None, Purpose::Any),
    };
    Some(Named {
        key: key(stem, folder, ending, has),
        purpose,
        trusted: trusted(name, folder, has),
        host,
        is_for_etcd: !OF_KUBERNETES.contains(&name),
    })
}

/// The key of a certificate: in the same folder, or in easy-rsa's `private` next to `issued`.
fn key(stem: &str, folder: &str, ending: &str, has: &impl Fn(&str) -> bool) -> Option<String> {
    let without = stem.strip_suffix("-cert").or_else(|| stem.strip_suffix(".cert"));
    let mut candidates = Vec::new();
    for stem in std::iter::once(stem).chain(without) {
        for suffix in ["-key.pem", ".key", ".key.pem", "-key.key", "-key.crt"] {
            candidates.push(format!("{stem}{suffix}"));
        }
        candidates.push(format!("{stem}-key{ending}"));
    }
    if let Some(above) = folder.strip_suffix("issued/") {
        candidates.push(format!("{above}private/{}.key", base(stem)));
    }
    candidates.into_iter().find(|path| has(path))
}

/// The trust file that verifies a certificate.
fn trusted(name: &str, folder: &str, has: &impl Fn(&str) -> bool) -> Option<String> {
    let mut candidates = Vec::new();
    // In kubeadm's folder, the API server's client certificate for etcd is in the folder above etcd's CA.
    if name == "apiserver-etcd-client" {
        candidates.push(format!("{folder}etcd/ca.crt"));
    }
    if name == "front-proxy-client" {
        candidates.push(format!("{folder}front-proxy-ca.crt"));
    }
    if name == "kube-apiserver-proxy-client" {
        candidates.push(format!("{folder}kube-apiserver-requestheader-ca.pem"));
    }
    let above = folder.strip_suffix("issued/").unwrap_or(folder);
    for known in ["ca.crt", "ca.pem", "kube-ca.pem", "ca.cert.pem", "rootCA.pem", "rootCA.crt"] {
        candidates.push(format!("{above}{known}"));
    }
    candidates.into_iter().find(|path| has(path))
}
