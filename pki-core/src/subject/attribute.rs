//! The attribute types of a distinguished name.

use crate::oid::Oid;

/// An attribute type of a distinguished name. The variants are in the order in which cfssl and Go write them.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Attribute {
    /// C
    Country,
    /// ST
    State,
    /// L
    Locality,
    /// street
    StreetAddress,
    /// postalCode
    PostalCode,
    /// O
    Organization,
    /// OU
    OrganizationalUnit,
    /// CN
    CommonName,
    /// serialNumber of the subject, not of the certificate
    SerialNumber,
    /// Any other type, by its OID.
    Other(Oid),
    /// E, in PKCS #9
    EmailAddress,
}

const NAMED: [(Attribute, &str, &str, usize); 10] = {
    use Attribute::{
        CommonName, Country, EmailAddress, Locality, Organization, OrganizationalUnit, PostalCode,
        SerialNumber, State, StreetAddress,
    };
    // Upper bounds: RFC 5280 appendix A.1; X.520 for street and postalCode.
    [
        // A code has two characters, and `unusual` reports others.
        (Country, "C", "2.5.4.6", 128),
        (State, "ST", "2.5.4.8", 128),
        (Locality, "L", "2.5.4.7", 128),
        (StreetAddress, "street", "2.5.4.9", 128),
        (PostalCode, "postalCode", "2.5.4.17", 40),
        (Organization, "O", "2.5.4.10", 64),
        (OrganizationalUnit, "OU", "2.5.4.11", 64),
        (CommonName, "CN", "2.5.4.3", 64),
        (SerialNumber, "serialNumber", "2.5.4.5", 64),
        (EmailAddress, "E", "1.2.840.113549.1.9.1", 255),
    ]
};

/// domainComponent (RFC 4519 section 2.4), the only other type that must be an IA5String.
pub(super) const DOMAIN_COMPONENT: &str = "0.9.2342.19200300.100.1.25";

impl Attribute {
    /// The attribute type that an OID names.
    pub fn from_oid(oid: &Oid) -> Self {
        NAMED
            .iter()
            .find(|(_, _, dotted, _)| *dotted == oid.as_str())
            .map_or_else(|| Self::Other(oid.clone()), |(attribute, ..)| attribute.clone())
    }

    /// The OID of the attribute type.
    pub fn oid(&self) -> Oid {
        match self {
            Self::Other(oid) => oid.clone(),
            named => Oid::trusted(named.row().map_or("", |(_, _, dotted, _)| *dotted)),
        }
    }

    /// `CN`, `O`, …, or the dotted OID if there is no short name.
    pub fn short_name(&self) -> &str {
        match self {
            Self::Other(oid) if oid.as_str() == DOMAIN_COMPONENT => "DC",
            Self::Other(oid) => oid.as_str(),
            named => named.row().map_or("", |(_, name, ..)| *name),
        }
    }

    fn row(&self) -> Option<&'static (Self, &'static str, &'static str, usize)> {
        NAMED.iter().find(|(attribute, ..)| attribute == self)
    }

    /// True for the types whose values cfssl and Go write into one RDN.
    pub(super) const fn shares_rdn(&self) -> bool {
        matches!(
            self,
            Self::Country
                | Self::State
                | Self::Locality
                | Self::StreetAddress
                | Self::PostalCode
                | Self::Organization
                | Self::OrganizationalUnit
        )
    }

    pub(super) fn upper_bound(&self) -> usize {
        self.row().map_or(32_768, |(.., bound)| *bound)
    }
}
