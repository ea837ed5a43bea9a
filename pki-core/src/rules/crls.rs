//! Rules about the CRLs that members enforce. etcd matches serial numbers and checks nothing else in a
//! CRL, so these rules check the rest.

use std::collections::{HashMap, HashSet};

use super::{Row, Violation, config};
use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::deployment::{ConfiguredCrl, Deployment, Form, Pair};
use crate::etcd::EtcdVersion;
use crate::evidence::moment;
use crate::finding::{Rule, Severity, Source};
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "crl-format",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd starts but rejects every connection. Since 3.6 it reads only DER (`x509: malformed crl`); earlier versions also read PEM.",
            remedy: "Convert the CRL with `openssl crl -in FILE -outform DER -out FILE.der && mv FILE.der FILE`. etcd reads it at the next connection.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        format,
    ),
    Row::deployment(
        &Rule {
            id: "crl-issuer",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd enforces the CRL anyway, and rejects any certificate that has the same serial number as a revoked certificate of the other CA.",
            remedy: "Replace the file with the CRL of the cluster's CA: `etcdpki crl --der --out FILE`.",
            citation: "RFC 5280 section 6.3.3; measured on etcd 3.4, 3.5, 3.6",
        },
        issuer,
    ),
    Row::deployment(
        &Rule {
            id: "crl-ca-serial",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd checks every certificate that a client sends, so it rejects all clients that also send their CA, as curl does.",
            remedy: "Issue the CRL with `etcdpki crl --der --out FILE`, which never lists the CA itself. To withdraw a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        ca_serial,
    ),
    Row::deployment(
        &Rule {
            id: "crl-serial-clash",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd matches only serial numbers, so the CRL of another CA blocks a certificate that nobody revoked.",
            remedy: "Replace the file with the CRL of the cluster's CA: `etcdpki crl --der --out FILE`. Or give the certificate a new serial number: `etcdpki renew FILE`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        serial_clash,
    ),
    Row::deployment(
        &Rule {
            id: "crl-http-urls",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "With listen-client-http-urls, etcd does not check the CRL on its gRPC port: revoked clients can connect.",
            remedy: "Upgrade to etcd 3.5.32, 3.6.13 or later, or remove `listen-client-http-urls` in etcd.conf.yaml (or in `etcd_config` of the manifest, then run `etcdpki apply -f MANIFEST`). Then restart the member: `systemctl restart etcd`.",
            citation: "GHSA-3wh4-j44w-pg92; measured on etcd 3.6",
        },
        http_urls,
    ),
    Row::deployment(
        &Rule {
            id: "crl-peer-no-evict",
            severity: Severity::Info,
            source: Source::Etcd,
            impact: "A revoked member stays in the cluster: the other members still connect to it, and reject only the connections that it opens.",
            remedy: "Also remove the member from the cluster: `etcdctl member remove ID`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        peer_no_evict,
    ),
];

/// Runs `check` on every CRL that can be read.
fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&ConfiguredCrl<'_>, &Crl) -> Vec<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for crl in &deployment.crls {
        let Some(list) = deployment.list(crl) else { continue };
        let evidence = check(crl, list).into_iter();
        violations.extend(evidence.map(|evidence| about(crl, evidence)));
    }
    violations
}

fn about(crl: &ConfiguredCrl<'_>, evidence: String) -> Violation {
    Violation { file: format!("{}/{}", crl.host, crl.file), subject: crl.file.clone(), evidence }
}

/// The certificates of all hosts by serial number, so that a CRL is not compared with every certificate.
struct Serials<'d, 'a> {
    /// With the position of the pair.
    by_serial: HashMap<&'a [u8], Vec<(usize, &'d Pair<'a>, &'a Certificate)>>,
}

impl<'d, 'a> Serials<'d, 'a> {
    fn of(deployment: &'d Deployment<'a>) -> Self {
        let mut by_serial: HashMap<&[u8], Vec<_>> = HashMap::new();
        for (at, pair) in deployment.pairs.iter().enumerate() {
            let Some(leaf) = deployment.leaf(pair) else { continue };
            let certificate = leaf.certificate;
            let same = by_serial.entry(certificate.serial.as_bytes()).or_default();
            same.push((at, pair, certificate));
        }
        Self { by_serial }
    }

    /// The certificates that etcd checks against this CRL and that it lists, from any issuer, in the order of the pairs.
    fn listed(&self, crl: &ConfiguredCrl<'_>, list: &Crl) -> Vec<(&'d Pair<'a>, &'a Certificate)> {
        // The gateway connects to the client port with the server's certificate.
        let against = |pair: &Pair<'_>| {
            pair.plays(crl.against)
                || (crl.against == Purpose::Client && pair.plays(Purpose::Server))
        };
        let serials = list.serials().filter_map(|serial| self.by_serial.get(serial));
        let mut listed: Vec<_> =
            serials.flatten().filter(|(_, pair, _)| against(pair)).copied().collect();
        listed.sort_unstable_by_key(|(at, ..)| *at);
        listed.into_iter().map(|(_, pair, certificate)| (pair, certificate)).collect()
    }
}

