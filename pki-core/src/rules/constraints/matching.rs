//! Which names a subtree covers (RFC 5280 section 4.2.1.10).

use std::net::IpAddr;

use crate::certificate::{GeneralName, covers_domain};

/// True if two names are of the same kind, so that one can constrain the other.
pub(super) fn same_kind(constraint: &GeneralName, name: &GeneralName) -> bool {
    kind(constraint) == kind(name)
}

fn kind(name: &GeneralName) -> u8 {
    match name {
        GeneralName::Dns(_) => 0,
        GeneralName::Email(_) => 1,
        GeneralName::Uri(_) => 2,
        // IPv4 and IPv6 are one kind: a CA that permits only IPv4 networks permits no IPv6 address.
        GeneralName::Ip(_) => 3,
        GeneralName::Directory(_) => 4,
        GeneralName::Malformed(_) | GeneralName::Other(_) => 5,
    }
}

/// True if the name is within the subtree. A name that this crate cannot read is never within one.
pub(super) fn covers(constraint: &GeneralName, name: &GeneralName) -> bool {
    match (constraint, name) {
        (GeneralName::Dns(base), GeneralName::Dns(name)) => covers_domain(base, name),
        (GeneralName::Ip(base), GeneralName::Ip(address)) => {
            let (network, mask) = base.split_at(base.len() / 2);
            network.len() == address.len()
                && address
                    .iter()
                    .zip(network.iter().zip(mask))
                    .all(|(octet, (fixed, mask))| octet & mask == fixed & mask)
        }
        (GeneralName::Email(base), GeneralName::Email(address)) => email(base, address),
        (GeneralName::Uri(base), GeneralName::Uri(uri)) => {
            uri_host(uri).is_some_and(|host| host_or_domain(base, host))
        }
        (GeneralName::Directory(base), GeneralName::Directory(name)) => name.is_within(base),
        _ => false,
    }
}

/// True if an excluded subtree forbids the name, because it covers the name or because that cannot be
/// decided.
pub(super) fn reaches(excluded: &GeneralName, name: &GeneralName) -> bool {
    let unclear = match (excluded, name) {
        // A wildcard that could match a name in the subtree, as in Go since CVE-2025-61727.
        (GeneralName::Dns(base), GeneralName::Dns(name)) => {
            let above = base.trim_start_matches('.').split_once('.').map(|(_, above)| above);
            name.strip_prefix("*.")
                .is_some_and(|parent| above.is_some_and(|above| above.eq_ignore_ascii_case(parent)))
        }
        // "MUST reject the certificate": a URI without a host name.
        (GeneralName::Uri(_), GeneralName::Uri(uri)) => uri_host(uri).is_none(),
        // "MUST either process the constraint or reject the certificate".
        (
            GeneralName::Malformed(_) | GeneralName::Other(_),
            GeneralName::Malformed(_) | GeneralName::Other(_),
        ) => true,
        _ => false,
    };
    unclear || covers(excluded, name)
}

fn email(base: &str, address: &str) -> bool {
    let Some((local, host)) = address.rsplit_once('@') else {
        return false;
    };
    match base.rsplit_once('@') {
        // The part before `@` is case-sensitive (RFC 5280 section 7.5).
        Some((base_local, base_host)) => {
            base_local == local && base_host.eq_ignore_ascii_case(host)
        }
        None => host_or_domain(base, host),
    }
}

/// A base with a leading dot covers every host below the domain; one without covers only that host.
fn host_or_domain(base: &str, host: &str) -> bool {
    if base.starts_with('.') { covers_domain(base, host) } else { base.eq_ignore_ascii_case(host) }
}

/// The host name of a URI, or `None` if the URI has no authority or its host is an IP address.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next().unwrap_or(host);
    let is_name = !host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err();
    is_name.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_constraints_cover_whole_labels() {
        for (base, name, expected) in [
            ("example.com", "example.com", true),
            ("example.com", "a.b.EXAMPLE.com", true),
            ("example.com", "badexample.com", false),
            ("example.com", "*.example.com", true),
            (".example.com", "example.com", false),
            (".example.com", "a.example.com", true),
            ("", "anything", true),
        ] {
            assert_eq!(covers_domain(base, name), expected, "{base:?} {name}");
        }
    }

    #[test]
    fn an_excluded_name_reaches_the_wildcard_that_could_match_it() {
        let dns = |text: &str| GeneralName::Dns(text.to_owned());
        for (base, name, expected) in [
            ("bad.example.com", "*.example.com", true),
            ("bad.example.com", "*.EXAMPLE.com", true),
            ("a.bad.example.com", "*.example.com", false),
            ("example.com", "*.example.com", true),
            ("bad.example.com", "good.example.com", false),
            ("com", "*.example.com", true),
        ] {
            assert_eq!(reaches(&dns(base), &dns(name)), expected, "{base} {name}");
        }
        assert!(!covers(&dns("bad.example.com"), &dns("*.example.com")));
    }

    #[test]
    fn uris_without_a_host_name_are_neither_permitted_nor_outside_an_exclusion() {
        let uri = |text: &str| GeneralName::Uri(text.to_owned());
        for (name, covered, reached) in [
            ("https://a.example.com:1/x", true, true),
            ("https://other.example/x", false, false),
            ("urn:uuid:1", false, true),
            ("https://192.0.2.1/", false, true),
            ("https://[2001:db8::1]/", false, true),
        ] {
            assert_eq!(covers(&uri("a.example.com"), &uri(name)), covered, "{name}");
            assert_eq!(reaches(&uri("a.example.com"), &uri(name)), reached, "{name}");
        }
    }

    #[test]
    fn address_and_email_constraints() {
        let covers = |base: GeneralName, name: GeneralName| covers(&base, &name);
        let net = || GeneralName::Ip(vec![10, 0, 0, 0, 255, 0, 0, 0]);
        assert!(covers(net(), GeneralName::Ip(vec![10, 1, 2, 3])));
        assert!(!covers(net(), GeneralName::Ip(vec![11, 1, 2, 3])));
        assert!(!covers(net(), GeneralName::Ip(vec![0; 16])));
        assert!(email("example.com", "a@EXAMPLE.com"));
        assert!(!email("example.com", "a@x.example.com"));
        assert!(email(".example.com", "a@x.example.com"));
        assert!(email("a@example.com", "a@example.com"));
        assert!(!email("A@example.com", "a@example.com"));
    }
}
