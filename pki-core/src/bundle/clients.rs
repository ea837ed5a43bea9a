//! The configuration of etcd's clients: kubeadm and etcdctl.

use std::fmt::Write as _;

use crate::layout::{APISERVER_CLIENT, FileKind, Role};
use crate::manifest::Manifest;

/// kubeadm's configuration of a control plane, with the URLs of etcd.
pub(super) fn kubeadm_config(manifest: &Manifest, endpoints: &[String]) -> String {
    let files = ClientFiles::new(&manifest.paths.kubernetes, APISERVER_CLIENT);
    let api = manifest.kubernetes_version.map_or(NEWEST_API, |version| version.kubeadm_api());
    let mut text = format!(
        "# kubeadm init --config {}, by etcdpki from the manifest of the cluster {}.\n\
         apiVersion: {api}\n\
         kind: ClusterConfiguration\n",
        FileKind::KubeadmConfig.name(),
        manifest.cluster
    );
    // Without a patch number kubeadm would ask the Internet for the newest release of the line.
    let version = manifest.kubernetes_version.filter(|version| version.patch.is_some());
    if let Some(version) = version {
        let _ = writeln!(text, "kubernetesVersion: v{version}");
    }
    if let Some(endpoint) = &manifest.control_plane_endpoint {
        let _ = writeln!(text, "controlPlaneEndpoint: \"{endpoint}\"");
    }
    text.push_str("etcd:\n  external:\n    endpoints:\n");
    for endpoint in endpoints {
        let _ = writeln!(text, "    - {endpoint}");
    }
    let _ = write!(
        text,
        "    caFile: {}\n    certFile: {}\n    keyFile: {}\n",
        files.trusted, files.certificate, files.key
    );
    text
}

/// The API version that kubeadm reads since 1.31.
const NEWEST_API: &str = "kubeadm.k8s.io/v1beta4";

/// The environment of etcdctl for a client whose files are in a folder.
pub(super) fn etcdctl_env(folder: &str, client: &str, endpoints: &[String]) -> String {
    let files = ClientFiles::new(folder, client);
    format!(
        "# set -a; . ./{}; set +a; etcdctl endpoint health\n\
         ETCDCTL_API=3\n\
         ETCDCTL_ENDPOINTS={}\n\
         ETCDCTL_CACERT={}\n\
         ETCDCTL_CERT={}\n\
         ETCDCTL_KEY={}\n",
        FileKind::EtcdctlEnv.name(),
        endpoints.join(","),
        files.trusted,
        files.certificate,
        files.key
    )
}

/// The paths of a client's files on its host.
struct ClientFiles {
    trusted: String,
    certificate: String,
    key: String,
}

impl ClientFiles {
    fn new(folder: &str, client: &str) -> Self {
        let role = Role::Client(client.to_owned());
        let path = |file: FileKind| format!("{folder}/{}", file.name());
        Self {
            trusted: path(FileKind::TrustedCas),
            certificate: path(FileKind::Certificate(role.clone())),
            key: path(FileKind::Key(role)),
        }
    }
}
