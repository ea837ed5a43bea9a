//! How etcd is configured, as far as it decides who gets in.

use super::{Row, Violation};
use crate::deployment::{Deployment, Member};
use crate::key::KeyAlgorithm;
use crate::report::{Rule, Severity, Source};
use crate::usage::Purpose;

pub(super) static ROWS: &[Row] = &[
    Row::deployment(
        &Rule {
            id: "cfg-malformed",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits before it starts: `error verifying flags`.",
            remedy: "Correct the file, or run `etcdpki apply -f MANIFEST`, which writes it anew.",
            citation: "etcd, --config-file",
        },
        malformed,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-auth-off",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Everybody who reaches the port can read and write the whole state of the cluster.",
            remedy: "Set client-cert-auth: true and trusted-ca-file, and listen at https:// alone; the same for peers.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        auth_off,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-ca-missing",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd trusts the CAs of the operating system instead and refuses its own: `x509: certificate signed by unknown authority`.",
            remedy: "Set trusted-ca-file and peer-trusted-ca-file to the cluster's CA.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        ca_missing,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-cert-missing",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits: `TLS key/cert (--cert-file, --key-file) must be provided for client url https://…`; towards peers `KeyFile and CertFile are not presented`.",
            remedy: "Set cert-file and key-file, for peers peer-cert-file and peer-key-file.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        cert_missing,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-auto-tls",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd makes certificates for itself that nobody can verify, so that its clients and peers have to trust anybody.",
            remedy: "Remove auto-tls and peer-auto-tls, and set cert-file, key-file and trusted-ca-file.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        auto_tls,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-allowed-hostname-gateway",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd's gateway does not pass its own allow list, whatever the certificates: /v3 answers 503.",
            remedy: "Set enable-grpc-gateway: false, or remove client-cert-allowed-hostname and use RBAC.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        allowed_hostname_gateway,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-yaml-unknown-key",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd passes over the key in silence, so that what it should switch on is off.",
            remedy: "Write it as etcd's sample configuration has it; what is a flag alone, as client-crl-file, needs a unit without --config-file.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        yaml_unknown_key,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-env-flag-clash",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits: `conflicting environment variable is shadowed by corresponding command-line flag`; with --config-file it passes over both in silence.",
            remedy: "Say each thing in one place.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        env_flag_clash,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-cipher-vs-key",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Clients with TLS 1.2 fail: `tls: no cipher suite supported by both client and server`.",
            remedy: "Add a suite for the key, such as TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (RSA keys: ECDHE_RSA), or remove cipher-suites.",
            citation: "RFC 5246 section 7.4.2; measured on etcd 3.4, 3.5, 3.6",
        },
        cipher_vs_key,
    ),
    Row::deployment(
        &Rule {
            id: "cfg-skip-san",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "The peer port takes any certificate of its CA for a member, from any address: every client can speak Raft.",
            remedy: "Remove peer-skip-client-san-verification, and give each member its address.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        skip_san,
    ),
];

/// What is wrong with how members are configured.
pub(super) fn each(
    deployment: &Deployment<'_>,
    check: impl Fn(&Member<'_>) -> Vec<String>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for member in &deployment.members {
        let Some(name) = member.settings.file else { continue };
        for evidence in check(member) {
            let file = format!("{}/{name}", member.host.name);
            violations.push(Violation { file, subject: name.to_owned(), evidence });
        }
    }
    violations
}

fn malformed(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| member.settings.malformed.iter().cloned().collect())
}

