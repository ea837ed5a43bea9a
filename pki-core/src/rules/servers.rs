//! Rules about server certificates, compared with the configuration of their members.

use std::collections::HashSet;

use super::reach::{ClientUrls, is_compared};
use super::trust::Refusals;
use super::{Row, Violation};
use crate::ca_set::leads_to;
use crate::certificate::Certificate;
use crate::deployment::{Deployment, Member};
use crate::etcd::Url;
use crate::finding::{Rule, Severity, Source};
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "srv-san-advertise",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Clients that connect to the URL reject the member (`x509: certificate is valid for` other names). etcd itself does not check this.",
            remedy: "Reissue the certificate with the host in the URL: `etcdpki issue --profile server NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with that host in `sans`. Or correct `advertise-client-urls: URL` in etcd.conf.yaml.",
            citation: "RFC 6125 section 6; measured on etcd 3.4, 3.5, 3.6",
        },
        srv_san_advertise,
    ),
    Row::deployment(
        &Rule {
            id: "srv-san-loopback",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcdctl and probes on the host itself fail (`x509: certificate is valid for` other names).",
            remedy: "Reissue the certificate, to which the profile adds localhost and 127.0.0.1: `etcdpki issue --profile server NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        srv_san_loopback,
    ),
    Row::deployment(
        &Rule {
            id: "srv-not-in-own-trust",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd's gRPC gateway connects to its own member with this certificate and is rejected: the log fills with `rejected connection`, and /v3 answers 503.",
            remedy: "Add the CA of the server's certificate to trusted-ca-file (`cat CA.pem >> TRUSTED-CA-FILE`), or give the gateway another certificate (`client-cert-file: FILE` in etcd.conf.yaml). Then restart the member: `systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        srv_not_in_own_trust,
    ),
];

/// Runs `check` on the server certificate of every member.
fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&Member<'_>, &Certificate) -> Vec<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in &deployment.members {
        let serving = deployment.of_member(&member.host.name, Purpose::Server);
        let Some((pair, leaf)) = serving else { continue };
        for evidence in check(member, leaf.certificate) {
            let subject = leaf.certificate.subject.to_string();
            violations.push(Violation { file: pair.path(), subject, evidence });
        }
    }
    violations
}

fn srv_san_advertise(deployment: &Deployment<'_>) -> Vec<Violation> {
    let client_urls = ClientUrls::of(deployment);
    each(deployment, |member, certificate| {
        let settings = &member.settings;
        let mut dialled: Vec<(&str, Url<'_>)> = Vec::new();
        for option in ["advertise-client-urls", "listen-client-urls"] {
            // A loopback address that is not advertised serves only the member's own host.
            let urls = settings.urls(option).into_iter().filter(is_compared);
            let urls = urls.filter(|url| option != "listen-client-urls" || !url.is_loopback());
            dialled.extend(urls.map(|url| (option, url)));
        }
        let of_clients = client_urls.to(deployment, member);
        let dialled = dialled.iter().map(|(by, url)| (*by, url)).chain(of_clients);
        let mut told: HashSet<&str> = HashSet::new();
        dialled
            .filter(|(_, url)| !certificate.is_valid_for(url.host) && told.insert(url.host))
            .map(|(by, url)| {
                format!("{by} contains {}, but the certificate {}", url.text, names(certificate))
            })
            .collect()
    })
}

fn srv_san_loopback(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member, certificate| {
        let urls = member.settings.urls("listen-client-urls").into_iter();
        let secure = urls.filter(|url| url.scheme == "https");
        let local = secure.filter_map(|url| match () {
            () if url.is_loopback() => Some(url.host),
            () if url.is_unspecified() => Some("127.0.0.1"),
            () => None,
        });
        local
            .filter(|host| !certificate.is_valid_for(host))
            .map(|host| {
                format!("the member listens on {host}, but the certificate {}", names(certificate))
            })
            .collect()
    })
}

fn srv_not_in_own_trust(deployment: &Deployment<'_>) -> Vec<Violation> {
    let refusals = Refusals::new(deployment);
    let mut violations = Vec::new();
    for trust in deployment.trusts.iter().filter(|t| t.purposes.contains(&Purpose::Client)) {
        let Some(member) = deployment.member(trust.host) else { continue };
        let trusted = deployment.trusted(trust);
        let serving = deployment.of_member(trust.host, Purpose::Server);
        let Some((pair, leaf)) = serving.filter(|_| member.settings.uses_gateway()) else {
            continue;
        };
        // If the trust file makes the host reject everyone, report that file instead of the server.
        let sound = trusted.iter().any(Certificate::is_ca) && refusals.by(trust).is_empty();
        if sound && !leads_to(leaf.certificate, &leaf.chain, trusted) {
            violations.push(Violation {
                file: pair.path(),
                subject: leaf.certificate.subject.to_string(),
                evidence: format!(
                    "{} does not contain its CA {}",
                    trust.file, leaf.certificate.issuer
                ),
            });
        }
    }
    violations
}

/// The names of a certificate, as the end of a sentence.
pub(super) fn names(certificate: &Certificate) -> String {
    let names = certificate.extensions.subject_alt_name.iter().flatten();
    let names: Vec<String> = names.map(ToString::to_string).collect();
    if names.is_empty() {
        "has no names".to_owned()
    } else {
        format!("has only {}", names.join(", "))
    }
}
