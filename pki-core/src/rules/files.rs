//! Rules about the files of a host: whether they exist, and who can read them.

use super::{Policy, Row, Violation};
use crate::deployment::{Deployment, Form, HostFile};
use crate::finding::{Finding, Rule, Severity, Source};

pub(crate) static MANIFEST_DRIFT: Rule = Rule {
    id: "manifest-drift",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "The host's folder differs from the manifest, and the next `etcdpki apply` replaces what differs.",
    remedy: "Run `etcdpki apply -f MANIFEST`, or change the manifest.",
    citation: "the manifest",
};

static FILE_UNREADABLE: Rule = Rule {
    id: "file-unreadable",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "The program that uses the file exits at startup: `permission denied`. If etcd is running, it rejects every new connection with the TLS alert internal_error.",
    remedy: "Make the service's user the owner of the file, and let it enter the folders above: `chown etcd: FILE`, `chmod u+r FILE`, `chmod a+x FOLDER`.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

/// The finding for a file on this host, or a folder above it, that etcd's user cannot read or enter.
pub fn unreadable_file(file: &str, evidence: String) -> Finding {
    super::finding(&FILE_UNREADABLE, Policy::Etcd, file.to_owned(), evidence)
}

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "file-missing",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The program that uses the file exits at startup: `no such file or directory`.",
            remedy: "Run `etcdpki apply -f MANIFEST`, then copy the host's folder to the host again: `scp -r pki/hosts/HOST root@HOST: && ssh root@HOST 'sh HOST/install.sh && rm -r HOST'`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        file_missing,
    ),
    Row::deployment(&FILE_UNREADABLE, file_unreadable),
    Row::deployment(
        &Rule {
            id: "file-mode",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Other users on the host can read the key. etcd does not warn about this.",
            remedy: "Run `chmod 600 FILE`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        file_mode,
    ),
    Row::deployment(
        &Rule {
            id: "file-unread",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Nothing is known about the file. It may hold a private key of the CA, or a certificate that etcd cannot load.",
            remedy: "Move the file out of the host's folder: `mv FILE /root/`. Certificates, keys and configuration files are smaller than 16 MiB.",
            citation: "the limit for one file of a host's folder",
        },
        file_unread,
    ),
    Row::whole(&MANIFEST_DRIFT),
];

/// The files that the hosts' programs are configured to use, each of them once.
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
            evidence: if is_configured(deployment, host) {
                format!("missing; {host}'s configuration refers to it")
            } else {
                format!("missing; the manifest lists it, and {host} has no configuration here")
            },
        })
        .collect()
}

/// Whether the folder of a host contains configuration.
fn is_configured(deployment: &Deployment<'_>, host: &str) -> bool {
    deployment.member(host).is_some_and(|member| member.settings.file().is_some())
        || deployment.clients.iter().any(|client| client.host == host)
}

fn file_unreadable(deployment: &Deployment<'_>) -> Vec<Violation> {
    let files = used(deployment).into_iter();
    let files = files.filter_map(|(host, name)| deployment.file(host, name));
    files
        .filter(|file| file.mode & 0o400 == 0)
        .map(|file| {
            violation(file, format!("the mode is {:04o}, so its owner cannot read it", file.mode))
        })
        .collect()
}

fn file_unread(deployment: &Deployment<'_>) -> Vec<Violation> {
    let unread = deployment.files.iter().filter(|file| file.contents.form == Form::Unread);
    unread
        .map(|file| violation(file, "it is larger than 16 MiB, so it was not read".to_owned()))
        .collect()
}

fn file_mode(deployment: &Deployment<'_>) -> Vec<Violation> {
    let keys = deployment.files.iter().filter(|file| file.contents.key.is_some());
    keys.filter(|file| file.mode & 0o077 != 0)
        .map(|file| violation(file, format!("the mode is {:04o} instead of 0600", file.mode)))
        .collect()
}

fn violation(file: &HostFile, evidence: String) -> Violation {
    Violation { file: file.path(), subject: file.name.clone(), evidence }
}
