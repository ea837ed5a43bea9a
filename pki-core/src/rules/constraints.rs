//! Name constraints (RFC 5280 section 4.2.1.10): which names a CA may not certify.
//!
//! The path builder has a say too where it reads the constraint. These rules say which name offends
//! which CA, judge the kinds that it does not read, and keep an authority to its own constraints
//! before it signs.

mod matching;

use self::matching::{covers, reaches, same_kind};
use super::{CertificateInPath, Position, Row, when};
use crate::certificate::{Certificate, GeneralName, NameConstraints, prefix};
use crate::name::{DnsName, EmailAddress};
use crate::report::{Rule, Severity, Source};
use crate::subject::Attribute;

/// As many comparisons of a name with a subtree as webpki and Go make for one path.
const MOST_COMPARISONS: usize = 250_000;

pub(crate) static CA_NAME_CONSTRAINTS: Rule = Rule {
    id: "ca-name-constraints",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Peers refuse the certificate: its CA is `not authorized to sign for this name`.",
    remedy: "Leave the name out, or use a CA whose constraints allow it.",
    citation: "RFC 5280 section 4.2.1.10",
};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(&CA_NAME_CONSTRAINTS, violations),
    Row::certificate(
        &Rule {
            id: "nc-too-many",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Verifiers give up: `x509: too many constraints`.",
            remedy: "Issue it anew with fewer names, or use a CA with fewer constraints.",
            citation: "RFC 5280 section 8; CVE-2018-16875",
        },
        too_many,
    ),
    Row::certificate(
        &Rule {
            id: "nc-form",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Go does not parse the CA, or nobody can tell which names it means: `x509: invalid constraint`.",
            remedy: "Make the CA anew; etcdpki writes constraints that are read the same everywhere.",
            citation: "RFC 5280 section 4.2.1.10",
        },
        malformed,
    ),
    Row::certificate(
        &Rule {
            id: "nc-dns-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Go and OpenSSL read the constraint in their own ways, others refuse the CA.",
            remedy: "Make the CA anew with plain domains: example.com covers every name below it.",
            citation: "RFC 5280 section 4.2.1.10",
        },
        dns_form,
    ),
    Row::rfc5280_alone(
        &Rule {
            id: "nc-wildcard",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Whether the CA may certify the wildcard is for each verifier to guess; Go takes it where it lies in what is permitted.",
            remedy: "Issue it anew with the names of the hosts in place of the wildcard.",
            citation: "RFC 5280 sections 4.2.1.6 and 4.2.1.10; CVE-2025-61727",
        },
        wildcard,
    ),
    Row::certificate(
        &Rule {
            id: "nc-leaf",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Verifiers that keep to the letter of RFC 5280 refuse it: only a CA has constraints.",
            remedy: "Issue it anew without nameConstraints.",
            citation: "RFC 5280 section 4.2.1.10",
        },
        on_a_leaf,
    ),
    Row::certificate(
        &Rule {
            id: "nc-unknown-kind",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd and the API server refuse whatever stands below the CA: `x509: unhandled critical extension`.",
            remedy: "Use a CA whose constraints are on DNS names, addresses, email addresses or URIs.",
            citation: "RFC 5280 section 4.2.1.10; Go crypto/x509 (parseNameConstraintsExtension)",
        },
        unknown_kind,
    ),
    Row::certificate(
        &Rule {
            id: "nc-self-issued",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Go keeps a self-issued CA to the constraints above it, though RFC 5280 does not: `not authorized to sign for this name`.",
            remedy: "Make the renewed CA without subjectAltName; CAs need none.",
            citation: "RFC 5280 section 6.1.3 (b); Go crypto/x509 (isValid)",
        },
        self_issued,
    ),
];

/// Section 6.1.3 (b): constraints do not bind a self-issued CA.
fn is_exempt(in_path: &CertificateInPath<'_>) -> bool {
    in_path.position == Position::Intermediate && in_path.certificate.is_self_issued()
}

/// The CAs above with constraints.
fn constrained<'a>(
    in_path: &'a CertificateInPath<'_>,
) -> impl Iterator<Item = (&'a Certificate, &'a NameConstraints)> {
    in_path
        .above
        .iter()
        .filter_map(|ca| ca.extensions.name_constraints.as_ref().map(|found| (*ca, found)))
}

/// The alternative names, the subject, and its email addresses where there is no alternative.
fn names(certificate: &Certificate) -> Vec<GeneralName> {
    let mut names = certificate.extensions.subject_alt_name.clone().unwrap_or_default();
    if !names.iter().any(|name| matches!(name, GeneralName::Email(_))) {
        let emails = certificate.subject.attributes.iter();
        names.extend(
            emails
                .filter(|entry| entry.attribute == Attribute::EmailAddress)
                .map(|entry| GeneralName::Email(entry.value.clone())),
        );
    }
    if !certificate.subject.is_empty() {
        names.push(GeneralName::Directory(certificate.subject.clone()));
    }
    names
}

