//! URIs as subject alternative names (RFC 3986, RFC 5280 section 4.2.1.6).

use std::net::Ipv6Addr;
use std::str::FromStr;

use super::{is_digits, refuse};
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
        let problem = match host_fault(text) {
            None => return Ok(Self(text.to_owned())),
            Some(HostFault::Syntax) => "a URI with a malformed host or port",
            Some(HostFault::Domain) => {
                "a URI with a host that starts or ends with a dot, or has two consecutive dots"
            }
        };
        Err(refuse(text, problem, "write scheme://host:port/path; etcd cannot read other forms"))
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

/// What is wrong with the authority of a URI (RFC 3986 section 3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HostFault {
    /// The host is not a domain name: it has an empty label or an invalid character.
    Domain,
    /// A port that is not a number, an unpaired bracket, several colons, a percent-encoded host, or no scheme.
    Syntax,
}

/// The fault that Go finds in a URI with valid characters (net/url and crypto/x509).
pub(crate) fn host_fault(uri: &str) -> Option<HostFault> {
    let Some(authority) = authority(uri) else {
        let has_scheme = uri.split_once(':').is_none_or(|(scheme, _)| is_scheme(scheme));
        return (!has_scheme).then_some(HostFault::Syntax);
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(['[', ']']) {
        return Some(HostFault::Syntax);
    }
    if let Some(literal) = host.strip_prefix('[') {
        return (!is_literal(literal)).then_some(HostFault::Syntax);
    }
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    if !port.bytes().all(|octet| octet.is_ascii_digit()) || name.contains(['[', ']', '%']) {
        return Some(HostFault::Syntax);
    }
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|octet| octet.is_ascii_graphic());
    (!name.is_empty() && !name.split('.').all(is_label)).then_some(HostFault::Domain)
}

/// The text between `//` and the next slash, if a scheme or nothing precedes it.
pub(crate) fn authority(uri: &str) -> Option<&str> {
    let before_query = uri.split(['?', '#']).next()?;
    let (before, rest) = before_query.split_once("//")?;
    let follows_scheme = before.is_empty() || before.strip_suffix(':').is_some_and(is_scheme);
    follows_scheme.then(|| rest.split('/').next().unwrap_or(rest))
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

/// True for the rest of `[address]` after its first bracket, with an optional zone and port.
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
            || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|o| o.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_number_as_port() {
        use HostFault::{Domain, Syntax};
        for (uri, wanted) in [
            ("https://host.example.com:2379/", None),
            ("https://host:/", None),
            ("https://:80/", None),
            ("https://[2001:db8::1]:2379/", None),
            ("https://[fe80::1%25eth0]/", None),
            ("https://user@host/", None),
            ("urn:uuid:1", None),
            ("spiffe://td/a/b", None),
            ("x:/a//b..c", None),
            ("https://host:port/", Some(Syntax)),
            ("https://a:b:c/", Some(Syntax)),
            ("https://[::1/", Some(Syntax)),
            ("https://x[::1]/", Some(Syntax)),
            ("https://[192.0.2.1]/", Some(Syntax)),
            ("https://host%41.example.com/", Some(Syntax)),
            ("1http://x/", Some(Syntax)),
            ("https://a..b/", Some(Domain)),
            ("https://.example.com/", Some(Domain)),
            ("https://host.example.com./", Some(Domain)),
            ("https://host.:80/", Some(Domain)),
        ] {
            assert_eq!(host_fault(uri), wanted, "{uri}");
        }
    }
}
