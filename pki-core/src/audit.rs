//! A cluster's files against its manifest: each certificate by the rules, and all of them together.

use std::collections::HashMap;

use rustls_pki_types::ServerName;
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::cluster::{Action, Held, Wanted};
use crate::error::Error;
use crate::key::PublicKey;
use crate::manifest::Manifest;
use crate::name::San;
use crate::profile::SigningConfig;
use crate::report::{Finding, Report, Rule};
use crate::rules::{self, Policy, Purpose, Question};
use crate::verify::Verifier;

/// A file in a host's folder.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct HostFile {
    /// Whose folder it is in.
    pub host: String,
    /// Its name there.
    pub name: String,
    /// Its permission bits.
    pub mode: u32,
    /// The certificate that it holds first.
    pub certificate: Option<Certificate>,
    /// The public half of the private key that it holds.
    pub key: Option<PublicKey>,
}

/// What was found about one file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileReport {
    /// The file, below the folder of all hosts.
    pub file: String,
    /// What was found.
    pub report: Report,
}

impl Manifest {
    /// Judges every file that the hosts hold, and those that they should hold, at a moment.
    pub fn audit(
        &self,
        ca: &Certificate,
        files: &[HostFile],
        now: OffsetDateTime,
    ) -> Result<Vec<FileReport>, Error> {
        let verifier = Verifier::new(vec![ca.clone()])?;
        let profiles = SigningConfig::etcd();
        let find = |host: &str, name: String| {
            files.iter().find(|file| file.host == host && file.name == name)
        };
        let mut reports = Vec::new();
        for wanted in self.wanted()? {
            let name = format!("{}.pem", wanted.file);
            let file = format!("{}/{name}", wanted.host);
            let certificate = find(&wanted.host, name).and_then(|file| file.certificate.as_ref());
            let key = find(&wanted.host, format!("{}-key.pem", wanted.file));
            let key = key.and_then(|file| file.key.as_ref());
            let Some(certificate) = certificate else {
                let evidence = "the manifest wants it, and it is not there or no certificate";
                reports.push(single(file, &rules::FILE_MISSING, &wanted, evidence));
                continue;
            };
            let mut question = Question::at(now);
            question.purpose = purpose(&wanted);
            question.hosts = hosts(&wanted);
            question.key = key.cloned();
            question.expires_within = Some(self.renew_before.min(wanted.expiry / 2));
            let mut report = verifier.check(certificate, &[], &question);
            if key.is_none() {
                let evidence = "its key is not there or cannot be read".to_owned();
                report.findings.push(about(&rules::FILE_MISSING, certificate, evidence));
            }
            let profile = profiles.profile(wanted.profile)?;
            let held = Held { certificate, key: Some(&certificate.public_key) };
            let compared = wanted.compare(Some(held), ca, profile, self.renew_before, now)?;
            if let Action::Reissue { drift } = compared {
                report.findings.extend(drift.iter().map(|drift| {
                    let evidence =
                        format!("{} is {}, wanted {}", drift.field, drift.found, drift.wanted);
                    about(&rules::MANIFEST_DRIFT, certificate, evidence)
                }));
            }
            reports.push(FileReport { file, report: Report::new(report.findings, report.path) });
        }
        let (mut keys, mut serials) = (HashMap::new(), HashMap::new());
        for file in files {
            let mut findings = self.findings_of(file, ca);
            findings.extend(repeated(file, &mut keys, &mut serials));
            if !findings.is_empty() {
                let path = format!("{}/{}", file.host, file.name);
                match reports.iter_mut().find(|report| report.file == path) {
                    Some(report) => report.report.findings.extend(findings),
                    None => reports
                        .push(FileReport { file: path, report: Report::new(findings, Vec::new()) }),
                }
            }
        }
        Ok(reports)
    }

    /// What is wrong with a file whatever the manifest wants of it.
    fn findings_of(&self, file: &HostFile, ca: &Certificate) -> Vec<Finding> {
        let mut findings = Vec::new();
        let subject = file.certificate.as_ref().map_or("key", |_| "certificate");
        let mut find = |rule, evidence: String| {
            findings.push(rules::finding(rule, Policy::Etcd, subject.to_owned(), evidence));
        };
        if let Some(key) = &file.key {
            if *key == ca.public_key {
                find(&rules::CA_KEY_ON_NODE, format!("key {} is the CA's", key.key_id()));
            }
            if file.mode & 0o077 != 0 {
                find(&rules::FILE_MODE, format!("mode {:04o}, 0600 is wanted", file.mode));
            }
        }
        let holds_credential = file.key.is_some()
            || file.certificate.as_ref().is_some_and(|certificate| !certificate.is_ca());
        if holds_credential && self.workers.iter().any(|worker| worker.name == file.host) {
            find(&rules::WORKER_CREDENTIAL, format!("{} is a worker", file.host));
        }
        findings
    }
}

/// What a leaf shares with one that was seen before it.
fn repeated<'a>(
    file: &'a HostFile,
    keys: &mut HashMap<&'a [u8], &'a HostFile>,
    serials: &mut HashMap<(&'a [u8], &'a [u8]), &'a HostFile>,
) -> Vec<Finding> {
    let Some(leaf) = file.certificate.as_ref().filter(|certificate| !certificate.is_ca()) else {
        return Vec::new();
    };
    let same_key = keys.insert(leaf.public_key.spki_der(), file);
    let same_serial = serials.insert((leaf.issuer.der(), leaf.serial.as_bytes()), file);
    let key = same_key.map(|other| {
        let evidence = format!("{}/{} has the same key", other.host, other.name);
        about(&rules::SHARED_KEY, leaf, evidence)
    });
    let serial = same_serial.map(|other| {
        let evidence = format!("{}/{} has the same serial number", other.host, other.name);
        about(&rules::SERIAL_DUP, leaf, evidence)
    });
    key.into_iter().chain(serial).collect()
}

fn about(rule: &'static Rule, certificate: &Certificate, evidence: String) -> Finding {
    rules::finding(rule, Policy::Etcd, certificate.subject.to_string(), evidence)
}

fn single(file: String, rule: &'static Rule, wanted: &Wanted, evidence: &str) -> FileReport {
    let subject = wanted.subject.to_string();
    let found = rules::finding(rule, Policy::Etcd, subject, evidence.to_owned());
    FileReport { file, report: Report::new(vec![found], Vec::new()) }
}

fn purpose(wanted: &Wanted) -> Purpose {
    match wanted.profile {
        "client" => Purpose::Client,
        // One certificate for both ports is held to the stricter of the two.
        _ if wanted.file == "member" => Purpose::Peer,
        "peer" => Purpose::Peer,
        _ => Purpose::Server,
    }
}

/// The names at which peers dial.
fn hosts(wanted: &Wanted) -> Vec<ServerName<'static>> {
    let names = wanted.names.iter().filter_map(|name| match name {
        San::Dns(name) if !name.as_str().starts_with('*') => Some(name.as_str().to_owned()),
        San::Ip(ip) => Some(ip.to_string()),
        _ => None,
    });
    names.filter_map(|name| ServerName::try_from(name).ok()).collect()
}
