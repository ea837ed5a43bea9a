//! Which files each host gets.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::clients::{etcdctl_env, kubeadm_config};
use super::etcd::MemberConfig;
use super::install::InstallScript;
use super::parts::Parts;
use super::state::{InitialStates, MemberFiles};
use crate::layout::{APISERVER_CLIENT, FileKind};
use crate::manifest::{Endpoint, Host, Manifest};
use crate::name::San;

/// The port of etcd for clients (IANA: etcd-client).
const CLIENT_PORT: u16 = 2379;
/// The port of etcd for the other members (IANA: etcd-server).
const PEER_PORT: u16 = 2380;

/// A generated file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Generated {
    /// Which file it is.
    pub kind: FileKind,
    /// The contents.
    pub contents: String,
}

/// The inputs of the generated files of all hosts.
#[derive(Clone, Debug)]
pub struct Bundles<'a> {
    manifest: &'a Manifest,
    states: InitialStates,
    hosts: HashMap<&'a str, Parts<'a>>,
    /// The URLs of all members, joined once, because each member's file contains all of them.
    initial_cluster: Arc<str>,
    /// Where clients connect.
    endpoints: Vec<String>,
}

impl<'a> Bundles<'a> {
    /// Computes once what is the same for all hosts.
    pub fn new(manifest: &'a Manifest, states: InitialStates) -> Self {
        let mut hosts: HashMap<&str, Parts<'_>> = HashMap::new();
        for member in &manifest.etcd {
            hosts.entry(&member.name).or_default().member = Some(member);
        }
        for host in &manifest.control_plane {
            hosts.entry(&host.name).or_default().is_control_plane = true;
        }
        for client in &manifest.clients {
            hosts.entry(&client.host).or_default().clients.push(client);
        }
        let urls = |port| {
            let members = manifest.etcd.iter();
            members
                .filter_map(move |member| Some((member, url(manifest.dialled_at(member)?, port))))
        };
        let cluster: Vec<String> =
            urls(PEER_PORT).map(|(member, url)| format!("{}={url}", member.name)).collect();
        let endpoints = match manifest.endpoints.as_slice() {
            [] => urls(CLIENT_PORT).map(|(_, url)| url).collect(),
            endpoints => endpoints
                .iter()
                .map(|endpoint| format!("https://{}", endpoint.with_default_port(CLIENT_PORT)))
                .collect(),
        };
        Self { manifest, states, hosts, initial_cluster: cluster.join(",").into(), endpoints }
    }

    /// The generated files of a host's folder.
    pub fn generated(&self, host: &str) -> Vec<Generated> {
        let Some(parts) = self.hosts.get(host).filter(|_| self.manifest.configuration) else {
            return Vec::new();
        };
        let mut files = Vec::new();
        let mut add = |kind, contents| files.push(Generated { kind, contents });
        if let Some(member) = parts.member {
            let config = MemberConfig::new(self.manifest, self.settings(member));
            add(FileKind::EtcdConfig, config.yaml(&member.name));
            add(FileKind::EtcdUnit, config.unit(&member.name));
        }
        let paths = &self.manifest.paths;
        if parts.is_control_plane {
            let env = etcdctl_env(&paths.kubernetes, APISERVER_CLIENT, &self.endpoints);
            add(FileKind::EtcdctlEnv, env);
            add(FileKind::KubeadmConfig, kubeadm_config(self.manifest, &self.endpoints));
        } else if let Some(client) = parts.clients.first() {
            add(FileKind::EtcdctlEnv, etcdctl_env(&paths.etcd, &client.name, &self.endpoints));
        }
        let script = InstallScript::new(self.manifest, parts).text(host);
        add(FileKind::InstallScript, script);
        files
    }

    /// The URL at which the other members connect to a member.
    pub fn peer_url(&self, member: &Host) -> Option<String> {
        self.manifest.dialled_at(member).map(|host| url(host, PEER_PORT))
    }

