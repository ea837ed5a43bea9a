//! Rules about connections between members: every ordered pair, one that connects and one that accepts.
//!
//! A healthy cluster does not show that all pairs work. A stream that one side opened carries both directions, so a member
//! that cannot connect, or that others cannot connect to, is not noticed until it needs a snapshot or restarts. These
//! rules therefore check each pair from the files, in both directions.

use std::collections::{HashMap, HashSet};

use super::servers::names;
use super::{Row, Violation};
use crate::certificate::Certificate;
use crate::deployment::{Deployment, Leaf, Member, Pair};
use crate::etcd::{EtcdVersion, Url};
use crate::finding::{Rule, Severity, Source};
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "peer-san-dial",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The other members cannot connect to this member (`x509: certificate is valid for` other names). It looks healthy until it needs a snapshot.",
            remedy: "Reissue the certificate with the host in initial-advertise-peer-urls: `etcdpki issue --profile peer NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with `ip` or `sans` set.",
            citation: "RFC 6125 section 6; measured on etcd 3.4, 3.5, 3.6",
        },
        peer_san_dial,
    ),
    Row::deployment(
        &Rule {
            id: "peer-san-source",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The other members reject connections from this member, because its names do not match its address (`x509: certificate is valid for` other names, or `does not match any of DNSNames`).",
            remedy: "Reissue the certificate with the address of the member that the other members see: `etcdpki issue --profile peer NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with `ip` set to that address.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        peer_san_source,
    ),
    Row::deployment(
        &Rule {
            id: "peer-san-dns-only",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Whether another member accepts a connection from this member depends on DNS or /etc/hosts there, at each connection: on the address records of its names, or on the PTR record of its address for a wildcard name.",
            remedy: "Reissue the certificate with the member's own address in addition to its names: `etcdpki issue --profile peer NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with `ip` set.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        peer_san_dns_only,
    ),
    Row::deployment(
        &Rule {
            id: "peer-allow-cn",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Members reject each other in both directions: `client certificate authentication failed`.",
            remedy: "Replace peer-cert-allowed-cn with `peer-cert-allowed-hostname: etcd-peer.CLUSTER` in etcd.conf.yaml, as `etcdpki apply -f MANIFEST` does, and restart the member: `systemctl restart etcd`. Before 3.5.15, etcd reads a list in peer-cert-allowed-cn as one name.",
            citation: "etcd-io/etcd#18063, etcd-io/etcd#18160; measured on etcd 3.4, 3.5, 3.6",
        },
        peer_allow_cn,
    ),
    Row::deployment(
        &Rule {
            id: "peer-allow-hostname",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Members reject each other in both directions: `client certificate authentication failed`.",
            remedy: "Reissue the certificate with the name in peer-cert-allowed-hostname: `etcdpki issue --profile peer NAME --san etcd-peer.CLUSTER --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`, which adds etcd-peer.CLUSTER. Or correct `peer-cert-allowed-hostname: NAME` in etcd.conf.yaml.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        peer_allow_hostname,
    ),
    Row::deployment(
        &Rule {
            id: "peer-allow-both",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits at startup: `AllowedCN and AllowedHostname are mutually exclusive`.",
            remedy: "Keep only `peer-cert-allowed-hostname: NAME` in etcd.conf.yaml, and restart the member: `systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        peer_allow_both,
    ),
    Row::deployment(
        &Rule {
            id: "peer-pairs",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "This member cannot connect to the other one at the URL in its initial-cluster (`x509: certificate is valid for` other names). The cluster looks healthy until a snapshot is due.",
            remedy: "Make initial-cluster the same on all members: `etcdpki apply -f MANIFEST`.",
            citation: "RFC 6125 section 6; measured on etcd 3.4, 3.5, 3.6",
        },
        peer_pairs,
    ),
];

/// Runs `check` on the peer certificate of every member.
fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&Member<'_>, &Certificate) -> Vec<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (member, pair, leaf) in peers(deployment) {
        let evidence = check(member, leaf.certificate).into_iter();
        violations.extend(evidence.map(|evidence| about(pair, &leaf, evidence)));
    }
    violations
}

fn peers<'d, 'a>(
    deployment: &'d Deployment<'a>,
) -> impl Iterator<Item = (&'d Member<'a>, &'d Pair<'a>, Leaf<'a>)> {
    deployment.members.iter().filter_map(|member| {
        let (pair, leaf) = deployment.of_member(&member.host.name, Purpose::Peer)?;
        Some((member, pair, leaf))
    })
}

fn about(pair: &Pair<'_>, leaf: &Leaf<'_>, evidence: String) -> Violation {
    Violation { file: pair.path(), subject: leaf.certificate.subject.to_string(), evidence }
}

/// A violation in the configuration of a member.
fn about_settings(member: &Member<'_>, evidence: String) -> Violation {
    let name = member.settings.file().unwrap_or("the manifest");
    Violation { file: format!("{}/{name}", member.host.name), subject: name.to_owned(), evidence }
}

fn advertised<'s>(member: &'s Member<'_>) -> Vec<Url<'s>> {
    let urls = member.settings.urls("initial-advertise-peer-urls").into_iter();
    urls.filter(|url| url.scheme == "https").collect()
}

/// Each member i connects to member j at the URLs that j advertises.
fn peer_san_dial(deployment: &Deployment<'_>) -> Vec<Violation> {
    // A member that finds the others by DNS expects the domain in their certificates (etcd's embed
    // package, PeerURLsMapAndToken).
    let settings = deployment.members.iter().map(|member| &member.settings);
    let mut domains: Vec<&str> = settings.filter_map(|s| s.find("discovery-srv")).collect();
    domains.dedup();
    each(deployment, |member, certificate| {
        let urls = advertised(member).into_iter();
        let urls = urls.filter(|url| !certificate.is_valid_for(url.host));
        let urls = urls.map(|url| format!("connect to {}", url.text));
        let domains = domains.iter().filter(|domain| !certificate.is_valid_for(domain));
        let domains = domains.map(|domain| format!("expect {domain} (discovery-srv)"));
        urls.chain(domains)
            .map(|what| format!("other members {what}, but the certificate {}", names(certificate)))
            .collect()
    })
}

/// The addresses that a member connects from.
fn sources(member: &Member<'_>) -> Vec<String> {
    let urls = advertised(member).into_iter().map(|url| url.host.to_owned());
    let addresses: Vec<String> =
        urls.filter(|host| host.parse::<std::net::IpAddr>().is_ok()).collect();
    if !addresses.is_empty() {
        return addresses;
    }
    member.host.addresses.iter().take(1).map(ToString::to_string).collect()
}

enum Acceptance {
    /// By address, or because the certificate has no name to compare.
    Certain,
    ByName,
    Refused,
}

/// Whether member j accepts member i: etcd compares the names with the address that i connects from.
fn acceptance(
    deployment: &Deployment<'_>,
    member: &Member<'_>,
    certificate: &Certificate,
) -> Acceptance {
    use crate::certificate::GeneralName::{Dns, Ip};
    let names = certificate.extensions.subject_alt_name.as_deref().unwrap_or_default();
    let compared = names.iter().any(|name| matches!(name, Dns(_) | Ip(_)));
    // Other members may set skip-client-san-verification, but one that does not is enough to reject it.
    if !compared || sources(member).iter().any(|address| certificate.is_valid_for(address)) {
        return Acceptance::Certain;
    }
    let own = deployment.manifest.names_of(member.host).into_iter();
    let own = own.chain(member.host.sans.iter().map(crate::name::San::value));
    let mut own = own.filter(|name| name.parse::<std::net::IpAddr>().is_err());
    if own.any(|name| certificate.is_valid_for(&name)) {
        Acceptance::ByName
    } else {
        Acceptance::Refused
    }
}

fn peer_san_source(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member, certificate| match acceptance(deployment, member, certificate) {
        Acceptance::Refused => vec![format!(
            "it connects from {}, but the certificate {}",
            sources(member).join(", "),
            names(certificate)
        )],
        Acceptance::Certain | Acceptance::ByName => Vec::new(),
    })
}

