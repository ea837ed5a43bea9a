//! Subject alternative names. A value of one of these types is valid, because its parser checks it.
//!
//! etcd compares the names of a certificate only with IP addresses and host names. The parser rejects any
//! name that cannot match one of them and gives the reason, so that it is not signed.

mod dns;
mod email;
mod uri;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

pub use self::dns::DnsName;
pub(crate) use self::dns::is_plain_host;
pub use self::email::EmailAddress;
pub use self::uri::Uri;
pub(crate) use self::uri::{authority, check_syntax, is_literal, is_port, is_scheme};
#[cfg(feature = "profiles")]
use crate::dialect::{Dialect, Faults};
use crate::error::Error;
use crate::quote;

/// One subject alternative name (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum San {
    /// dNSName
    Dns(DnsName),
    /// rfc822Name
    Email(EmailAddress),
    /// iPAddress
    Ip(IpAddr),
    /// uniformResourceIdentifier
    Uri(Uri),
}

impl FromStr for San {
    type Err = Error;

    /// Reads `dns:`, `ip:`, `email:` or `uri:` and a name of that kind, or a name without a prefix, whose
    /// kind is detected.
    fn from_str(text: &str) -> Result<Self, Error> {
        let typed = text.split_once(':').and_then(|(kind, name)| match kind {
            "dns" => Some(name.parse().map(Self::Dns)),
            "email" => Some(name.parse().map(Self::Email)),
            "ip" => Some(parse_ip(name).map(Self::Ip)),
            "uri" => Some(name.parse().map(Self::Uri)),
            _ => None,
        });
        typed.unwrap_or_else(|| Self::classify(text)).map_err(|mut error| {
            if let Error::Invalid(invalid) = &mut error {
                // The name with its prefix, as it was given.
                invalid.found = quote::value(text);
            }
            error
        })
    }
}

impl San {
    fn classify(text: &str) -> Result<Self, Error> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Ip(ip.to_canonical()));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            if matches!(scheme, "http" | "https") {
                let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
                return Err(refuse(
                    text,
                    "a URL; etcd compares hosts, not URLs",
                    format!("write only the host: {:?}", without_port(host)),
                ));
            }
            return text.parse().map(Self::Uri);
        }
        if text.starts_with("urn:") || text.starts_with("mailto:") {
            return text.parse().map(Self::Uri);
        }
        if text.contains('@') {
            return text.parse().map(Self::Email);
        }
        text.parse().map(Self::Dns)
    }

    /// Reads an entry of `hosts` in a document. In cfssl's dialect, empty names are left out, names with underscores
    /// and `Name <mailbox>` are accepted, and the case of a DNS name is kept.
    #[cfg(feature = "profiles")]
    pub(crate) fn read(text: &str, path: &str, faults: &mut Faults) -> Option<Self> {
        let parsed = match faults.dialect {
            Dialect::Native => text.parse(),
            Dialect::Cfssl => {
                let mailbox = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
                Self::classify(mailbox.map_or(text, |(_, mailbox)| mailbox))
            }
        };
        match parsed {
            Ok(Self::Dns(_)) | Err(_) if faults.dialect == Dialect::Cfssl => {
                DnsName::read(text, path, faults, parsed.err()).map(Self::Dns)
            }
            parsed => faults.take(parsed.map_err(|error| error.in_field(path))),
        }
    }

    /// Sorts names as cfssl writes them: DNS names, then mailboxes, addresses and URIs.
    #[cfg(feature = "profiles")]
    pub(crate) fn sort_by_kind(names: &mut [Self]) {
        names.sort_by_key(|name| match name {
            Self::Dns(_) => 0,
            Self::Email(_) => 1,
            Self::Ip(_) => 2,
            Self::Uri(_) => 3,
        });
    }

    /// The kind of name, as written before the colon.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Email(_) => "email",
            Self::Ip(_) => "ip",
            Self::Uri(_) => "uri",
        }
    }

    /// The name without its kind.
    pub fn value(&self) -> String {
        match self {
            Self::Dns(name) => name.as_str().to_owned(),
            Self::Email(address) => address.as_str().to_owned(),
            Self::Ip(ip) => ip.to_string(),
            Self::Uri(uri) => uri.as_str().to_owned(),
        }
    }
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.value())
    }
}

/// True if etcd finds the address of another member behind these hosts only by its PTR record.
///
/// A peer listener compares the names with the address that a member connects from: IP addresses as they are, names
/// by their address records, wildcards by the PTR record of the address (etcd's checkCertSAN). Names of the loopback
/// interface match no other member.
pub(crate) fn only_reverse_lookup_finds(hosts: impl Iterator<Item = String>) -> bool {
    let is_loopback = |host: &str| {
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    };
    let mut hosts = hosts.filter(|host| !is_loopback(host)).peekable();
    hosts.peek().is_some() && hosts.all(|host| host.starts_with("*."))
}

