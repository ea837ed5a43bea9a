//! URIs as subject alternative names (RFC 3986, RFC 5280 section 4.2.1.6).

use std::net::Ipv6Addr;
use std::str::FromStr;

use super::mistakes::{is_digits, refuse};
use crate::error::Error;

/// A uniformResourceIdentifier: an absolute URI in ASCII, with a plain host if it has one.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Uri(String);

impl Uri {
    /// The URI in ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Uri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        check_syntax(text)?;
        if authority(text).is_some_and(|authority| !has_plain_host(authority)) {
            return Err(refuse(
                text,
                "a URI with a malformed host or port",
                "write scheme://host:port/path with a host name, or an IPv6 address in brackets",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Checks the characters and the scheme of a URI.
// RFC 5280 section 4.2.1.6: "MUST NOT be a relative URI", scheme and scheme-specific part.
pub(crate) fn check_syntax(text: &str) -> Result<(), Error> {
    let bad = |problem| Err(refuse(text, problem, "write scheme://host/path in ASCII"));
    let Some((scheme, rest)) = text.split_once(':') else {
        return bad("a URI without a scheme");
    };
    if !is_scheme(scheme) {
        return bad(
            "the scheme of a URI must be a letter, followed by letters, digits, `+`, `-` or `.`",
        );
    }
    if matches!(rest, "" | "//") {
        return bad("a URI without anything after its scheme");
    }
    if is_digits(rest) {
        // cfssl reads `etcd1:2379` as such a URI.
        return Err(refuse(text, "a host with a port, not a URI", format!("write dns:{scheme}")));
    }
    let is_uri = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    if !rest.bytes().all(is_uri) {
        return bad("a URI must be ASCII; percent-encode other characters (RFC 3986)");
    }
    let escapes_ok = rest.split('%').skip(1).all(|tail| {
        tail.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    });
    if !escapes_ok {
        return bad("a `%` in a URI must be followed by two hexadecimal digits");
    }
    Ok(())
}

/// True for a host name or an address, perhaps with a port, which every program reads in the same way.
// RFC 5280 section 4.2.1.6: a fully qualified domain name or an IP address.
fn has_plain_host(authority: &str) -> bool {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(['[', ']']) {
        return false;
    }
    if let Some(literal) = host.strip_prefix('[') {
        return is_literal(literal);
    }
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let has_labels = name.is_empty() || name.split('.').all(|label| !label.is_empty());
    is_port(port) && has_labels && !name.contains(['[', ']', '%'])
}

pub(crate) fn is_port(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_digit())
}

/// The text between `//` and the next slash, if a scheme or nothing precedes it.
pub(crate) fn authority(uri: &str) -> Option<&str> {
    let before_query = uri.split(['?', '#']).next()?;
    let (before, rest) = before_query.split_once("//")?;
    let follows_scheme = before.is_empty() || before.strip_suffix(':').is_some_and(is_scheme);
    follows_scheme.then(|| rest.split('/').next().unwrap_or(rest))
}

pub(crate) fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

/// True for the rest of `[address]`, perhaps with a zone and a port, after its first bracket.
pub(crate) fn is_literal(literal: &str) -> bool {
    let Some((address, port)) = literal.rsplit_once(']') else {
        return false;
    };
    let (address, zone) = address.split_once("%25").unwrap_or((address, "0"));
    let unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    address.parse::<Ipv6Addr>().is_ok()
        && !zone.is_empty()
        && zone.bytes().all(unreserved)
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_number_as_port() {
        for (uri, accepted) in [
            ("https://host.example.com:2379/", true),
            ("https://host:/", true),
            ("https://[2001:db8::1]:2379/", true),
            ("https://[fe80::1%25eth0]/", true),
            ("https://user@host/", true),
            ("urn:uuid:1", true),
            ("spiffe://td/a/b", true),
            ("x:/a//b..c", true),
            ("https://host:port/", false),
            ("https://a:b:c/", false),
            ("etcd://a:b:80/", false),
            ("https://[::1/", false),
            ("https://x[::1]/", false),
            ("https://[192.0.2.1]/", false),
            ("https://host%41.example.com/", false),
            ("https://host%25.example.com/", false),
            ("1http://x/", false),
            ("https://a..b/", false),
            ("https://.example.com/", false),
            ("https://host.example.com./", false),
            ("https://host.:80/", false),
        ] {
            assert_eq!(uri.parse::<Uri>().is_ok(), accepted, "{uri}");
        }
    }
}