fn auth_off(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let settings = &member.settings;
        let mut found = Vec::new();
        for option in ["listen-client-urls", "listen-peer-urls"] {
            let plain = settings.urls(option).into_iter().filter(|url| url.scheme == "http");
            found.extend(plain.map(|url| format!("{option} has {}, which is plain", url.text)));
        }
        // What reads metrics on the host itself may do so without TLS.
        let metrics = settings.urls("listen-metrics-urls").into_iter();
        let open = metrics.filter(|url| url.scheme == "http" && !url.is_loopback());
        found.extend(
            open.map(|url| format!("listen-metrics-urls has {}, which is plain", url.text)),
        );
        if settings.malformed.is_some() || settings.is_partial {
            return found;
        }
        for (option, port) in [("listen-client-urls", 2379), ("listen-peer-urls", 2380)] {
            if settings.find(option).is_none() {
                let default = format!("http://localhost:{port}");
                found.push(format!("{option} is not set, and then it is {default}"));
            }
        }
        if !settings.asks_clients() {
            found.push("neither client-cert-auth nor trusted-ca-file is set".to_owned());
        }
        let asks_peers = settings.is_on("peer-client-cert-auth")
            || settings.find("peer-trusted-ca-file").is_some();
        if !asks_peers {
            found.push("neither peer-client-cert-auth nor peer-trusted-ca-file is set".to_owned());
        }
        found
    })
}

fn ca_missing(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let settings = &member.settings;
        let sides = [
            ("client-cert-auth", "trusted-ca-file"),
            ("peer-client-cert-auth", "peer-trusted-ca-file"),
        ];
        sides
            .into_iter()
            .filter(|(auth, file)| settings.is_on(auth) && settings.find(file).is_none())
            .filter(|_| !settings.is_partial)
            .map(|(auth, file)| format!("{auth} is on, and {file} is not set"))
            .collect()
    })
}

fn cert_missing(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let settings = &member.settings;
        let mut found = Vec::new();
        for side in ["", "peer-"] {
            let of_side = if side.is_empty() { "listen-client-urls" } else { "listen-peer-urls" };
            let serves = settings.urls(of_side).iter().any(|url| url.scheme == "https");
            if !serves || settings.is_on(&format!("{side}auto-tls")) {
                continue;
            }
            let options = [format!("{side}cert-file"), format!("{side}key-file")];
            let missing = options.into_iter().filter(|option| settings.find(option).is_none());
            found.extend(
                missing.map(|option| format!("{of_side} is https, and {option} is not set")),
            );
        }
        found
    })
}

fn auto_tls(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let options = ["auto-tls", "peer-auto-tls"].into_iter();
        let on = options.filter(|option| member.settings.is_on(option));
        on.map(|option| format!("{option} is on")).collect()
    })
}

fn allowed_hostname_gateway(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let settings = &member.settings;
        match settings.find("client-cert-allowed-hostname") {
            Some(name) if settings.is_not_off("enable-grpc-gateway") => {
                vec![format!("client-cert-allowed-hostname is {name}, and the gateway is on")]
            }
            _ => Vec::new(),
        }
    })
}

fn yaml_unknown_key(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let unknown = member.settings.unknown.iter();
        unknown.map(|key| format!("{key} is no key of this file")).collect()
    })
}

fn env_flag_clash(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| member.settings.clashes.clone())
}

fn cipher_vs_key(deployment: &Deployment<'_>) -> Vec<Violation> {
    each(deployment, |member| {
        let suites = member.settings.list("cipher-suites");
        let leaves = [Purpose::Server, Purpose::Peer].into_iter();
        let leaves = leaves.filter_map(|part| deployment.of_member(&member.host.name, part));
        let mut found = Vec::new();
        for (pair, leaf) in leaves.filter(|_| !suites.is_empty()) {
            let Some(algorithm) = leaf.certificate.public_key.algorithm() else { continue };
            // The suites of TLS 1.2 that any key can serve end there; those of 1.3 name no key.
            let fits = |suite: &str| match algorithm {
                KeyAlgorithm::Rsa(_) => suite.contains("_RSA_"),
                _ => suite.contains("_ECDSA_"),
            };
            let evidence = format!(
                "no suite of {} goes with the key of {} ({algorithm})",
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
        on.map(|option| format!("{option} is on")).collect()
    })
}
