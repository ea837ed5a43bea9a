//! The files of a host's folder that use its certificates: etcd's, kubeadm's and etcdctl's
//! configuration, all from the manifest, so that they cannot disagree.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::manifest::{APISERVER_CLIENT, Host, Manifest};

/// etcd's configuration of a member.
pub(crate) const ETCD_CONF: &str = "etcd.conf.yaml";
/// The unit that starts a member.
pub(crate) const ETCD_SERVICE: &str = "etcd.service";
/// The surroundings of etcdctl.
pub(crate) const ETCDCTL_ENV: &str = "etcdctl.env";
/// kubeadm's configuration of a control plane.
pub(crate) const KUBEADM_CONFIG: &str = "kubeadm-config.yaml";

/// A generated file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Generated {
    /// Its name in the host's folder.
    pub name: &'static str,
    /// What it says.
    pub contents: String,
}

impl Manifest {
    /// The generated files of a host's folder.
    pub fn generated(&self, host: &str) -> Vec<Generated> {
        if let Some(member) = self.etcd.iter().find(|member| member.name == host) {
            return vec![
                Generated { name: ETCD_CONF, contents: etcd_conf(self, member) },
                Generated { name: ETCD_SERVICE, contents: etcd_service(self, member) },
            ];
        }
        let folder = &self.paths.kubernetes;
        if self.control_plane.iter().any(|master| master.name == host) {
            let env = etcdctl_env(self, folder, APISERVER_CLIENT);
            return vec![
                Generated { name: ETCDCTL_ENV, contents: env },
                Generated { name: KUBEADM_CONFIG, contents: kubeadm_config(self) },
            ];
        }
        let client = self.clients.iter().find(|client| client.host == host);
        let env = client.map(|client| etcdctl_env(self, &self.paths.etcd, &client.name));
        env.map(|contents| Generated { name: ETCDCTL_ENV, contents }).into_iter().collect()
    }
}

fn url(address: IpAddr, port: u16) -> String {
    format!("https://{}", std::net::SocketAddr::new(address, port))
}

/// The address at which a host is reached.
fn address(host: &Host) -> Option<IpAddr> {
    host.addresses.first().copied()
}

fn endpoints(manifest: &Manifest) -> Vec<String> {
    let members = manifest.etcd.iter().filter_map(address);
    members.map(|address| url(address, 2379)).collect()
}

/// The settings of one member, by etcd's long option names.
pub(crate) fn settings(manifest: &Manifest, member: &Host) -> Vec<(&'static str, String)> {
    let Some(own) = address(member) else { return Vec::new() };
    let folder = &manifest.paths.etcd;
    let (server, peer) = if member.combined { ("member", "member") } else { ("server", "peer") };
    let cluster: Vec<String> = manifest
        .etcd
        .iter()
        .filter_map(|other| Some(format!("{}={}", other.name, url(address(other)?, 2380))))
        .collect();
    let loopback = url(IpAddr::from([127, 0, 0, 1]), 2379);
    vec![
        ("name", member.name.clone()),
        ("data-dir", manifest.paths.data.clone()),
        ("listen-client-urls", format!("{},{loopback}", url(own, 2379))),
        ("advertise-client-urls", url(own, 2379)),
        ("listen-peer-urls", url(own, 2380)),
        ("initial-advertise-peer-urls", url(own, 2380)),
        ("initial-cluster", cluster.join(",")),
        ("initial-cluster-token", manifest.cluster.clone()),
        ("initial-cluster-state", "new".to_owned()),
        ("cert-file", format!("{folder}/{server}.pem")),
        ("key-file", format!("{folder}/{server}-key.pem")),
        ("trusted-ca-file", format!("{folder}/ca.pem")),
        ("client-cert-auth", "true".to_owned()),
        ("peer-cert-file", format!("{folder}/{peer}.pem")),
        ("peer-key-file", format!("{folder}/{peer}-key.pem")),
        ("peer-trusted-ca-file", format!("{folder}/ca.pem")),
        ("peer-client-cert-auth", "true".to_owned()),
        ("peer-cert-allowed-hostname", manifest.peer_name()),
    ]
}

const PEER_PORT: &str = "\
# The peer port is shut to client certificates twice: they carry a name under .invalid, which never
# resolves to the caller's address, and only certificates that carry this name are let in.
";

