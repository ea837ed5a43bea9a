//! Where endpoints are.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::ServerName;

/// The ports of etcd (IANA: etcd-client, etcd-server).
pub(crate) const CLIENT_PORT: u16 = 2379;
pub(crate) const PEER_PORT: u16 = 2380;

/// `HOST:PORT`
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Address {
    /// A host name, or an IP address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for Address {
    type Err = String;

    /// Also accepts etcd's form, `https://HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("http://") {
            return Err(
                "a URL with http:// has no certificates\n  hint: write HOST:PORT of a TLS port"
                    .into(),
            );
        }
        let bare = text.strip_prefix("https://").unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        let invalid = || "not HOST:PORT\n  hint: write 192.168.29.61:2379 or [::1]:2379".to_owned();
        let (host, port) = bare.rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(invalid)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address,
            None if host.contains(':') => return Err(invalid()),
            None => host,
        };
        match ServerName::try_from(host.to_owned()) {
            Ok(_) => Ok(Self { host: host.to_owned(), port }),
            Err(_) => Err(invalid()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, expected) in [
            ("etcdone:2379", Some("etcdone:2379")),
            ("192.168.29.61:2379", Some("192.168.29.61:2379")),
            ("[::1]:2379", Some("[::1]:2379")),
            ("https://etcdone.example.com:2379/", Some("etcdone.example.com:2379")),
            ("http://etcdone:2379", None),
            ("etcdone", None),
            ("etcdone:0", None),
            ("etcdone:65536", None),
            ("::1:2379", None),
            (":2379", None),
            ("etcd one:2379", None),
        ] {
            let read = text.parse::<Address>().ok().map(|address| address.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
