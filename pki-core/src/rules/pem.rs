//! Rules about the certificate and key files of a host: whether etcd can load each pair.

use super::go::PEM_DAMAGED;
use super::path::CHAIN_ORDER;
use super::{Row, Violation};
use crate::ca_set::leads_to;
use crate::certificate::Certificate;
use crate::deployment::{self, Contents, Deployment, Form, HostFile, Section};
use crate::finding::{Rule, Severity, Source};
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "pem-empty",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits at startup: `tls: failed to find any PEM data in certificate input` (or `in key input`).",
            remedy: "Run `etcdpki apply -f MANIFEST`, then copy the host's folder to the host again: `scp -r pki/hosts/HOST root@HOST: && ssh root@HOST 'sh HOST/install.sh && rm -r HOST'`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        pem_empty,
    ),
    Row::deployment(
        &Rule {
            id: "pem-der",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd reads only PEM and exits at startup: `tls: failed to find any PEM data`.",
            remedy: "Convert a certificate with `openssl x509 -inform DER -in FILE -out FILE.pem`, a key with `openssl pkey -inform DER -in FILE -out FILE.pem`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        pem_der,
    ),
    Row::deployment(
        &Rule {
            id: "pem-label",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits at startup: `tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following types`.",
            remedy: "Rewrite the file with the label CERTIFICATE: `openssl x509 -in FILE -out FILE.pem`.",
            citation: "RFC 7468 section 5; measured on etcd 3.4, 3.5, 3.6",
        },
        pem_label,
    ),
    Row::deployment(&PEM_DAMAGED, pem_damaged),
    Row::deployment(
        &Rule {
            id: "pem-swapped",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits at startup: `tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched`.",
            remedy: "Swap the two files (`mv CERT TMP && mv KEY CERT && mv TMP KEY`), or the two paths in `cert-file: FILE` and `key-file: FILE` of etcd.conf.yaml.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        pem_swapped,
    ),
    Row::deployment(
        &Rule {
            id: "key-encrypted",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd and the API server cannot ask for a passphrase and exit at startup: `tls: failed to parse private key`.",
            remedy: "Decrypt the key: `(umask 077; openssl pkey -in FILE -out PLAIN.pem)`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        key_encrypted,
    ),
    Row::deployment(&CHAIN_ORDER, chain_order),
    Row::deployment(
        &Rule {
            id: "chain-missing-intermediate",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Members and clients that trust only the root reject the certificate, whether it accepts connections or opens them: `x509: certificate signed by unknown authority`.",
            remedy: "Append the intermediate to the certificate file: `cat INTERMEDIATE.pem >> FILE`.",
            citation: "RFC 8446 section 4.4.2; measured on etcd 3.4, 3.5, 3.6",
        },
        chain_missing_intermediate,
    ),
];

/// How etcd uses a file.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Role {
    Certificate,
    Key,
}

/// Runs `check` on the certificate file and the key file of every pair.
fn each(
    deployment: &Deployment<'_>,
    check: fn(Role, &Contents) -> Option<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for pair in &deployment.pairs {
        for (role, name) in [(Role::Certificate, &pair.certificate), (Role::Key, &pair.key)] {
            let Some(file) = deployment.file(pair.host, name) else { continue };
            if let Some(evidence) = check(role, &file.contents) {
                violations.push(violation(file, evidence));
            }
        }
    }
    violations
}

fn violation(file: &HostFile, evidence: String) -> Violation {
    Violation { file: file.path(), subject: file.name.clone(), evidence }
}

fn pem_empty(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, contents| match contents.form {
        Form::Empty => Some("the file is empty".to_owned()),
        Form::Foreign(format) => Some(format!("the file is {format}")),
        Form::Other => Some("the file contains no PEM block".to_owned()),
        Form::Der(_) | Form::Pem | Form::Unread => None,
    })
}

fn pem_der(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, contents| match contents.form {
        Form::Der(what) => Some(format!("the file contains {what} in DER")),
        _ => None,
    })
}

/// True if the file contains a PEM block that its role requires.
fn holds(role: Role, contents: &Contents) -> bool {
    match role {
        Role::Certificate => contents.has(&Section::Certificate),
        Role::Key => contents.has(&Section::Key) || contents.has(&Section::EncryptedKey),
    }
}

fn pem_label(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |role, contents| {
        let strange = contents.form == Form::Pem && contents.damage.is_none();
        let swapped = match role {
            Role::Certificate => holds(Role::Key, contents),
            Role::Key => holds(Role::Certificate, contents),
        };
        let strange = strange && !holds(role, contents) && !swapped;
        strange.then(|| format!("the file contains only other PEM blocks: {}", contents.labels()))
    })
}

fn pem_damaged(deployment: &Deployment<'_>) -> Vec<Violation> {
    let trusted =
        deployment.trusts.iter().filter_map(|trust| deployment.file(trust.host, &trust.file));
    let trusted = trusted.filter_map(|file| Some(violation(file, file.contents.damage.clone()?)));
    let of_pairs = each(deployment, |_, contents| contents.damage.clone());
    of_pairs.into_iter().chain(trusted).collect()
}

fn pem_swapped(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |role, contents| match role {
        Role::Certificate if !holds(role, contents) && holds(Role::Key, contents) => {
            Some("the certificate file contains a private key".to_owned())
        }
        Role::Key if !holds(role, contents) && holds(Role::Certificate, contents) => {
            Some("the key file contains a certificate".to_owned())
        }
        _ => None,
    })
}

fn key_encrypted(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |role, contents| {
        let encrypted = role == Role::Key && contents.has(&Section::EncryptedKey);
        encrypted.then(|| "the key is encrypted".to_owned())
    })
}

fn chain_order(deployment: &Deployment<'_>) -> Vec<Violation> {
    let pairs = deployment.pairs.iter();
    let files = pairs.filter_map(|pair| deployment.file(pair.host, &pair.certificate));
    let mut violations = Vec::new();
    for file in files {
        let all = &file.contents.certificates;
        let at = deployment::first_leaf(all);
        if at > 0 {
            let evidence = format!(
                "{} comes first, but the leaf certificate {} is number {}",
                all[0].subject,
                all[at].subject,
                at + 1
            );
            violations.push(violation(file, evidence));
        }
    }
    violations
}

fn chain_missing_intermediate(deployment: &Deployment<'_>) -> Vec<Violation> {
    let known = deployment.known_cas();
    let judging = [Purpose::Client, Purpose::Peer, Purpose::Server]
        .map(|part| (part, deployment.judging(part)));
    let mut violations = Vec::new();
    for pair in &deployment.pairs {
        let Some(leaf) = deployment.leaf(pair) else { continue };
        let lacks = |trusted: &&[Certificate]| {
            !leads_to(leaf.certificate, &leaf.chain, trusted)
                && leads_to(leaf.certificate, known, trusted)
        };
        let of_pair = judging.iter().filter(|(part, _)| pair.plays(*part));
        if of_pair.flat_map(|(_, sets)| *sets).any(lacks) {
            violations.push(Violation {
                file: pair.path(),
                subject: leaf.certificate.subject.to_string(),
                evidence: format!(
                    "the file does not contain its issuer {}",
                    leaf.certificate.issuer
                ),
            });
        }
    }
    violations
}
