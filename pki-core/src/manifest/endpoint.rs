//! A host and a port that clients connect to.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::Error;
use crate::name::San;

/// A host name or an address, and a port if it is not the usual one: `etcd.example.net`,
/// `[2001:db8::1]:3379`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Endpoint {
    /// A DNS name or an address.
    pub host: San,
    /// The port, if it is given.
    pub port: Option<u16>,
}

impl Endpoint {
    pub(crate) const fn new(host: San, port: u16) -> Self {
        Self { host, port: Some(port) }
    }

    /// Host and port, with a default for the port.
    pub(crate) fn with_default_port(&self, port: u16) -> Self {
        Self { host: self.host.clone(), port: self.port.or(Some(port)) }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |problem: &str| {
            Error::invalid("endpoint", text, problem)
                .hinted("write etcd.example.net, 192.0.2.1, [2001:db8::1]:2379")
        };
        if text.contains("://") {
            return Err(invalid("a URL; only the host and the port belong here"));
        }
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((address, ""))) => (address, None),
            Some(Some((address, port))) => (address, port.strip_prefix(':').or(Some(""))),
            Some(None) => return Err(invalid("the bracket is not closed")),
            // More than one colon: an IPv6 address without brackets, and therefore without a port.
            None if text.matches(':').count() > 1 => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return Err(invalid("the port is not a number from 1 to 65535")),
        };
        match host.parse::<San>() {
            Ok(San::Dns(name)) if name.as_str().starts_with("*.") => {
                Err(invalid("a wildcard, which nobody can dial"))
            }
            Ok(host @ (San::Dns(_) | San::Ip(_))) => Ok(Self { host, port }),
            Ok(_) => Err(invalid("neither a host name nor an address")),
            Err(error) => Err(error),
        }
    }
}

/// As in the authority of a URL: an IPv6 address is in brackets (RFC 3986 section 3.2.2).
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            San::Ip(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            host => f.write_str(&host.value())?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (text, host, port) in [
            ("etcd.example.net", "etcd.example.net", None),
            ("etcd.example.net:3379", "etcd.example.net", Some(3379)),
            ("10.9.0.100", "10.9.0.100", None),
            ("10.9.0.100:2379", "10.9.0.100", Some(2379)),
            ("2001:db8::1", "2001:db8::1", None),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("[2001:db8::1]:2379", "2001:db8::1", Some(2379)),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.host.value().as_str(), endpoint.port), (host, port), "{text}");
        }
        let written = |text: &str| text.parse::<Endpoint>().unwrap().with_default_port(2379);
        assert_eq!(written("2001:db8::1").to_string(), "[2001:db8::1]:2379");
        assert_eq!(written("etcd.lab:1").to_string(), "etcd.lab:1");
    }

    #[test]
    fn what_nobody_can_dial_is_refused() {
        for text in [
            "",
            ":2379",
            "etcd:0",
            "etcd:65536",
            "etcd:http",
            "etcd:",
            "https://etcd:2379",
            "[2001:db8::1",
            "[2001:db8::1]2379",
            "*.example.net",
            "a b",
            "10.0.0.0/8",
            "email:a@example.net",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text:?}");
        }
    }
}
