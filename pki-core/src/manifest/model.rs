//! The contents of a manifest.

use std::net::IpAddr;

use time::Duration;

use super::endpoint::Endpoint;
use super::kubernetes::KubernetesVersion;
use crate::etcd::{EtcdOption, EtcdVersion};
use crate::key::KeyAlgorithm;
use crate::layout::{FileKind, Role, Traffic};
use crate::name::{DnsName, San};
use crate::subject::Subject;

/// The description of a cluster.
/// From the manifest to the files of all hosts, and their audit:
///
/// ```
/// use pki_core::{
///     Action, Authority, Bundles, CaSet, ClusterCas, FileKind, FileReport, HostFile, InitialStates,
///     KeyFormat, Manifest, PrivateKey, Purpose, Signer, SigningConfig,
/// };
/// # use pki_core::{Error, IssuanceContext, KeyAlgorithm, SerialNumber, time::macros::datetime};
/// # let now = datetime!(2027-01-01 12:00 UTC);
/// # let context = |number| IssuanceContext { now, serial: SerialNumber::from_random([number; 20]) };
///
/// let yaml = b"cluster: lab\netcd: [{ name: etcdone, ip: 192.0.2.1 }]\n";
/// let manifest = Manifest::from_yaml(yaml).expect("a manifest without mistakes");
/// let ca_key = PrivateKey::generate(manifest.ca.key)?;
/// let request = manifest.ca_request(&manifest.ca);
/// let ca = Authority::draft_root(&request, ca_key.public_key(), &context(1))?.sign(&ca_key)?.certificate;
/// let cas = ClusterCas::shared(CaSet::new(vec![ca.clone()])?);
///
/// let mut files = Vec::new();
/// let mut file = |host: &str, kind: &FileKind, contents: &str| {
///     files.push(HostFile::new(host, kind.name(), kind.mode(), contents.as_bytes()));
/// };
/// let (authority, profiles) = (Authority::new(ca), SigningConfig::etcd());
/// for (number, spec) in (2..).zip(manifest.certificates()?) {
///     let (cas, profile) = (cas.for_role(&spec.role), profiles.profile(spec.role.profile())?);
///     // The host has no certificate yet.
///     assert_eq!(spec.compare(None, cas, profile, now)?, Action::Create);
///     let key = PrivateKey::generate(spec.key)?;
///     let request = spec.request(key.public_key().clone());
///     let leaf = authority.draft(&request, profile, &context(number))?.sign(&ca_key)?.certificate;
///     file(&spec.host, &FileKind::Certificate(spec.role.clone()), &cas.leaf_pem(&leaf)?);
///     file(&spec.host, &FileKind::Key(spec.role.clone()), &key.to_pem(KeyFormat::Pkcs8)?);
/// }
/// let states = InitialStates::decide(&manifest, &[], &[]);
/// let bundles = Bundles::new(&manifest, states);
/// for host in manifest.hosts() {
///     file(&host.name, &FileKind::TrustedCas, &cas.trust_pem(Purpose::Server)?);
///     for generated in bundles.generated(&host.name) {
///         file(&host.name, &generated.kind, &generated.contents);
///     }
/// }
/// assert!(manifest.audit(&cas, &files, now)?.iter().all(FileReport::is_ok));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Manifest {
    /// `cluster`: the cluster's name, one DNS label
    pub cluster: String,
    /// `domain`: the domain that completes the hosts' names
    pub domain: Option<DnsName>,
    /// `dir`: the folder of the CA and of the hosts' folders; a relative path starts at the manifest's folder
    pub dir: Option<String>,
    /// `ca`: the CA of all certificates, unless there are separate CAs
    pub ca: CaSpec,
    /// `cas`: separate CAs for servers, peers and clients
    pub cas: Option<SeparateCas>,
    /// `etcd_version`: the version of etcd on the members
    pub etcd_version: EtcdVersion,
    /// `etcd_config`: options of etcd for every member
    pub etcd_config: EtcdConfig,
    /// `endpoints`: where API servers and clients connect to etcd, if not to the members themselves
    pub endpoints: Vec<Endpoint>,
    /// `control_plane_endpoint`: where kubelets and users connect to the API servers
    pub control_plane_endpoint: Option<Endpoint>,
    /// `kubernetes_version`
    pub kubernetes_version: Option<KubernetesVersion>,
    /// `paths`: where the files go on the hosts
    pub paths: Paths,
    /// `renew_before`: how long before it expires a certificate is renewed
    pub renew_before: Duration,
    /// `constrain`: whether the CA is constrained to the names in this manifest
    pub constrain: bool,
    /// `crl`: whether the members get the CA's CRL and check it
    pub crl: bool,
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