fn peer_san_dns_only(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member, certificate| match acceptance(deployment, member, certificate) {
        // A member without an address of its own has only its names.
        Acceptance::ByName if !member.host.addresses.is_empty() => vec![format!(
            "it connects from {}, but the certificate {}",
            sources(member).join(", "),
            names(certificate)
        )],
        Acceptance::ByName | Acceptance::Certain | Acceptance::Refused => Vec::new(),
    })
}

/// Compares the names that each member allows with the certificates of all members. If no certificate
/// has an allowed name, the option is reported instead of the certificates.
fn allow_lists(
    deployment: &Deployment<'_>,
    option: &str,
    has: fn(&Certificate, &str) -> bool,
    described: fn(&Certificate) -> String,
) -> Vec<Violation> {
    let mut violations: Vec<Violation> = Vec::new();
    let all: Vec<_> = peers(deployment).collect();
    let lists = deployment.manifest.etcd_version >= EtcdVersion(3, 5, 15);
    // Members usually allow the same names.
    let mut lacking_by_value: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut told: HashSet<usize> = HashSet::new();
    for member in &deployment.members {
        let settings = &member.settings;
        let Some(value) = settings.find(option) else { continue };
        let lacking = lacking_by_value.entry(value).or_insert_with(|| {
            let demanded = if lists { settings.list(option) } else { vec![value] };
            let lacks = |at: &usize| {
                let (_, _, leaf) = &all[*at];
                !demanded.iter().any(|name| has(leaf.certificate, name))
            };
            (0..all.len()).filter(lacks).collect()
        });
        if lacking.is_empty() {
            continue;
        }
        if lacking.len() == all.len() {
            let evidence = format!("{option} is {value}, but no peer certificate has that name");
            violations.push(about_settings(member, evidence));
            continue;
        }
        for at in std::mem::take(lacking) {
            if told.insert(at) {
                let (_, pair, leaf) = &all[at];
                let evidence = format!(
                    "{} requires {value} ({option}), but the {}",
                    member.host.name,
                    described(leaf.certificate)
                );
                violations.push(about(pair, leaf, evidence));
            }
        }
    }
    violations
}

