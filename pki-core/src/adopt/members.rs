//! Determines the members, and the host of each certificate.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::folder::{AdoptedFolder, FoundPair};
use crate::certificate::{Certificate, GeneralName};
use crate::error::Error;
use crate::etcd::{EtcdSettings, Url};
use crate::layout::{ADMIN, APISERVER_CLIENT, Role};
use crate::manifest::client_name;
use crate::subject::Attribute;
use crate::usage::Purpose;

/// The members by name, with the information in the folders.
pub(super) struct Members {
    /// Their addresses, if known.
    pub(super) addresses: BTreeMap<String, Option<IpAddr>>,
    /// The token of the cluster.
    pub(super) token: Option<String>,
    /// The folder of the certificates on the hosts.
    pub(super) path: Option<String>,
    /// The name of the host of each folder.
    hosts: Vec<String>,
    /// The members with one certificate for both ports.
    pub(super) combined: Vec<String>,
    /// The hosts and names of the clients so far.
    clients: Vec<(String, String)>,
    /// The folders with a certificate that is only for servers.
    with_server: Vec<usize>,
}

impl Members {
    /// Uses the configuration, otherwise the file names, otherwise the certificates.
    pub(super) fn read(
        folders: &[AdoptedFolder],
        settings: &[Option<EtcdSettings>],
        found: &[FoundPair],
    ) -> Self {
        let mut members = Self {
            addresses: BTreeMap::new(),
            token: None,
            path: None,
            hosts: hosts_of_folders(folders, found),
            combined: Vec::new(),
            clients: Vec::new(),
            with_server: found
                .iter()
                .filter(|one| one.pair.purpose == Purpose::Server)
                .map(|one| one.folder)
                .collect(),
        };
        let hosts = hosts_of_members(settings, found);
        let host = |name: &str| {
            let name = label(name);
            hosts.get(&name).cloned().unwrap_or(name)
        };
        for (index, settings) in settings.iter().enumerate() {
            let Some(settings) = settings else { continue };
            if let Some(name) = settings.find("name") {
                members.hosts[index] = host(name);
                let own = settings.urls("initial-advertise-peer-urls").into_iter();
                let mut own = own.chain(settings.urls("advertise-client-urls"));
                members.add(host(name), own.find_map(|url| url.host.parse().ok()));
            }
            for entry in settings.list("initial-cluster") {
                if let Some((name, url)) = entry.split_once('=') {
                    members.add(host(name), Url::read(url).host.parse().ok());
                }
            }
            let token =
                settings.find("initial-cluster-token").filter(|token| *token != "etcd-cluster");
            members.token = members.token.take().or(token.map(label));
            let path = settings.find("cert-file").and_then(|path| path.rsplit_once('/'));
            members.path = members.path.take().or(path.map(|(folder, _)| folder.to_owned()));
        }
        for one in found {
            members.add_holder(one);
        }
        members
    }

    fn add(&mut self, name: String, address: Option<IpAddr>) {
        let known = self.addresses.entry(name).or_default();
        *known = known.or(address);
    }

    /// The member of this certificate, if it belongs to one.
    fn add_holder(&mut self, one: &FoundPair) {
        if one.pair.purpose == Purpose::Client {
            return;
        }
        let name = self.holder(one);
        let address = dashed_address(one).or_else(|| only_address(&one.leaf));
        self.add(name, address);
    }

    /// The member of a certificate.
    fn holder(&self, one: &FoundPair) -> String {
        if let Some(address) = dashed_address(one) {
            let mut known = self.addresses.iter();
            let known = known.find(|(_, at)| **at == Some(address)).map(|(name, _)| name.clone());
            return known.unwrap_or_else(|| format!("etcd-{}", label(&address.to_string())));
        }
        match (&one.pair.host, one.pair.purpose) {
            (Some(host), _) => label(host),
            // In a folder of several members, the file names contain their names.
            (None, Purpose::Any) => label(stem(&one.pair.certificate)),
            (None, _) => self.hosts[one.folder].clone(),
        }
    }

    /// The host and role of a certificate.
    pub(super) fn place(&mut self, one: &FoundPair) -> (String, Role) {
        if one.pair.purpose == Purpose::Client {
            let host = match &one.pair.host {
                Some(host) => label(host),
                None => self.hosts[one.folder].clone(),
            };
            // In the folder of a CA, nothing says where its client is.
            let host = if self.addresses.contains_key(&host) { host } else { ADMIN.to_owned() };
            let name = self.client_name(one, &host);
            self.clients.push((host.clone(), name.clone()));
            return (host, Role::Client(name));
        }
        let host = self.holder(one);
        let role = match one.pair.purpose {
            Purpose::Server => Role::Server,
            Purpose::Peer if self.with_server.contains(&one.folder) => Role::Peer,
            _ => Role::Member,
        };
        if role == Role::Member && !self.combined.contains(&host) {
            self.combined.push(host.clone());
        }
        (host, role)
    }

