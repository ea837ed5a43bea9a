//! The subjectAltName, except the contents of its URIs.

use super::form::GoCertificate;
use super::{ALL, Demand};
use crate::certificate::der::{Der, Element, SEQUENCE};
use crate::finding::{Rule, Severity, Source};

pub(super) static RULE: Rule = Rule {
    id: "go-san",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server cannot parse or process the certificate: they exit when they load it, and they reject a peer that sends it.",
    remedy: "Reissue the certificate with valid names: `etcdpki issue --profile PROFILE NAME --san dns:NAME --san ip:ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
    citation: "RFC 5280 section 4.2.1.6; Go crypto/x509 (parseSANExtension)",
};

static FORM: Demand = Demand {
    name: "san-form",
    rule: &RULE,
    refused: "A subjectAltName that is not a sequence of names in DER",
    words: "x509: invalid subject alternative name…",
    versions: ALL,
    rfc5280: "forbids it (section 4.1, X.690 section 10.1)",
};

static ASCII: Demand = Demand {
    name: "san-ascii",
    rule: &RULE,
    refused: "A DNS name, an email address or a URI that is not in ASCII",
    words: "x509: SAN … is malformed",
    versions: ALL,
    rfc5280: "forbids it (section 4.2.1.6)",
};

static LENGTH: Demand = Demand {
    name: "ip-length",
    rule: &RULE,
    refused: "An IP address that does not have 4 or 16 octets",
    words: "x509: cannot parse IP address of length …",
    versions: ALL,
    rfc5280: "forbids it (section 4.2.1.6)",
};

static MAPPED: Demand = Demand {
    name: "ip-mapped",
    rule: &RULE,
    refused: "An IPv4 address written in 16 octets (::ffff:192.0.2.1)",
    words: "x509: SAN iPAddress contains IPv4-mapped IPv6 address",
    versions: "1.27 and later",
    rfc5280: "demands 4 octets for IPv4 (section 4.2.1.6)",
};

static CRITICAL: Demand = Demand {
    name: "san-critical",
    rule: &RULE,
    refused: "A critical subjectAltName without any DNS name, email address, IP address or URI",
    words: "x509: unhandled critical extension",
    versions: ALL,
    rfc5280: "requires a verifier to reject what it cannot process (section 4.2)",
};

pub(super) static DEMANDS: &[&Demand] = &[&FORM, &ASCII, &LENGTH, &MAPPED, &CRITICAL];

const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

pub(super) fn check(certificate: &GoCertificate<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    let Some(extension) = certificate.fields().and_then(|fields| fields.find(OID)) else {
        return violations;
    };
    match check_names(extension.value, &mut violations) {
        None => violations.push(FORM.violated("its subjectAltName is not valid DER")),
        Some(0) if extension.critical && certificate.is_in_path() => {
            let what = "its subjectAltName is critical and has no name of a kind that Go knows";
            violations.push(CRITICAL.violated(what));
        }
        Some(_) => {}
    }
    violations
}

const OID: &[u8] = &[0x55, 0x1d, 17];

/// The number of names that Go sees; `None` if it cannot read them.
fn check_names(value: &[u8], violations: &mut Vec<String>) -> Option<usize> {
    let mut names = Der::new(value).enter(SEQUENCE)?;
    let mut seen = 0;
    while !names.is_empty() {
        let Element { tag, contents } = names.element()?;
        let fault: Option<(&Demand, _)> = match (tag, contents) {
            (EMAIL | DNS | URI, _) => (!contents.is_ascii())
                .then_some((&ASCII, "a name in its subjectAltName is not in ASCII")),
            (IP, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, _, _, _, _]) => {
                Some((&MAPPED, "its subjectAltName has an IPv4 address in 16 octets"))
            }
            (IP, _) => (!matches!(contents.len(), 4 | 16)).then_some((
                &LENGTH,
                "an IP address in its subjectAltName does not have 4 or 16 octets",
            )),
            _ => continue,
        };
        seen += 1;
        violations.extend(fault.map(|(demand, what)| demand.violated(what)));
    }
    Some(seen)
}
