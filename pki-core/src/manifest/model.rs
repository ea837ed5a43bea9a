//! What a manifest says.

use std::net::IpAddr;

use time::Duration;

use crate::etcd::EtcdVersion;
use crate::key::KeyAlgorithm;
use crate::layout::Role;
use crate::name::{DnsName, San};
use crate::subject::Subject;

/// A cluster as its manifest describes it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Manifest {
    /// `cluster`: the cluster's name, one label
    pub cluster: String,
    /// `domain`: what completes the hosts' names
    pub domain: Option<DnsName>,
    /// `dir`: the folder of the CA and of the hosts' folders; a relative one starts at the manifest's own folder
    pub dir: Option<String>,
    /// `ca`
    pub ca: CaSpec,
    /// `etcd_version`: which etcd the members run
    pub etcd_version: EtcdVersion,
    /// `paths`: where the files go on the hosts
    pub paths: Paths,
    /// `renew_before`: how long before its end a certificate is renewed
    pub renew_before: Duration,
    /// `constrain`: whether the CA is held to the names of this manifest
    pub constrain: bool,
    /// `configuration`: whether the hosts get the files that use the certificates, too
    pub configuration: bool,
    /// `etcd`: the members
    pub etcd: Vec<Host>,
    /// `control_plane`: the hosts of API servers
    pub control_plane: Vec<Host>,
    /// `workers`: hosts that hold no credential of etcd
    pub workers: Vec<Host>,
    /// `clients`: other clients of etcd, such as a backup
    pub clients: Vec<Client>,
    /// What is odd and no mistake.
    pub warnings: Vec<String>,
}

/// Where things are on the hosts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Paths {
    /// `etcd`: the folder that a member's bundle goes to
    pub etcd: String,
    /// `data`: etcd's data
    pub data: String,
    /// `kubernetes`: the folder that a control plane's bundle goes to
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
    /// `ip`: its addresses, the one that it is reached at first
    pub addresses: Vec<IpAddr>,
    /// `sans`: more names of it
    pub sans: Vec<San>,
    /// `key`
    pub key: KeyAlgorithm,
    /// `expiry`
    pub expiry: Duration,
    /// `combined`: one certificate for server and peer
    pub combined: bool,
}

/// Another client of etcd.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Client {
    /// `name`: the common name, and the base of its files
    pub name: String,
    /// `host`: whose folder its files go to
    pub host: String,
    /// `key`
    pub key: KeyAlgorithm,
    /// `expiry`
    pub expiry: Duration,
}

impl Manifest {
    /// Every host, members first.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.etcd.iter().chain(&self.control_plane).chain(&self.workers)
    }

    /// The DNS name that all peers share, for etcd's `peer-cert-allowed-hostname`.
    pub fn peer_name(&self) -> String {
        format!("etcd-peer.{}", self.cluster)
    }
}

impl Host {
    /// The role of the certificate that a member shows to its clients.
    pub fn server_role(&self) -> Role {
        if self.combined { Role::Member } else { Role::Server }
    }

    /// The role of the certificate that a member shows to the other members.
    pub fn peer_role(&self) -> Role {
        if self.combined { Role::Member } else { Role::Peer }
    }
}