    /// The name of a client: its common name, which is its user, otherwise the name of its file.
    fn client_name(&self, one: &FoundPair, host: &str) -> String {
        let stem = label(stem(&one.pair.certificate));
        let on_host = format!("{stem}-{host}");
        let names = common_name(&one.leaf).into_iter().chain([stem.as_str(), &on_host]);
        let mut free = names.filter(|name| {
            let is_taken = |(at, taken): &(String, String)| at == host && taken == name;
            // The manifest keeps this name for API servers.
            *name != APISERVER_CLIENT
                && client_name(name).is_ok()
                && !self.clients.iter().any(is_taken)
        });
        free.next().unwrap_or(&on_host).to_owned()
    }

    /// The information that is missing.
    pub(super) fn mistakes(&self) -> Vec<Error> {
        let unknown = self.addresses.iter().filter(|(_, address)| address.is_none());
        unknown
            .map(|(name, _)| {
                Error::invalid("member", name, "unknown address").hinted(
                    "copy the member's etcd.conf.yaml, etcd.service or etcd.env into its folder",
                )
            })
            .collect()
    }
}

/// The host of each folder: that in the certificate of its server, if each folder has its own, otherwise the name of the
/// folder. People copy `/etc/kubernetes/pki` of each host to a folder `pki`.
fn hosts_of_folders(folders: &[AdoptedFolder], found: &[FoundPair]) -> Vec<String> {
    let of_server = |index: usize| {
        let mut servers = found.iter().filter(|one| {
            one.folder == index && one.pair.purpose == Purpose::Server && one.pair.host.is_none()
        });
        let leaf = &servers.next()?.leaf;
        let cn = common_name(leaf).filter(|cn| leaf.is_valid_for(cn))?;
        Some(label(cn)).filter(|name| !name.is_empty())
    };
    let servers: Vec<Option<String>> = (0..folders.len()).map(of_server).collect();
    let is_shared =
        |name: &String| servers.iter().filter(|other| other.as_ref() == Some(name)).count() > 1;
    let hosts = folders.iter().zip(&servers).map(|(folder, server)| match server {
        Some(name) if !is_shared(name) => name.clone(),
        _ => label(&folder.name),
    });
    hosts.collect()
}

/// The hosts in the file names of members: in kubespray, the member on node1 is called etcd1.
fn hosts_of_members(
    settings: &[Option<EtcdSettings>],
    found: &[FoundPair],
) -> BTreeMap<String, String> {
    let mut hosts = BTreeMap::new();
    for (index, settings) in settings.iter().enumerate() {
        let Some(settings) = settings else { continue };
        let (Some(name), Some(path)) = (settings.find("name"), settings.find("cert-file")) else {
            continue;
        };
        let mut own =
            found.iter().filter(|one| one.folder == index && dashed_address(one).is_none());
        let own =
            own.find(|one| path.rsplit('/').next() == one.pair.certificate.rsplit('/').next());
        if let Some(host) = own.and_then(|one| one.pair.host.as_deref()) {
            hosts.insert(label(name), label(host));
        }
    }
    hosts
}

/// An address in RKE's form, `10-0-0-1`.
fn dashed_address(one: &FoundPair) -> Option<IpAddr> {
    one.pair.host.as_ref()?.replace('-', ".").parse().ok()
}

/// The address in a certificate, if it has one besides loopback addresses.
fn only_address(leaf: &Certificate) -> Option<IpAddr> {
    let names = leaf.extensions.subject_alt_name.iter().flatten();
    let mut addresses = names.filter_map(GeneralName::ip).filter(|address| !address.is_loopback());
    addresses.next().filter(|_| addresses.next().is_none())
}

/// The common name of a certificate, if it has exactly one.
pub(super) fn common_name(leaf: &Certificate) -> Option<&str> {
    only(leaf, &Attribute::CommonName)
}

/// The organization of a certificate, if it has exactly one.
pub(super) fn organization(leaf: &Certificate) -> Option<&str> {
    only(leaf, &Attribute::Organization)
}

fn only<'l>(leaf: &'l Certificate, attribute: &Attribute) -> Option<&'l str> {
    let mut values = leaf.subject.attributes.iter().filter(|one| one.attribute == *attribute);
    values.next().filter(|_| values.next().is_none()).map(|one| one.value.as_str())
}

/// The name of a file without its folder and extension.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A name for a manifest: one DNS label.
pub(super) fn label(name: &str) -> String {
    let first =
        if name.parse::<IpAddr>().is_ok() { name } else { name.split('.').next().unwrap_or(name) };
    let plain: String = first
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    plain.trim_matches('-').to_owned()
}
