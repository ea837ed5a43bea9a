//! Parsers for the single values of a manifest.

use std::net::IpAddr;

use time::Duration;

use super::kubernetes::KubernetesVersion;
use crate::document::Value;
use crate::duration::parse_duration;
use crate::error::Error;
use crate::etcd::EtcdVersion;
use crate::key::KeyAlgorithm;
use crate::name::{DnsName, San};
use crate::suggest;

/// The domain that completes the hosts' names.
pub(super) fn domain(value: &Value<'_>) -> Result<DnsName, Error> {
    let name: DnsName = value.parsed(str::parse)?;
    if name.as_str().starts_with("*.") {
        return Err(value
            .invalid("a wildcard, but each host needs its own name in the domain")
            .hinted(format!("write {:?}", name.as_str().trim_start_matches("*."))));
    }
    // A label of up to 63 characters and a dot precede it; the limit is 253 (RFC 1034 section 3.1).
    if name.as_str().len() > 253 - 64 {
        return Err(value.invalid("too long for the full name of a host").hinted("shorten it"));
    }
    Ok(name)
}

/// A host's short name: one label of a DNS name.
pub(super) fn label(text: &str) -> Result<&str, Error> {
    let name: DnsName = text.parse()?;
    if name.as_str() == text && !text.contains(['.', '*']) {
        return Ok(text);
    }
    Err(Error::invalid("name", text, "not a single DNS label in lower case")
        .hinted("write the short name, without the domain: etcdone"))
}

pub(super) fn key(value: &Value<'_>) -> Result<KeyAlgorithm, Error> {
    value.parsed(str::parse)
}

pub(super) fn positive(value: &Value<'_>) -> Result<Duration, Error> {
    if value.integer().is_ok() {
        return Err(value.invalid("a number without a unit").hinted("write 90d, 8760h, 1y"));
    }
    let duration = value.parsed(parse_duration)?;
    if duration.is_positive() {
        return Ok(duration);
    }
    Err(value.invalid("not a positive duration").hinted("write 90d, 8760h, 1y"))
}

/// An address that other hosts can connect to.
pub(super) fn host_address(text: &str) -> Result<IpAddr, Error> {
    let San::Ip(address) = text.parse()? else {
        return Err(Error::invalid("ip", text, "not an IP address").hinted("write 192.0.2.1"));
    };
    let unusable = match address {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
    };
    if unusable {
        return Err(Error::invalid("ip", text, "not an address that a host can have")
            .hinted("write the address that the other hosts connect to"));
    }
    Ok(address)
}

pub(super) fn boolean(value: &Value<'_>) -> Result<bool, Error> {
    value.boolean().map_err(|error| error.hinted("write true or false, without quotes"))
}

/// An absolute path that needs no quotes in YAML or in a systemd unit.
pub(super) fn absolute(value: &Value<'_>) -> Result<String, Error> {
    let text = value.string()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.starts_with('/') && text.len() > 1 && text.chars().all(plain) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err(value
        .invalid("not an absolute path that contains only letters, digits and /._-")
        .hinted("write /etc/etcd"))
}

/// A folder on the machine of etcdpki. No shell expands `~` and `$HOME` in it.
pub(super) fn folder(value: &Value<'_>) -> Result<String, Error> {
    let text = value.string()?;
    let problem = match text.chars().next() {
        None => "an empty path",
        Some('~' | '$') => "a path that only a shell can expand",
        _ if text.chars().any(char::is_control) => "a path with a control character",
        _ => return Ok(text.to_owned()),
    };
    Err(value.invalid(problem).hinted("write a folder: pki, ../pki, /srv/etcd/pki"))
}

/// The version of etcd, in quotes or as a number, with or without a `v`.
pub(super) fn version(value: &Value<'_>) -> Result<EtcdVersion, Error> {
    let bad = || value.invalid("not an etcd version").hinted("write it in quotes: \"3.5.21\"");
    let (major, minor, patch) = release(value).ok_or_else(bad)?;
    if major != 3 || minor < 4 {
        return Err(bad().hinted("etcdpki supports etcd 3.4 and later"));
    }
    // "3.5" means the newest patch version.
    Ok(EtcdVersion(major, minor, patch.unwrap_or(u32::MAX)))
}

/// The version of Kubernetes, likewise.
pub(super) fn kubernetes_version(value: &Value<'_>) -> Result<KubernetesVersion, Error> {
    let bad = |problem: &str| value.invalid(problem).hinted("write it in quotes: \"1.34\"");
    let (major, minor, patch) = release(value).ok_or_else(|| bad("not a Kubernetes version"))?;
    // Without quotes YAML takes 1.30 for the number 1.3.
    if major != 1 || minor < KubernetesVersion::OLDEST {
        let oldest = KubernetesVersion::OLDEST;
        return Err(bad(&format!("older than 1.{oldest}, the first with kubeadm's v1beta3")));
    }
    Ok(KubernetesVersion { minor, patch })
}

/// `3.6`, `3.6.4`, `v3.6.4`; a number of YAML is read as its text.
fn release(value: &Value<'_>) -> Option<(u32, u32, Option<u32>)> {
    let text = value.string().map(str::to_owned).or_else(|_| value.number()).ok()?;
    let text = text.strip_prefix('v').unwrap_or(&text);
    let number = |text: &str| -> Option<u32> {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
    };
    let numbers: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    match numbers[..] {
        [major, minor] => Some((major, minor, None)),
        [major, minor, patch] => Some((major, minor, Some(patch))),
        _ => None,
    }
}

/// One of several fixed values.
pub(super) fn one_of<T: Copy>(value: &Value<'_>, known: &[(&str, T)]) -> Result<T, Error> {
    let text = value.string()?;
    let found = known.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words = known.iter().map(|(word, _)| *word);
        value.invalid("not one of the possible values").hinted(suggest::one_of(text, words))
    })
}

/// The name of a client: the common name, which is the name of a user if etcd's RBAC is on, and the name
/// of its files.
pub(crate) fn client_name(text: &str) -> Result<&str, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@.-".contains(c);
    let bounded = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    // ub-common-name (RFC 5280 appendix A.1)
    if bounded && text.len() <= 64 && text.chars().all(plain) {
        return Ok(text);
    }
    Err(Error::invalid("name", text, "not the name of a client")
        .hinted("write up to 64 of A-Z a-z 0-9 _ @ . -, the first a letter or a digit"))
}
