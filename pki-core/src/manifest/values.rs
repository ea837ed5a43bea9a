//! Parsers for the single values of a manifest.

use std::net::IpAddr;

use time::Duration;

use crate::document::Value;
use crate::duration::parse_duration;
use crate::error::Error;
use crate::etcd::EtcdVersion;
use crate::key::KeyAlgorithm;
use crate::name::{DnsName, San};

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

/// An absolute path that needs no quoting in YAML or in a systemd unit.
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

/// A folder where etcdpki runs; the shell is not there to replace `~` and `$HOME`.
pub(super) fn folder(value: &Value<'_>) -> Result<String, Error> {
    let text = value.string()?;
    let problem = match text.chars().next() {
        None => "an empty path",
        Some('~' | '$') => "a path that only a shell can complete",
        _ if text.chars().any(char::is_control) => "a path with a control character",
        _ => return Ok(text.to_owned()),
    };
    Err(value.invalid(problem).hinted("write a folder: pki, ../pki, /srv/etcd/pki"))
}

pub(super) fn version(value: &Value<'_>) -> Result<EtcdVersion, Error> {
    let bad = || value.invalid("not an etcd version").hinted("write it in quotes: \"3.5.21\"");
    let text = value.string().map_err(|_| bad())?;
    let mut numbers = text.split('.').map(str::parse::<u32>);
    let mut next = || numbers.next().transpose().map_err(|_| bad());
    let (major, minor) = (next()?.ok_or_else(bad)?, next()?.ok_or_else(bad)?);
    // "3.5" means the newest patch version.
    let patch = next()?.unwrap_or(u32::MAX);
    if next()?.is_some() || (major, minor) < (3, 4) || major > 3 {
        return Err(bad());
    }
    Ok(EtcdVersion(major, minor, patch))
}
