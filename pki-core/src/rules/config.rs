//! Rules about the settings of etcd, in particular those that decide who can connect.

use super::{Row, Violation};
use crate::deployment::{Deployment, Member};
use crate::etcd::RemarkKind;
use crate::finding::{Rule, Severity, Source};
use crate::key::KeyAlgorithm;
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "cfg-auth-off",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Anyone who can reach the port can use it: the client and peer ports give access to all data of the cluster, the metrics port to its metrics.",
            remedy: "Set `client-cert-auth: true` and `trusted-ca-file: FILE`, set the same for peers, and listen only on https:// URLs in etcd.conf.yaml, or let `etcdpki apply -f MANIFEST` write the file. Then restart the member: `systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        auth_off,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-ca-missing",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd trusts the operating system's CAs instead and rejects certificates of the cluster's own CA: `x509: certificate signed by unknown authority`.",
            remedy: "Set `trusted-ca-file: FILE` and `peer-trusted-ca-file: FILE` to the cluster's CA in etcd.conf.yaml, or let `etcdpki apply -f MANIFEST` write the file. Then restart the member: `systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        ca_missing,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-cert-missing",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits at startup: `TLS key/cert (--cert-file, --key-file) must be provided for client url https://…`, or for the peer port `KeyFile and CertFile are not presented`.",
            remedy: "Set `cert-file: FILE` and `key-file: FILE`, and for the peer port `peer-cert-file` and `peer-key-file` in etcd.conf.yaml, or let `etcdpki apply -f MANIFEST` write the file. Then restart the member: `systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        cert_missing,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-auto-tls",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd generates its own certificates, which nobody can verify, so clients and peers have to accept any certificate.",
            remedy: "Remove `auto-tls: true` and `peer-auto-tls: true`, and set `cert-file`, `key-file` and `trusted-ca-file` in etcd.conf.yaml, or let `etcdpki apply -f MANIFEST` write the file. Then restart the member: `systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        auto_tls,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-allowed-hostname-gateway",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd's gRPC gateway never passes the allow list, whatever certificates are used: /v3 answers 503.",
            remedy: "Set `enable-grpc-gateway: false` in etcd.conf.yaml (or in `etcd_config` of the manifest, then run `etcdpki apply -f MANIFEST`), or remove `client-cert-allowed-hostname` and use RBAC. Then restart the member: `systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        allowed_hostname_gateway,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-cipher-vs-key",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Clients that use TLS 1.2 cannot connect: `tls: no cipher suite supported by both client and server`.",
            remedy: "Set `cipher-suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]` in etcd.conf.yaml (or in `etcd_config` of the manifest, then run `etcdpki apply -f MANIFEST`), or an ECDHE_RSA suite for an RSA key, or remove the option. Then restart the member: `systemctl restart etcd`.",
            citation: "RFC 5246 section 7.4.2; measured on etcd 3.4, 3.5, 3.6",
        },
        cipher_vs_key,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-skip-san",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "The peer port accepts any certificate of its CA from any address, so every client can send Raft messages as if it were a member.",
            remedy: "Issue each member a peer certificate that contains its address (`etcdpki apply -f MANIFEST`), then remove `peer-skip-client-san-verification` from the flags of the unit and restart the member: `systemctl daemon-reload && systemctl restart etcd`.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        skip_san,
    ),
];

/// Runs `check` on every member that has a configuration file.
pub(super) fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&Member<'_>) -> Vec<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in &deployment.members {
        let Some(name) = member.settings.file() else { continue };
        let evidence = check(member).into_iter();
        violations.extend(evidence.map(|evidence| Violation::about(member, name, evidence)));
    }
    violations
}

