//! All certificates of a cluster together.

use std::collections::HashMap;

use super::{Breach, Row};
use crate::certificate::Certificate;
use crate::deployment::{Deployment, HostFile};
use crate::report::{Rule, Severity, Source};

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "ca-key-on-node",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "Whoever takes this host can mint any certificate of the cluster.",
            remedy: "Remove it from the host and make a new CA: the key counts as leaked.",
            citation: "least privilege",
        },
        ca_key_on_node,
    ),
    Row::deployment(
        &Rule {
            id: "worker-holds-credential",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "A worker that is taken can read and write the whole state of the cluster.",
            remedy: "Remove the folder; workers never talk to etcd.",
            citation: "least privilege",
        },
        worker_holds_credential,
    ),
    Row::deployment(
        &Rule {
            id: "shared-key",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "Whoever steals the one file has the other's identity too: a master's file makes a member.",
            remedy: "Issue each certificate with a key of its own: etcdpki apply.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        shared_key,
    ),
    Row::deployment(
        &Rule {
            id: "serial-dup",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "Revoking the one revokes the other, for etcd matches CRLs by serial number alone.",
            remedy: "Issue one of the two anew.",
            citation: "RFC 5280 section 4.1.2.2; measured on etcd 3.4, 3.5, 3.6",
        },
        serial_dup,
    ),
];

fn ca_key_on_node(deployment: &Deployment<'_>) -> Vec<Breach> {
    let held = deployment.files.iter().filter_map(|file| Some((file, file.contents.key.as_ref()?)));
    held.filter(|(_, key)| **key == deployment.ca.public_key)
        .map(|(file, key)| about(file, format!("key {} is the CA's", key.key_id())))
        .collect()
}

fn worker_holds_credential(deployment: &Deployment<'_>) -> Vec<Breach> {
    let is_worker =
        |file: &&HostFile| deployment.manifest.workers.iter().any(|w| w.name == file.host);
    let holds_credential = |file: &&HostFile| {
        file.contents.key.is_some() || file.certificate().is_some_and(|found| !found.is_ca())
    };
    let files = deployment.files.iter().filter(is_worker).filter(holds_credential);
    files.map(|file| about(file, format!("{} is a worker", file.host))).collect()
}

fn shared_key(deployment: &Deployment<'_>) -> Vec<Breach> {
    let mut seen: HashMap<&[u8], &HostFile> = HashMap::new();
    let mut breaches = Vec::new();
    for (file, leaf) in leaves(deployment) {
        if let Some(other) = seen.insert(leaf.public_key.spki_der(), file) {
            breaches.push(about(file, format!("{} has the same key", other.path())));
        }
    }
    breaches
}

fn serial_dup(deployment: &Deployment<'_>) -> Vec<Breach> {
    let mut seen: HashMap<&[u8], &HostFile> = HashMap::new();
    let mut breaches = Vec::new();
    for (file, leaf) in leaves(deployment) {
        let other = seen.insert(leaf.serial.as_bytes(), file);
        // The same certificate twice is a key that is shared.
        let differs =
            |other: &&HostFile| other.certificate().is_some_and(|c| c.der() != leaf.der());
        if let Some(other) = other.filter(differs) {
            breaches.push(about(file, format!("{} has the same serial number", other.path())));
        }
    }
    breaches
}

fn leaves<'a>(
    deployment: &Deployment<'a>,
) -> impl Iterator<Item = (&'a HostFile, &'a Certificate)> + use<'a> {
    let files = deployment.files.iter();
    let first = files.filter_map(|file| Some((file, file.certificate()?)));
    first.filter(|(_, certificate)| !certificate.is_ca())
}

fn about(file: &HostFile, evidence: String) -> Breach {
    let subject = match file.certificate() {
        Some(certificate) => certificate.subject.to_string(),
        None => "key".to_owned(),
    };
    Breach { file: file.path(), subject, evidence }
}
