//! Parses URLs like etcd.

use std::net::IpAddr;

/// `scheme://host:port`
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Url<'a> {
    pub(crate) text: &'a str,
    pub(crate) scheme: &'a str,
    /// Without brackets.
    pub(crate) host: &'a str,
}

impl<'a> Url<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let authority = authority(rest);
        let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => authority.split(':').next().unwrap_or(authority),
        };
        Self { text, scheme, host }
    }

    /// True for a loopback address.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// True for the unspecified address, which means all addresses of the host.
    pub(crate) fn is_unspecified(&self) -> bool {
        self.host.is_empty()
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
    }

    /// etcd's error message for this URL (client/pkg/types, `NewURLs`).
    pub(super) fn refusal(&self) -> Option<&'static str> {
        let (_, rest) = self.text.split_once("://").unwrap_or(("", ""));
        match self.scheme {
            "http" | "https" if !has_port(authority(rest)) => {
                Some("URL address does not have the form \"host:port\"")
            }
            "http" | "https" if rest.len() > authority(rest).len() => {
                Some("URL must not contain a path")
            }
            "http" | "https" | "unix" | "unixs" => None,
            _ => Some("URL scheme must be http, https, unix, or unixs"),
        }
    }

    /// Whether etcd can bind to it: only to IP addresses and `localhost` (embed, `checkBindURLs`).
    pub(super) fn can_be_bound(&self) -> bool {
        self.scheme.starts_with("unix")
            || self.host.is_empty()
            || self.host == "localhost"
            || self.host.parse::<IpAddr>().is_ok()
    }
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// As required by Go's net.SplitHostPort: one colon, or brackets around a host with more.
fn has_port(authority: &str) -> bool {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, port)) => port.starts_with(':'),
        None => authority.matches(':').count() == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn urls_are_taken_apart_as_etcd_does() {
        for (text, scheme, host) in [
            ("https://192.0.2.1:2379", "https", "192.0.2.1"),
            (" https://[2001:db8::1]:2379", "https", "2001:db8::1"),
            ("http://etcdone", "http", "etcdone"),
            ("https://:2379", "https", ""),
            ("etcdone:2379", "", "etcdone"),
            ("", "", ""),
        ] {
            let url = Url::read(text);
            assert_eq!((url.scheme, url.host), (scheme, host), "{text}");
        }
        assert!(Url::read("https://[::1]:2379").is_loopback());
        assert!(Url::read("https://localhost:2379").is_loopback());
        assert!(Url::read("https://0.0.0.0:2379").is_unspecified());
    }
}
