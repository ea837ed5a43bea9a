//! Reads certificate revocation lists from DER once (RFC 5280 section 5).
//!
//! The fields contain what the bytes say, even if it is wrong; the rules check it.

mod reason;

use std::collections::HashSet;

use der::Decode;
use time::OffsetDateTime;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_parser::asn1_rs::FromDer;
use x509_parser::extensions::{DistributionPointName, ParsedExtension, X509Extension};
use x509_parser::oid_registry::OID_X509_EXT_ISSUER_DISTRIBUTION_POINT;
use x509_parser::revocation_list::CertificateRevocationList;

pub use self::reason::RevocationReason;
use crate::certificate::{
    DistinguishedName, Encoding, Extensions, GeneralName, SerialNumber, Signed, der_fault, no_rest,
};
use crate::error::{Defect, Error};
use crate::key::PublicKey;
use crate::oid::Oid;
use crate::pem;

const EXPECTED: &str = "a CRL";

/// A certificate revocation list as encoded in its bytes (RFC 5280 section 5).
///
/// Only a [`Verifier`](crate::Verifier) can tell whether it is reliable.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Crl {
    /// 2 for X.509 version 2, 1 for a CRL without a version.
    pub version: u32,
    /// issuer
    pub issuer: DistinguishedName,
    /// thisUpdate
    pub this_update: OffsetDateTime,
    /// nextUpdate
    pub next_update: Option<OffsetDateTime>,
    /// crlExtensions
    pub extensions: Extensions,
    /// The octets of the cRLNumber, big-endian (section 5.2.3). Empty if the number cannot be read.
    pub number: Option<Vec<u8>>,
    /// Section 5.2.5
    pub(crate) scope: Option<Scope>,
    /// Critical extensions of entries. This crate does not understand any of them.
    pub(crate) critical_in_entries: Vec<Oid>,
    /// True if a serial number is listed more than once.
    pub(crate) repeats: bool,
    pub(crate) encoding: Encoding,
    /// Where it is not DER, apart from the contents of its extensions.
    pub(crate) der_fault: Option<&'static str>,
    revoked: HashSet<Vec<u8>>,
    der: Vec<u8>,
    signed: Signed,
}

/// A certificate on a CRL (RFC 5280 section 5.1.2.6).
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct RevokedCertificate {
    /// The serial number of the certificate.
    pub serial: SerialNumber,
    /// When the CA revoked it.
    pub revoked_at: OffsetDateTime,
    /// Why the CA revoked it.
    pub reason: Option<RevocationReason>,
    /// The time since when the key is suspected to be compromised, if that is earlier (section 5.3.2).
    pub invalid_since: Option<OffsetDateTime>,
}

/// The issuing distribution point: which certificates a CRL covers (section 5.2.5).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the fields of the extension")]
pub(crate) struct Scope {
    /// The names of the distribution point. Empty if it is named in a way that this crate does not read.
    pub(crate) names: Option<Vec<GeneralName>>,
    pub(crate) only_users: bool,
    pub(crate) only_cas: bool,
    pub(crate) only_attributes: bool,
    pub(crate) only_some_reasons: bool,
    pub(crate) indirect: bool,
}

