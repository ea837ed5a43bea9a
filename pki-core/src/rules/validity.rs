//! When a certificate is good.

use time::Duration;

use super::{Case, Row, moment, when};
use crate::report::{Rule, Severity, Source};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "validity-order",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "The certificate is valid at no moment at all, so every handshake with it fails.",
            remedy: "Issue it anew with an end that is after its beginning.",
            citation: "RFC 5280 section 4.1.2.5",
        },
        validity_order,
    ),
    Row::certificate(
        &Rule {
            id: "validity-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            breaks: "Verifiers that keep to the letter of RFC 5280 refuse it; others may read another date.",
            remedy: "Issue it anew; etcdpki writes each date in its proper form.",
            citation: "RFC 5280 section 4.1.2.5",
        },
        validity_form,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-expired",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "New handshakes fail with `x509: certificate has expired or is not yet valid`; open connections hide it until the next restart.",
            remedy: "Issue it anew and put it in place; etcd reads it at the next handshake, no restart is needed.",
            citation: "RFC 5280 section 4.1.2.5; measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_expired,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-not-yet-valid",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "Handshakes fail with `x509: certificate has expired or is not yet valid` until its time comes.",
            remedy: "Set the clock of the host right, or issue it anew with a backdate.",
            citation: "RFC 5280 section 4.1.2.5",
        },
        leaf_not_yet_valid,
    ),
    Row::certificate(
        &Rule {
            id: "ca-time",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "Every certificate below this CA is refused, for Go checks the dates of the root too.",
            remedy: "Renew the CA with the same key, name and key identifier, then restart what trusts it.",
            citation: "RFC 5280 section 6.1.3 (a)(2); measured on etcd 3.4, 3.5, 3.6",
        },
        ca_time,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-outlives-ca",
            severity: Severity::Warning,
            source: Source::Etcd,
            breaks: "It dies with its CA, long before the date that it promises.",
            remedy: "Renew the CA first, or choose a shorter lifetime (--expiry).",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_outlives_ca,
    )
    .refused_at_issue(),
    Row::certificate(
        &Rule {
            id: "ca-expiring",
            severity: Severity::Warning,
            source: Source::Etcd,
            breaks: "The CA soon ends, and with it every certificate below it; a new CA takes two restarts of everything.",
            remedy: "Renew the CA with the same key, name and key identifier, or begin the rotation to a new one.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        ca_expiring,
    ),
    Row::at_issue(
        &Rule {
            id: "not-backdated",
            severity: Severity::Info,
            source: Source::Etcd,
            breaks: "A host whose clock is behind refuses it: `x509: certificate has expired or is not yet valid`.",
            remedy: "Give the profile a backdate: \"backdate\": \"5m\".",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        not_backdated,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-expiring",
            severity: Severity::Warning,
            source: Source::Etcd,
            breaks: "It soon ends, and then new handshakes and restarts fail.",
            remedy: "Renew it now; etcd reads the new one at the next handshake.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_expiring,
    ),
];

// Section 4.1.2.5
fn validity_order(case: &Case<'_>) -> Vec<String> {
    let certificate = case.certificate;
    when(certificate.not_after < certificate.not_before, || {
        format!(
            "notBefore {} is after notAfter {}",
            moment(certificate.not_before),
            moment(certificate.not_after)
        )
    })
}

// Sections 4.1.2.5.1 and 4.1.2.5.2
fn validity_form(case: &Case<'_>) -> Vec<String> {
    let faults = ["notBefore", "notAfter"].into_iter().zip(case.certificate.encoding.times);
    faults.filter_map(|(field, fault)| Some(format!("{field} is {}", fault?))).collect()
}

// Section 4.1.2.5: the period includes both ends.
fn leaf_expired(case: &Case<'_>) -> Vec<String> {
    when(case.is_leaf() && is_past(case), || past(case))
}

fn leaf_not_yet_valid(case: &Case<'_>) -> Vec<String> {
    when(case.is_leaf() && is_future(case), || future(case))
}

fn ca_time(case: &Case<'_>) -> Vec<String> {
    if case.is_leaf() {
        return Vec::new();
    }
    let mut breaches = when(is_past(case), || past(case));
    breaches.extend(when(is_future(case), || future(case)));
    breaches
}

/// Long enough to plan two rounds of restarts; of a short life, a quarter.
const CA_WARNING: Duration = Duration::days(90);

fn ca_expiring(case: &Case<'_>) -> Vec<String> {
    let ca = case.certificate;
    let left = ca.not_after - case.question.at;
    let warning = CA_WARNING.min((ca.not_after - ca.not_before) / 4);
    when(!case.is_leaf() && !is_past(case) && left < warning, || {
        format!("notAfter {}: {} days left", moment(ca.not_after), left.whole_days())
    })
}

fn not_backdated(case: &Case<'_>) -> Vec<String> {
    let begins = case.certificate.not_before;
    let soon = begins > case.question.at - Duration::MINUTE;
    // What is to begin later is asked for so.
    when(soon && !is_future(case), || format!("it begins at {}, now", moment(begins)))
}

fn leaf_outlives_ca(case: &Case<'_>) -> Vec<String> {
    match case.issuer() {
        Some(ca) if case.certificate.not_after > ca.not_after => vec![format!(
            "notAfter {} is later than the CA's {}",
            moment(case.certificate.not_after),
            moment(ca.not_after)
        )],
        _ => Vec::new(),
    }
}

fn leaf_expiring(case: &Case<'_>) -> Vec<String> {
    let Some(within) = case.question.expires_within else {
        return Vec::new();
    };
    let left = case.certificate.not_after - case.question.at;
    when(case.is_leaf() && !left.is_negative() && left < within, || {
        format!(
            "notAfter {}: {} days left, {} days were wanted",
            moment(case.certificate.not_after),
            left.whole_days(),
            within.whole_days()
        )
    })
}

fn is_past(case: &Case<'_>) -> bool {
    // RFC 5280 knows whole seconds; a fraction belongs to the second that it started in.
    case.question.at.unix_timestamp() > case.certificate.not_after.unix_timestamp()
}

fn is_future(case: &Case<'_>) -> bool {
    case.question.at.unix_timestamp() < case.certificate.not_before.unix_timestamp()
}

fn past(case: &Case<'_>) -> String {
    format!(
        "notAfter {} is before {}",
        moment(case.certificate.not_after),
        moment(case.question.at)
    )
}

fn future(case: &Case<'_>) -> String {
    format!(
        "notBefore {} is after {}",
        moment(case.certificate.not_before),
        moment(case.question.at)
    )
}
