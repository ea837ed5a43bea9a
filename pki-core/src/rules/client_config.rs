//! Rules about the configuration of etcd's clients: kubeadm's external etcd, and the environment of etcdctl.

use std::collections::HashMap;

use super::reach::hosts_of_members;
use super::{Row, Violation};
use crate::deployment::{ClientFile, Deployment, Setting};
use crate::etcd::Url;
use crate::finding::{Rule, Severity, Source};
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "client-setting-missing",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The client cannot connect. Without endpoints, etcdctl connects to 127.0.0.1:2379, and kubeadm starts its own etcd on the host. Without a CA, it trusts those of the operating system: `x509: certificate signed by unknown authority`. Without a certificate, etcd rejects it: `tls: client didn't provide a certificate`.",
            remedy: "Rewrite the file with `etcdpki apply -f MANIFEST`, or set endpoints, caFile, certFile and keyFile under etcd.external, or in etcdctl.env `ETCDCTL_ENDPOINTS=URL`, `ETCDCTL_CACERT=FILE`, `ETCDCTL_CERT=FILE` and `ETCDCTL_KEY=FILE`.",
            citation: "kubeadm.k8s.io/v1beta4 ExternalEtcd; measured on etcd 3.4, 3.5",
        },
        setting_missing,
    ),
    Row::deployment(
        &Rule {
            id: "client-plain-http",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The client sends every key and value unencrypted, or cannot connect, because the port of etcd expects TLS.",
            remedy: "Write https:// in the endpoint (`ETCDCTL_ENDPOINTS=https://HOST:2379`), and set `client-cert-auth: true` and `trusted-ca-file: FILE` in the member's etcd.conf.yaml.",
            citation: "measured on etcd 3.4, 3.5",
        },
        plain_http,
    ),
    Row::deployment(
        &Rule {
            id: "client-endpoint-unknown",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "The client rejects the member at that endpoint (`x509: certificate is valid for` other names). An API server reports only `context deadline exceeded`.",
            remedy: "Correct the endpoint (`ETCDCTL_ENDPOINTS=URL`, or endpoints under etcd.external), or add its host to `sans` in the manifest and run `etcdpki apply -f MANIFEST`.",
            citation: "RFC 6125 section 6; measured on etcd 3.4, 3.5, 3.6",
        },
        endpoint_unknown,
    ),
    Row::deployment(
        &Rule {
            id: "client-variable-unread",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcdctl ignores the variable and then fails without giving the reason: `context deadline exceeded`.",
            remedy: "Use the names of the version 3 API: `ETCDCTL_CACERT=FILE`, `ETCDCTL_CERT=FILE`, `ETCDCTL_KEY=FILE` and `ETCDCTL_ENDPOINTS=URL`.",
            citation: "measured on etcd 3.4, 3.5",
        },
        variable_unread,
    ),
];

fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&ClientFile<'_>) -> Vec<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for client in &deployment.clients {
        violations.extend(check(client).into_iter().map(|evidence| about(client, evidence)));
    }
    violations
}

fn about(client: &ClientFile<'_>, evidence: String) -> Violation {
    Violation { file: client.path(), subject: client.name.clone(), evidence }
}

fn setting_missing(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |client| {
        // On a member, etcd listens at the default endpoint, and kubeadm may have created the file.
        let is_member = deployment.member(client.host).is_some();
        if client.config.has_no_endpoints() && !is_member {
            return vec![format!("{} is not set", client.config.endpoints_setting())];
        }
        let plain = |url: &String| Url::read(url).scheme == "http";
        let connects = client.config.endpoints().iter().any(|url| !plain(url));
        let asked = deployment.members.iter().all(|member| member.settings.asks_clients());
        let files = client.config.files().into_iter().enumerate();
        let missing = files.filter(|(_, (_, setting))| **setting == Setting::Absent);
        // The first is the CA; the others matter only if the member requests a certificate.
        let missing = missing.filter(|(index, _)| connects && (*index == 0 || asked));
        missing.map(|(_, (name, _))| format!("{name} is not set")).collect()
    })
}

fn plain_http(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |client| {
        let urls = client.config.endpoints().iter().filter(|url| Url::read(url).scheme == "http");
        urls.map(|url| format!("the endpoint {url} uses plain HTTP")).collect()
    })
}

fn endpoint_unknown(deployment: &Deployment<'_>) -> Vec<Violation> {
    let servers: Vec<_> = deployment.playing(Purpose::Server).map(|(_, leaf)| leaf).collect();
    if servers.is_empty() {
        return Vec::new();
    }
    let members = hosts_of_members(deployment);
    // Clients usually have the same endpoints.
    let mut known: HashMap<&str, bool> = HashMap::new();
    let mut is_known = |host| {
        *known.entry(host).or_insert_with(|| {
            members.contains(host) || servers.iter().any(|leaf| leaf.certificate.is_valid_for(host))
        })
    };
    let mut violations = Vec::new();
    for client in &deployment.clients {
        let urls = client.config.endpoints().iter().map(|url| Url::read(url));
        let urls = urls.filter(|url| url.scheme != "http" && !url.scheme.starts_with("unix"));
        violations.extend(urls.filter(|url| !is_known(url.host)).map(|url| {
            let evidence = format!("no server certificate is valid for the endpoint {}", url.text);
            about(client, evidence)
        }));
    }
    violations
}

fn variable_unread(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |client| {
        let unread = client.config.unread.iter();
        unread
            .map(|(name, known)| match known {
                Some(known) => format!("etcdctl does not read {name}; it reads {known}"),
                None => format!("etcdctl does not read {name}"),
            })
            .collect()
    })
}
