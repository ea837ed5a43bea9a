//! Reads the extensions of certificates and requests.

use std::fmt;
use std::net::IpAddr;

use der::Decode;
use x509_cert::ext::pkix::CrlDistributionPoints;
use x509_parser::asn1_rs::{FromDer, Oid as Asn1Oid};
use x509_parser::extensions::{
    CRLDistributionPoint, DistributionPointName, GeneralName as Asn1Name, ParsedExtension,
    X509Extension,
};
use x509_parser::oid_registry::OID_X509_EXT_NAME_CONSTRAINTS;

use super::constraints::NameConstraints;
use super::name::{DistinguishedName, hex, shown};
use super::serial::SerialNumber;
use super::shape::{has_its_shape, is_of_rfc5280};
use crate::error::Error;
use crate::key::KeyId;
use crate::oid::Oid;
use crate::usage::{ExtendedKeyUsage, KeyUsages};

/// One extension in raw form.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Extension {
    /// extnID
    pub oid: Oid,
    /// critical
    pub critical: bool,
    /// The contents of extnValue, DER.
    pub value: Vec<u8>,
}

/// The extensions of a certificate or request: all in raw form, and the known ones parsed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Extensions {
    /// Every extension, in the order of the certificate.
    pub all: Vec<Extension>,
    /// RFC 5280 section 4.2.1.1
    pub authority_key_id: Option<AuthorityKeyId>,
    /// RFC 5280 section 4.2.1.2
    pub subject_key_id: Option<KeyId>,
    /// RFC 5280 section 4.2.1.3
    pub key_usage: Option<KeyUsages>,
    /// RFC 5280 section 4.2.1.4, only the identifiers
    pub certificate_policies: Option<Vec<Oid>>,
    /// RFC 5280 section 4.2.1.5: pairs of the issuer's and the subject's policy
    pub policy_mappings: Option<Vec<(Oid, Oid)>>,
    /// RFC 5280 section 4.2.1.6
    pub subject_alt_name: Option<Vec<GeneralName>>,
    /// RFC 5280 section 4.2.1.9
    pub basic_constraints: Option<BasicConstraints>,
    /// RFC 5280 section 4.2.1.10
    pub name_constraints: Option<NameConstraints>,
    /// RFC 5280 section 4.2.1.11
    pub policy_constraints: Option<PolicyConstraints>,
    /// RFC 5280 section 4.2.1.12
    pub extended_key_usage: Option<Vec<ExtendedKeyUsage>>,
    /// RFC 5280 section 4.2.1.13
    pub crl_distribution_points: Option<Vec<DistributionPoint>>,
    /// RFC 5280 section 4.2.1.14, skipCerts
    pub inhibit_any_policy: Option<u32>,
    /// RFC 5280 section 4.2.2.1
    pub authority_info_access: Option<Vec<AccessDescription>>,
}

/// RFC 5280 section 4.2.1.1
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuthorityKeyId {
    /// keyIdentifier
    pub key_id: Option<KeyId>,
    /// authorityCertIssuer: the issuer of the issuer's certificate; empty if absent.
    pub issuer: Vec<GeneralName>,
    /// authorityCertSerialNumber: the serial number of the issuer's certificate.
    pub serial: Option<SerialNumber>,
}

/// RFC 5280 section 4.2.1.9
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BasicConstraints {
    /// cA
    pub ca: bool,
    /// pathLenConstraint
    pub path_len: Option<u32>,
}

/// RFC 5280 section 4.2.1.11
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicyConstraints {
    /// requireExplicitPolicy: how many certificates may follow before policies are required
    pub require_explicit: Option<u32>,
    /// inhibitPolicyMapping: how many certificates may follow that can still map policies
    pub inhibit_mapping: Option<u32>,
}

