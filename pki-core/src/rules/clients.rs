//! The clients of etcd: who they are to it, and what their certificates open beside.

use super::{CertificateInPath, Purpose, Row, Violation, common_names, when};
use crate::certificate::{Certificate, GeneralName};
use crate::deployment::{Deployment, carries};
use crate::report::{Rule, Severity, Source};
use crate::subject::Attribute;

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "cli-cn-root",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "With RBAC on, etcd takes the common name for the user, and root may do everything.",
            remedy: "Issue it anew with a common name of its own, and give that user a role: etcdctl user grant-role USER ROLE.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        cli_cn_root,
    ),
    Row::certificate(
        &Rule {
            id: "cli-cn-empty",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Once RBAC is on, etcd has no user to take it for: `etcdserver: permission denied`, `cannot find a user for permission check`.",
            remedy: "Issue it anew with a common name: --cn apiserver-etcd-client.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        cli_cn_empty,
    ),
    Row::certificate(
        &Rule {
            id: "cli-o-masters",
            severity: Severity::Info,
            source: Source::Etcd,
            impact: "The organization means nothing to etcd; under a CA that Kubernetes trusts too it would make the holder administrator of the cluster.",
            remedy: "Issue it anew without O=system:masters, as kubeadm does since 1.29.",
            citation: "kubernetes/kubernetes#120521; measured on etcd 3.4, 3.5, 3.6",
        },
        cli_o_masters,
    ),
    Row::deployment(
        &Rule {
            id: "cli-san-matches-host",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "The certificate names the host that it is on, so that etcd's peer port lets it in from there: its holder can speak Raft.",
            remedy: "Issue it anew with --profile client, whose only name is under .invalid.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        cli_san_matches_host,
    ),
    Row::deployment(
        &Rule {
            id: "cli-sentinel-metrics",
            severity: Severity::Info,
            source: Source::Etcd,
            impact: "A client with a name under .invalid is refused at https listen-metrics-urls, for etcd compares names with the caller's address there too.",
            remedy: "Read the metrics at http://127.0.0.1:2381, or with a certificate that carries the caller's address.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        cli_sentinel_metrics,
    ),
    Row::deployment(
        &Rule {
            id: "cli-shared-key",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Whoever steals the client's file can be a member of the cluster, or pose as one.",
            remedy: "Issue each certificate with a key of its own: `etcdpki apply -f MANIFEST`.",
            citation: "least privilege; measured on etcd 3.4, 3.5, 3.6",
        },
        cli_shared_key,
    ),
];

fn cli_cn_root(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let is_root = common_names(in_path.certificate).any(|name| name == "root");
    when(in_path.is_asked_as(Purpose::Client) && is_root, || "its common name is root".to_owned())
}

fn cli_cn_empty(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let named = common_names(in_path.certificate).any(|name| !name.is_empty());
    when(in_path.is_asked_as(Purpose::Client) && !named, || "it has no common name".to_owned())
}

fn cli_o_masters(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let mut attributes = in_path.certificate.subject.attributes.iter();
    let masters =
        attributes.any(|a| a.attribute == Attribute::Organization && a.value == "system:masters");
    when(in_path.is_asked_as(Purpose::Client) && masters, || "O=system:masters".to_owned())
}

fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&str, &Certificate) -> Option<String>,
) -> Vec<Violation> {
    let clients = deployment.playing(Purpose::Client);
    let violations = clients.filter_map(|(pair, leaf)| {
        let evidence = check(pair.host, leaf.certificate)?;
        Some(Violation {
            file: pair.path(),
            subject: leaf.certificate.subject.to_string(),
            evidence,
        })
    });
    violations.collect()
}

fn cli_san_matches_host(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |host, certificate| {
        let host = deployment.manifest.hosts().find(|known| known.name == host)?;
        let domain = deployment.manifest.domain.as_ref();
        let full = domain.map(|domain| format!("{}.{}", host.name, domain.as_str()));
        let own = [Some(host.name.clone()), full].into_iter().flatten();
        let mut own = own.chain(host.addresses.iter().map(ToString::to_string));
        let name = own.find(|name| carries(certificate, name))?;
        Some(format!("it carries {name}, which is its own host"))
    })
}

fn cli_sentinel_metrics(deployment: &Deployment<'_>) -> Vec<Violation> {
    let urls = deployment.members.iter().flat_map(|m| m.settings.urls("listen-metrics-urls"));
    let secure: Vec<&str> = urls.filter(|url| url.scheme == "https").map(|url| url.text).collect();
    let Some(url) = secure.first() else { return Vec::new() };
    each(deployment, |_, certificate| {
        let names = certificate.extensions.subject_alt_name.as_deref().unwrap_or_default();
        let sentinel = |name: &GeneralName| match name {
            GeneralName::Dns(name) => name.to_ascii_lowercase().ends_with(".invalid"),
            _ => false,
        };
        let only = !names.is_empty() && names.iter().all(sentinel);
        only.then(|| format!("{url} will not let it in"))
    })
}

fn cli_shared_key(deployment: &Deployment<'_>) -> Vec<Violation> {
    let members = [Purpose::Server, Purpose::Peer];
    let of_members: Vec<_> =
        members.into_iter().flat_map(|part| deployment.playing(part)).collect();
    each(deployment, |_, client| {
        let (pair, _) =
            of_members.iter().find(|(_, leaf)| leaf.certificate.public_key == client.public_key)?;
        Some(format!("{} of a member has the same key", pair.path()))
    })
}
