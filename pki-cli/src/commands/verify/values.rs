//! Values of the command line of `verify`.

use std::net::IpAddr;

use pki_core::{San, parse_duration};
use rustls_pki_types::ServerName;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::commands::core;

/// Accepts names that etcdpki does not issue but other CAs do: with underscores, or with a dot at the end.
pub(super) fn parse_host(text: &str) -> Result<ServerName<'static>, String> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        // Go compares an IPv4-mapped IPv6 address as IPv4 (net.IP.Equal).
        return Ok(ip.to_canonical().into());
    }
    if let Ok(name) = ServerName::try_from(text.to_owned()) {
        return Ok(name);
    }
    // pki-core reports what is wrong with the name, and converts international names.
    match core(text.parse::<San>())? {
        San::Dns(name) => ServerName::try_from(name.as_str().to_owned()).ok(),
        _ => None,
    }
    .ok_or_else(|| {
        "neither a host name nor an address\n  hint: name the host that peers connect to, not a wildcard"
            .to_owned()
    })
}

pub(super) fn parse_span(text: &str) -> Result<Duration, String> {
    match core(parse_duration(text))? {
        span if span.is_negative() => {
            Err("must not be negative\n  hint: write a time in the future: 30d".to_owned())
        }
        span => Ok(span),
    }
}

pub(super) fn parse_depth(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "not a number of CAs\n  hint: write 0, 1, 2, …".to_owned())
}

pub(super) fn parse_moment(text: &str) -> Result<OffsetDateTime, String> {
    // `time` reads a leap second as the second before it. Go and certificates do not have leap seconds.
    let is_leap_second = text.get(17..19) == Some("60");
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| !is_leap_second);
    moment.ok_or_else(|| {
        "not an RFC 3339 timestamp with seconds from 00 to 59\n  hint: write 2027-06-01T00:00:00Z".to_owned()
    })
}

pub(super) fn parse_timeout(text: &str) -> Result<std::time::Duration, String> {
    match core(parse_duration(text))? {
        span if span.is_positive() => {
            std::time::Duration::try_from(span).map_err(|error| error.to_string())
        }
        _ => Err("the time must be positive\n  hint: write 5s, 500ms".to_owned()),
    }
}
