//! Email addresses.

use std::str::FromStr;

use super::dns::DnsName;
use super::mistakes::refuse;
use crate::error::Error;

/// An rfc822Name: a mailbox in ASCII, without a display name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address in ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as `text` has it, if that differs only in the case of letters: cfssl writes it unchanged.
    #[cfg(feature = "profiles")]
    pub(crate) fn spelled(self, text: &str) -> Self {
        if self.0.eq_ignore_ascii_case(text) { Self(text.to_owned()) } else { self }
    }
}

impl FromStr for EmailAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |problem| Err(refuse(text, problem, "write user@example.com"));
        let Some((local, domain)) = text.rsplit_once('@') else {
            return bad("an email address without `@`");
        };
        // RFC 5321 section 4.1.2: Dot-string. In practice, no program matches quoted local parts.
        let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        if local.len() > 64
            || local.split('.').any(|atom| atom.is_empty() || !atom.bytes().all(is_atext))
        {
            return bad("the part before `@` is not a plain mailbox name in ASCII");
        }
        match domain.parse::<DnsName>() {
            Ok(domain) if !domain.as_str().starts_with('*') => {
                Ok(Self(format!("{local}@{}", domain.as_str())))
            }
            Ok(_) => bad("the part after `@` must not be a wildcard"),
            Err(_) => bad("the part after `@` is not a DNS name"),
        }
    }
}
