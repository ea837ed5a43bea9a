//! General names in certificates.

use std::fmt;
use std::net::IpAddr;

use x509_parser::extensions::GeneralName as Asn1Name;

use super::element::{Element, Elements};
use super::name::{DistinguishedName, hex, shown};
use crate::oid::Oid;

/// A general name in a certificate (RFC 5280 section 4.2.1.6), unchecked.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GeneralName {
    /// directoryName
    Directory(DistinguishedName),
    /// dNSName
    Dns(String),
    /// rfc822Name
    Email(String),
    /// iPAddress: 4 or 16 octets; in a constraint 8 or 32, address and mask
    Ip(Vec<u8>),
    /// A name of a known kind that cannot be read, described.
    Malformed(String),
    /// Any other kind, described.
    Other(String),
    /// uniformResourceIdentifier
    Uri(String),
}

impl GeneralName {
    pub(crate) fn read(name: &Asn1Name<'_>) -> Self {
        match name {
            Asn1Name::DNSName(text) => Self::Dns((*text).to_owned()),
            Asn1Name::RFC822Name(text) => Self::Email((*text).to_owned()),
            Asn1Name::URI(text) => Self::Uri((*text).to_owned()),
            Asn1Name::IPAddress(octets) => Self::Ip(octets.to_vec()),
            Asn1Name::DirectoryName(name) => match DistinguishedName::read(name) {
                Some(name) => Self::Directory(name),
                None => Self::malformed(4, name.as_raw()),
            },
            Asn1Name::RegisteredID(oid) => {
                Self::Other(format!("registeredID:{}", Oid::from_der(oid.as_bytes())))
            }
            Asn1Name::OtherName(oid, value) => {
                Self::Other(format!("otherName:{}:{}", Oid::from_der(oid.as_bytes()), hex(value)))
            }
            // With the contents, so that two such names are not equal.
            Asn1Name::X400Address(any) => Self::Other(format!("x400Address:{}", hex(any.data))),
            Asn1Name::EDIPartyName(any) => Self::Other(format!("ediPartyName:{}", hex(any.data))),
            Asn1Name::Invalid(tag, data) => Self::malformed(tag.0, data),
        }
    }

    /// The names in the value of a subjectAltName, as the parser returns them.
    pub(super) fn read_all(value: &[u8], names: &[Asn1Name<'_>]) -> Vec<Self> {
        let elements = Elements::within(value).filter(|elements| elements.all(|_| true));
        let mut elements = elements.unwrap_or_default();
        let names = names.iter().map(|name| match elements.element() {
            Some(element) if !has_known_tag(element) => {
                Self::malformed(element.number, element.contents)
            }
            _ => Self::read(name),
        });
        names.collect()
    }

    fn malformed(tag: u32, data: &[u8]) -> Self {
        Self::Malformed(format!("malformed[{tag}]:{}", hex(data)))
    }

    /// True for a name of a known kind that cannot be read.
    pub(crate) const fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed(_))
    }

    /// The address, if the name is an IP address.
    pub fn ip(&self) -> Option<IpAddr> {
        let Self::Ip(octets) = self else { return None };
        ip(octets)
    }
}

/// True for the identifier octet of a kind of name. The parser checks the number of a tag, but neither its class nor
/// whether the element is constructed (x509-parser 0.18.1).
pub(super) const fn has_known_tag(name: Element<'_>) -> bool {
    matches!(name.tag, 0xa0 | 0x81 | 0x82 | 0xa3 | 0xa4 | 0xa5 | 0x86 | 0x87 | 0x88)
}

fn ip(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

/// The prefix length of a mask, if the mask is a prefix.
pub(crate) fn prefix(mask: &[u8]) -> Option<u32> {
    let ones: u32 = mask.iter().map(|octet| octet.leading_ones()).sum();
    let set: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
    let whole = mask.iter().skip_while(|octet| **octet == 0xff).skip(1).all(|octet| *octet == 0);
    (ones == set && whole).then_some(set)
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(name) => write!(f, "dir:{name}"),
            Self::Dns(text) => write!(f, "dns:{}", shown(text)),
            Self::Email(text) => write!(f, "email:{}", shown(text)),
            Self::Uri(text) => write!(f, "uri:{}", shown(text)),
            Self::Malformed(text) | Self::Other(text) => f.write_str(text),
            Self::Ip(octets) => {
                let (address, mask) = octets.split_at(octets.len() / 2);
                match (ip(octets), ip(address), ip(mask)) {
                    (Some(address), ..) => write!(f, "ip:{address}"),
                    (None, Some(address), Some(_)) => match prefix(mask) {
                        Some(prefix) => write!(f, "ip:{address}/{prefix}"),
                        None => write!(f, "ip:{address}/{}", hex(mask)),
                    },
                    _ => write!(f, "ip:{}", hex(octets)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GeneralName;

    #[test]
    fn networks_are_shown_as_they_are_asked_for() {
        let shown = |octets: &[u8]| GeneralName::Ip(octets.to_vec()).to_string();
        assert_eq!(shown(&[10, 0, 0, 1]), "ip:10.0.0.1");
        assert_eq!(shown(&[10, 0, 0, 0, 255, 128, 0, 0]), "ip:10.0.0.0/9");
        assert_eq!(shown(&[0; 8]), "ip:0.0.0.0/0");
        assert_eq!(shown(&[10, 0, 0, 0, 255, 0, 255, 0]), "ip:10.0.0.0/#ff00ff00");
        assert_eq!(shown(&[10, 0, 0]), "ip:#0a0000");
    }
}