/// A CRL distribution point (RFC 5280 section 4.2.1.13).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DistributionPoint {
    /// fullName; empty if the point has another kind of name or no name
    pub names: Vec<GeneralName>,
    /// True if reasons is present: the CRL covers only some reasons for revocation.
    pub only_some_reasons: bool,
    /// True if cRLIssuer is present: the CRL is not issued by the certificate's issuer.
    pub indirect: bool,
}

impl DistributionPoint {
    /// Reads the fields with x509-cert, because x509-parser 0.18.1 treats a field that it cannot read, and everything after
    /// it, as absent. A point for some reasons would then count as one for all reasons.
    fn read(extension: &[u8], points: &[CRLDistributionPoint<'_>]) -> Option<Vec<Self>> {
        let CrlDistributionPoints(fields) = CrlDistributionPoints::from_der(extension).ok()?;
        if fields.len() != points.len() {
            return None;
        }
        let names = |point: &CRLDistributionPoint<'_>| match &point.distribution_point {
            Some(DistributionPointName::FullName(names)) => {
                names.iter().map(GeneralName::read).collect()
            }
            _ => Vec::new(),
        };
        let points = points.iter().zip(fields).map(|(point, fields)| Self {
            names: names(point),
            only_some_reasons: fields.reasons.is_some(),
            indirect: fields.crl_issuer.is_some(),
        });
        Some(points.collect())
    }
}

/// RFC 5280 section 4.2.2.1
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AccessDescription {
    /// accessMethod
    pub method: Oid,
    /// accessLocation
    pub location: GeneralName,
}

/// A general name without any checks (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GeneralName {
    /// directoryName
    Directory(DistinguishedName),
    /// dNSName
    Dns(String),
    /// rfc822Name
    Email(String),
    /// iPAddress: 4 or 16 octets, or in a constraint 8 or 32 octets with address and mask
    Ip(Vec<u8>),
    /// A description of a name of a known kind that cannot be read.
    Malformed(String),
    /// A description of a name of any other kind.
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
            // With their contents, so that different ones are different names.
            Asn1Name::X400Address(any) => Self::Other(format!("x400Address:{}", hex(any.data))),
            Asn1Name::EDIPartyName(any) => Self::Other(format!("ediPartyName:{}", hex(any.data))),
            Asn1Name::Invalid(tag, data) => Self::malformed(tag.0, data),
        }
    }

    fn malformed(tag: u32, data: &[u8]) -> Self {
        Self::Malformed(format!("malformed[{tag}]:{}", hex(data)))
    }

    /// True for a name of a known kind that cannot be read.
    pub(crate) const fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed(_))
    }

    /// The IP address, if the name is one.
    pub fn ip(&self) -> Option<IpAddr> {
        let Self::Ip(octets) = self else { return None };
        ip(octets)
    }
}

