//! Rules about key usage and extended key usage: what a certificate may be used for.

use super::{CertificateInPath, Row};
use crate::finding::{Rule, Severity, Source};
use crate::usage::{ExtendedKeyUsage, KeyUsages, Purpose};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "srv-eku-server",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Clients reject the member: `x509: certificate specifies an incompatible key usage`.",
            remedy: "Reissue the certificate: `etcdpki issue --profile server NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        server_eku,
    ),
    Row::certificate(
        &Rule {
            id: "cli-eku",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd rejects the client: `x509: certificate specifies an incompatible key usage`. The client sees `tls: bad certificate`.",
            remedy: "Reissue the certificate: `etcdpki issue --profile client NAME --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        client_eku,
    ),
    Row::certificate(
        &Rule {
            id: "peer-eku-both",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "The cluster looks healthy until this member needs a snapshot or restarts; then the member does not come back.",
            remedy: "Reissue the certificate with serverAuth and clientAuth: `etcdpki issue --profile peer NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        peer_eku,
    ),
    Row::certificate(
        &Rule {
            id: "srv-eku-client",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd's gRPC gateway connects to its own member with this certificate and is rejected: the log fills with `rejected connection`, and /v3 answers 503.",
            remedy: "Reissue the certificate, to which the profile adds clientAuth: `etcdpki issue --profile server NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "etcd-io/etcd#9785; measured on etcd 3.4, 3.5, 3.6",
        },
        server_without_client_auth,
    ),
    Row::certificate(
        &Rule {
            id: "cli-has-serverauth",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Anyone who steals the client's file can pose as a member.",
            remedy: "Reissue the certificate with only clientAuth: `etcdpki issue --profile client NAME --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "least privilege; measured on etcd 3.4, 3.5, 3.6",
        },
        client_with_server_auth,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-ku",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Go does not check this. OpenSSL and curl reject a TLS certificate whose key may not sign: `ecc cert not for signing`.",
            remedy: "Reissue the certificate with the key usage digitalSignature: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
            citation: "RFC 8446 section 4.4.2.2; measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_key_usage,
    ),
    Row::certificate(
        &Rule {
            id: "ku-empty",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Strict RFC 5280 verifiers reject the certificate, because its key may not be used for anything.",
            remedy: "Reissue the certificate with the key usage digitalSignature: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.3",
        },
        key_usage_empty,
    ),
    Row::certificate(
        &Rule {
            id: "ku-certsign-leaf",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Strict RFC 5280 verifiers reject the certificate, because only a CA may sign certificates.",
            remedy: "Reissue the certificate without keyCertSign: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 sections 4.2.1.3 and 4.2.1.9",
        },
        key_cert_sign_on_leaf,
    ),
    Row::certificate(
        &Rule {
            id: "eku-form",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Programs disagree on whether the certificate may be used for everything or for nothing.",
            remedy: "Reissue the certificate with the usages that it needs: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.12",
        },
        extended_key_usage_form,
    ),
    Row::certificate(
        &Rule {
            id: "eku-any",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "OpenSSL rejects the certificate (`unsuitable certificate purpose`), because anyExtendedKeyUsage does not count as serverAuth or clientAuth. Go accepts it.",
            remedy: "Reissue the certificate with serverAuth or clientAuth instead, or both for a member: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.12",
        },
        any_extended_key_usage,
    ),
];

// Section 4.2.1.12: without the extension, any purpose is allowed.
fn server_eku(in_path: &CertificateInPath<'_>) -> Vec<String> {
    lacking(in_path, Purpose::Server, &[ExtendedKeyUsage::server_auth()])
}

fn client_eku(in_path: &CertificateInPath<'_>) -> Vec<String> {
    lacking(in_path, Purpose::Client, &[ExtendedKeyUsage::client_auth()])
}

fn peer_eku(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let both = [ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()];
    lacking(in_path, Purpose::Peer, &both)
}

fn server_without_client_auth(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if !in_path.allows(&ExtendedKeyUsage::server_auth()) {
        return Vec::new();
    }
    lacking(in_path, Purpose::Server, &[ExtendedKeyUsage::client_auth()])
}

fn client_with_server_auth(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usages = in_path.certificate.extensions.extended_key_usage.iter().flatten();
    let has = usages.into_iter().any(|usage| *usage == ExtendedKeyUsage::server_auth());
    Vec::from_iter((in_path.is_asked_as(Purpose::Client) && has).then(|| usages_are(in_path)))
}

fn leaf_key_usage(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    let lacks = usage.is_some_and(|usage| !usage.contains(KeyUsages::DIGITAL_SIGNATURE));
    Vec::from_iter((in_path.is_leaf() && !in_path.certificate.is_ca() && lacks).then(|| {
        let names: Vec<_> = usage.unwrap_or_default().names().collect();
        format!("keyUsage is {}, without digitalSignature", names.join(", "))
    }))
}

/// The usages that a leaf certificate with this purpose requires and does not allow.
fn lacking(
    in_path: &CertificateInPath<'_>,
    purpose: Purpose,
    required: &[ExtendedKeyUsage],
) -> Vec<String> {
    let missing = required.iter().filter(|usage| !in_path.allows(usage));
    let missing: Vec<String> = missing.map(ToString::to_string).collect();
    Vec::from_iter(
        (in_path.is_asked_as(purpose) && !missing.is_empty())
            .then(|| format!("{}, without {}", usages_are(in_path), missing.join(" and "))),
    )
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
    Vec::from_iter(
        usage.is_some_and(KeyUsages::is_empty).then(|| "keyUsage has no bit set".to_owned()),
    )
}

// Section 4.2.1.9
fn key_cert_sign_on_leaf(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    let signs = usage.is_some_and(|usage| usage.contains(KeyUsages::KEY_CERT_SIGN));
    Vec::from_iter(
        (signs && in_path.is_leaf() && !in_path.certificate.is_ca())
            .then(|| "keyUsage includes keyCertSign, but this is not a CA".to_owned()),
    )
}

// Section 4.2.1.12: the SEQUENCE has at least one element.
fn extended_key_usage_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usages = in_path.certificate.extensions.extended_key_usage.as_ref();
    Vec::from_iter(usages.is_some_and(Vec::is_empty).then(|| "extKeyUsage is empty".to_owned()))
}

// Section 4.2.1.12: an application "MAY reject certificates that include the anyExtendedKeyUsage".
fn any_extended_key_usage(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let Some(usages) = &in_path.certificate.extensions.extended_key_usage else {
        return Vec::new();
    };
    let required = in_path.options.purpose.usages();
    let missing = required.iter().find(|usage| !usages.contains(usage));
    Vec::from_iter(
        (missing.is_some() && usages.iter().any(ExtendedKeyUsage::is_any))
            .then(|| usages_are(in_path)),
    )
}
