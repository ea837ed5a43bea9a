//! Rules about name constraints (RFC 5280 section 4.2.1.10): which names a CA may certify.
//!
//! The path builder enforces the constraints that it can read. These rules report which name violates
//! the constraints of which CA, check the kinds of constraint that the path builder does not read, and
//! apply an authority's own constraints before it signs.

mod matching;

use self::matching::{covers, reaches, same_kind};
use super::go::rejects;
use super::{CertificateInPath, Row};
use crate::certificate::{Certificate, GeneralName, NameConstraints, prefix};
use crate::finding::{Rule, Severity, Source};
use crate::name::{DnsName, EmailAddress};
use crate::report::Place;
use crate::subject::Attribute;

/// The limit that webpki and Go set for comparisons of names with subtrees in one path.
const MOST_COMPARISONS: usize = 250_000;

pub(crate) static CA_NAME_CONSTRAINTS: Rule = Rule {
    id: "ca-name-constraints",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "etcd and its clients reject the certificate: its CA is `not authorized to sign for this name`.",
    remedy: "Remove the name: `etcdpki issue --profile PROFILE NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` without the name in `sans`. Or create a CA that permits it: `etcdpki init-ca --permit NAMES --dir NEW-DIR`.",
    citation: "RFC 5280 section 4.2.1.10",
};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(&CA_NAME_CONSTRAINTS, violations),
    Row::certificate(
        &Rule {
            id: "nc-beyond-go",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "OpenSSL and other RFC 5280 verifiers reject the certificate. Go accepts it, because it compares neither directory names nor email addresses in a subject, and lets a constraint on a host of email addresses or URIs include its subdomains.",
            remedy: "Remove the name: `etcdpki issue --profile PROFILE NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` without the name in `sans`. Or create a CA that permits it: `etcdpki init-ca --permit NAMES --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.10; Go crypto/x509 (checkChainConstraints)",
        },
        beyond_go,
    )
    .refused_at_issue(),
    Row::certificate(
        &Rule {
            id: "nc-too-many",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Go before 1.26 and rustls-webpki stop comparing and reject the certificate: `x509: too many constraints`.",
            remedy: "Reissue the certificate with fewer names: `etcdpki issue --profile PROFILE NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with fewer `sans`. Or create a CA with fewer constraints: `etcdpki init-ca --permit NAMES --dir NEW-DIR`.",
            citation: "RFC 5280 section 8; CVE-2018-16875",
        },
        too_many,
    ),
    Row::certificate(
        &Rule {
            id: "nc-form",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "It is unclear which names the constraint covers, so verifiers reject the CA or read the constraint differently.",
            remedy: "Create a new CA, with constraints that all verifiers read in the same way: `etcdpki init-ca --permit NAMES --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.10",
        },
        malformed,
    ),
    Row::certificate(
        &Rule {
            id: "nc-dns-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Go and OpenSSL read the constraint differently, and other verifiers reject the CA.",
            remedy: "Create a new CA with plain domain names, because example.com covers every name below it: `etcdpki init-ca --permit example.com --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.10",
        },
        dns_form,
    ),
    Row::only_rfc5280(
        &Rule {
            id: "nc-wildcard",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "RFC 5280 does not say whether a CA with DNS constraints may certify a wildcard, so verifiers differ. Go and OpenSSL accept a wildcard within the permitted names.",
            remedy: "Reissue the certificate with the names of the hosts instead of the wildcard: `etcdpki issue --profile PROFILE NAME --san NAME --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with these names in `sans`.",
            citation: "RFC 5280 sections 4.2.1.6 and 4.2.1.10; CVE-2025-61727",
        },
        wildcard,
    ),
    Row::certificate(
        &Rule {
            id: "nc-leaf",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Strict RFC 5280 verifiers reject the certificate, because only a CA may have name constraints.",
            remedy: "Reissue the certificate without nameConstraints: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.10",
        },
        on_a_leaf,
    ),
];

