//! The CRLs that members enforce. etcd matches serial numbers and looks at nothing else of a CRL, so
//! that the rest is for these rules.

use super::{Row, Violation, config, moment};
use crate::certificate::Certificate;
use crate::deployment::{Crl, Deployment, Form, Pair};
use crate::manifest::EtcdVersion;
use crate::report::{Rule, Severity, Source};
use crate::revocation_list::RevocationList;
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "crl-format",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd starts and refuses everybody: from 3.6 on it reads DER alone (`x509: malformed crl`), before that PEM too.",
            remedy: "Convert it: openssl crl -in FILE -outform DER -out FILE.der; etcd reads it at the next connection.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        format,
    ),
    Row::deployment(
        &Rule {
            id: "crl-issuer",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd enforces the list all the same, and shuts out whoever has a serial number of another CA's revoked certificate.",
            remedy: "Put the CRL of the cluster's CA there.",
            citation: "RFC 5280 section 6.3.3; measured on etcd 3.4, 3.5, 3.6",
        },
        issuer,
    ),
    Row::deployment(
        &Rule {
            id: "crl-ca-serial",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd matches every certificate that is sent, so that all clients that send their CA too, as curl does, are shut out.",
            remedy: "Take the CA off its own list; a CA is withdrawn by taking it out of the trust files.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        ca_serial,
    ),
    Row::deployment(
        &Rule {
            id: "crl-serial-clash",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd matches by serial number alone: the list of another CA shuts out a certificate that nobody revoked.",
            remedy: "Put the CRL of the cluster's CA there, or issue the certificate anew.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        serial_clash,
    ),
    Row::deployment(
        &Rule {
            id: "crl-http-urls",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "With listen-client-http-urls etcd does not look at the CRL on its gRPC port: revoked clients get in.",
            remedy: "Upgrade to etcd 3.5.32, 3.6.13 or later, or remove listen-client-http-urls.",
            citation: "GHSA-3wh4-j44w-pg92; measured on etcd 3.6",
        },
        http_urls,
    ),
    Row::deployment(
        &Rule {
            id: "crl-peer-no-evict",
            severity: Severity::Info,
            source: Source::Etcd,
            impact: "A revoked member stays one: the others still dial it, and only its own connections are refused.",
            remedy: "Remove it from the cluster too: etcdctl member remove ID.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        peer_no_evict,
    ),
];

/// The CRLs that can be read, each with its findings.
fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&Crl<'_>, &RevocationList) -> Vec<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for crl in &deployment.crls {
        let Some(list) = deployment.list(crl) else { continue };
        let evidence = check(crl, list).into_iter();
        violations.extend(evidence.map(|evidence| about(crl, evidence)));
    }
    violations
}

fn about(crl: &Crl<'_>, evidence: String) -> Violation {
    Violation { file: format!("{}/{}", crl.host, crl.file), subject: crl.file.clone(), evidence }
}

/// The certificates that a CRL is held against, by their issuer's list or by another.
fn listed<'d, 'a>(
    deployment: &'d Deployment<'a>,
    crl: &Crl<'_>,
    list: &RevocationList,
) -> Vec<(&'d Pair<'a>, &'a Certificate)> {
    // The gateway comes to the client port with the server's certificate.
    let against = |pair: &Pair<'_>| {
        pair.plays(crl.against) || (crl.against == Purpose::Client && pair.plays(Purpose::Server))
    };
    let pairs = deployment.pairs.iter().filter(|pair| against(pair));
    pairs
        .filter_map(|pair| Some((pair, deployment.leaf(pair)?.certificate)))
        .filter(|(_, certificate)| list.lists(&certificate.serial))
        .collect()
}

fn format(deployment: &Deployment<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for crl in &deployment.crls {
        let Some(file) = deployment.file(crl.host, &crl.file) else { continue };
        let contents = &file.contents;
        let evidence = match contents.form {
            Form::Empty => "the file is empty",
            _ if contents.crl.is_none() => "the file holds no CRL that can be read",
            Form::Pem if deployment.manifest.etcd_version >= EtcdVersion(3, 6, 0) => {
                "the file is PEM, and this etcd reads DER"
            }
            _ => continue,
        };
        violations.push(about(crl, evidence.to_owned()));
    }
    violations
}

fn issuer(deployment: &Deployment<'_>) -> Vec<Violation> {
    let ca = deployment.ca;
    each(deployment, |_, list| {
        if list.issuer.der() != ca.subject.der() {
            return vec![format!("its issuer is {}, the CA is {}", list.issuer, ca.subject)];
        }
        if !list.is_signed_by(&ca.public_key) {
            return vec![format!("its signature is not by the key of {}", ca.subject)];
        }
        Vec::new()
    })
}

fn ca_serial(deployment: &Deployment<'_>) -> Vec<Violation> {
    let ca = deployment.ca;
    each(deployment, |_, list| {
        let listed = list.issuer.der() == ca.subject.der() && list.lists(&ca.serial);
        listed.then(|| format!("it lists {} of {}", ca.serial, ca.subject)).into_iter().collect()
    })
}

fn serial_clash(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |crl, list| {
        let clashes = listed(deployment, crl, list).into_iter();
        let clashes = clashes.filter(|(_, leaf)| list.issuer.der() != leaf.issuer.der());
        clashes
            .map(|(pair, leaf)| format!("it lists {}, the number of {}", leaf.serial, pair.path()))
            .collect()
    })
}

fn http_urls(deployment: &Deployment<'_>) -> Vec<Violation> {
    let version = deployment.manifest.etcd_version;
    let mended = version >= EtcdVersion(3, 6, 13)
        || (EtcdVersion(3, 5, 32)..EtcdVersion(3, 6, 0)).contains(&version);
    config::each(deployment, |member| {
        let settings = &member.settings;
        let urls = settings.find("listen-client-http-urls");
        match (urls, settings.find("client-crl-file")) {
            (Some(urls), Some(_)) if !mended => {
                vec![format!("listen-client-http-urls is {urls}, beside client-crl-file")]
            }
            _ => Vec::new(),
        }
    })
}

fn peer_no_evict(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |crl, list| {
        let peers = listed(deployment, crl, list).into_iter();
        let peers =
            peers.filter(|(pair, _)| crl.against == Purpose::Peer && pair.plays(Purpose::Peer));
        peers.map(|(pair, _)| format!("it lists {}", pair.path())).collect()
    })
}

/// `leaf-revoked`, of the certificates that hosts hold.
pub(super) fn revoked(deployment: &Deployment<'_>) -> Vec<Violation> {
    let mut violations: Vec<Violation> = Vec::new();
    for crl in &deployment.crls {
        let Some(list) = deployment.list(crl) else { continue };
        let listed = listed(deployment, crl, list).into_iter();
        for (pair, leaf) in listed.filter(|(_, leaf)| list.issuer.der() == leaf.issuer.der()) {
            if !violations.iter().any(|violation| violation.file == pair.path()) {
                violations.push(Violation {
                    file: pair.path(),
                    subject: leaf.subject.to_string(),
                    evidence: format!("{} of {} lists {}", crl.file, crl.host, leaf.serial),
                });
            }
        }
    }
    violations
}

/// `crl-stale`, of the CRLs that hosts hold.
pub(super) fn stale(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |_, list| match list.next_update {
        Some(next) if next.unix_timestamp() < deployment.now.unix_timestamp() => {
            vec![format!("nextUpdate {} is before {}", moment(next), moment(deployment.now))]
        }
        _ => Vec::new(),
    })
}