impl Scope {
    /// Reads the fields with x509-cert, because x509-parser 0.18.1 treats a field that it cannot read, and everything after
    /// it, as absent. A CRL for some certificates would then count as one for all.
    fn read(extension: &X509Extension<'_>) -> Option<Self> {
        let point = IssuingDistributionPoint::from_der(extension.value).ok()?;
        let names = || match extension.parsed_extension() {
            ParsedExtension::IssuingDistributionPoint(point) => match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => {
                    names.iter().map(GeneralName::read).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        Some(Self {
            names: point.distribution_point.map(|_| names()),
            only_users: point.only_contains_user_certs,
            only_cas: point.only_contains_ca_certs,
            only_attributes: point.only_contains_attribute_certs,
            only_some_reasons: point.only_some_reasons.is_some(),
            indirect: point.indirect_crl,
        })
    }
}

impl Crl {
    /// Reads one CRL in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let (rest, crl) = CertificateRevocationList::from_der(der)
            .map_err(|error| Error::bad_der(EXPECTED, der, &error))?;
        no_rest(EXPECTED, rest)?;
        let signed = Signed::read(EXPECTED, der)?;
        let (encoding, entries) = Encoding::of_crl(&signed, der)
            .ok_or_else(|| Error::malformed(EXPECTED, "its fields cannot be separated"))?;
        let read = crl.iter_revoked_certificates().map(|entry| entry.extensions().len());
        if !read.eq(entries.iter().copied()) {
            // The parser treats a list or extensions that it cannot read as absent.
            return Err(Error::malformed(EXPECTED, "its list of certificates cannot be read"));
        }
        let mut revoked = HashSet::with_capacity(entries.len());
        let mut critical_in_entries = Vec::new();
        for entry in crl.iter_revoked_certificates() {
            revoked.insert(entry.raw_serial().to_vec());
            let critical = entry.extensions().iter().filter(|extension| extension.critical);
            critical_in_entries.extend(critical.map(|ext| Oid::from_der(ext.oid.as_bytes())));
        }
        let extensions = Extensions::read(EXPECTED, crl.extensions())?;
        let number = extensions.find("2.5.29.20").map(|extension| &extension.value[..]);
        let number = number.map(|value| match value {
            // INTEGER in a short form: one octet of length.
            [0x02, length, number @ ..] if usize::from(*length) == number.len() => number.to_vec(),
            _ => Vec::new(),
        });
        let scope = crl
            .extensions()
            .iter()
            .find(|extension| extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT)
            .map(|extension| {
                Scope::read(extension).ok_or_else(|| {
                    Error::malformed(EXPECTED, "its issuing distribution point cannot be read")
                })
            })
            .transpose()?;
        Ok(Self {
            version: crl.version().map_or(1, |version| version.0.saturating_add(1)),
            issuer: DistinguishedName::read(crl.issuer())
                .ok_or_else(|| Error::malformed(EXPECTED, "its issuer cannot be read"))?,
            this_update: crl.last_update().to_datetime(),
            next_update: crl.next_update().map(|time| time.to_datetime()),
            der_fault: der_fault(der),
            extensions,
            number,
            scope,
            critical_in_entries,
            repeats: revoked.len() != entries.len(),
            encoding,
            revoked,
            der: der.to_vec(),
            signed,
        })
    }

    /// Reads the only CRL of a PEM or DER file.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, Error> {
        if !pem::is_pem(bytes) {
            return Self::from_der(bytes);
        }
        let mut lists = pem::read(bytes)?.into_iter().filter_map(|section| match section.content {
            pem::Content::Crl(der) => Some(der),
            _ => None,
        });
        match (lists.next(), lists.next()) {
            (Some(der), None) => Self::from_der(&der),
            (None, _) => {
                Err(Error::defective(Defect::Missing, EXPECTED, "no X509 CRL block in the PEM")
                    .hinted("pass the file of the CRL; check that two paths are not swapped"))
            }
            (Some(_), Some(_)) => {
                Err(Error::defective(Defect::Repeated, EXPECTED, "the PEM contains several")
                    .hinted("keep one CRL in each file"))
            }
        }
    }

    /// The DER of the CRL. etcd reads this format; since 3.6, it reads only this format.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The CRL in PEM.
    pub fn to_pem(&self) -> Result<String, Error> {
        pem::write("X509 CRL", &self.der).map(|mut text| std::mem::take(&mut *text))
    }

    /// How many certificates the CRL lists.
    pub fn len(&self) -> usize {
        self.revoked.len()
    }

    /// True if the CRL lists no certificate.
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty()
    }

    /// True if the CRL lists this serial number.
    pub fn lists(&self, serial: &SerialNumber) -> bool {
        self.revoked.contains(serial.as_bytes())
    }

    /// The serial numbers that the CRL lists, in any order.
    #[cfg(feature = "manifest")]
    pub(crate) fn serials(&self) -> impl Iterator<Item = &[u8]> {
        self.revoked.iter().map(Vec::as_slice)
    }

    /// All entries, in the order of the CRL. This reads the DER again, so that a verifier that only calls [`Crl::lists`] does
    /// not pay for the entries of a long list.
    pub fn entries(&self) -> Result<Vec<RevokedCertificate>, Error> {
        let (_, crl) = CertificateRevocationList::from_der(&self.der)
            .map_err(|error| Error::bad_der(EXPECTED, &self.der, &error))?;
        let entries = crl.iter_revoked_certificates().map(|entry| RevokedCertificate {
            serial: SerialNumber::from_contents(entry.raw_serial()),
            revoked_at: entry.revocation_date.to_datetime(),
            reason: entry.reason_code().and_then(|(_, code)| RevocationReason::from_code(code.0)),
            invalid_since: entry.invalidity_date().map(|(_, time)| time.to_datetime()),
        });
        Ok(entries.collect())
    }

    /// True if the signature was made with `key`.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signed.verifies(&self.der, key)
    }

    /// The contents of signatureAlgorithm.
    pub(crate) fn signature_algorithm_der(&self) -> &[u8] {
        self.signed.algorithm(&self.der)
    }

    pub(crate) fn tbs(&self) -> &[u8] {
        self.signed.body(&self.der)
    }

    /// The CRL in `der`, if it is this one with another signature. The fields are the same and are not read again.
    pub(crate) fn with_signature(self, der: Vec<u8>) -> Option<Self> {
        let signed = self.signed.signed_again(&self.der, &der)?;
        Some(Self { der, signed, ..self })
    }
}