fn etcd_conf(manifest: &Manifest, member: &Host) -> String {
    let mut text = format!(
        "# etcd's configuration for {}, by etcdpki from the manifest of the cluster {}.\n",
        member.name, manifest.cluster
    );
    let in_yaml = manifest.etcd_version.has_allowed_hostname_in_yaml();
    let (mut client, mut peer) = (String::new(), String::new());
    for (name, value) in settings(manifest, member) {
        // In quotes, since a host may be called `null`; switches are not strings.
        let value = if value == "true" { value } else { format!("\"{value}\"") };
        let line = |name: &str| format!("  {name}: {value}\n");
        match (name, name.strip_prefix("peer-")) {
            ("peer-cert-allowed-hostname", _) if in_yaml => {
                for comment in PEER_PORT.lines() {
                    let _ = writeln!(peer, "  {comment}");
                }
                let _ = writeln!(peer, "  allowed-hostname: [{value}]");
            }
            ("peer-cert-allowed-hostname", _) => {
                text.push_str(
                    "# NOT for this etcd alone: before 3.5.15 this file has no list for peer-cert-allowed-hostname, and\n\
                     # with it etcd ignores flags and environment. etcd.service sets the same in its environment.\n",
                );
            }
            (_, Some(name)) => peer.push_str(&line(name)),
            ("cert-file" | "key-file" | "trusted-ca-file" | "client-cert-auth", None) => {
                client.push_str(&line(name));
            }
            _ => {
                let _ = writeln!(text, "{name}: {value}");
            }
        }
    }
    format!("{text}client-transport-security:\n{client}peer-transport-security:\n{peer}")
}

fn etcd_service(manifest: &Manifest, member: &Host) -> String {
    let folder = &manifest.paths.etcd;
    let start = if manifest.etcd_version.has_allowed_hostname_in_yaml() {
        format!("ExecStart=/usr/bin/etcd --config-file={folder}/etcd.conf.yaml\n")
    } else {
        // A configuration file makes etcd ignore its environment, so this unit uses none.
        let mut lines = String::new();
        for (name, value) in settings(manifest, member) {
            if name == "peer-cert-allowed-hostname" {
                lines.push_str(PEER_PORT);
            }
            let variable = name.to_uppercase().replace('-', "_");
            let _ = writeln!(lines, "Environment=ETCD_{variable}={value}");
        }
        format!("{lines}ExecStart=/usr/bin/etcd\n")
    };
    format!(
        "# etcd's unit for {}, by etcdpki from the manifest of the cluster {}.\n\
         [Unit]\n\
         Description=etcd\n\
         Documentation=https://etcd.io/docs/\n\
         # A certificate is not valid before its time: the clock comes first.\n\
         After=network-online.target time-sync.target\n\
         Wants=network-online.target time-sync.target\n\
         \n\
         [Service]\n\
         # Ready once a quorum is; start the members together.\n\
         Type=notify\n\
         User=etcd\n\
         {start}\
         Restart=always\n\
         RestartSec=5\n\
         LimitNOFILE=65536\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        member.name, manifest.cluster
    )
}

fn kubeadm_config(manifest: &Manifest) -> String {
    let folder = &manifest.paths.kubernetes;
    let mut text = format!(
        "# kubeadm init --config kubeadm-config.yaml, by etcdpki from the manifest of the cluster {}.\n\
         apiVersion: kubeadm.k8s.io/v1beta4\n\
         kind: ClusterConfiguration\n\
         etcd:\n  external:\n    endpoints:\n",
        manifest.cluster
    );
    for endpoint in endpoints(manifest) {
        let _ = writeln!(text, "    - {endpoint}");
    }
    let _ = write!(
        text,
        "    caFile: {folder}/ca.pem\n    certFile: {folder}/{APISERVER_CLIENT}.pem\n    \
         keyFile: {folder}/{APISERVER_CLIENT}-key.pem\n"
    );
    text
}

fn etcdctl_env(manifest: &Manifest, folder: &str, client: &str) -> String {
    format!(
        "# set -a; . ./etcdctl.env; set +a; etcdctl endpoint health\n\
         ETCDCTL_API=3\n\
         ETCDCTL_ENDPOINTS={}\n\
         ETCDCTL_CACERT={folder}/ca.pem\n\
         ETCDCTL_CERT={folder}/{client}.pem\n\
         ETCDCTL_KEY={folder}/{client}-key.pem\n",
        endpoints(manifest).join(",")
    )
}
