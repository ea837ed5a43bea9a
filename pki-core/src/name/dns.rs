//! DNS names.

use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::mistakes::{no_address, refuse};
#[cfg(feature = "profiles")]
use crate::dialect::{Dialect, Faults};
use crate::error::Error;

/// A dNSName: lower-case letters, digits, hyphens and dots, with an optional `*.` at the front.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DnsName(String);

impl DnsName {
    /// Reads a name in cfssl's dialect. `error` is the reason why it is not a valid name natively.
    #[cfg(feature = "profiles")]
    pub(crate) fn read(
        text: &str,
        path: &str,
        faults: &mut Faults,
        error: Option<Error>,
    ) -> Option<Self> {
        let Some(error) = error else {
            // Unchanged, because other programs compare bytes. Only other scripts are converted to ASCII.
            let name: Self = text.parse().ok()?;
            if text.is_ascii() {
                return Some(Self(text.to_owned()));
            }
            if faults.dialect == Dialect::Cfssl {
                faults.harmless(in_ascii(path, text, &name.0));
            }
            return Some(name);
        };
        let error = error.in_field(path);
        if text.is_empty() {
            faults.harmless(error);
            return None;
        }
        let without = text.replace('_', "x");
        if text.is_ascii() && text.contains('_') && without.parse::<Self>().is_ok() {
            faults.harmless(error);
            return Some(Self(text.to_owned()));
        }
        faults.error(error);
        None
    }

    /// The name in ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name in another script, which cfssl cannot write.
#[cfg(feature = "profiles")]
pub(super) fn in_ascii(path: &str, text: &str, written: &str) -> Error {
    let problem = format!("cfssl cannot write this name; it is written as {written}");
    Error::invalid(path, text, problem).hinted(format!("write {written}"))
}

impl FromStr for DnsName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if is_plain_host(text) { Ok(Self(text.to_owned())) } else { Self::convert(text) }
    }
}

impl DnsName {
    /// Reads a name of any kind.
    fn convert(text: &str) -> Result<Self, Error> {
        no_address(text)?;
        let (wildcard, host) = match text.strip_prefix("*.") {
            Some(host) => ("*.", host),
            None => ("", text),
        };
        if host.contains('*') {
            return Err(refuse(
                text,
                "`*` is allowed only as the whole first label (RFC 6125 section 6.4.3)",
                "write *.example.com, or list the names",
            ));
        }
        if host.contains('_') {
            return Err(refuse(
                text,
                "underscores are not allowed in host names (RFC 1123 section 2.1)",
                format!("rename the host: {:?}", text.replace('_', "-")),
            ));
        }
        let bare = host.trim_end_matches('.');
        if host.ends_with('.') && !bare.is_empty() {
            return Err(refuse(
                text,
                "a trailing dot, which Go never matches",
                format!("write {:?}", format!("{wildcard}{bare}")),
            ));
        }
        // RFC 5280 section 4.2.1.6 requires the preferred name syntax of RFC 1034; RFC 5891 covers other scripts.
        let ascii = Uts46::new()
            .to_ascii(
                host.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::CheckFirstLast,
                DnsLength::Verify,
            )
            .map_err(|_| {
                refuse(
                    text,
                    "not a host name: each label has 1 to 63 letters, digits and inner hyphens, and the name has \
                     at most 253 characters (RFC 1034 section 3.5, RFC 5891)",
                    "write the name that `hostname -f` prints",
                )
            })?;
        // The conversion turned full-width digits and dots into ASCII.
        if ascii != host {
            no_address(&ascii)?;
        }
        if wildcard.len() + ascii.len() > 253 {
            return Err(refuse(text, "longer than 253 characters", "shorten it"));
        }
        Ok(Self(format!("{wildcard}{ascii}")))
    }
}

/// True for a name that is certainly a host name: of lower-case letters, digits and inner hyphens, with no label for another
/// script, and no address. Almost all names are of this kind, and to see this takes less than to convert a name.
pub(crate) fn is_plain_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with("xn--")
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // The last part of an IPv4 address is a number, also if it is malformed.
    let last = text.rsplit('.').next().unwrap_or(text);
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253 && !is_number && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_host_is_what_the_conversion_does_not_change() {
        const CHARACTERS: [char; 7] = ['a', 'x', 'n', '0', '-', '.', 'A'];
        let check = |text: &str| {
            let plain = is_plain_host(text);
            assert!(!plain || DnsName::convert(text).unwrap().as_str() == text, "{text}");
            plain
        };
        let mut all = vec![String::new()];
        for _ in 0..5 {
            let longer = |text: &String| CHARACTERS.map(|c| format!("{text}{c}"));
            all = all.iter().flat_map(longer).collect();
            assert!(all.iter().filter(|text| check(text)).count() > 0);
        }
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        for text in ["etcd1.lab", "etcd-00001", "1.2.3.a", "xn-a", "a.xn--b", &longest] {
            assert_eq!(check(text), !text.contains("xn--"), "{text}");
        }
        for text in
            ["", "1.2.3.4", "a_b", "*.a", "ä.b", "a b", &format!("{longest}c"), &"a".repeat(64)]
        {
            assert!(!check(text), "{text}");
        }
    }
}
