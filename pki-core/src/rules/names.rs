//! Rules about the names in a leaf certificate.

use std::net::IpAddr;

use rustls_pki_types::ServerName;

use super::{CertificateInPath, Row};
use crate::certificate::GeneralName;
use crate::error::Error;
use crate::evidence::Evidence;
use crate::finding::{Rule, Severity, Source};
use crate::name::{DnsName, EmailAddress, check_syntax, is_plain_host, only_reverse_lookup_finds};
use crate::usage::{ExtendedKeyUsage, Purpose};

pub(super) static ROWS: &[Row] = &[
    Row::typed(
        &Rule {
            id: "host-mismatch",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Clients that connect to this host reject the certificate (`x509: certificate is valid for` other names).",
            remedy: "Reissue the certificate with the name or address that clients connect to: `etcdpki issue --profile server NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with that name in `sans`.",
            citation: "RFC 6125 section 6; measured on etcd 3.4, 3.5, 3.6",
        },
        host_mismatch,
    ),
    Row::certificate(
        &Rule {
            id: "san-none-cn-only",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Go clients reject the certificate: `x509: certificate relies on legacy Common Name field, use SANs instead`.",
            remedy: "Reissue the certificate with the host's names and addresses: `etcdpki issue --profile PROFILE NAME --san ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 6125 section 6.4.4; measured on etcd 3.4, 3.5, 3.6",
        },
        no_san,
    ),
    Row::certificate(
        &Rule {
            id: "san-ip-as-dns",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Clients that connect to the address reject the certificate: `because it doesn't contain any IP SANs`.",
            remedy: "Reissue the certificate with the address as an IP address: `etcdpki issue --profile PROFILE NAME --san ip:ADDRESS --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.6; measured on etcd 3.4, 3.5, 3.6",
        },
        san_ip_as_dns,
    ),
    Row::certificate(
        &Rule {
            id: "san-dns-form",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "No client, or only some clients, can match such a name.",
            remedy: "Reissue the certificate with the name that `hostname -f` prints: `etcdpki issue --profile PROFILE NAME --san NAME --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.6",
        },
        san_dns_form,
    ),
    Row::certificate(
        &Rule {
            id: "san-underscore",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Go matches the name. Other clients do not allow underscores in host names and reject the certificate.",
            remedy: "Reissue the certificate with a name that consists of letters, digits and hyphens: `etcdpki issue --profile PROFILE NAME --san NAME --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.6; RFC 1123 section 2.1; measured on etcd 3.4, 3.5, 3.6",
        },
        san_underscore,
    ),
    Row::certificate(
        &Rule {
            id: "peer-port-open-to-clients",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd's peer port accepts a client certificate without DNS names and IP addresses as if it were a member's, so its holder can send Raft messages.",
            remedy: "Reissue the certificate with a name under .invalid, which the peer port rejects: `etcdpki issue --profile client NAME --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`. Also set `peer-cert-allowed-hostname: etcd-peer.CLUSTER` in the members' etcd.conf.yaml.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        peer_port_open,
    ),
    Row::certificate(
        &Rule {
            id: "peer-san-wildcard-only",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Other members accept a connection from this member only if the PTR record of its address, looked up where they run, has a name under the wildcard. Without the record they reject it (`does not match any of DNSNames`), and the member is unhealthy.",
            remedy: "Reissue the certificate with the address or the full name of the member in addition to the wildcard: `etcdpki issue --profile peer NAME --san ADDRESS --san '*.DOMAIN' --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with `ip` set.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        peer_wildcards_only,
    ),
    Row::certificate(
        &Rule {
            id: "san-form",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "No client can match the name, and strict RFC 5280 verifiers reject the certificate.",
            remedy: "Reissue the certificate with well-formed names: `etcdpki issue --profile PROFILE NAME --san NAME --force`, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.6",
        },
        san_form,
    ),
    Row::certificate(
        &Rule {
            id: "san-not-critical",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Programs that read only the subject see a certificate without a name, and some reject it.",
            remedy: "Reissue the certificate with a common name: `etcdpki issue --profile PROFILE NAME --cn NAME --force` with `--san` for each address of a member, or for a host of the manifest `etcdpki apply -f MANIFEST`. Without one, etcdpki marks subjectAltName as critical.",
            citation: "RFC 5280 section 4.1.2.6",
        },
        san_not_critical,
    ),
];

// RFC 6125 section 6: the certificate must contain the name that the client connected to.
fn host_mismatch(in_path: &CertificateInPath<'_>) -> Vec<Evidence> {
    let names = in_path.certificate.extensions.subject_alt_name.iter().flatten();
    let hosts = in_path.options.hosts.iter().map(ServerName::to_str);
    hosts
        .filter(|host| in_path.is_leaf() && !in_path.certificate.is_valid_for(host))
        .map(|host| Evidence::NotValidFor {
            host: host.into_owned(),
            names: names.clone().map(ToString::to_string).collect(),
        })
        .collect()
}

fn no_san(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let serves = in_path.is_asked_as(Purpose::Server) || in_path.is_asked_as(Purpose::Peer);
    Vec::from_iter(
        (serves && !names_a_host(in_path))
            .then(|| "it has neither a DNS name nor an IP address".to_owned()),
    )
}

fn san_ip_as_dns(in_path: &CertificateInPath<'_>) -> Vec<String> {
    odd_dns_names(in_path)
        .filter(|name| name.parse::<IpAddr>().is_ok())
        .map(|name| format!("dNSName {name:?} is an IP address"))
        .collect()
}

fn san_dns_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    odd_dns_names(in_path)
        .filter(|name| name.parse::<IpAddr>().is_err() && !is_underscored(name))
        .filter_map(|name| {
            // An IA5String is ASCII, but the parser of names would convert other scripts.
            if !name.is_ascii() {
                return Some(format!("dNSName {name:?} is not ASCII"));
            }
            Some(format!("dNSName {name:?}: {}", problem(name.parse::<DnsName>())?))
        })
        .collect()
}

fn san_underscore(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let names = odd_dns_names(in_path).filter(|name| is_underscored(name));
    names.map(|name| format!("dNSName {name:?} contains an underscore")).collect()
}

/// True for a name that is well-formed except for its underscores.
fn is_underscored(name: &str) -> bool {
    name.contains('_') && name.replace('_', "x").parse::<DnsName>().is_ok()
}

fn peer_port_open(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let is_client = in_path.is_asked_as(Purpose::Client)
        || (in_path.is_asked_as(Purpose::Any)
            && in_path.allows(&ExtendedKeyUsage::client_auth())
            && !in_path.allows(&ExtendedKeyUsage::server_auth()));
    Vec::from_iter(
        (is_client && !names_a_host(in_path))
            .then(|| "it has neither a DNS name nor an IP address".to_owned()),
    )
}

/// The peer listener compares the names with the address that a member connects from.
fn peer_wildcards_only(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let hosts = || {
        names(in_path).filter_map(|name| match name {
            GeneralName::Dns(text) => Some(text.clone()),
            GeneralName::Ip(_) => name.ip().map(|address| address.to_string()),
            _ => None,
        })
    };
    Vec::from_iter((in_path.is_asked_as(Purpose::Peer) && only_reverse_lookup_finds(hosts())).then(
        || {
            let hosts: Vec<String> = hosts().collect();
            format!("its only names and addresses are {}", hosts.join(", "))
        },
    ))
}

fn names<'a>(in_path: &'a CertificateInPath<'_>) -> impl Iterator<Item = &'a GeneralName> {
    in_path.certificate.extensions.subject_alt_name.iter().flatten()
}

fn names_a_host(in_path: &CertificateInPath<'_>) -> bool {
    names(in_path).any(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)))
}