fn refuse(found: &str, problem: &str, hint: impl Into<String>) -> Error {
    Error::invalid("name", found, problem).hinted(hint)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((host, port)) if is_digits(port) => host.trim_matches(['[', ']']),
        _ => host.trim_matches(['[', ']']),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn parse_ip(text: &str) -> Result<IpAddr, Error> {
    match text.parse::<IpAddr>() {
        // Go compares the address of an IPv4 client at a dual-stack listener as IPv4.
        Ok(ip) => Ok(ip.to_canonical()),
        Err(_) => Err(not_a_host(text).unwrap_or_else(|| {
            refuse(text, "not an IP address", "write 192.0.2.1 or 2001:db8::1")
        })),
    }
}

/// Why `text` is neither a DNS name nor an IP address, for common mistakes.
///
/// cfssl signs each of these as a dNSName or a URI that no client can match.
fn not_a_host(text: &str) -> Option<Error> {
    let found = |problem: &str, hint: String| Some(refuse(text, problem, hint));
    if text.is_empty() {
        return found("an empty name", "remove it, or write the name of the host".to_owned());
    }
    if text.chars().any(char::is_control) {
        return found(
            "a name with a control character",
            "remove it; look at the file with `cat -A`".to_owned(),
        );
    }
    if text.contains(',') {
        return found("several names in one string", "write each name separately".to_owned());
    }
    if text.trim() != text {
        return found("a space before or after the name", format!("write {:?}", text.trim()));
    }
    if text.contains(char::is_whitespace) {
        return found("a name that contains a space", "write each name separately".to_owned());
    }
    if let Some((address, prefix)) = text.split_once('/') {
        let bare = address.trim_matches(['[', ']']);
        return if bare.parse::<IpAddr>().is_ok() && is_digits(prefix) {
            found(
                "a network; a certificate contains single addresses",
                format!(
                    "write only the address ({bare}); name constraints limit a CA to a network"
                ),
            )
        } else {
            found(
                "a path; a certificate contains host names and IP addresses",
                "write only the host, or uri:… for a URI".to_owned(),
            )
        };
    }
    if let Some((address, _)) = text.split_once('%')
        && address.parse::<IpAddr>().is_ok()
    {
        return found(
            "an address with a zone, which has no meaning on another host",
            format!("write only the address ({address}), preferably a global one"),
        );
    }
    if text.starts_with('[') {
        let bare = without_port(text);
        return found(
            "an address in brackets, which are used only in URLs",
            format!("write {bare:?}"),
        );
    }
    if let Some((host, port)) = text.rsplit_once(':') {
        return if is_digits(port) && !host.contains(':') {
            found(
                &format!(
                    "{} with a port; a certificate contains only the {}",
                    if host.parse::<IpAddr>().is_ok() { "an address" } else { "a host" },
                    if host.parse::<IpAddr>().is_ok() { "address" } else { "host" },
                ),
                format!("write {host:?}"),
            )
        } else {
            found("a name that contains a colon and is not an IPv6 address", with_colon(text))
        };
    }
    // The URL standard's "ends in a number" check: a malformed IPv4 address must not become a DNS name.
    let last = text.rsplit('.').next().unwrap_or(text);
    if is_digits(last) || last.to_ascii_lowercase().starts_with("0x") {
        return found(
            "not a valid IPv4 address, although it looks like one",
            "write four decimal numbers below 256 without leading zeros".to_owned(),
        );
    }
    None
}

/// What to write instead of a name with a colon.
fn with_colon(text: &str) -> String {
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    match kind.to_ascii_lowercase().as_str() {
        // As OpenSSL prints them.
        kind @ ("dns" | "email" | "ip" | "uri") => format!("write {:?}", format!("{kind}:{name}")),
        "ip address" => format!("write {:?}", format!("ip:{name}")),
        _ => "remove the colon, or start the name with dns:, ip:, email: or uri:".to_owned(),
    }
}

fn no_address(text: &str) -> Result<(), Error> {
    if text.parse::<IpAddr>().is_ok() {
        return Err(refuse(
            text,
            "an IP address as a DNS name, which Go and OpenSSL never match",
            format!("write ip:{text}"),
        ));
    }
    not_a_host(text).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_what_cfssl_classifies_rightly() {
        for (text, wanted) in [
            ("127.0.0.1", "ip:127.0.0.1"),
            ("::ffff:10.0.0.1", "ip:10.0.0.1"),
            ("2001:DB8::1", "ip:2001:db8::1"),
            ("localhost", "dns:localhost"),
            ("*.etcd.local", "dns:*.etcd.local"),
            ("EXAMPLE.com", "dns:example.com"),
            ("münchen.de", "dns:xn--mnchen-3ya.de"),
            ("user@x.com", "email:user@x.com"),
            ("user@münchen.de", "email:user@xn--mnchen-3ya.de"),
            ("spiffe://td/x", "uri:spiffe://td/x"),
            ("urn:uuid:1", "uri:urn:uuid:1"),
            ("uri:https://10.0.0.1:2379", "uri:https://10.0.0.1:2379"),
        ] {
            assert_eq!(text.parse::<San>().unwrap().to_string(), wanted);
        }
    }
}