    /// Whether the other members connected to a member at another address before, which the cluster remembers.
    pub fn is_moved(&self, member: &Host, files: &MemberFiles<'_>) -> bool {
        let folder = &self.manifest.paths.etcd;
        let settings = files.settings(folder, self.manifest.etcd_version);
        let before =
            settings.as_ref().and_then(|settings| settings.find("initial-advertise-peer-urls"));
        before.is_some_and(|before| self.peer_url(member).is_some_and(|now| now != before))
    }

    /// The settings of one member, by etcd's long option names. Members share the longest value.
    pub(crate) fn settings(&self, member: &Host) -> Vec<(&'static str, Arc<str>)> {
        let manifest = self.manifest;
        let Some(at) = manifest.dialled_at(member) else { return Vec::new() };
        let path = |file: FileKind| -> Arc<str> {
            format!("{}/{}", manifest.paths.etcd, file.name()).into()
        };
        let (server, peer) = (member.server_role(), member.peer_role());
        let (client_cas, peer_cas, peer_crl) = if manifest.cas.is_some() {
            (FileKind::ClientCas, FileKind::PeerCas, FileKind::PeerCrl)
        } else {
            (FileKind::TrustedCas, FileKind::TrustedCas, FileKind::Crl)
        };
        let (listen_client, listen_peer) = listens(member);
        let mut settings = vec![
            ("name", member.name.as_str().into()),
            ("data-dir", manifest.paths.data.as_str().into()),
            ("listen-client-urls", listen_client.into()),
            ("advertise-client-urls", url(at.clone(), CLIENT_PORT).into()),
            ("listen-peer-urls", listen_peer.into()),
            ("initial-advertise-peer-urls", url(at, PEER_PORT).into()),
            ("initial-cluster", Arc::clone(&self.initial_cluster)),
            ("initial-cluster-token", manifest.cluster.as_str().into()),
            ("initial-cluster-state", self.states.of(member).as_str().into()),
            ("cert-file", path(FileKind::Certificate(server.clone()))),
            ("key-file", path(FileKind::Key(server))),
            ("trusted-ca-file", path(client_cas)),
            ("client-cert-auth", "true".into()),
            ("peer-cert-file", path(FileKind::Certificate(peer.clone()))),
            ("peer-key-file", path(FileKind::Key(peer))),
            ("peer-trusted-ca-file", path(peer_cas)),
            ("peer-client-cert-auth", "true".into()),
            ("peer-cert-allowed-hostname", manifest.peer_name().into()),
        ];
        if manifest.crl {
            settings.extend([
                ("client-crl-file", path(FileKind::Crl)),
                ("peer-crl-file", path(peer_crl)),
            ]);
        }
        // etcd exits if two ways to find the other members are configured.
        if DISCOVERY.iter().any(|option| manifest.etcd_config.find(option).is_some()) {
            settings.retain(|(name, _)| *name != "initial-cluster");
        }
        let more = manifest.etcd_config.options.iter();
        settings.extend(more.map(|(option, value)| (option.name, value.as_str().into())));
        settings
    }
}

/// The options with which a member finds the others without initial-cluster.
const DISCOVERY: [&str; 3] = ["discovery", "discovery-srv", "discovery-endpoints"];

/// The URLs on which a member listens for clients, and those for the other members. etcd binds to
/// addresses only.
fn listens(member: &Host) -> (String, String) {
    let ip = |address, port| url(San::Ip(address), port);
    if let Some(own) = member.addresses.first() {
        let loopback = ip(Ipv4Addr::LOCALHOST.into(), CLIENT_PORT);
        (format!("{},{loopback}", ip(*own, CLIENT_PORT)), ip(*own, PEER_PORT))
    } else {
        let any = Ipv4Addr::UNSPECIFIED.into();
        (ip(any, CLIENT_PORT), ip(any, PEER_PORT))
    }
}

fn url(host: San, port: u16) -> String {
    format!("https://{}", Endpoint::new(host, port))
}
