//! The files of a host's folder that use its certificates: etcd's, kubeadm's and etcdctl's
//! configuration, all from the manifest, so that they cannot disagree.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use crate::layout::{APISERVER_CLIENT, FileKind, Role};
use crate::manifest::{Host, Manifest};

/// A generated file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Generated {
    /// Which file it is.
    pub kind: FileKind,
    /// What it says.
    pub contents: String,
}

/// What the generated files of all hosts are made of.
#[derive(Clone, Debug)]
pub struct Bundles<'a> {
    manifest: &'a Manifest,
    hosts: HashMap<&'a str, Part<'a>>,
    /// Every member's, joined once: each member's file names all the others.
    initial_cluster: String,
    endpoints: Vec<String>,
}

/// What a host is in the cluster.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Member(&'a Host),
    ControlPlane,
    Client(&'a str),
}

impl<'a> Bundles<'a> {
    /// What is the same for all hosts, worked out once.
    pub fn new(manifest: &'a Manifest) -> Self {
        let clients = manifest.clients.iter().rev();
        let clients = clients.map(|client| (client.host.as_str(), Part::Client(&client.name)));
        let masters = manifest.control_plane.iter();
        let masters = masters.map(|master| (master.name.as_str(), Part::ControlPlane));
        let members = manifest.etcd.iter();
        let members = members.map(|member| (member.name.as_str(), Part::Member(member)));
        let addresses = || manifest.etcd.iter().filter_map(|host| Some((host, address(host)?)));
        let cluster: Vec<String> = addresses()
            .map(|(member, address)| format!("{}={}", member.name, url(address, 2380)))
            .collect();
        Self {
            manifest,
            // What a host is above all comes last and stays.
            hosts: clients.chain(masters).chain(members).collect(),
            initial_cluster: cluster.join(","),
            endpoints: addresses().map(|(_, address)| url(address, 2379)).collect(),
        }
    }

    /// The generated files of a host's folder.
    pub fn generated(&self, host: &str) -> Vec<Generated> {
        let Some(part) = self.hosts.get(host).filter(|_| self.manifest.configuration) else {
            return Vec::new();
        };
        let file = |kind, contents| Generated { kind, contents };
        match *part {
            Part::Member(member) => vec![
                file(FileKind::EtcdConfig, self.etcd_conf(member)),
                file(FileKind::EtcdUnit, self.etcd_service(member)),
            ],
            Part::ControlPlane => {
                let folder = &self.manifest.paths.kubernetes;
                vec![
                    file(FileKind::EtcdctlEnv, self.etcdctl_env(folder, APISERVER_CLIENT)),
                    file(FileKind::KubeadmConfig, self.kubeadm_config()),
                ]
            }
            Part::Client(client) => {
                vec![file(
                    FileKind::EtcdctlEnv,
                    self.etcdctl_env(&self.manifest.paths.etcd, client),
                )]
            }
        }
    }

    /// The settings of one member, by etcd's long option names.
    pub(crate) fn settings(&self, member: &Host) -> Vec<(&'static str, String)> {
        let Some(own) = address(member) else { return Vec::new() };
        let path = |file: FileKind| format!("{}/{}", self.manifest.paths.etcd, file.name());
        let (server, peer) = (member.server_role(), member.peer_role());
        let loopback = url(IpAddr::from([127, 0, 0, 1]), 2379);
        vec![
            ("name", member.name.clone()),
            ("data-dir", self.manifest.paths.data.clone()),
            ("listen-client-urls", format!("{},{loopback}", url(own, 2379))),
            ("advertise-client-urls", url(own, 2379)),
            ("listen-peer-urls", url(own, 2380)),
            ("initial-advertise-peer-urls", url(own, 2380)),
            ("initial-cluster", self.initial_cluster.clone()),
            ("initial-cluster-token", self.manifest.cluster.clone()),
            ("initial-cluster-state", "new".to_owned()),
            ("cert-file", path(FileKind::Certificate(server.clone()))),
            ("key-file", path(FileKind::Key(server))),
            ("trusted-ca-file", path(FileKind::TrustedCas)),
            ("client-cert-auth", "true".to_owned()),
            ("peer-cert-file", path(FileKind::Certificate(peer.clone()))),
            ("peer-key-file", path(FileKind::Key(peer))),
            ("peer-trusted-ca-file", path(FileKind::TrustedCas)),
            ("peer-client-cert-auth", "true".to_owned()),
            ("peer-cert-allowed-hostname", self.manifest.peer_name()),
        ]
    }

    fn etcd_conf(&self, member: &Host) -> String {
        let mut text = format!(
            "# etcd's configuration for {}, by etcdpki from the manifest of the cluster {}.\n",
            member.name, self.manifest.cluster
        );
        let in_yaml = self.manifest.etcd_version.has_allowed_hostname_in_yaml();
        let (mut client, mut peer) = (String::new(), String::new());
        for (name, value) in self.settings(member) {
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

    fn etcd_service(&self, member: &Host) -> String {
        let start = if self.manifest.etcd_version.has_allowed_hostname_in_yaml() {
            let folder = &self.manifest.paths.etcd;
            let file = FileKind::EtcdConfig.name();
            format!("ExecStart=/usr/bin/etcd --config-file={folder}/{file}\n")
        } else {
            // A configuration file makes etcd ignore its environment, so this unit uses none.
            let mut lines = String::new();
            for (name, value) in self.settings(member) {
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
            member.name, self.manifest.cluster
        )
    }

    fn kubeadm_config(&self) -> String {
        let files = ClientFiles::new(&self.manifest.paths.kubernetes, APISERVER_CLIENT);
        let mut text = format!(
            "# kubeadm init --config kubeadm-config.yaml, by etcdpki from the manifest of the cluster {}.\n\
             apiVersion: kubeadm.k8s.io/v1beta4\n\
             kind: ClusterConfiguration\n\
             etcd:\n  external:\n    endpoints:\n",
            self.manifest.cluster
        );
        for endpoint in &self.endpoints {
            let _ = writeln!(text, "    - {endpoint}");
        }
        let _ = write!(
            text,
            "    caFile: {}\n    certFile: {}\n    keyFile: {}\n",
            files.trusted, files.certificate, files.key
        );
        text
    }

    fn etcdctl_env(&self, folder: &str, client: &str) -> String {
        let files = ClientFiles::new(folder, client);
        format!(
            "# set -a; . ./etcdctl.env; set +a; etcdctl endpoint health\n\
             ETCDCTL_API=3\n\
             ETCDCTL_ENDPOINTS={}\n\
             ETCDCTL_CACERT={}\n\
             ETCDCTL_CERT={}\n\
             ETCDCTL_KEY={}\n",
            self.endpoints.join(","),
            files.trusted,
            files.certificate,
            files.key
        )
    }
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

fn url(address: IpAddr, port: u16) -> String {
    format!("https://{}", std::net::SocketAddr::new(address, port))
}

/// The address at which a host is reached.
fn address(host: &Host) -> Option<IpAddr> {
    host.addresses.first().copied()
}

const PEER_PORT: &str = "\
# The peer port is shut to client certificates twice: they carry a name under .invalid, which never
# resolves to the caller's address, and only certificates that carry this name are let in.
";
