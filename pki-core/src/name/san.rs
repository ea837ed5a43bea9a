//! Subject alternative names.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::dns::DnsName;
#[cfg(feature = "profiles")]
use super::dns::in_ascii;
use super::email::EmailAddress;
use super::mistakes::{not_a_host, refuse, without_port};
use super::uri::Uri;
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
        let mailbox = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
        let mailbox = mailbox.map_or(text, |(_, mailbox)| mailbox);
        let parsed = match faults.dialect {
            Dialect::Native => text.parse(),
            Dialect::Cfssl => Self::classify(mailbox),
        };
        match parsed {
            Ok(Self::Email(address)) if faults.dialect == Dialect::Cfssl => {
                if !mailbox.is_ascii() {
                    faults.harmless(in_ascii(path, text, address.as_str()));
                }
                Some(Self::Email(address.spelled(mailbox)))
            }
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

fn parse_ip(text: &str) -> Result<IpAddr, Error> {
    match text.parse::<IpAddr>() {
        // Go compares the address of an IPv4 client at a dual-stack listener as IPv4.
        Ok(ip) => Ok(ip.to_canonical()),
        Err(_) => Err(not_a_host(text).unwrap_or_else(|| {
            refuse(text, "not an IP address", "write 192.0.2.1 or 2001:db8::1")
        })),
    }
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
