//! Common mistakes in names, and what to write instead.

use std::net::IpAddr;

use crate::error::Error;

pub(super) fn refuse(found: &str, problem: &str, hint: impl Into<String>) -> Error {
    Error::invalid("name", found, problem).hinted(hint)
}

pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((host, port)) if is_digits(port) => host.trim_matches(['[', ']']),
        _ => host.trim_matches(['[', ']']),
    }
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Why `text` is neither a DNS name nor an IP address, for common mistakes.
///
/// cfssl signs each of these as a dNSName or a URI that no client can match.
pub(super) fn not_a_host(text: &str) -> Option<Error> {
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

pub(super) fn no_address(text: &str) -> Result<(), Error> {
    if text.parse::<IpAddr>().is_ok() {
        return Err(refuse(
            text,
            "an IP address as a DNS name, which Go and OpenSSL never match",
            format!("write ip:{text}"),
        ));
    }
    not_a_host(text).map_or(Ok(()), Err)
}
