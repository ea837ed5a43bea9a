//! The hosts that a certificate is valid for (RFC 9525 section 6), with the same rules as Go's crypto/x509
//! (`Certificate.VerifyHostname`), because etcd's clients are written in Go.

use std::net::IpAddr;

use super::{Certificate, GeneralName};

impl Certificate {
    /// True if a name in subjectAltName matches `host`, a DNS name or an IP address.
    ///
    /// DNS names are compared without regard to ASCII case, and one trailing dot of the host is ignored. A `*` as the whole
    /// first label of a name matches any one label. An IP address matches only IP addresses, and an IPv4-mapped IPv6 address
    /// is an IPv4 address. The common name is ignored.
    pub fn is_valid_for(&self, host: &str) -> bool {
        let names = self.extensions.subject_alt_name.iter().flatten();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => {
                let address = address.to_canonical();
                let mut carried = names.filter_map(GeneralName::ip);
                carried.any(|carried| carried.to_canonical() == address)
            }
            Err(_) => names
                .filter_map(|name| match name {
                    GeneralName::Dns(name) => Some(name.as_str()),
                    _ => None,
                })
                .any(|name| covers(name, host)),
        }
    }
}

fn covers(name: &str, host: &str) -> bool {
    let dialled = host.strip_suffix('.').unwrap_or(host);
    if !(is_host_name(dialled) && (is_host_name(name) || is_wildcard(name))) {
        // A text that is not a host name is only equal to itself.
        return !matches!(host, "" | ".") && name.eq_ignore_ascii_case(host);
    }
    match (name.strip_prefix("*."), dialled.split_once('.')) {
        (Some(parent), Some((_, above))) => parent.eq_ignore_ascii_case(above),
        (Some(_), None) => false,
        (None, _) => name.eq_ignore_ascii_case(dialled),
    }
}

fn is_wildcard(name: &str) -> bool {
    name.strip_prefix("*.").is_some_and(is_host_name)
}

/// True for labels of letters, digits, underscores and hyphens, where a hyphen is not the first character.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::covers;

    // The results of Go 1.25's crypto/x509.
    #[test]
    fn names_match_as_in_go() {
        for (name, host, matches) in [
            ("etcd.lab", "etcd.lab", true),
            ("ETCD.lab", "etcd.LAB", true),
            ("etcd.lab", "etcd.lab.", true),
            ("etcd.lab.", "etcd.lab", false),
            ("etcd.lab.", "etcd.lab.", true),
            ("etcd.lab", "etcd.lab..", false),
            ("etcd.lab", "a.etcd.lab", false),
            ("*.lan", "x.lan", true),
            ("*.localhost", "a.localhost", true),
            ("*.lan", "lan", false),
            ("*.lan", ".lan", false),
            ("*.lan", "*.lan", true),
            ("*.etcd.lab", "a.b.etcd.lab", false),
            ("*.etcd.lab", "A.ETCD.lab.", true),
            ("a*.etcd.lab", "ab.etcd.lab", false),
            ("a.*.lab", "a.b.lab", false),
            ("*", "lan", false),
            ("*", "*", true),
            ("node_1.lab", "node_1.lab", true),
            ("-a.lab", "-a.lab", true),
            ("-a.lab", "-A.LAB.", false),
            ("", "", false),
            (".", ".", false),
            ("a b", "A B", true),
        ] {
            assert_eq!(covers(name, host), matches, "{name:?} {host:?}");
        }
    }
}
