//! The evidence of a violated rule: values for programs, text for people.

use std::fmt;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::quote;

/// What was found, and what is required.
///
/// Programs match the variants that contain values; `Display` has the text of every kind. The text never holds a private key,
/// and the length of every line is limited.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Evidence {
    /// Text only.
    Text(String),
    /// The certificate expires before the time of verification.
    Expired {
        /// The last second of its validity.
        not_after: OffsetDateTime,
        /// The time of verification.
        at: OffsetDateTime,
    },
    /// The certificate becomes valid after the time of verification.
    NotYetValid {
        /// The first second of its validity.
        not_before: OffsetDateTime,
        /// The time of verification.
        at: OffsetDateTime,
    },
    /// The certificate expires earlier than the caller accepts.
    ExpiresSoon {
        /// The last second of its validity.
        not_after: OffsetDateTime,
        /// How long it is still valid.
        left: Duration,
        /// How long it should still be valid.
        threshold: Duration,
    },
    /// No name of the certificate matches a host.
    NotValidFor {
        /// The DNS name or the address of the host.
        host: String,
        /// The names of the certificate, each with its kind: `dns:etcdone`, `ip:10.0.0.1`.
        names: Vec<String>,
    },
    /// The authorityKeyIdentifier of a certificate differs from the key identifier of its issuer.
    OtherKeyId {
        /// The keyIdentifier of its authorityKeyIdentifier, in hexadecimal.
        found: String,
        /// The subjectKeyIdentifier of its issuer, in hexadecimal.
        expected: String,
    },
    /// No trusted CA has the name of the issuer.
    UnknownIssuer {
        /// The issuer's name; `None` for a self-signed certificate.
        issuer: Option<String>,
        /// The names of the trusted CAs.
        trusted: Vec<String>,
    },
    /// No CA with the name of the issuer made the signature.
    NotSignedBy {
        /// The name of each CA that was tried, and the identifier of its key, in hexadecimal.
        tried: Vec<(String, String)>,
    },
}

impl Evidence {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Expired { not_after, at } => {
                format!("notAfter {} is before {}", moment(*not_after), moment(*at))
            }
            Self::NotYetValid { not_before, at } => {
                format!("notBefore {} is after {}", moment(*not_before), moment(*at))
            }
            Self::ExpiresSoon { not_after, left, threshold } => format!(
                "expires in {} (notAfter {}; threshold: {})",
                days(*left),
                moment(*not_after),
                days(*threshold)
            ),
            Self::NotValidFor { host, names } if names.is_empty() => {
                format!("not valid for {host}; it has no names")
            }
            Self::NotValidFor { host, names } => {
                format!("not valid for {host}; its names are {}", listed(names.iter(), ", "))
            }
            Self::OtherKeyId { found, expected } => format!(
                "authorityKeyIdentifier {found} differs from the CA's subjectKeyIdentifier {expected}"
            ),
            Self::UnknownIssuer { issuer, trusted } => {
                let trusted = listed(trusted.iter(), "; ");
                match issuer {
                    Some(issuer) => {
                        format!("its issuer {issuer:?} is not among the trusted CAs: {trusted}")
                    }
                    None => {
                        format!("it is self-signed, and not among the trusted CAs: {trusted}")
                    }
                }
            }
            Self::NotSignedBy { tried } => {
                let tried: Vec<String> =
                    tried.iter().map(|(name, key_id)| format!("{name} (key {key_id})")).collect();
                format!("its signature is not by {}", listed(tried.iter(), ", nor by "))
            }
        }
    }

    /// The same evidence, with text that is safe to show in a message.
    pub(crate) fn bounded(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(quote::sentence(&text)),
            other => other,
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Its length was limited when it was created.
            Self::Text(text) => f.write_str(text),
            other => f.write_str(&quote::sentence(&other.text())),
        }
    }
}

impl From<String> for Evidence {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Evidence {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A list for people, cut off after 100 items, as in Go: a hostile certificate can have tens of thousands
/// of names.
pub(crate) fn listed(
    items: impl ExactSizeIterator<Item = impl fmt::Display>,
    separator: &str,
) -> String {
    const MOST: usize = 100;
    let more = items.len().saturating_sub(MOST);
    let mut shown: Vec<String> = items.take(MOST).map(|item| item.to_string()).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(separator)
}

/// A time in whole seconds, as in X.509.
pub(crate) fn moment(moment: OffsetDateTime) -> String {
    let moment = moment.truncate_to_second();
    // RFC 3339 ends at the year 9999, and so do ASN.1 times.
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

/// Whole days, for people.
pub(crate) fn days(duration: Duration) -> String {
    match duration.whole_days() {
        1 => "1 day".to_owned(),
        number => format!("{number} days"),
    }
}
