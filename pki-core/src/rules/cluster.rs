//! Rules about all certificates of a cluster together.

use std::collections::{BTreeSet, HashMap, HashSet};

use time::Duration;

use super::{Row, Violation};
use crate::certificate::{Certificate, GeneralName};
use crate::cluster::CaLimit;
use crate::deployment::{Deployment, HostFile};
use crate::evidence::moment;
use crate::finding::{Rule, Severity, Source};
use crate::layout::FileKind;
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "ca-key-on-node",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Anyone who compromises this host can issue any certificate of the cluster.",
            remedy: "Remove the key from the host (`shred -u FILE`), and replace the CA with `etcdpki rotate-ca begin -f MANIFEST`, because its key must be considered leaked.",
            citation: "least privilege",
        },
        ca_key_on_node,
    ),
    Row::deployment(
        &Rule {
            id: "worker-holds-credential",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Anyone who compromises a worker can read and write all data of the cluster.",
            remedy: "Remove the files from the worker, which never connects to etcd: `rm -r FOLDER`.",
            citation: "least privilege",
        },
        worker_holds_credential,
    ),
    Row::deployment(
        &Rule {
            id: "shared-key",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Anyone who steals one of the two files has both identities. For example, a master's file would be enough to act as a member.",
            remedy: "Give one of the two certificates a key of its own: `etcdpki renew FILE --rekey`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        shared_key,
    ),
    Row::deployment(
        &Rule {
            id: "serial-dup",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Revoking one of them also revokes the other, because etcd matches only serial numbers against a CRL.",
            remedy: "Renew one of the two certificates, which gives it a new serial number: `etcdpki renew FILE`.",
            citation: "RFC 5280 section 4.1.2.2; measured on etcd 3.4, 3.5, 3.6",
        },
        serial_dup,
    ),
    Row::deployment(
        &Rule {
            id: "san-foreign-node",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Anyone who compromises this host can pose as the other host to clients and members.",
            remedy: "Issue each host its own certificate: `etcdpki apply -f MANIFEST`.",
            citation: "least privilege; measured on etcd 3.4, 3.5, 3.6",
        },
        san_foreign_node,
    ),
    Row::deployment(
        &Rule {
            id: "expire-together",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "The certificates of all members expire soon, within one day of each other. After that, members cannot connect to each other, and a member that restarts does not come back.",
            remedy: "Renew them now, one member after the other: `etcdpki renew --host HOST -f MANIFEST --before 100y`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        expire_together,
    ),
    Row::deployment(
        &Rule {
            id: "ca-limits-leaves",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Certificates that this CA issues are shortened to its end, because they stop being valid with it. In its last days (`renew_before`) it renews none, and when it expires, every certificate of the cluster stops being valid.",
            remedy: "Renew the CA with `etcdpki renew --ca`, which keeps its key, or replace it with `etcdpki rotate-ca begin -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        ca_limits_leaves,
    ),
];

fn ca_key_on_node(deployment: &Deployment<'_>) -> Vec<Violation> {
    let keys = |file: &'_ HostFile| file.contents.all_keys.clone();
    let held =
        deployment.files.iter().flat_map(|file| keys(file).into_iter().map(move |key| (file, key)));
    let cas = deployment.cas.all();
    held.filter(|(_, key)| cas.iter().any(|ca| ca.public_key == *key))
        .map(|(file, key)| {
            about(file, format!("the file contains the CA's private key (key id {})", key.key_id()))
        })
        .collect()
}

fn worker_holds_credential(deployment: &Deployment<'_>) -> Vec<Violation> {
    let workers: HashSet<&str> =
        deployment.manifest.workers.iter().map(|worker| worker.name.as_str()).collect();
    let is_worker = |file: &&HostFile| workers.contains(file.host.as_str());
    let holds_credential = |file: &&HostFile| {
        file.contents.key.is_some() || file.certificate().is_some_and(|found| !found.is_ca())
    };
    let files = deployment.files.iter().filter(is_worker).filter(holds_credential);
    files.map(|file| about(file, format!("{} is a worker", file.host))).collect()
}

fn shared_key(deployment: &Deployment<'_>) -> Vec<Violation> {
    let mut seen: HashMap<&[u8], &HostFile> = HashMap::new();
    let mut violations = Vec::new();
    // A client that has a member's key is reported by cli-shared-key.
    let is_client = |file: &HostFile| {
        let mut pairs = deployment.pairs_of(&file.host);
        pairs.any(|pair| pair.plays(Purpose::Client) && pair.certificate == file.name)
    };
    for (file, leaf) in leaves(deployment) {
        let other = seen.insert(leaf.public_key.spki_der(), file);
        // A copy of the same certificate on the same host adds no risk.
        let copy = |other: &&HostFile| other.host == file.host && is_same(other, leaf);
        let other = other.filter(|other| is_client(other) == is_client(file) && !copy(other));
        if let Some(other) = other {
            violations.push(about(file, format!("{} has the same key", other.path())));
        }
    }
    violations
}

fn serial_dup(deployment: &Deployment<'_>) -> Vec<Violation> {
    let mut seen: HashMap<&[u8], &HostFile> = HashMap::new();
    let mut violations = Vec::new();
    for (file, leaf) in leaves(deployment) {
        let other = seen.insert(leaf.serial.as_bytes(), file);
        // The same certificate on two hosts is reported by shared-key.
        let differs =
            |other: &&HostFile| other.certificate().is_some_and(|c| c.der() != leaf.der());
        if let Some(other) = other.filter(differs) {
            violations.push(about(file, format!("{} has the same serial number", other.path())));
        }
    }
    violations
}

fn san_foreign_node(deployment: &Deployment<'_>) -> Vec<Violation> {
    let manifest = deployment.manifest;
    let names: Vec<(&str, String)> = manifest
        .hosts()
        .flat_map(|host| {
            let names = manifest.names_of(host).into_iter();
            let all = names.chain(host.addresses.iter().map(ToString::to_string));
            all.map(|name| (host.name.as_str(), name)).collect::<Vec<_>>()
        })
        .collect();
    let mut hosts_of: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, (_, name)) in names.iter().enumerate() {
        hosts_of.entry(name.to_ascii_lowercase()).or_default().push(at);
    }
    let endpoints: HashSet<String> = manifest.endpoints.iter().map(|e| e.host.value()).collect();
    let mut violations = Vec::new();
    for pair in &deployment.pairs {
        let Some(leaf) = deployment.leaf(pair) else { continue };
        // An endpoint in front of all members can be on any host.
        let is_shared = |name: &String| endpoints.contains(name);
        let stated = exact_names(leaf.certificate);
        let stated: BTreeSet<usize> =
            stated.filter_map(|name| hosts_of.get(&name)).flatten().copied().collect();
        let others = stated.into_iter().map(|at| &names[at]);
        let others = others.filter(|(host, name)| *host != pair.host && !is_shared(name));
        let foreign: Vec<&str> = others.map(|(_, name)| name.as_str()).collect();
        if !foreign.is_empty() {
            violations.push(Violation {
                file: pair.path(),
                subject: leaf.certificate.subject.to_string(),
                evidence: format!("it contains names of other hosts: {}", foreign.join(", ")),
            });
        }
    }
    violations
}

/// The DNS names in lower case and the IP addresses of a certificate. No host has the name of a wildcard.
fn exact_names(certificate: &Certificate) -> impl Iterator<Item = String> {
    let names = certificate.extensions.subject_alt_name.iter().flatten();
    names.filter_map(|name| match name {
        GeneralName::Dns(dns) => Some(dns.to_ascii_lowercase()),
        _ => name.ip().map(|ip| ip.to_string()),
    })
}

fn expire_together(deployment: &Deployment<'_>) -> Vec<Violation> {
    let of_members = [Purpose::Server, Purpose::Peer].into_iter();
    let mut ends: Vec<_> = of_members
        .flat_map(|part| deployment.playing(part))
        .map(|(pair, leaf)| (leaf.certificate.not_after, pair.path(), leaf.certificate))
        .collect();
    ends.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    let (Some(first), Some(last)) = (ends.first(), ends.last()) else { return Vec::new() };
    let lifetime = first.2.not_after - first.2.not_before;
    let soon = first.0 - deployment.now < deployment.manifest.renew_before.min(lifetime / 2);
    if deployment.members.len() < 2 || !soon || last.0 - first.0 > Duration::DAY {
        return Vec::new();
    }
    vec![Violation {
        file: first.1.clone(),
        subject: first.2.subject.to_string(),
        evidence: format!(
            "the {} certificates of {} members expire between {} and {}",
            ends.len(),
            deployment.members.len(),
            moment(first.0),
            moment(last.0)
        ),
    }]
}

fn ca_limits_leaves(deployment: &Deployment<'_>) -> Vec<Violation> {
    // Without valid specifications there are no pairs to report on either.
    let limits = deployment.manifest.ca_limits(deployment.cas, deployment.now).unwrap_or_default();
    let violation = |limit: CaLimit| Violation {
        file: FileKind::TrustedCas.name().into_owned(),
        subject: limit.ca.subject.to_string(),
        evidence: limit.to_string(),
    };
    limits.into_iter().map(violation).collect()
}

fn is_same(file: &HostFile, leaf: &Certificate) -> bool {
    file.certificate().is_some_and(|certificate| certificate.der() == leaf.der())
}

fn leaves<'a>(
    deployment: &Deployment<'a>,
) -> impl Iterator<Item = (&'a HostFile, &'a Certificate)> + use<'a> {
    let files = deployment.files.iter();
    let first = files.filter_map(|file| Some((file, file.certificate()?)));
    first.filter(|(_, certificate)| !certificate.is_ca())
}

fn about(file: &HostFile, evidence: String) -> Violation {
    let subject = match file.certificate() {
        Some(certificate) => certificate.subject.to_string(),
        None => "key".to_owned(),
    };
    Violation { file: file.path(), subject, evidence }
}