/// The CAs of a cluster that has one for each kind of certificate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SeparateCas {
    /// `server`: of what members present to their clients
    pub server: CaSpec,
    /// `peer`: of what members present to each other
    pub peer: CaSpec,
    /// `client`: of what clients present to members
    pub client: CaSpec,
}

impl SeparateCas {
    /// The CA of these certificates.
    pub const fn of(&self, traffic: Traffic) -> &CaSpec {
        match traffic {
            Traffic::Server => &self.server,
            Traffic::Peer => &self.peer,
            Traffic::Client => &self.client,
        }
    }
}

/// A host of a cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Host {
    /// `name`: its short name
    pub name: String,
    /// `ip`: its addresses, starting with the one that others connect to; a member that is reached by
    /// name can have none
    pub addresses: Vec<IpAddr>,
    /// `reached_by`
    pub reached_by: ReachedBy,
    /// `initial_cluster_state`: how a member starts, if the manifest decides it
    pub initial_cluster_state: Option<ClusterState>,
    /// `sans`: additional names
    pub sans: Vec<San>,
    /// `key`
    pub key: KeyAlgorithm,
    /// `expiry`
    pub expiry: Duration,
    /// `combined`: whether one certificate is used as server and as peer
    pub combined: bool,
}

/// How the other members and the clients connect to a member.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match both")]
pub enum ReachedBy {
    /// At its first address
    #[default]
    Ip,
    /// At its full name: its short name, followed by the domain if there is one
    Name,
}

/// How a member without data starts: etcd's `initial-cluster-state`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match both")]
pub enum ClusterState {
    /// It makes a new cluster together with the other members.
    New,
    /// It joins a running cluster, after `etcdctl member add`.
    Existing,
}

impl ClusterState {
    /// The value of etcd's option.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Existing => "existing",
        }
    }

    /// The state for a value of etcd's option.
    pub fn from_value(value: &str) -> Option<Self> {
        [Self::New, Self::Existing].into_iter().find(|state| state.as_str() == value)
    }
}

/// A format in which a client gets its certificate and key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers match every format")]
pub enum ClientFormat {
    /// `NAME.pem` and `NAME-key.pem`
    Pem,
    /// `NAME-combined.pem`: key and certificates in one file
    Combined,
    /// `NAME.p12` and its password
    Pkcs12,
}

impl ClientFormat {
    /// The additional files of a certificate in this format. PEM files always exist.
    pub fn files(self, role: &Role) -> Vec<FileKind> {
        match self {
            Self::Pem => Vec::new(),
            Self::Combined => vec![FileKind::Combined(role.clone())],
            Self::Pkcs12 => {
                vec![FileKind::KeyStore(role.clone()), FileKind::KeyStorePassword(role.clone())]
            }
        }
    }
}

/// Options of etcd that a manifest passes on, as `(option, value)`.
///
/// A list is joined by commas, as in a flag.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EtcdConfig {
    /// The options in the order of the manifest.
    pub options: Vec<(&'static EtcdOption, String)>,
}

impl EtcdConfig {
    /// The value of an option.
    pub fn find(&self, name: &str) -> Option<&str> {
        let mut options = self.options.iter();
        options.find(|(option, _)| option.name == name).map(|(_, value)| value.as_str())
    }
}

/// Another client of etcd.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Client {
    /// `name`: the base name of its files
    pub name: String,
    /// `host`: the host whose folder contains its files
    pub host: String,
    /// `name`, `org` and `no_cn`: the common name is the name unless the client has none
    pub subject: Subject,
    /// `sans`: additional names
    pub sans: Vec<San>,
    /// `format`: the formats in which it gets its certificate and key
    pub formats: Vec<ClientFormat>,
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

    /// The names of a host: its short name, and its full name if there is a domain.
    pub fn names_of(&self, host: &Host) -> Vec<String> {
        let full = self.domain.as_ref().map(|domain| format!("{}.{}", host.name, domain.as_str()));
        [Some(host.name.clone()), full].into_iter().flatten().collect()
    }

    /// The host in the URLs of a member. Every member of a valid manifest has one.
    pub fn dialled_at(&self, member: &Host) -> Option<San> {
        match member.reached_by {
            ReachedBy::Ip => member.addresses.first().copied().map(San::Ip),
            ReachedBy::Name => self.names_of(member).pop()?.parse().ok(),
        }
    }

    /// The files that every member has, besides its certificates and its configuration: with separate CAs those that it
    /// trusts on each port, and CRLs.
    pub fn files_of_members(&self) -> Vec<FileKind> {
        let separate = self.cas.is_some();
        let cas = [FileKind::ClientCas, FileKind::PeerCas].into_iter().filter(|_| separate);
        let crls = [(FileKind::Crl, true), (FileKind::PeerCrl, separate)].into_iter();
        let crls = crls.filter_map(|(kind, has)| (self.crl && has).then_some(kind));
        cas.chain(crls).collect()
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
