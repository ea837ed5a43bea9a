//! A URI in the form of Go's `url.URL`, as `certinfo -csr` prints it.

use std::fmt::Write as _;

use serde::Serialize;

/// The fields in Go's order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GoUrl {
    scheme: String,
    opaque: String,
    /// Go prints no member of a user.
    user: Option<User>,
    host: String,
    path: String,
    raw_path: String,
    omit_host: bool,
    force_query: bool,
    raw_query: String,
    fragment: String,
    raw_fragment: String,
}

#[derive(Serialize)]
struct User {}

/// What Go does not escape in a path, and in a fragment, beside letters and digits.
const IN_PATH: &[u8] = b"-_.~$&+,/:;=@";
const IN_FRAGMENT: &[u8] = b"-_.~$&+,/:;=@?!()*";

impl From<&str> for GoUrl {
    fn from(uri: &str) -> Self {
        let (uri, fragment) = uri.split_once('#').unwrap_or((uri, ""));
        let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri));
        let force_query = rest.ends_with('?') && rest.matches('?').count() == 1;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (opaque, authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                ("", authority, path)
            }
            None if rest.starts_with('/') || scheme.is_empty() => ("", "", rest),
            None => (rest, "", ""),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((_, host)) => (Some(User {}), host),
            None => (None, authority),
        };
        let (path, raw_path) = decoded(path, IN_PATH);
        let (fragment, raw_fragment) = decoded(fragment, IN_FRAGMENT);
        Self {
            scheme: scheme.to_ascii_lowercase(),
            opaque: opaque.to_owned(),
            user,
            host: host.to_owned(),
            path,
            raw_path,
            omit_host: !scheme.is_empty() && rest.starts_with('/') && !rest.starts_with("//"),
            force_query,
            raw_query: query.to_owned(),
            fragment,
            raw_fragment,
        }
    }
}

/// A text without its escapes, and the text itself if Go would escape it in another way.
fn decoded(raw: &str, plain: &[u8]) -> (String, String) {
    let mut octets = Vec::new();
    let mut escaped = String::new();
    let mut rest = raw.as_bytes();
    while let [first, behind @ ..] = rest {
        let escape = behind.get(..2).filter(|_| *first == b'%');
        let digits = escape.and_then(|digits| std::str::from_utf8(digits).ok());
        let (octet, behind) = match digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(octet) => (octet, &behind[2..]),
            None => (*first, behind),
        };
        octets.push(octet);
        if octet.is_ascii_alphanumeric() || plain.contains(&octet) {
            escaped.push(char::from(octet));
        } else {
            let _ = write!(escaped, "%{octet:02X}");
        }
        rest = behind;
    }
    let raw = if escaped == raw { String::new() } else { raw.to_owned() };
    (String::from_utf8_lossy(&octets).into_owned(), raw)
}
