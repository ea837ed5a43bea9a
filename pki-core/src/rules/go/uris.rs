//! URIs among the subject alternative names, which Go parses with net/url.

use super::{ALL, Demand};
use crate::certificate::{Certificate, GeneralName};
use crate::finding::{Rule, Severity, Source};
use crate::name::{HostFault, host_fault};

pub(super) static RULE: Rule = Rule {
    id: "go-uri",
    severity: Severity::Error,
    source: Source::Go,
    impact: super::UNPARSABLE,
    remedy: "Reissue the certificate without the URI, or with a plain host and a numeric port: `--san uri:https://HOST:PORT/`.",
    citation: "RFC 3986 section 3.2; Go net/url (Parse) and crypto/x509 (parseSANExtension)",
};

static SYNTAX: Demand = Demand {
    name: "uri-syntax",
    rule: &RULE,
    refused: "A URI with a port that is not a number, or with an unpaired bracket, several colons or a percent-encoded ASCII character in its host",
    words: "x509: cannot parse URI …: parse …",
    versions: ALL,
    rfc5280: "forbids it, except percent-encoded hosts (section 4.2.1.6, RFC 3986 section 3.2)",
};

static DOMAIN: Demand = Demand {
    name: "uri-domain",
    rule: &RULE,
    refused: "A URI with a host that begins or ends with a dot, or has two dots in a row",
    words: "x509: cannot parse URI …: invalid domain",
    versions: ALL,
    rfc5280: "requires a fully qualified domain name or an IP address as the host (section 4.2.1.6)",
};

pub(super) static DEMANDS: &[&Demand] = &[&SYNTAX, &DOMAIN];

pub(super) fn check(certificate: &Certificate) -> Vec<String> {
    let names = certificate.extensions.subject_alt_name.iter().flatten();
    let faults = names.filter_map(|name| {
        let GeneralName::Uri(uri) = name else { return None };
        let demand = match host_fault(uri)? {
            HostFault::Syntax => &SYNTAX,
            HostFault::Domain => &DOMAIN,
        };
        Some(demand.violated(format_args!("{name} has a host or a port that Go cannot parse")))
    });
    faults.collect()
}