/// Section 6.1.3 (b): constraints do not apply to a self-issued intermediate CA.
fn is_exempt(in_path: &CertificateInPath<'_>) -> bool {
    in_path.place == Place::Intermediate && in_path.certificate.is_self_issued()
}

/// The CAs above this certificate that have name constraints.
fn constrained<'a>(
    in_path: &'a CertificateInPath<'_>,
) -> impl Iterator<Item = (&'a Certificate, &'a NameConstraints)> {
    in_path
        .above
        .iter()
        .filter_map(|ca| ca.extensions.name_constraints.as_ref().map(|found| (*ca, found)))
}

/// The names to compare: those in subjectAltName, the subject, and the email addresses in the subject if
/// subjectAltName has none.
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
    // Each attribute of the subject can be an email address, and is also compared as part of the subject.
    (names + in_path.certificate.subject.attributes.len()).saturating_mul(subtrees)
}

fn too_many(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let needed = comparisons(in_path);
    Vec::from_iter((needed > MOST_COMPARISONS).then(|| {
        format!(
            "its names and the constraints above it need {needed} comparisons, the limit is {MOST_COMPARISONS}"
        )
    }))
}

fn violations(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if is_exempt(in_path) { Vec::new() } else { outside(in_path, SeenBy::Go) }
}

fn beyond_go(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if is_exempt(in_path) { Vec::new() } else { outside(in_path, SeenBy::OthersOnly) }
}

/// What Go rejects in a self-issued CA, although RFC 5280 does not apply constraints to it.
pub(super) fn of_self_issued(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if is_exempt(in_path) { outside(in_path, SeenBy::Go) } else { Vec::new() }
}

/// Who rejects a name that RFC 5280 does not permit.
#[derive(Clone, Copy, Eq, PartialEq)]
enum SeenBy {
    /// Go and all other verifiers.
    Go,
    OthersOnly,
}

/// One line of evidence for each name that a CA above does not permit.
fn outside(in_path: &CertificateInPath<'_>, seen_by: SeenBy) -> Vec<String> {
    if constrained(in_path).next().is_none() || comparisons(in_path) > MOST_COMPARISONS {
        return Vec::new();
    }
    let alternative = in_path.certificate.extensions.subject_alt_name.as_ref().map_or(0, Vec::len);
    let names = names(in_path.certificate);
    let mut violations = Vec::new();
    for (ca, constraints) in constrained(in_path) {
        for (index, name) in names.iter().enumerate() {
            // Go does not check the subject.
            let by_go = || index < alternative && rejects(constraints, name);
            let evidence = violation(ca, constraints, name);
            violations.extend(evidence.filter(|_| by_go() == (seen_by == SeenBy::Go)));
        }
    }
    violations
}

/// How a name violates the constraints of a CA.
fn violation(
    ca: &Certificate,
    constraints: &NameConstraints,
    name: &GeneralName,
) -> Option<String> {
    if let Some(excluded) = constraints.excluded.iter().find(|c| reaches(c, name)) {
        return Some(format!("{name} is excluded by the constraint {excluded} of {}", ca.subject));
    }
    let permitted = || constraints.permitted.iter().filter(|c| same_kind(c, name));
    if permitted().next().is_none() || permitted().any(|c| covers(c, name)) {
        return None;
    }
    let list: Vec<String> = permitted().map(ToString::to_string).collect();
    Some(format!(
        "{name} is not permitted by {}, which permits only {}",
        ca.subject,
        list.join(", ")
    ))
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
    bad.map(|subtree| format!("the constraint {subtree} is not a plain domain name")).collect()
}

/// True for a domain name that a constraint may contain. The empty name covers every name.
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
        .map(|name| format!("{name} is a wildcard below the DNS constraints of {}", ca.subject))
        .collect()
}

fn on_a_leaf(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let there = in_path.certificate.extensions.name_constraints.is_some();
    Vec::from_iter(
        (there && !in_path.certificate.is_ca())
            .then(|| "it has nameConstraints, but is not a CA".to_owned()),
    )
}
