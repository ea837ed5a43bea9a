//! What a certificate will say, before it has a serial number and a signature.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;

use crate::certificate::Extension;
use crate::cidr::Cidr;
use crate::error::Error;
use crate::key::PublicKey;
use crate::name::{DnsName, EmailAddress, San, Uri};
use crate::oid::Oid;
use crate::subject::Subject;
use crate::usage::{ExtendedKeyUsage, KeyUsages};

/// Everything that a certificate will say of itself.
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

/// That a certificate is a CA's, and how many CAs may stand below it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "one field, and RFC 5280 has no other")]
pub struct CaConstraint {
    /// pathLenConstraint; `None` leaves the depth open.
    pub path_len: Option<u8>,
}

/// Where relying parties find more.
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

/// A subtree of names that a CA is held to (RFC 5280 section 4.2.1.10).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NameConstraint {
    /// The DNS name and every name below it.
    Dns(DnsName),
    /// A mailbox, every mailbox of a host, or (with a leading dot) of every host below a domain.
    Email(String),
    /// Every address of a network.
    Ip(Cidr),
}

impl FromStr for NameConstraint {
    type Err = Error;

    /// Reads `dns:example.com`, `ip:192.0.2.0/24`, `email:example.com`, or the first two bare.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |problem: &str, hint: String| {
            Err(Error::invalid("name constraint", text, problem).hinted(hint))
        };
        let (kind, name) = match text.split_once(':') {
            Some((kind @ ("dns" | "email" | "ip"), name)) => (kind, name),
            // The encoder writes none, and nothing in a cluster is named by a URI.
            Some((kind, name)) if kind == "uri" || name.starts_with("//") => {
                return bad(
                    "a URI; hosts and networks are constrained",
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
                        "an email constraint has no wildcard; a leading dot covers all below it",
                        format!("write email:{}", host.as_str().trim_start_matches('*')),
                    );
                }
                let dot = if name.starts_with('.') { "." } else { "" };
                Ok(Self::Email(format!("{dot}{}", host.as_str())))
            }
            _ if name.starts_with('.') => bad(
                "a DNS constraint has no leading dot; it covers the name and all below it",
                format!("write dns:{}", name.trim_start_matches('.')),
            ),
            _ if name.starts_with('*') => bad(
                "a DNS constraint has no wildcard; it covers the name and all below it",
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
