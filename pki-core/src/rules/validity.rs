//! Rules about validity periods: when a certificate is valid.

use time::Duration;

use super::{CertificateInPath, Row};
use crate::evidence::{Evidence, days, moment};
use crate::finding::{Rule, Severity, Source};
use crate::lifetime::ca_warning;

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "validity-order",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "The certificate is never valid, so every handshake with it fails.",
            remedy: "Reissue the certificate with dates from today on: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.1.2.5",
        },
        validity_order,
    ),
    Row::certificate(
        &Rule {
            id: "validity-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Strict RFC 5280 verifiers reject the certificate; others may read a different date.",
            remedy: "Renew the certificate, which encodes the dates as RFC 5280 requires: `etcdpki renew FILE`, or `etcdpki renew --ca` for the CA.",
            citation: "RFC 5280 section 4.1.2.5",
        },
        validity_form,
    ),
    Row::typed(
        &Rule {
            id: "leaf-expired",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "New handshakes fail: `x509: certificate has expired or is not yet valid`. Open connections hide this until the next restart.",
            remedy: "Renew the certificate with `etcdpki renew FILE`, or `etcdpki renew --all -f MANIFEST` for all hosts, and copy it to the host. etcd reads it at the next handshake, without a restart.",
            citation: "RFC 5280 section 4.1.2.5; measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_expired,
    ),
    Row::typed(
        &Rule {
            id: "leaf-not-yet-valid",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Handshakes fail until its notBefore: `x509: certificate has expired or is not yet valid`.",
            remedy: "Correct the clock of the host: `timedatectl set-ntp true`. If the clock is right, issue the certificate again with dates from now on: `etcdpki renew FILE`.",
            citation: "RFC 5280 section 4.1.2.5",
        },
        leaf_not_yet_valid,
    ),
    Row::typed(
        &Rule {
            id: "ca-time",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Every certificate below this CA is rejected, because Go also checks the dates of the root.",
            remedy: "Renew the CA with `etcdpki renew --ca`, copy ca.pem to every host (`etcdpki apply -f MANIFEST`), then restart the programs that trust it, such as etcd with `systemctl restart etcd`. If a CA is not valid yet, correct the clock of the host: `timedatectl set-ntp true`.",
            citation: "RFC 5280 section 6.1.3 (a)(2); measured on etcd 3.4, 3.5, 3.6",
        },
        ca_time,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-outlives-ca",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "The certificate stops being valid when its CA expires, which is before its own notAfter.",
            remedy: "Renew the CA with `etcdpki renew --ca`, or replace it with `etcdpki rotate-ca begin -f MANIFEST`. To issue the certificate now, choose a lifetime within that of the CA: `etcdpki issue --profile PROFILE NAME --expiry 7d --force`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_outlives_ca,
    )
    .refused_at_issue(),
    Row::certificate(
        &Rule {
            id: "leaf-ends-with-ca",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "The certificate cannot be renewed beyond the end of its CA. When the CA expires, all its certificates stop being valid at the same time.",
            remedy: "Renew the CA with `etcdpki renew --ca`, which keeps its key, or replace it with `etcdpki rotate-ca begin -f MANIFEST`. Then renew the certificate with `etcdpki renew FILE`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_ends_with_ca,
    ),
    Row::certificate(
        &Rule {
            id: "ca-expiring",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "When the CA expires, every certificate below it stops being valid. Replacing the CA means restarting every member and client twice.",
            remedy: "Renew the CA with `etcdpki renew --ca`, which keeps its key, or replace it with `etcdpki rotate-ca begin -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        ca_expiring,
    ),
    Row::at_issue(
        &Rule {
            id: "not-backdated",
            severity: Severity::Info,
            source: Source::Etcd,
            impact: "A host whose clock is behind rejects the certificate: `x509: certificate has expired or is not yet valid`.",
            remedy: "Add `\"backdate\": \"5m\"` to the profile in the file of `--config`, and reissue the certificate: `etcdpki issue --config FILE --profile PROFILE NAME --force`. The built-in profiles set it.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        not_backdated,
    ),
    Row::typed(
        &Rule {
            id: "leaf-expiring",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "When the certificate expires, new handshakes fail and members that restart do not come back.",
            remedy: "Renew the certificate with `etcdpki renew FILE`, or `etcdpki renew --all -f MANIFEST` for all hosts; a CA with `etcdpki renew --ca`. etcd reads the new one at the next handshake.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_expiring,
    ),
];

// Section 4.1.2.5
fn validity_order(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let certificate = in_path.certificate;
    Vec::from_iter((certificate.not_after < certificate.not_before).then(|| {
        format!(
            "notBefore {} is after notAfter {}",
            moment(certificate.not_before),
            moment(certificate.not_after)
        )
    }))
}

// Sections 4.1.2.5.1 and 4.1.2.5.2
fn validity_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let faults = ["notBefore", "notAfter"].into_iter().zip(in_path.certificate.encoding.times);
    faults.filter_map(|(field, fault)| Some(format!("{field} is {}", fault?))).collect()
}

// Section 4.1.2.5: the period includes both ends.
fn leaf_expired(in_path: &CertificateInPath<'_>) -> Vec<Evidence> {
    Vec::from_iter((in_path.is_leaf() && is_past(in_path)).then(|| past(in_path)))
}

fn leaf_not_yet_valid(in_path: &CertificateInPath<'_>) -> Vec<Evidence> {
    Vec::from_iter((in_path.is_leaf() && is_future(in_path)).then(|| future(in_path)))
}

fn ca_time(in_path: &CertificateInPath<'_>) -> Vec<Evidence> {
    if in_path.is_leaf() {
        return Vec::new();
    }
    let mut violations = Vec::from_iter(is_past(in_path).then(|| past(in_path)));
    violations.extend(is_future(in_path).then(|| future(in_path)));
    violations
}

fn ca_expiring(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let ca = in_path.certificate;
    let left = ca.not_after - in_path.options.at;
    Vec::from_iter(
        (!in_path.is_leaf() && !is_past(in_path) && left < ca_warning(ca))
            .then(|| format!("expires in {} (notAfter {})", days(left), moment(ca.not_after))),
    )
}

fn not_backdated(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let begins = in_path.certificate.not_before;
    let soon = begins > in_path.options.at - Duration::MINUTE;
    // A notBefore in the future is intended.
    Vec::from_iter(
        (soon && !is_future(in_path))
            .then(|| format!("notBefore {} is the time of issue", moment(begins))),
    )
}

fn leaf_outlives_ca(in_path: &CertificateInPath<'_>) -> Vec<String> {
    match in_path.issuer() {
        Some(ca) if in_path.certificate.not_after > ca.not_after => vec![format!(
            "notAfter {} is later than the CA's {}",
            moment(in_path.certificate.not_after),
            moment(ca.not_after)
        )],
        _ => Vec::new(),
    }
}

fn leaf_ends_with_ca(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let end = in_path.certificate.not_after;
    // A root that is verified by itself is its own CA.
    let is_root = in_path.certificate.is_self_issued();
    let ends_with_ca = !is_root && in_path.issuer().is_some_and(|ca| ca.not_after == end);
    // After the end of the CA, `ca-time` reports it.
    Vec::from_iter(
        (in_path.is_leaf() && ends_with_ca && !is_past(in_path))
            .then(|| format!("notAfter {} is that of the CA", moment(end))),
    )
}

fn leaf_expiring(in_path: &CertificateInPath<'_>) -> Vec<Evidence> {
    let Some(within) = in_path.options.expires_within else {
        return Vec::new();
    };
    let left = in_path.certificate.not_after - in_path.options.at;
    Vec::from_iter((in_path.is_leaf() && !left.is_negative() && left < within).then(|| {
        Evidence::ExpiresSoon { not_after: in_path.certificate.not_after, left, threshold: within }
    }))
}

fn is_past(in_path: &CertificateInPath<'_>) -> bool {
    // RFC 5280 counts in whole seconds; a fraction belongs to the second in which it started.
    in_path.options.at.unix_timestamp() > in_path.certificate.not_after.unix_timestamp()
}

fn is_future(in_path: &CertificateInPath<'_>) -> bool {
    in_path.options.at.unix_timestamp() < in_path.certificate.not_before.unix_timestamp()
}

fn past(in_path: &CertificateInPath<'_>) -> Evidence {
    Evidence::Expired { not_after: in_path.certificate.not_after, at: in_path.options.at }
}

fn future(in_path: &CertificateInPath<'_>) -> Evidence {
    Evidence::NotYetValid { not_before: in_path.certificate.not_before, at: in_path.options.at }
}
