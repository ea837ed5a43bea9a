//! The two times of the validity.

use super::form::{Fields, GoCertificate};
use super::{ALL, Demand};
use crate::certificate::der::is_time;
use crate::finding::{Rule, Severity, Source};

pub(super) static RULE: Rule = Rule {
    id: "go-time",
    severity: Severity::Error,
    source: Source::Go,
    impact: super::UNPARSABLE,
    remedy: "Reissue the certificate with dates in the form that RFC 5280 requires: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
    citation: "RFC 5280 section 4.1.2.5; Go crypto/x509 (parseValidity)",
};

static TIME: Demand = Demand {
    name: "time",
    rule: &RULE,
    refused: "A date that does not exist, a GeneralizedTime without seconds, a time with fractions of a second, without a time zone, or with the offset +0000",
    words: "x509: malformed …Time",
    versions: ALL,
    rfc5280: "forbids it (section 4.1.2.5)",
};

pub(super) static DEMANDS: &[&Demand] = &[&TIME];

pub(super) fn check(certificate: &GoCertificate<'_>) -> Vec<String> {
    let Some(Fields { mut validity, .. }) = certificate.fields() else {
        return Vec::new();
    };
    let mut violations = Vec::new();
    for field in ["notBefore", "notAfter"] {
        let time = validity.element();
        if !time.is_some_and(|time| is_time(time.tag, time.contents)) {
            violations.push(TIME.violated(format_args!("its {field} is not a valid time")));
        }
    }
    violations
}
