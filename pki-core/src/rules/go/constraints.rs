//! Name constraints as Go reads and applies them.

use std::net::IpAddr;

use super::domains::{is_domain, is_within};
use super::form::{ExtensionFrame, Fields};
use super::{ALL, Demand};
use crate::certificate::der::{Der, Element, SEQUENCE};
use crate::certificate::{Certificate, GeneralName, NameConstraints, prefix};
use crate::finding::{Rule, Severity, Source};
use crate::name::authority;
use crate::rules::CertificateInPath;

pub(super) static FORM: Rule = Rule {
    id: "go-constraint-form",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server cannot parse the certificate, or reject every certificate below it.",
    remedy: "Reissue the CA certificate; `etcdpki init-ca --permit` writes constraints that all verifiers read in the same way.",
    citation: "RFC 5280 section 4.2.1.10; Go crypto/x509 (parseNameConstraintsExtension)",
};

pub(super) static NAMES: Rule = Rule {
    id: "go-constraint-names",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server reject the certificate: `x509: a root or intermediate certificate is not authorized to sign for this name`.",
    remedy: "Reissue the certificate without the name; etcd compares only DNS names and IP addresses.",
    citation: "RFC 5280 section 4.2.1.10; Go crypto/x509 (checkChainConstraints)",
};

static STRUCTURE: Demand = Demand {
    name: "constraints-form",
    rule: &FORM,
    refused: "A nameConstraints that is empty or not in DER",
    words: "x509: invalid NameConstraints extension",
    versions: ALL,
    rfc5280: "forbids it (section 4.2.1.10)",
};

static DOMAIN: Demand = Demand {
    name: "constraint-domain",
    rule: &FORM,
    refused: "A constraint on DNS names, email addresses or URIs that ends with a dot, has two dots in a row, is a single dot, or is not in ASCII",
    words: "x509: failed to parse … constraint …",
    versions: "all versions, for `.` 1.24 and later",
    rfc5280: "forbids it (section 4.2.1.10, RFC 1034 section 3.5)",
};

static NETWORK: Demand = Demand {
    name: "constraint-network",
    rule: &FORM,
    refused: "A constraint on IP addresses that does not have 8 or 32 octets, or with a mask that is not a prefix",
    words: "x509: IP constraint contained …",
    versions: ALL,
    rfc5280: "forbids it (section 4.2.1.10)",
};

static MAPPED: Demand = Demand {
    name: "constraint-mapped",
    rule: &FORM,
    refused: "A constraint on an IPv4 network written in 32 octets (::ffff:192.0.2.0)",
    words: "x509: IP constraint contained IPv4-mapped IPv6 address",
    versions: "1.27 and later",
    rfc5280: "demands 8 octets for IPv4 (section 4.2.1.10)",
};

static UNKNOWN: Demand = Demand {
    name: "constraint-kind",
    rule: &FORM,
    refused: "A critical nameConstraints on directory names or other kinds of names that Go does not process",
    words: "x509: unhandled critical extension",
    versions: ALL,
    rfc5280: "allows it (section 4.2.1.10)",
};

static NO_HOST: Demand = Demand {
    name: "uri-without-host",
    rule: &NAMES,
    refused: "A URI without a host name below a CA with constraints of any kind",
    words: "x509: … URI with … cannot be matched against constraints",
    versions: "1.26 and later, earlier versions only below constraints on URIs",
    rfc5280: "forbids it only below constraints on URIs (section 4.2.1.10)",
};

static EMAIL: Demand = Demand {
    name: "email-subdomain",
    rule: &NAMES,
    refused: "An email address at a host below an excluded domain, because `example.com` includes its subdomains in Go",
    words: "x509: … email address … is excluded by constraint …",
    versions: ALL,
    rfc5280: "allows it, because `example.com` is one host (section 4.2.1.10)",
};

static URI: Demand = Demand {
    name: "uri-subdomain",
    rule: &NAMES,
    refused: "A URI with a host below an excluded domain, because `example.com` includes its subdomains in Go",
    words: "x509: … URI … is excluded by constraint …",
    versions: ALL,
    rfc5280: "allows it, because `example.com` is one host (section 4.2.1.10)",
};

pub(super) static DEMANDS: &[&Demand] =
    &[&STRUCTURE, &DOMAIN, &NETWORK, &MAPPED, &UNKNOWN, &NO_HOST, &EMAIL, &URI];

