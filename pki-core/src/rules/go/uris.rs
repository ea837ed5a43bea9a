//! URIs among the subject alternative names, which Go parses with net/url.

use std::net::Ipv6Addr;

use super::domains::{Place, is_domain};
use super::{ALL, Demand};
use crate::certificate::{Certificate, GeneralName};
use crate::finding::{Rule, Severity, Source};

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
    let faults = names.filter_map(|name| match name {
        GeneralName::Uri(uri) => fault(uri)
            .map(|demand| demand.violated(format_args!("{name} is not a URI that Go parses"))),
        _ => None,
    });
    faults.collect()
}

fn fault(uri: &str) -> Option<&'static Demand> {
    // `san-form` reports the rest of the grammar.
    let Some(authority) = authority(uri) else {
        return (!is_scheme_plain(uri)).then_some(&SYNTAX);
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(['[', ']']) {
        return Some(&SYNTAX);
    }
    let host_and_port = match host.strip_prefix('[') {
        Some(literal) => return (!is_literal(literal)).then_some(&SYNTAX),
        None => host,
    };
    let (name, port) = host_and_port.split_once(':').unwrap_or((host_and_port, ""));
    let good = port.bytes().all(|octet| octet.is_ascii_digit()) && !name.contains(['[', ']', '%']);
    if !good {
        return Some(&SYNTAX);
    }
    (!is_domain(name.as_bytes(), Place::Name)).then_some(&DOMAIN)
}

/// False for text with a colon that does not follow a scheme.
fn is_scheme_plain(uri: &str) -> bool {
    uri.split_once(':').is_none_or(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
    })
}

/// The text between `//` and the next slash, if a scheme or nothing precedes it.
pub(super) fn authority(uri: &str) -> Option<&str> {
    let before_query = uri.split(['?', '#']).next()?;
    let (before, rest) = before_query.split_once("//")?;
    let scheme = before.is_empty() || (before.ends_with(':') && is_scheme_plain(before));
    scheme.then(|| rest.split('/').next().unwrap_or(rest))
}

/// True for the rest of `[address]`, perhaps with a zone and a port, after its first bracket.
fn is_literal(literal: &str) -> bool {
    let Some((address, port)) = literal.rsplit_once(']') else {
        return false;
    };
    let (address, zone) = address.split_once("%25").unwrap_or((address, "0"));
    let unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    address.parse::<Ipv6Addr>().is_ok()
        && !zone.is_empty()
        && zone.bytes().all(unreserved)
        && (port.is_empty()
            || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|o| o.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_number_as_port() {
        for (uri, wanted) in [
            ("https://host.example.com:2379/", None),
            ("https://host:/", None),
            ("https://[2001:db8::1]:2379/", None),
            ("https://[fe80::1%25eth0]/", None),
            ("https://user@host/", None),
            ("urn:uuid:1", None),
            ("spiffe://td/a/b", None),
            ("x:/a//b..c", None),
            ("https://host:port/", Some("parse")),
            ("https://a:b:c/", Some("parse")),
            ("https://[::1/", Some("parse")),
            ("https://x[::1]/", Some("parse")),
            ("https://[192.0.2.1]/", Some("parse")),
            ("https://host%41.example.com/", Some("parse")),
            ("1http://x/", Some("parse")),
            ("https://a..b/", Some("domain")),
            ("https://.example.com/", Some("domain")),
            ("https://host.example.com./", Some("domain")),
            ("https://host.:80/", Some("domain")),
        ] {
            let words = fault(uri).map(|demand| demand.words);
            assert_eq!(words.is_some(), wanted.is_some(), "{uri}");
            assert!(words.is_none_or(|words| words.contains(wanted.unwrap_or_default())), "{uri}");
        }
    }
}