fn format(deployment: &Deployment<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for crl in &deployment.crls {
        let Some(file) = deployment.file(crl.host, &crl.file) else { continue };
        let contents = &file.contents;
        let evidence = match contents.form {
            Form::Empty => "the file is empty".to_owned(),
            Form::Foreign(format) => format!("the file is {format}"),
            _ if contents.crl.is_none() => "the file contains no CRL that can be read".to_owned(),
            Form::Pem if deployment.manifest.etcd_version >= EtcdVersion(3, 6, 0) => {
                "the file is PEM, but this version of etcd reads only DER".to_owned()
            }
            _ => match &contents.damage {
                Some(damage) => damage.clone(),
                None => continue,
            },
        };
        violations.push(about(crl, evidence));
    }
    violations
}

fn issuer(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |crl, list| {
        let cas = deployment.cas.issuing_for(crl.against);
        let mut named = cas.iter().filter(|ca| list.issuer.der() == ca.subject.der()).peekable();
        if named.peek().is_none() {
            let cas: Vec<String> = cas.iter().map(|ca| ca.subject.to_string()).collect();
            return vec![format!(
                "the issuer is {}, but the cluster's CA is {}",
                list.issuer,
                cas.join(" or ")
            )];
        }
        if !named.any(|ca| list.is_signed_by(&ca.public_key)) {
            return vec![format!("it is not signed by the key of {}", list.issuer)];
        }
        Vec::new()
    })
}

fn ca_serial(deployment: &Deployment<'_>) -> Vec<Violation> {
    let cas = deployment.cas.all();
    each(deployment, |_, list| {
        let listed = cas.iter().filter(|ca| list.issuer.der() == ca.issuer.der());
        let listed = listed.filter(|ca| list.lists(&ca.serial));
        listed.map(|ca| format!("it lists serial number {} of {}", ca.serial, ca.subject)).collect()
    })
}

fn serial_clash(deployment: &Deployment<'_>) -> Vec<Violation> {
    let serials = Serials::of(deployment);
    each(deployment, |crl, list| {
        let clashes = serials.listed(crl, list).into_iter();
        let clashes = clashes.filter(|(_, leaf)| list.issuer.der() != leaf.issuer.der());
        clashes
            .map(|(pair, leaf)| {
                format!("it lists serial number {}, which {} also has", leaf.serial, pair.path())
            })
            .collect()
    })
}

fn http_urls(deployment: &Deployment<'_>) -> Vec<Violation> {
    let version = deployment.manifest.etcd_version;
    let fixed = version >= EtcdVersion(3, 6, 13)
        || (EtcdVersion(3, 5, 32)..EtcdVersion(3, 6, 0)).contains(&version);
    config::each(deployment, |member| {
        let settings = &member.settings;
        let urls = settings.find("listen-client-http-urls");
        match (urls, settings.find("client-crl-file")) {
            (Some(urls), Some(_)) if !fixed => {
                vec![format!("listen-client-http-urls is {urls}, and client-crl-file is set")]
            }
            _ => Vec::new(),
        }
    })
}

fn peer_no_evict(deployment: &Deployment<'_>) -> Vec<Violation> {
    let serials = Serials::of(deployment);
    each(deployment, |crl, list| {
        let peers = serials.listed(crl, list).into_iter();
        let peers =
            peers.filter(|(pair, _)| crl.against == Purpose::Peer && pair.plays(Purpose::Peer));
        peers.map(|(pair, _)| format!("it lists {}", pair.path())).collect()
    })
}

/// `leaf-revoked` for the certificates of all hosts.
pub(super) fn revoked(deployment: &Deployment<'_>) -> Vec<Violation> {
    let serials = Serials::of(deployment);
    let mut told: HashSet<String> = HashSet::new();
    let mut violations: Vec<Violation> = Vec::new();
    for crl in &deployment.crls {
        let Some(list) = deployment.list(crl) else { continue };
        let listed = serials.listed(crl, list).into_iter();
        for (pair, leaf) in listed.filter(|(_, leaf)| list.issuer.der() == leaf.issuer.der()) {
            if told.insert(pair.path()) {
                violations.push(Violation {
                    file: pair.path(),
                    subject: leaf.subject.to_string(),
                    evidence: format!(
                        "{} on {} lists serial number {}",
                        crl.file, crl.host, leaf.serial
                    ),
                });
            }
        }
    }
    violations
}

/// `crl-stale` for the CRLs of all hosts.
pub(super) fn stale(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, list| match list.next_update {
        Some(next) if next.unix_timestamp() < deployment.now.unix_timestamp() => {
            vec![format!("nextUpdate {} is before {}", moment(next), moment(deployment.now))]
        }
        _ => Vec::new(),
    })
}
