//! The contents of a manifest.

use std::net::IpAddr;

use time::Duration;

use crate::etcd::EtcdVersion;
use crate::key::KeyAlgorithm;
use crate::layout::Role;
use crate::name::{DnsName, San};
use crate::subject::Subject;

/// The description of a cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Manifest {
    /// `cluster`: the cluster's name, one DNS label
    pub cluster: String,
    /// `domain`: the domain that completes the hosts' names
    pub domain: Option<DnsName>,
    /// `dir`: the folder of the CA and of the hosts' folders; a relative path starts at the manifest's folder
    pub dir: Option<String>,
    /// `ca`
    pub ca: CaSpec,
    /// `etcd_version`: the version of etcd on the members
    pub etcd_version: EtcdVersion,
    /// `paths`: where the files go on the hosts
    pub paths: Paths,
    /// `renew_before`: how long before it expires a certificate is renewed
    pub renew_before: Duration,
    /// `constrain`: whether the CA is constrained to the names in this manifest
    pub constrain: bool,
    /// `configuration`: whether the hosts also get the configuration that uses the certificates
    pub configuration: bool,
    /// `etcd`: the members
    pub etcd: Vec<Host>,
    /// `control_plane`: the hosts of API servers
    pub control_plane: Vec<Host>,
    /// `workers`: hosts without etcd credentials
    pub workers: Vec<Host>,
    /// `clients`: other clients of etcd, such as a backup job
    pub clients: Vec<Client>,
    /// Warnings about valid but unusual settings
    pub warnings: Vec<String>,
}

/// Where files are on the hosts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Paths {
    /// `etcd`: the folder for a member's files
    pub etcd: String,
    /// `data`: the folder for etcd's data
    pub data: String,
    /// `kubernetes`: the folder for the files of a control plane host
    pub kubernetes: String,
}

/// The CA of a cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaSpec {
    /// `cn` and `org`
    pub subject: Subject,
    /// `key`
    pub key: KeyAlgorithm,
    /// `expiry`
    pub expiry: Duration,
}

/// A host of a cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Host {
    /// `name`: its short name
    pub name: String,
    /// `ip`: its addresses, starting with the one that others connect to
    pub addresses: Vec<IpAddr>,
    /// `sans`: additional names
    pub sans: Vec<San>,
    /// `key`
    pub key: KeyAlgorithm,
    /// `expiry`
    pub expiry: Duration,
    /// `combined`: whether one certificate is used as server and as peer
    pub combined: bool,
}

/// Another client of etcd.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Client {
    /// `name`: the common name, and the base name of its files
    pub name: String,
    /// `host`: the host whose folder contains its files
    pub host: String,
    /// `key`
    pub key: KeyAlgorithm,
    /// `expiry`
    pub expiry: Duration,
}

impl Manifest {
    /// All hosts, starting with the members.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.etcd.iter().chain(&self.control_plane).chain(&self.workers)
    }

    /// The DNS name in all peer certificates, for etcd's `peer-cert-allowed-hostname`.
    pub fn peer_name(&self) -> String {
        format!("etcd-peer.{}", self.cluster)
    }
}

impl Host {
    /// The role of the certificate that a member presents to its clients.
    pub fn server_role(&self) -> Role {
        if self.combined { Role::Member } else { Role::Server }
    }

    /// The role of the certificate that a member presents to the other members.
    pub fn peer_role(&self) -> Role {
        if self.combined { Role::Member } else { Role::Peer }
    }
}
