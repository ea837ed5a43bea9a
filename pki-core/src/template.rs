//! What a certificate will contain, before it has a serial number and a signature.

use std::fmt;
use std::str::FromStr;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::certificate::Extension;
use crate::cidr::Cidr;
use crate::error::{Error, Input};
use crate::key::PublicKey;
use crate::name::{DnsName, EmailAddress, San, Uri};
use crate::oid::Oid;
use crate::subject::Subject;
use crate::usage::{ExtendedKeyUsage, KeyUsages};

/// Everything that a certificate will contain.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) subject: Subject,
    pub(crate) names: Vec<San>,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) public_key: PublicKey,
    pub(crate) key_usages: KeyUsages,
    pub(crate) extended_key_usages: Vec<ExtendedKeyUsage>,
    pub(crate) ca: Option<CaConstraint>,
    pub(crate) permitted: Vec<NameConstraint>,
    pub(crate) excluded: Vec<NameConstraint>,
    pub(crate) urls: Urls,
    pub(crate) ocsp_no_check: bool,
    pub(crate) policies: Vec<PolicyInformation>,
    pub(crate) copied: Vec<Extension>,
}

/// When a certificate becomes valid.
#[derive(Clone, Copy)]
pub(crate) enum Begin {
    /// This long before the time of issuance.
    Backdated(Duration),
    #[cfg_attr(not(feature = "profiles"), expect(dead_code, reason = "only profiles set a time"))]
    At(OffsetDateTime),
}

/// When a certificate expires.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// This long after the time of issuance.
    After(Duration),
    #[cfg_attr(not(feature = "profiles"), expect(dead_code, reason = "only profiles set a time"))]
    At(OffsetDateTime),
}

/// notBefore and notAfter. Returns an error if notAfter is not later than the time of issuance.
pub(crate) fn validity(
    now: OffsetDateTime,
    begin: Begin,
    end: End,
) -> Result<(OffsetDateTime, OffsetDateTime), Error> {
    let now = certifiable(now).ok_or_else(|| {
        Error::invalid("clock", now.to_string(), "not in the years 1950 to 9999")
            .hinted("correct the clock")
            .of(Input::Clock)
    })?;
    let bad = |field: &str, found: String, problem: &str, hint: &str| {
        Error::invalid(field, found, problem).hinted(hint)
    };
    let (begin_field, begin_text, not_before) = match begin {
        Begin::At(time) => ("not_before", rfc3339(time), Some(time)),
        Begin::Backdated(backdate) => ("backdate", backdate.to_string(), now.checked_sub(backdate)),
    };
    let (end_field, end_text, not_after) = match end {
        End::At(time) => ("not_after", rfc3339(time), Some(time)),
        End::After(expiry) => ("expiry", expiry.to_string(), now.checked_add(expiry)),
    };
    let not_before = not_before.and_then(certifiable).ok_or_else(|| match begin {
        Begin::At(_) => {
            bad(begin_field, begin_text.clone(), "before the year 1950", "choose a later time")
        }
        Begin::Backdated(_) => {
            let problem = "notBefore would be before the year 1950";
            bad(begin_field, begin_text.clone(), problem, "choose some minutes, such as 5m")
        }
    })?;
    let not_after = not_after.and_then(certifiable).ok_or_else(|| match end {
        End::At(_) => {
            bad(end_field, end_text.clone(), "before the year 1950", "choose a later time")
        }
        End::After(_) => {
            let problem = "notAfter would be after the year 9999";
            bad(end_field, end_text.clone(), problem, "choose a shorter lifetime, such as 8760h")
        }
    })?;
    if not_after <= now || not_after <= not_before {
        let problem = "the certificate would already be expired";
        let hint = "choose a later time, such as an expiry of 8760h";
        return Err(bad(end_field, end_text, problem, hint));
    }
    if not_before > now {
        let problem = "the certificate would not be valid yet";
        return Err(bad(begin_field, rfc3339(not_before), problem, "choose a time in the past"));
    }
    Ok((not_before, not_after))
}

fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// A time for certificates and CRLs: whole seconds of UTC, in the years that UTCTime and GeneralizedTime can represent
/// (RFC 5280 section 4.1.2.5). rcgen 0.14.10 panics on other years.
pub(crate) fn certifiable(time: OffsetDateTime) -> Option<OffsetDateTime> {
    let time = time.checked_to_offset(UtcOffset::UTC)?.replace_nanosecond(0).ok()?;
    (1950..=9999).contains(&time.year()).then_some(time)
}

/// Makes a certificate a CA's, and limits how many CAs may follow below it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "one field, and RFC 5280 has no other")]
pub struct CaConstraint {
    /// pathLenConstraint. `None` sets no limit.
    pub path_len: Option<u8>,
}

/// URLs for relying parties.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Urls {
    /// The issuer's certificate (caIssuers).
    pub issuer: Vec<Uri>,
    /// The OCSP responder.
    pub ocsp: Option<Uri>,
    /// The CRL.
    pub crl: Option<Uri>,
}

/// A certificate policy (RFC 5280 section 4.2.1.4).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicyInformation {
    /// policyIdentifier
    pub id: Oid,
    /// policyQualifiers
    pub qualifiers: Vec<PolicyQualifier>,
}

/// A policy qualifier.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PolicyQualifier {
    /// id-qt-cps
    Cps(Uri),
    /// id-qt-unotice, the explicit text
    UserNotice(String),
}

/// A subtree of names that a CA may or may not certify (RFC 5280 section 4.2.1.10).
///
/// ```
/// use pki_core::NameConstraint;
///
/// let subtree: NameConstraint = "192.168.29.0/24".parse()?;
/// assert_eq!(subtree.to_string(), "ip:192.168.29.0/24");
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NameConstraint {
    /// The DNS name and every name below it.
    Dns(DnsName),
    /// A mailbox, all mailboxes of a host, or (with a leading dot) of all hosts below a domain.
    Email(String),
    /// All addresses of a network.
    Ip(Cidr),
}

impl FromStr for NameConstraint {
    type Err = Error;

    /// Reads `dns:example.com`, `ip:192.0.2.0/24`, `email:example.com`, or the first two without the prefix.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |problem: &str, hint: String| {
            Err(Error::invalid("name constraint", text, problem).hinted(hint))
        };
        let (kind, name) = match text.split_once(':') {
            Some((kind @ ("dns" | "email" | "ip"), name)) => (kind, name),
            // rcgen cannot write a constraint on URIs, and a cluster does not need one.
            Some((kind, name)) if kind == "uri" || name.starts_with("//") => {
                return bad(
                    "a URI; only hosts and networks can be constrained",
                    "write dns:HOST".to_owned(),
                );
            }
            _ if text.contains('/') => ("ip", text),
            _ if text.contains('@') => ("email", text),
            _ => ("dns", text),
        };
        match kind {
            "ip" => Ok(Self::Ip(name.parse()?)),
            "email" if name.contains('@') => {
                Ok(Self::Email(name.parse::<EmailAddress>()?.as_str().to_owned()))
            }
            "email" => {
                let host: DnsName = name.strip_prefix('.').unwrap_or(name).parse()?;
                if host.as_str().starts_with('*') {
                    return bad(
                        "an email constraint has no wildcard; a leading dot covers all hosts below the domain",
                        format!("write email:{}", host.as_str().trim_start_matches('*')),
                    );
                }
                let dot = if name.starts_with('.') { "." } else { "" };
                Ok(Self::Email(format!("{dot}{}", host.as_str())))
            }
            _ if name.starts_with('.') => bad(
                "a DNS constraint has no leading dot; it covers the name and all names below it",
                format!("write dns:{}", name.trim_start_matches('.')),
            ),
            _ if name.starts_with('*') => bad(
                "a DNS constraint has no wildcard; it covers the name and all names below it",
                format!("write dns:{}", name.trim_start_matches(['*', '.'])),
            ),
            _ if name.parse::<std::net::IpAddr>().is_ok() => bad(
                "an address constraint needs a prefix length",
                format!("write ip:{name}/{}", if name.contains(':') { 128 } else { 32 }),
            ),
            _ => Ok(Self::Dns(name.parse()?)),
        }
    }
}

impl fmt::Display for NameConstraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "dns:{}", name.as_str()),
            Self::Email(text) => write!(f, "email:{text}"),
            Self::Ip(cidr) => write!(f, "ip:{cidr}"),
        }
    }
}
