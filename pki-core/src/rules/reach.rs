//! Where clients reach the members, in indexes, so that no rule compares every client with every member.

use std::collections::{HashMap, HashSet};

use crate::deployment::{Deployment, Member};
use crate::etcd::Url;
use crate::name::San;

/// The names and addresses of the member, without those that it shares with other members.
fn own_hosts(deployment: &Deployment<'_>, member: &Member<'_>) -> impl Iterator<Item = String> {
    let names = deployment.manifest.names_of(member.host).into_iter();
    let addresses = member.host.addresses.iter().map(ToString::to_string);
    names.chain(addresses).chain(member.host.sans.iter().map(San::value))
}

/// The names and addresses of load balancers, each of which leads to any of the members.
fn shared_hosts(deployment: &Deployment<'_>) -> impl Iterator<Item = String> {
    deployment.manifest.endpoints.iter().map(|endpoint| endpoint.host.value())
}

/// The names and addresses at which a client can reach some member.
pub(super) fn hosts_of_members(deployment: &Deployment<'_>) -> HashSet<String> {
    let members = || deployment.members.iter();
    let shared = members().take(1).flat_map(|_| shared_hosts(deployment));
    members().flat_map(|member| own_hosts(deployment, member)).chain(shared).collect()
}

/// The first URL to each host among the endpoints of all clients. Only `https` URLs count, because without TLS nobody
/// compares names.
pub(super) struct ClientUrls<'d> {
    /// The file of the client, `HOST/NAME`, and the URL.
    urls: Vec<(String, Url<'d>)>,
    by_host: HashMap<&'d str, usize>,
    /// The positions of the URLs that lead to any of the members.
    shared: Vec<usize>,
}

impl<'d> ClientUrls<'d> {
    pub(super) fn of(deployment: &'d Deployment<'_>) -> Self {
        let mut found = Self { urls: Vec::new(), by_host: HashMap::new(), shared: Vec::new() };
        for client in &deployment.clients {
            for url in client.config.endpoints().iter().map(|url| Url::read(url)) {
                if is_compared(&url) && !found.by_host.contains_key(url.host) {
                    found.by_host.insert(url.host, found.urls.len());
                    found.urls.push((client.path(), url));
                }
            }
        }
        found.shared = shared_hosts(deployment)
            .filter_map(|host| found.by_host.get(host.as_str()).copied())
            .collect();
        found
    }

    /// The URLs at which clients reach a member, each with its file, in the order of the clients.
    pub(super) fn to(
        &self,
        deployment: &Deployment<'_>,
        member: &Member<'_>,
    ) -> impl Iterator<Item = (&str, &Url<'d>)> {
        let own = own_hosts(deployment, member);
        let own = own.filter_map(|host| self.by_host.get(host.as_str()).copied());
        let mut at: Vec<usize> = own.chain(self.shared.iter().copied()).collect();
        at.sort_unstable();
        at.dedup();
        at.into_iter().map(|at| (self.urls[at].0.as_str(), &self.urls[at].1))
    }
}

/// True for a URL for which a client compares the host with the names of the certificate.
pub(super) fn is_compared(url: &Url<'_>) -> bool {
    url.scheme == "https" && !url.is_unspecified()
}