pub(super) fn check_form(certificate: &Certificate) -> Vec<String> {
    if certificate.extensions.name_constraints.is_none() {
        return Vec::new();
    }
    let Some(Fields { mut extensions, .. }) = Fields::of(certificate) else {
        return Vec::new();
    };
    let mut violations = Vec::new();
    while let Some(Ok(extension)) = extensions.enter(SEQUENCE).map(ExtensionFrame::read) {
        if extension.oid == [0x55, 0x1d, 30]
            && check_subtrees(&extension, &mut violations).is_none()
        {
            violations.push(STRUCTURE.violated("its nameConstraints is empty or not valid DER"));
        }
    }
    violations
}

fn check_subtrees(extension: &ExtensionFrame<'_>, violations: &mut Vec<String>) -> Option<()> {
    let mut outer = Der::new(extension.value);
    let mut lists = outer.enter(SEQUENCE).filter(|_| outer.is_empty())?;
    let mut any = false;
    for tag in [0xa0, 0xa1] {
        if !lists.is_next(tag) {
            continue;
        }
        let mut subtrees = lists.enter(tag)?;
        while !subtrees.is_empty() {
            any = true;
            let base = subtrees.enter(SEQUENCE)?.element()?;
            let fault = fault(base, extension.critical);
            violations.extend(fault.map(|(demand, what)| demand.violated(what)));
        }
    }
    (any && lists.is_empty()).then_some(())
}

/// The demand that a constraint violates, and how.
fn fault(base: Element<'_>, critical: bool) -> Option<(&'static Demand, String)> {
    let octets = base.contents;
    match base.tag {
        0x81 | 0x82 | 0x86 => {
            // Of a mailbox the domain; `nc-form` reports the part before it.
            let mailbox = octets.rsplit(|octet| *octet == b'@').next().filter(|_| base.tag == 0x81);
            let domain = mailbox.unwrap_or(octets);
            let good = octets.is_ascii() && is_domain(domain);
            (!good)
                .then(|| (&DOMAIN, format!("its constraint {:?} is not a domain", shown(octets))))
        }
        0x87 => match octets {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..] if octets.len() == 32 => {
                Some((&MAPPED, "it constrains an IPv4 network in 32 octets".to_owned()))
            }
            _ => {
                let good =
                    matches!(octets.len(), 8 | 32) && prefix(&octets[octets.len() / 2..]).is_some();
                (!good)
                    .then(|| (&NETWORK, "a constraint on IP addresses is not a network".to_owned()))
            }
        },
        _ => critical.then(|| {
            (&UNKNOWN, "it constrains names of a kind that Go does not process".to_owned())
        }),
    }
}

/// Text from a certificate, of bounded length.
fn shown(octets: &[u8]) -> String {
    const MOST: usize = 100;
    String::from_utf8_lossy(octets).chars().take(MOST).collect()
}

pub(super) fn check_names(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    for ca in in_path.above {
        let Some(constraints) = &ca.extensions.name_constraints else { continue };
        for name in in_path.certificate.extensions.subject_alt_name.iter().flatten() {
            if let Some(demand) = refuses(constraints, name) {
                violations.push(
                    demand.violated(format_args!(
                        "{name} is below the constraints of {}",
                        ca.subject
                    )),
                );
            }
        }
    }
    violations
}

/// The demand that a name violates although RFC 5280 allows the name.
fn refuses(constraints: &NameConstraints, name: &GeneralName) -> Option<&'static Demand> {
    let mut excluded = constraints.excluded.iter();
    match name {
        GeneralName::Uri(uri) => {
            let Some(host) = host(uri) else {
                let mut all = constraints.permitted.iter().chain(&constraints.excluded);
                let on_uris = all.any(|base| matches!(base, GeneralName::Uri(_)));
                return (!on_uris).then_some(&NO_HOST);
            };
            let reaches = |base: &GeneralName| matches!(base, GeneralName::Uri(domain) if is_only_within(host, domain));
            excluded.any(reaches).then_some(&URI)
        }
        GeneralName::Email(address) => {
            let (_, host) = address.rsplit_once('@')?;
            let reaches = |base: &GeneralName| {
                matches!(base, GeneralName::Email(domain)
                    if !domain.contains('@') && is_only_within(host, domain))
            };
            excluded.any(reaches).then_some(&EMAIL)
        }
        _ => None,
    }
}

/// True for a host that Go takes to be in the domain, although RFC 5280 reads the domain as one other host.
fn is_only_within(host: &str, domain: &str) -> bool {
    !domain.starts_with('.') && !domain.eq_ignore_ascii_case(host) && is_within(host, domain)
}

/// The host of a URI, if Go can compare it with constraints.
fn host(uri: &str) -> Option<&str> {
    let (_, host) = authority(uri)?.rsplit_once('@').unwrap_or(("", authority(uri)?));
    // Go accepts a port without a host, and compares an empty name.
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let comparable = !host.is_empty() && !host.starts_with('[') && name.parse::<IpAddr>().is_err();
    comparable.then_some(name)
}
