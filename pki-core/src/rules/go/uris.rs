//! URIs among the subject alternative names, which Go parses with net/url.

use super::form::GoCertificate;
use super::{ALL, Demand};
use crate::certificate::GeneralName;
use crate::finding::{Rule, Severity, Source};
use crate::name::{authority, is_literal, is_port, is_scheme};

pub(super) static RULE: Rule = Rule {
    id: "go-uri",
    severity: Severity::Error,
    source: Source::Go,
    impact: super::UNPARSABLE,
    remedy: "Reissue the certificate without the URI, or with a plain host and a numeric port: `etcdpki issue --profile PROFILE NAME --san uri:https://HOST:PORT/ --force`, or for a host of the manifest `etcdpki apply -f MANIFEST` with that URI in `sans`.",
    citation: "RFC 3986 section 3.2; Go net/url (Parse) and crypto/x509 (parseSANExtension)",
};

static SYNTAX: Demand = Demand {
    name: "uri-syntax",
    rule: &RULE,
    refused: "A URI with a port that is not a number, or with an unpaired bracket, several colons or a percent-encoded ASCII character in its host; a percent sign without two hexadecimal digits, or a control character",
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

pub(super) fn check(GoCertificate { certificate, .. }: &GoCertificate<'_>) -> Vec<String> {
    let names = certificate.extensions.subject_alt_name.iter().flatten();
    let faults = names.filter_map(|name| {
        let GeneralName::Uri(uri) = name else { return None };
        let what =
            format_args!("{name} has a scheme, a host, a port or a character that Go cannot parse");
        let unreadable = has_bad_characters(uri).then_some(&SYNTAX);
        Some(fault(uri).or(unreadable)?.violated(what))
    });
    faults.collect()
}

/// The fault that Go finds in a URI that contains only characters of URIs.
fn fault(uri: &str) -> Option<&'static Demand> {
    let Some(authority) = authority(uri) else {
        // A colon after the first slash belongs to a path.
        let segment = uri.split(['#', '?', '/']).next().unwrap_or_default();
        let has_scheme = segment.split_once(':').is_none_or(|(scheme, _)| is_scheme(scheme));
        return (!has_scheme).then_some(&SYNTAX);
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(['[', ']']) {
        return Some(&SYNTAX);
    }
    if let Some(literal) = host.strip_prefix('[') {
        return (!is_literal(literal)).then_some(&SYNTAX);
    }
    // All schemes except `http` and `https` may have a list of hosts with ports.
    let scheme = uri.split(':').next().unwrap_or_default();
    let is_http = ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http));
    let colon = if is_http { host.find(':') } else { host.rfind(':') };
    let port = colon.map_or("", |at| &host[at + 1..]);
    if !is_port(port) || host.contains('[') || has_encoded_ascii(host) {
        return Some(&SYNTAX);
    }
    // The port is a part of the last label.
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|octet| octet.is_ascii_graphic());
    let encoded = host.contains('%') && host.replace("%25", "").contains('%');
    let is_domain = host.is_empty() || host.split('.').all(is_label);
    (encoded || !is_domain).then_some(&DOMAIN)
}

/// True if Go cannot parse a URI because of a character that no URI has.
fn has_bad_characters(uri: &str) -> bool {
    let (uri, fragment) = uri.split_once('#').unwrap_or((uri, ""));
    let before_query = uri.split('?').next().unwrap_or_default();
    let has_scheme = before_query.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme));
    let rest = if has_scheme {
        before_query.split_once(':').map_or("", |(_, rest)| rest)
    } else {
        before_query
    };
    // Go does not look into a URI such as `urn:uuid:1`.
    let is_opaque = has_scheme && !rest.starts_with('/');
    let user = authority(uri).and_then(|authority| authority.rsplit_once('@'));
    uri.bytes().any(|octet| octet.is_ascii_control())
        || has_bad_escape(fragment)
        || !is_opaque && has_bad_escape(rest)
        || user.is_some_and(|(user, _)| user.bytes().any(|octet| !is_in_userinfo(octet)))
}

fn has_bad_escape(text: &str) -> bool {
    let is_escape =
        |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|octet| octet.is_ascii_hexdigit());
    !text.split('%').skip(1).all(is_escape)
}

const fn is_in_userinfo(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'-' | b'.'
                | b'_'
                | b':'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b'%'
                | b'@'
        )
}

/// True for a host with a percent-encoded ASCII character other than the percent sign.
fn has_encoded_ascii(host: &str) -> bool {
    host.split('%')
        .skip(1)
        .any(|rest| rest.starts_with(|c| ('0'..'8').contains(&c)) && !rest.starts_with("25"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_read_as_go_reads_them() {
        for (uri, wanted) in [
            ("https://host/%41?q=%#%41", false),
            ("urn:uuid:%", false),
            ("https://host/a b|<>", false),
            ("https://us%41er:@host/", false),
            ("https://host/%", true),
            ("https://host/%4", true),
            ("https://host/#%zz", true),
            ("https://host/\n", true),
            ("https://us er@host/", true),
            ("https://us%zzer@host/", true),
            ("path/%zz", true),
        ] {
            assert_eq!(has_bad_characters(uri), wanted, "{uri}");
        }
    }

    #[test]
    fn hosts_are_read_as_go_reads_them() {
        for (uri, wanted) in [
            ("https://host.example.com:2379/", None),
            ("https://host:/", None),
            ("https://:80/", None),
            ("https://host.:80/", None),
            ("https://host%25.example.com/", None),
            ("etcd://a:b:80/", None),
            ("urn:uuid:1", None),
            ("spif#e://host:port/", None),
            ("spif?e://host:port/", None),
            ("a/b:c", None),
            ("https://host:port/", Some(SYNTAX.name)),
            ("HTTPS://a:b:80/", Some(SYNTAX.name)),
            ("https://[::1/", Some(SYNTAX.name)),
            ("https://x[::1]/", Some(SYNTAX.name)),
            ("https://us[er@host/", Some(SYNTAX.name)),
            ("https://host%41.example.com/", Some(SYNTAX.name)),
            ("1http://x/", Some(SYNTAX.name)),
            ("https://host%c3%a9.example.com/", Some(DOMAIN.name)),
            ("https://a..b/", Some(DOMAIN.name)),
            ("https://.example.com/", Some(DOMAIN.name)),
            ("https://host.example.com./", Some(DOMAIN.name)),
        ] {
            assert_eq!(fault(uri).map(|demand| demand.name), wanted, "{uri}");
        }
    }
}
