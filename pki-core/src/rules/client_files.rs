//! Rules about the client certificates of a cluster: what else they give access to.

use std::collections::HashMap;

use super::{Row, Violation};
use crate::certificate::{Certificate, GeneralName};
use crate::deployment::{Deployment, Pair};
use crate::finding::{Rule, Severity, Source};
use crate::manifest::Host;
use crate::profile::is_sentinel;
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "cli-san-matches-host",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "The certificate contains a name or address of its own host, so etcd's peer port accepts it from that host and its holder can send Raft messages.",
            remedy: "Reissue the certificate, whose only name is then under .invalid: `etcdpki issue --profile client NAME --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        cli_san_matches_host,
    ),
    Row::deployment(
        &Rule {
            id: "cli-sentinel-metrics",
            severity: Severity::Info,
            source: Source::Etcd,
            impact: "etcd rejects a client with a name under .invalid at https listen-metrics-urls, because it compares names with the caller's address there too.",
            remedy: "Read the metrics at http://127.0.0.1:2381 (`listen-metrics-urls: http://127.0.0.1:2381`), or issue a certificate that contains the caller's address: `etcdpki issue --profile client NAME --san ADDRESS --force`.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        cli_sentinel_metrics,
    ),
    Row::deployment(
        &Rule {
            id: "cli-shared-key",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Anyone who steals the client's file can act as a member of the cluster.",
            remedy: "Give the client's certificate a key of its own: `etcdpki renew FILE --rekey`.",
            citation: "least privilege; measured on etcd 3.4, 3.5, 3.6",
        },
        cli_shared_key,
    ),
];

fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&str, &Certificate) -> Option<String>,
) -> Vec<Violation> {
    let clients = deployment.playing(Purpose::Client);
    let violations = clients.filter_map(|(pair, leaf)| {
        let evidence = check(pair.host, leaf.certificate)?;
        Some(Violation {
            file: pair.path(),
            subject: leaf.certificate.subject.to_string(),
            evidence,
        })
    });
    violations.collect()
}

fn cli_san_matches_host(deployment: &Deployment<'_>) -> Vec<Violation> {
    let mut hosts: HashMap<&str, &Host> = HashMap::new();
    for host in deployment.manifest.hosts() {
        hosts.entry(&host.name).or_insert(host);
    }
    each(deployment, |host, certificate| {
        let host = *hosts.get(host)?;
        let own = deployment.manifest.names_of(host).into_iter();
        let mut own = own.chain(host.addresses.iter().map(ToString::to_string));
        let name = own.find(|name| certificate.is_valid_for(name))?;
        Some(format!("{name} is a name or address of its own host"))
    })
}

fn cli_sentinel_metrics(deployment: &Deployment<'_>) -> Vec<Violation> {
    let urls = deployment.members.iter().flat_map(|m| m.settings.urls("listen-metrics-urls"));
    let secure: Vec<&str> = urls.filter(|url| url.scheme == "https").map(|url| url.text).collect();
    let Some(url) = secure.first() else { return Vec::new() };
    each(deployment, |_, certificate| {
        let names = certificate.extensions.subject_alt_name.as_deref().unwrap_or_default();
        let sentinel = |name: &GeneralName| match name {
            GeneralName::Dns(name) => is_sentinel(name),
            _ => false,
        };
        let only = !names.is_empty() && names.iter().all(sentinel);
        only.then(|| format!("{url} will reject it"))
    })
}

fn cli_shared_key(deployment: &Deployment<'_>) -> Vec<Violation> {
    let members = [Purpose::Server, Purpose::Peer];
    let mut of_members: HashMap<&[u8], &Pair<'_>> = HashMap::new();
    for (pair, leaf) in members.into_iter().flat_map(|part| deployment.playing(part)) {
        of_members.entry(leaf.certificate.public_key.spki_der()).or_insert(pair);
    }
    each(deployment, |_, client| {
        let pair = of_members.get(client.public_key.spki_der())?;
        Some(format!("{}, a member's certificate, has the same key", pair.path()))
    })
}