fn comparisons(in_path: &CertificateInPath<'_>) -> usize {
    let subtrees: usize = constrained(in_path).map(|(_, constraints)| constraints.len()).sum();
    let names = in_path.certificate.extensions.subject_alt_name.as_ref().map_or(0, Vec::len);
    // Each attribute of the subject may be an email address, and is compared as part of a name.
    (names + in_path.certificate.subject.attributes.len()).saturating_mul(subtrees)
}

fn too_many(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let needed = comparisons(in_path);
    when(needed > MOST_COMPARISONS, || {
        format!(
            "its names times the constraints above it are {needed} comparisons, {MOST_COMPARISONS} are made"
        )
    })
}

fn violations(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if is_exempt(in_path) { Vec::new() } else { outside(in_path) }
}

fn self_issued(in_path: &CertificateInPath<'_>) -> Vec<String> {
    // Go looks at the alternative names alone.
    let named = in_path.certificate.extensions.subject_alt_name.is_some();
    if is_exempt(in_path) && named { outside(in_path) } else { Vec::new() }
}

/// Each name that a CA above does not allow.
fn outside(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if constrained(in_path).next().is_none() || comparisons(in_path) > MOST_COMPARISONS {
        return Vec::new();
    }
    let names = names(in_path.certificate);
    let mut violations = Vec::new();
    for (ca, constraints) in constrained(in_path) {
        for name in &names {
            if let Some(excluded) = constraints.excluded.iter().find(|c| reaches(c, name)) {
                violations.push(format!("{name} is excluded by {excluded} of {}", ca.subject));
                continue;
            }
            let mut permitted = constraints.permitted.iter().filter(|c| same_kind(c, name));
            if permitted.clone().next().is_some() && !permitted.any(|c| covers(c, name)) {
                let permitted = constraints.permitted.iter().filter(|c| same_kind(c, name));
                let list: Vec<String> = permitted.map(ToString::to_string).collect();
                violations.push(format!(
                    "{name} is not permitted by {}, which permits {}",
                    ca.subject,
                    list.join(", ")
                ));
            }
        }
    }
    violations
}

fn subtrees<'a>(in_path: &'a CertificateInPath<'_>) -> impl Iterator<Item = &'a GeneralName> {
    let constraints = in_path.certificate.extensions.name_constraints.iter();
    constraints.flat_map(|constraints| constraints.permitted.iter().chain(&constraints.excluded))
}

fn malformed(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let Some(constraints) = &in_path.certificate.extensions.name_constraints else {
        return Vec::new();
    };
    let faults = constraints.faults.iter().map(|fault| format!("nameConstraints: {fault}"));
    let bad = subtrees(in_path).filter(|subtree| match subtree {
        GeneralName::Ip(octets) => {
            !matches!(octets.len(), 8 | 32) || prefix(&octets[octets.len() / 2..]).is_none()
        }
        // A mailbox, a host, or a domain with a leading dot.
        GeneralName::Email(text) if text.contains('@') => text.parse::<EmailAddress>().is_err(),
        GeneralName::Email(text) | GeneralName::Uri(text) => {
            !is_domain(text.strip_prefix('.').unwrap_or(text))
        }
        _ => false,
    });
    faults.chain(bad.map(|subtree| format!("the constraint {subtree} is malformed"))).collect()
}

fn dns_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let bad = subtrees(in_path)
        .filter(|subtree| matches!(subtree, GeneralName::Dns(text) if !is_domain(text)));
    bad.map(|subtree| format!("the constraint {subtree} is no plain domain")).collect()
}

/// A domain to constrain to; the empty one stands for all.
fn is_domain(text: &str) -> bool {
    text.is_empty() || (!text.contains('*') && text.parse::<DnsName>().is_ok())
}

fn wildcard(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let is_dns = |name: &GeneralName| matches!(name, GeneralName::Dns(_));
    let by = constrained(in_path).find(|(_, constraints)| {
        constraints.permitted.iter().chain(&constraints.excluded).any(is_dns)
    });
    let Some((ca, _)) = by.filter(|_| !is_exempt(in_path)) else {
        return Vec::new();
    };
    let names = in_path.certificate.extensions.subject_alt_name.iter().flatten();
    names
        .filter(|name| matches!(name, GeneralName::Dns(text) if text.contains('*')))
        .map(|name| format!("{name} stands below the DNS constraints of {}", ca.subject))
        .collect()
}

fn on_a_leaf(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let there = in_path.certificate.extensions.name_constraints.is_some();
    when(there && !in_path.certificate.is_ca(), || {
        "it carries nameConstraints and is no CA".to_owned()
    })
}

fn unknown_kind(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if in_path.is_leaf() {
        return Vec::new();
    }
    let unknown = subtrees(in_path)
        .filter(|c| matches!(c, GeneralName::Directory(_) | GeneralName::Other(_)));
    unknown
        .map(|constraint| format!("Go does not know how to obey the constraint {constraint}"))
        .collect()
}
