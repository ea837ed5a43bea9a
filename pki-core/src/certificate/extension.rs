//! Reads the extensions of certificates and requests.

use der::Decode;
use x509_cert::ext::pkix::CrlDistributionPoints;
use x509_parser::asn1_rs::{FromDer, Oid as Asn1Oid};
use x509_parser::extensions::{
    CRLDistributionPoint, DistributionPointName, ParsedExtension, X509Extension,
};
use x509_parser::oid_registry::OID_X509_EXT_NAME_CONSTRAINTS;

use super::constraints::NameConstraints;
use super::general_name::GeneralName;
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

/// The extensions of a certificate or request: all of them unread, and the known ones read.
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
    /// RFC 5280 section 4.2.1.4: only the identifiers
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
    /// True with reasons: the CRL there covers only some reasons for revocation.
    pub only_some_reasons: bool,
    /// True with a cRLIssuer: somebody other than the certificate's issuer issues the CRL there.
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

impl Extensions {
    pub(crate) fn read(
        expected: &'static str,
        extensions: &[X509Extension<'_>],
    ) -> Result<Self, Error> {
        let mut facts = Self { all: Vec::with_capacity(extensions.len()), ..Self::default() };
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
            // The parser treats an empty list of subtrees as absent.
            if extension.oid == OID_X509_EXT_NAME_CONSTRAINTS {
                facts.name_constraints = Some(NameConstraints::read(extension.value));
            } else {
                facts.add(expected, extension)?;
            }
        }
        match facts.repeated() {
            Some(oid) => {
                Err(Error::malformed(expected, format!("it contains the extension {oid} twice"))
                    .hinted("RFC 5280 section 4.2 allows one of each; have it reissued"))
            }
            None => Ok(facts),
        }
    }

    /// An extension that occurs twice. Many are sorted, because a hostile certificate may have ten thousand.
    fn repeated(&self) -> Option<&Oid> {
        const FEW: usize = 16;
        if self.all.len() <= FEW {
            let mut all = self.all.iter().enumerate();
            let before = |at: usize| self.all[..at].iter();
            let again = all.find(|(at, one)| before(*at).any(|other| other.oid == one.oid));
            return again.map(|(_, extension)| &extension.oid);
        }
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
                    Some(GeneralName::read_all(extension.value, &names.general_names));
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
            // The contents of other extensions, such as a list of certificate timestamps, are not used.
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
