//! Name constraints as Go reads and applies them.

use super::domains::is_domain;
use super::form::{ExtensionFrame, GoCertificate, Role};
use super::subtrees::{contains, domain, host};
use super::{ALL, Demand};
use crate::certificate::der::{Der, Element, SEQUENCE};
use crate::certificate::{GeneralName, NameConstraints, prefix};
use crate::finding::{Rule, Severity, Source};
use crate::rules::CertificateInPath;
use crate::rules::constraints::of_self_issued;

pub(super) static FORM: Rule = Rule {
    id: "go-constraint-form",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server cannot parse the certificate, or reject every certificate below it.",
    remedy: "Create a new CA, with constraints that all verifiers read in the same way: `etcdpki init-ca --permit NAMES --dir NEW-DIR`.",
    citation: "RFC 5280 section 4.2.1.10; Go crypto/x509 (parseNameConstraintsExtension)",
};

pub(super) static NAMES: Rule = Rule {
    id: "go-constraint-names",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server reject the certificate: `x509: a root or intermediate certificate is not authorized to sign for this name`.",
    remedy: "Reissue the certificate without the name, because etcd compares only DNS names and IP addresses: `etcdpki issue --profile PROFILE NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` without the name in `sans`.",
    citation: "RFC 5280 section 4.2.1.10; Go crypto/x509 (checkChainConstraints)",
};

pub(super) static SELF_ISSUED: Rule = Rule {
    id: "nc-self-issued",
    severity: Severity::Error,
    source: Source::Go,
    impact: "etcd and the API server reject the chain: Go applies the constraints of the CAs above to a self-issued CA, although RFC 5280 does not.",
    remedy: "Create a new CA without subjectAltName, which a CA does not need: `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
    citation: "RFC 5280 section 6.1.3 (b); Go crypto/x509 (checkChainConstraints)",
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
    refused: "A URI without a host name, or with an IP address or several colons instead, below a CA with constraints of any kind",
    words: "x509: … URI …",
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

static OF_SELF_ISSUED: Demand = Demand {
    name: "self-issued-outside",
    rule: &SELF_ISSUED,
    refused: "A self-issued CA with a name outside the constraints of a CA above it",
    words: "x509: a root or intermediate certificate is not authorized to sign for this name: …",
    versions: ALL,
    rfc5280: "allows it, because constraints do not apply to self-issued CAs (section 6.1.3 (b))",
};

pub(super) static DEMANDS: &[&Demand] =
    &[&STRUCTURE, &DOMAIN, &NETWORK, &MAPPED, &UNKNOWN, &NO_HOST, &EMAIL, &URI, &OF_SELF_ISSUED];

pub(super) fn check_form(go: &GoCertificate<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    if go.certificate.extensions.name_constraints.is_none() {
        return violations;
    }
    let extension = go.fields().and_then(|fields| fields.find(&[0x55, 0x1d, 30]));
    if let Some(extension) = extension
        && check_subtrees(&extension, go.role, &mut violations).is_none()
    {
        violations.push(STRUCTURE.violated("its nameConstraints is empty or not valid DER"));
    }
    violations
}

fn check_subtrees(
    extension: &ExtensionFrame<'_>,
    role: Role,
    violations: &mut Vec<String>,
) -> Option<()> {
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
            let fault = fault(base, extension, role);
            violations.extend(fault.map(|(demand, what)| demand.violated(what)));
        }
    }
    (any && lists.is_empty()).then_some(())
}

/// The requirement that a constraint violates, and how.
fn fault(
    base: Element<'_>,
    extension: &ExtensionFrame<'_>,
    role: Role,
) -> Option<(&'static Demand, String)> {
    let octets = base.contents;
    match base.tag {
        0x81 | 0x82 | 0x86 => {
            // The domain of a mailbox; `nc-form` reports the part before it.
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
        // Only a path is rejected because of what Go does not process.
        _ => (extension.critical && role == Role::InPath).then(|| {
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

pub(super) fn check_self_issued(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let found = of_self_issued(in_path);
    found.into_iter().map(|evidence| OF_SELF_ISSUED.violated(evidence)).collect()
}

/// The requirement that a name violates although RFC 5280 allows the name.
fn refuses(constraints: &NameConstraints, name: &GeneralName) -> Option<&'static Demand> {
    let (host, demand) = match name {
        GeneralName::Uri(uri) => {
            let Some(host) = host(uri) else { return Some(&NO_HOST) };
            (host, &URI)
        }
        GeneralName::Email(address) => (address.rsplit_once('@')?.1, &EMAIL),
        _ => return None,
    };
    // For RFC 5280, such a domain is a single other host.
    let is_beyond = |base: &GeneralName| {
        contains(base, name)
            && domain(base).is_some_and(|domain| {
                !domain.starts_with('.') && !domain.eq_ignore_ascii_case(host)
            })
    };
    constraints.excluded.iter().any(is_beyond).then_some(demand)
}