/// The same, except for members with malformed configuration: the option that is missing may be the one that is mistyped.
fn each_well_formed(
    deployment: &Deployment<'_>,
    check: impl Fn(&Member<'_>) -> Vec<String>,
) -> Vec<Violation> {
    each(deployment, |member| if is_malformed(member) { Vec::new() } else { check(member) })
}

fn auth_off(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let settings = &member.settings;
        let mut found = Vec::new();
        for option in ["listen-client-urls", "listen-peer-urls"] {
            let plain = settings.urls(option).into_iter().filter(|url| url.scheme == "http");
            found.extend(
                plain.map(|url| format!("{option} contains {}, which is plain HTTP", url.text)),
            );
        }
        // On a loopback address, metrics may be served without TLS.
        let metrics = settings.urls("listen-metrics-urls").into_iter();
        let open = metrics.filter(|url| url.scheme == "http" && !url.is_loopback());
        found.extend(
            open.map(|url| {
                format!("listen-metrics-urls contains {}, which is plain HTTP", url.text)
            }),
        );
        if is_malformed(member) {
            return found;
        }
        for (option, port) in [("listen-client-urls", 2379), ("listen-peer-urls", 2380)] {
            if settings.is_absent(option) {
                let default = format!("http://localhost:{port}");
                found.push(format!("{option} is not set and defaults to {default}"));
            }
        }
        for (auth, file) in [
            ("client-cert-auth", "trusted-ca-file"),
            ("peer-client-cert-auth", "peer-trusted-ca-file"),
        ] {
            let asks_nobody = settings.is_absent(auth) || settings.find(auth) == Some("false");
            if asks_nobody && settings.is_absent(file) {
                found.push(format!("neither {auth} nor {file} is set"));
            }
        }
        found
    })
}

fn ca_missing(deployment: &Deployment<'_>) -> Vec<Violation> {
    each_well_formed(deployment, |member| {
        let settings = &member.settings;
        let sides = [
            ("client-cert-auth", "trusted-ca-file"),
            ("peer-client-cert-auth", "peer-trusted-ca-file"),
        ];
        sides
            .into_iter()
            .filter(|(auth, file)| settings.is_on(auth) && settings.is_absent(file))
            .map(|(auth, file)| format!("{auth} is true, but {file} is not set"))
            .collect()
    })
}

fn cert_missing(deployment: &Deployment<'_>) -> Vec<Violation> {
    each_well_formed(deployment, |member| {
        let settings = &member.settings;
        let mut found = Vec::new();
        for side in ["", "peer-"] {
            let of_side = if side.is_empty() { "listen-client-urls" } else { "listen-peer-urls" };
            let serves = settings.urls(of_side).iter().any(|url| url.scheme == "https");
            if !serves || settings.is_on(&format!("{side}auto-tls")) {
                continue;
            }
            let options = [format!("{side}cert-file"), format!("{side}key-file")];
            let missing = options.into_iter().filter(|option| settings.is_absent(option));
            found.extend(
                missing.map(|option| format!("{of_side} uses https, but {option} is not set")),
            );
        }
        found
    })
}

fn auto_tls(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let options = ["auto-tls", "peer-auto-tls"].into_iter();
        let on = options.filter(|option| member.settings.is_on(option));
        on.map(|option| format!("{option} is true")).collect()
    })
}

fn allowed_hostname_gateway(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let settings = &member.settings;
        match settings.find("client-cert-allowed-hostname") {
            Some(name) if settings.is_not_off("enable-grpc-gateway") => {
                vec![format!(
                    "client-cert-allowed-hostname is {name}, and the gRPC gateway is enabled"
                )]
            }
            _ => Vec::new(),
        }
    })
}

fn cipher_vs_key(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let suites = member.settings.list("cipher-suites");
        let leaves = [Purpose::Server, Purpose::Peer].into_iter();
        let leaves = leaves.filter_map(|part| deployment.of_member(&member.host.name, part));
        let mut found = Vec::new();
        for (pair, leaf) in leaves.filter(|_| !suites.is_empty()) {
            let Some(algorithm) = leaf.certificate.public_key.algorithm() else { continue };
            // Only the names of TLS 1.2 suites contain a type of key; TLS 1.3 suites do not help here.
            let fits = |suite: &str| match algorithm {
                KeyAlgorithm::Rsa(_) => suite.contains("_RSA_"),
                _ => suite.contains("_ECDSA_"),
            };
            let evidence = format!(
                "none of the cipher suites {} fits the key in {} ({algorithm})",
                suites.join(","),
                pair.certificate
            );
            if !suites.iter().any(|suite| fits(suite)) && !found.contains(&evidence) {
                found.push(evidence);
            }
        }
        found
    })
}

fn skip_san(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let options =
            ["peer-skip-client-san-verification", "experimental-peer-skip-client-san-verification"];
        let on = options.into_iter().filter(|option| member.settings.is_on(option));
        on.map(|option| format!("{option} is true")).collect()
    })
}

fn is_malformed(member: &Member<'_>) -> bool {
    member.settings.remarks().iter().any(|remark| remark.kind == RemarkKind::Malformed)
}