/// The DNS names, except those that certainly are host names.
fn odd_dns_names<'a>(in_path: &'a CertificateInPath<'_>) -> impl Iterator<Item = &'a str> {
    names(in_path).filter_map(|name| match name {
        GeneralName::Dns(text) if !is_plain_host(text) => Some(text.as_str()),
        _ => None,
    })
}

// Section 4.2.1.6. dNSNames have their own rules.
fn san_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    let names = in_path.certificate.extensions.subject_alt_name.as_ref();
    violations
        .extend(names.is_some_and(Vec::is_empty).then(|| "subjectAltName is empty".to_owned()));
    violations.extend(names.into_iter().flatten().filter_map(|name| {
        let problem = match name {
            GeneralName::Ip(octets) if !matches!(octets.len(), 4 | 16) => {
                format!(" has {} octets, but an IP address has 4 or 16", octets.len())
            }
            GeneralName::Email(text) => {
                format!(": {}", problem(text.parse::<EmailAddress>())?)
            }
            GeneralName::Uri(text) => format!(": {}", problem(check_syntax(text))?),
            name if name.is_malformed() => " cannot be read".to_owned(),
            _ => return None,
        };
        Some(format!("{name}{problem}"))
    }));
    violations
}

fn problem<T>(parsed: Result<T, Error>) -> Option<String> {
    match parsed {
        Err(Error::Invalid(invalid)) => Some(invalid.problem.clone()),
        _ => None,
    }
}

// Section 4.1.2.6: without a subject, subjectAltName takes its place.
fn san_not_critical(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if in_path.certificate.is_ca() || !in_path.certificate.subject.is_empty() {
        return Vec::new();
    }
    match in_path.certificate.extensions.find("2.5.29.17") {
        Some(names) if names.critical => Vec::new(),
        Some(_) => vec!["the subject is empty, but subjectAltName is not critical".to_owned()],
        None => vec!["it has neither a subject nor a subjectAltName".to_owned()],
    }
}
