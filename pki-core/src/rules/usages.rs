//! What a certificate may be used for.

use super::{CertificateInPath, Purpose, Row, when};
use crate::report::{Rule, Severity, Source};
use crate::usage::{ExtendedKeyUsage, KeyUsages};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "srv-eku-server",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Clients refuse the member: `x509: certificate specifies an incompatible key usage`.",
            remedy: "Issue it anew with --profile server.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        server_eku,
    ),
    Row::certificate(
        &Rule {
            id: "cli-eku",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd refuses the client with `x509: certificate specifies an incompatible key usage`; the client sees `tls: bad certificate`.",
            remedy: "Issue it anew with --profile client.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        client_eku,
    ),
    Row::certificate(
        &Rule {
            id: "peer-eku-both",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "The cluster looks healthy until a member lags behind a snapshot or restarts, and then that member never comes back.",
            remedy: "Issue it anew with --profile peer, which carries serverAuth and clientAuth.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        peer_eku,
    ),
    Row::certificate(
        &Rule {
            id: "srv-eku-client",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd's gateway dials its own member with this certificate: an endless `rejected connection` log, and /v3 answers 503.",
            remedy: "Issue it anew with --profile server, which carries clientAuth too.",
            citation: "etcd-io/etcd#9785; measured on etcd 3.4, 3.5, 3.6",
        },
        server_without_client_auth,
    ),
    Row::certificate(
        &Rule {
            id: "cli-has-serverauth",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Whoever steals the client's file can pose as a member.",
            remedy: "Issue it anew with --profile client, which carries clientAuth alone.",
            citation: "least privilege; measured on etcd 3.4, 3.5, 3.6",
        },
        client_with_server_auth,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-ku",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Go does not look; OpenSSL and curl refuse a TLS certificate whose key may not sign: `ecc cert not for signing`.",
            remedy: "Issue it anew with the key usage digitalSignature, which every built-in profile has.",
            citation: "RFC 8446 section 4.4.2.2; measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_key_usage,
    ),
    Row::certificate(
        &Rule {
            id: "ku-empty",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Verifiers that keep to the letter of RFC 5280 refuse it: its key may be used for nothing.",
            remedy: "Issue it anew with the usages that it needs.",
            citation: "RFC 5280 section 4.2.1.3",
        },
        key_usage_empty,
    ),
    Row::certificate(
        &Rule {
            id: "ku-certsign-leaf",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Verifiers that keep to the letter of RFC 5280 refuse it: only a CA signs certificates.",
            remedy: "Issue it anew without keyCertSign.",
            citation: "RFC 5280 sections 4.2.1.3 and 4.2.1.9",
        },
        key_cert_sign_on_leaf,
    ),
    Row::certificate(
        &Rule {
            id: "eku-form",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Programs disagree on whether it may be used for everything or for nothing.",
            remedy: "Issue it anew without extKeyUsage, or with the usages that it needs.",
            citation: "RFC 5280 section 4.2.1.12",
        },
        extended_key_usage_form,
    ),
    Row::certificate(
        &Rule {
            id: "eku-any",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "OpenSSL refuses it with `unsuitable certificate purpose`, for anyExtendedKeyUsage is no usage by name; Go takes it.",
            remedy: "Issue it anew with serverAuth and clientAuth by name.",
            citation: "RFC 5280 section 4.2.1.12",
        },
        any_extended_key_usage,
    ),
];

// Section 4.2.1.12: absent means any purpose.
fn server_eku(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let lacks =
        in_path.is_asked_as(Purpose::Server) && !in_path.allows(&ExtendedKeyUsage::server_auth());
    when(lacks, || usages_are(in_path))
}

fn client_eku(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let lacks =
        in_path.is_asked_as(Purpose::Client) && !in_path.allows(&ExtendedKeyUsage::client_auth());
    when(lacks, || usages_are(in_path))
}

fn peer_eku(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let both = [ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()];
    let lacks =
        in_path.is_asked_as(Purpose::Peer) && !both.iter().all(|usage| in_path.allows(usage));
    when(lacks, || usages_are(in_path))
}

fn server_without_client_auth(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let lacks = in_path.is_asked_as(Purpose::Server)
        && in_path.allows(&ExtendedKeyUsage::server_auth())
        && !in_path.allows(&ExtendedKeyUsage::client_auth());
    when(lacks, || usages_are(in_path))
}

fn client_with_server_auth(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usages = in_path.certificate.extensions.extended_key_usage.iter().flatten();
    let has = usages.into_iter().any(|usage| *usage == ExtendedKeyUsage::server_auth());
    when(in_path.is_asked_as(Purpose::Client) && has, || usages_are(in_path))
}

fn leaf_key_usage(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    let lacks = usage.is_some_and(|usage| !usage.contains(KeyUsages::DIGITAL_SIGNATURE));
    when(in_path.is_leaf() && !in_path.certificate.is_ca() && lacks, || {
        let names: Vec<_> = usage.unwrap_or_default().names().collect();
        format!("keyUsage is {}", names.join(", "))
    })
}

fn usages_are(in_path: &CertificateInPath<'_>) -> String {
    let usages = in_path.certificate.extensions.extended_key_usage.iter().flatten();
    let names: Vec<String> = usages.map(ToString::to_string).collect();
    format!(
        "extKeyUsage is {}",
        if names.is_empty() { "empty".to_owned() } else { names.join(", ") }
    )
}

// Section 4.2.1.3: "at least one of the bits MUST be set".
fn key_usage_empty(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    when(usage.is_some_and(KeyUsages::is_empty), || "no bit of its keyUsage is set".to_owned())
}

// Section 4.2.1.9
fn key_cert_sign_on_leaf(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    let signs = usage.is_some_and(|usage| usage.contains(KeyUsages::KEY_CERT_SIGN));
    when(signs && in_path.is_leaf() && !in_path.certificate.is_ca(), || {
        "its keyUsage has keyCertSign, and it is no CA".to_owned()
    })
}

// Section 4.2.1.12: a SEQUENCE of one or more.
fn extended_key_usage_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usages = in_path.certificate.extensions.extended_key_usage.as_ref();
    when(usages.is_some_and(Vec::is_empty), || "its extKeyUsage is empty".to_owned())
}

// Section 4.2.1.12: an application "MAY reject certificates that include the anyExtendedKeyUsage".
fn any_extended_key_usage(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let Some(usages) = &in_path.certificate.extensions.extended_key_usage else {
        return Vec::new();
    };
    let wanted = in_path.options.purpose.usages();
    let missing = wanted.iter().find(|wanted| !usages.contains(wanted));
    when(missing.is_some() && usages.iter().any(ExtendedKeyUsage::is_any), || usages_are(in_path))
}