fn peer_allow_cn(deployment: &Deployment<'_>) -> Vec<Violation> {
    allow_lists(
        deployment,
        "peer-cert-allowed-cn",
        |certificate, name| certificate.subject.common_names().any(|cn| cn == name),
        |certificate| format!("subject is {}", certificate.subject),
    )
}

fn peer_allow_hostname(deployment: &Deployment<'_>) -> Vec<Violation> {
    allow_lists(
        deployment,
        "peer-cert-allowed-hostname",
        Certificate::is_valid_for,
        |certificate| format!("certificate {}", names(certificate)),
    )
}

fn peer_allow_both(deployment: &Deployment<'_>) -> Vec<Violation> {
    let both = deployment.members.iter().filter_map(|member| {
        let cn = member.settings.find("peer-cert-allowed-cn")?;
        let host = member.settings.find("peer-cert-allowed-hostname")?;
        Some(about_settings(
            member,
            format!("peer-cert-allowed-cn is {cn:?} and peer-cert-allowed-hostname is {host:?}"),
        ))
    });
    both.collect()
}

/// Checks where member i connects to member j at a URL in its own initial-cluster that j does not
/// advertise.
fn peer_pairs(deployment: &Deployment<'_>) -> Vec<Violation> {
    let mut peers_by_name: HashMap<&str, _> = HashMap::new();
    for (member, _, leaf) in peers(deployment) {
        peers_by_name.entry(member.host.name.as_str()).or_insert((member, leaf));
    }
    // Members usually have the same initial-cluster, which names all of them.
    let mut wrong_by_value: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    let mut violations = Vec::new();
    for member in &deployment.members {
        let Some(value) = member.settings.find("initial-cluster") else { continue };
        let is_known = |(known, _): &(&str, _)| std::ptr::eq(*known, value) || *known == value;
        let known = wrong_by_value.iter().position(is_known);
        let at = known.unwrap_or_else(|| {
            let entries = member.settings.list("initial-cluster").into_iter();
            let wrong = entries.filter_map(|entry| {
                let (name, url) = entry.split_once('=')?;
                let (other, leaf) = peers_by_name.get(name)?;
                Some((name, wrong_url(other, leaf.certificate, &Url::read(url))?))
            });
            wrong_by_value.push((value, wrong.collect()));
            wrong_by_value.len() - 1
        });
        let others = wrong_by_value[at].1.iter().filter(|(name, _)| *name != member.host.name);
        violations.extend(others.map(|(_, evidence)| about_settings(member, evidence.clone())));
    }
    violations
}

/// Why a member cannot connect to another one at this URL.
fn wrong_url(other: &Member<'_>, certificate: &Certificate, url: &Url<'_>) -> Option<String> {
    let as_advertised = advertised(other).iter().any(|own| own.host == url.host);
    let is_wrong = !as_advertised && url.scheme == "https" && !certificate.is_valid_for(url.host);
    is_wrong.then(|| {
        format!(
            "it connects to {} at {}, but the certificate there {}",
            other.host.name,
            url.text,
            names(certificate)
        )
    })
}