fn ip(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

/// The prefix length of a mask, if it is a valid prefix.
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

impl Extensions {
    pub(crate) fn read(
        expected: &'static str,
        extensions: &[X509Extension<'_>],
    ) -> Result<Self, Error> {
        let mut facts = Self::default();
        for extension in extensions {
            let oid = Oid::from_der(extension.oid.as_bytes());
            if !has_its_shape(&oid, extension.value) {
                return Err(unreadable(expected, extension));
            }
            facts.all.push(Extension {
                oid,
                critical: extension.critical,
                value: extension.value.to_vec(),
            });
            // The parser reads an empty list of subtrees as absent.
            if extension.oid == OID_X509_EXT_NAME_CONSTRAINTS {
                facts.name_constraints = Some(NameConstraints::read(extension.value));
            } else {
                facts.add(expected, extension)?;
            }
        }
        match facts.repeated() {
            Some(oid) => Err(Error::malformed(expected, format!("extension {oid} occurs twice"))
                .hinted("have it reissued; RFC 5280 section 4.2 allows each extension only once")),
            None => Ok(facts),
        }
    }

    /// An extension that occurs twice. Uses sorting, because a hostile certificate can have tens of thousands of them.
    fn repeated(&self) -> Option<&Oid> {
        let mut oids: Vec<&Oid> = self.all.iter().map(|extension| &extension.oid).collect();
        oids.sort_unstable_by_key(|oid| oid.as_str());
        oids.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }

    fn add(&mut self, expected: &'static str, extension: &X509Extension<'_>) -> Result<(), Error> {
        match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(aki) => {
                self.authority_key_id = Some(AuthorityKeyId {
                    key_id: aki.key_identifier.as_ref().map(|id| KeyId(id.0.to_vec())),
                    issuer: {
                        let names = aki.authority_cert_issuer.iter().flatten();
                        names.map(GeneralName::read).collect()
                    },
                    serial: aki.authority_cert_serial.map(SerialNumber::from_contents),
                });
            }
            ParsedExtension::SubjectKeyIdentifier(id) => {
                self.subject_key_id = Some(KeyId(id.0.to_vec()));
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some(KeyUsages::from_bits(usage.flags));
            }
            ParsedExtension::CertificatePolicies(policies) => {
                let oids = policies.iter().map(|p| Oid::from_der(p.policy_id.as_bytes()));
                self.certificate_policies = Some(oids.collect());
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                self.subject_alt_name =
                    Some(names.general_names.iter().map(GeneralName::read).collect());
            }
            ParsedExtension::BasicConstraints(constraints) => {
                self.basic_constraints = Some(BasicConstraints {
                    ca: constraints.ca,
                    path_len: constraints.path_len_constraint,
                });
            }
            ParsedExtension::PolicyMappings(mappings) => {
                let pairs = mappings.mappings.iter().map(|mapping| {
                    (
                        Oid::from_der(mapping.issuer_domain_policy.as_bytes()),
                        Oid::from_der(mapping.subject_domain_policy.as_bytes()),
                    )
                });
                self.policy_mappings = Some(pairs.collect());
            }
            ParsedExtension::PolicyConstraints(constraints) => {
                self.policy_constraints = Some(PolicyConstraints {
                    require_explicit: constraints.require_explicit_policy,
                    inhibit_mapping: constraints.inhibit_policy_mapping,
                });
            }
            ParsedExtension::InhibitAnyPolicy(inhibit) => {
                self.inhibit_any_policy = Some(inhibit.skip_certs);
            }
            ParsedExtension::ExtendedKeyUsage(_) => {
                // The parser turns the purposes into flags, so their order is read from the bytes.
                let (_, oids) = Vec::<Asn1Oid<'_>>::from_der(extension.value)
                    .map_err(|_| unreadable(expected, extension))?;
                let usages = oids.iter().map(|oid| ExtendedKeyUsage(Oid::from_der(oid.as_bytes())));
                self.extended_key_usage = Some(usages.collect());
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                let points = DistributionPoint::read(extension.value, points)
                    .ok_or_else(|| unreadable(expected, extension))?;
                self.crl_distribution_points = Some(points);
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                let descriptions = access.accessdescs.iter().map(|d| AccessDescription {
                    method: Oid::from_der(d.access_method.as_bytes()),
                    location: GeneralName::read(&d.access_location),
                });
                self.authority_info_access = Some(descriptions.collect());
            }
            // Of another extension, such as a list of certificate timestamps, nothing here uses the contents.
            ParsedExtension::ParseError { .. } if is_of_rfc5280(&extension.oid) => {
                return Err(unreadable(expected, extension));
            }
            _ => {}
        }
        Ok(())
    }

    /// The extension with this OID.
    pub fn find(&self, oid: &str) -> Option<&Extension> {
        self.all.iter().find(|extension| extension.oid.as_str() == oid)
    }
}

fn unreadable(expected: &'static str, extension: &X509Extension<'_>) -> Error {
    Error::malformed(expected, format!("extension {} cannot be read", extension.oid))
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
