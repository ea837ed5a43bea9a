//! The files of a host.

use super::{Breach, Case, Row};
use crate::deployment::Deployment;
use crate::report::{Rule, Severity, Source};

pub(crate) static MANIFEST_DRIFT: Rule = Rule {
    id: "manifest-drift",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "The host does not hold what the manifest says, and the next apply replaces it.",
    remedy: "Run etcdpki apply, or change the manifest.",
    citation: "the manifest",
};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "key-mismatch",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "etcd exits: `tls: private key does not match public key`.",
            remedy: "Restore the pair that belongs together, or issue the certificate anew.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        key_mismatch,
    ),
    Row::deployment(
        &Rule {
            id: "file-missing",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "The program that is configured to use it exits: `open …: no such file or directory`.",
            remedy: "Run etcdpki apply, and copy the host's folder again.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        file_missing,
    ),
    Row::deployment(
        &Rule {
            id: "file-mode",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "Everybody on the host can read the key, and etcd does not object.",
            remedy: "chmod 600 the file.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        file_mode,
    ),
    Row::whole(&MANIFEST_DRIFT),
];

fn file_missing(deployment: &Deployment<'_>) -> Vec<Breach> {
    let pairs = deployment.pairs.iter();
    let pairs = pairs.flat_map(|pair| [(pair.host, &pair.certificate), (pair.host, &pair.key)]);
    let trusts = deployment.trusts.iter().map(|trust| (trust.host, &trust.file));
    let mut missing: Vec<Breach> = Vec::new();
    for (host, name) in pairs.chain(trusts) {
        let file = format!("{host}/{name}");
        let told = missing.iter().any(|breach| breach.file == file);
        if deployment.file(host, name).is_none() && !told {
            let evidence = format!("{host} is to use it, and it is not there");
            missing.push(Breach { file, subject: name.clone(), evidence });
        }
    }
    missing
}

fn file_mode(deployment: &Deployment<'_>) -> Vec<Breach> {
    let keys = deployment.files.iter().filter(|file| file.contents.key.is_some());
    keys.filter(|file| file.mode & 0o077 != 0)
        .map(|file| Breach {
            file: file.path(),
            subject: file.name.clone(),
            evidence: format!("mode {:04o}, 0600 is wanted", file.mode),
        })
        .collect()
}

fn key_mismatch(case: &Case<'_>) -> Vec<String> {
    match &case.question.key {
        Some(key) if case.is_leaf() && *key != case.certificate.public_key => vec![format!(
            "the certificate is for key {} ({}), the key file holds {} ({})",
            case.certificate.public_key.key_id(),
            case.certificate.public_key.algorithm_name(),
            key.key_id(),
            key.algorithm_name()
        )],
        _ => Vec::new(),
    }
}
