//! The files of a host: there, readable, for nobody else.

use super::{Row, Violation};
use crate::deployment::{Deployment, HostFile};
use crate::report::{Rule, Severity, Source};

pub(crate) static MANIFEST_DRIFT: Rule = Rule {
    id: "manifest-drift",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "The host does not hold what the manifest says, and the next apply replaces it.",
    remedy: "Run `etcdpki apply -f MANIFEST`, or change the manifest.",
    citation: "the manifest",
};

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "file-missing",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The program that is to use it exits: `open …: no such file or directory`.",
            remedy: "Run `etcdpki apply -f MANIFEST`, and copy the host's folder again.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        file_missing,
    ),
    Row::deployment(
        &Rule {
            id: "file-unreadable",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The program that is to use it exits: `open …: permission denied`.",
            remedy: "Make it readable to its owner, who is the user of the service: chmod u+r FILE; chown etcd: FILE.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        file_unreadable,
    ),
    Row::deployment(
        &Rule {
            id: "file-mode",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Everybody on the host can read the key, and etcd does not object.",
            remedy: "chmod 600 FILE",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        file_mode,
    ),
    Row::whole(&MANIFEST_DRIFT),
];

/// The files that a host is to use, once each.
fn used<'d>(deployment: &'d Deployment<'_>) -> Vec<(&'d str, &'d str)> {
    let pairs = deployment.pairs.iter();
    let pairs = pairs.flat_map(|pair| [(pair.host, &*pair.certificate), (pair.host, &*pair.key)]);
    let trusts = deployment.trusts.iter().map(|trust| (trust.host, &*trust.file));
    let crls = deployment.crls.iter().map(|crl| (crl.host, &*crl.file));
    let mut used: Vec<_> = pairs.chain(trusts).chain(crls).collect();
    used.sort_unstable();
    used.dedup();
    used
}

fn file_missing(deployment: &Deployment<'_>) -> Vec<Violation> {
    let missing = used(deployment).into_iter();
    let missing = missing.filter(|(host, name)| deployment.file(host, name).is_none());
    missing
        .map(|(host, name)| Violation {
            file: format!("{host}/{name}"),
            subject: name.to_owned(),
            evidence: format!("{host} is to use it, and it is not there"),
        })
        .collect()
}

fn file_unreadable(deployment: &Deployment<'_>) -> Vec<Violation> {
    let files = used(deployment).into_iter();
    let files = files.filter_map(|(host, name)| deployment.file(host, name));
    files
        .filter(|file| file.mode & 0o400 == 0)
        .map(|file| violation(file, format!("mode {:04o}, its owner may not read it", file.mode)))
        .collect()
}

fn file_mode(deployment: &Deployment<'_>) -> Vec<Violation> {
    let keys = deployment.files.iter().filter(|file| file.contents.key.is_some());
    keys.filter(|file| file.mode & 0o077 != 0)
        .map(|file| violation(file, format!("mode {:04o}, 0600 is wanted", file.mode)))
        .collect()
}

fn violation(file: &HostFile, evidence: String) -> Violation {
    Violation { file: file.path(), subject: file.name.clone(), evidence }
}
