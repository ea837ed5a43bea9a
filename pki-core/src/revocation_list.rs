//! Certificate revocation lists: DER to facts, once (RFC 5280 section 5).
//!
//! The facts are what the bytes say, however wrong; judging them is the business of the rules.

use std::collections::HashSet;

use time::OffsetDateTime;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_parser::asn1_rs::FromDer;
use x509_parser::extensions::{DistributionPointName, ParsedExtension, X509Extension};
use x509_parser::oid_registry::OID_X509_EXT_ISSUER_DISTRIBUTION_POINT;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::certificate::{
    DistinguishedName, Encoding, Extensions, GeneralName, SerialNumber, Signed, no_rest,
};
use crate::error::Error;
use crate::key::PublicKey;
use crate::oid::Oid;

/// A CRL, as its bytes state it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RevocationList {
    /// 1 for a CRL without a version, 2 for X.509v2
    pub(crate) version: u32,
    pub(crate) issuer: DistinguishedName,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    pub(crate) extensions: Extensions,
    /// The octets of the CRL number (section 5.2.3).
    pub(crate) number: Option<Vec<u8>>,
    /// Section 5.2.5
    pub(crate) scope: Option<Scope>,
    /// Critical extensions of entries, none of which this crate understands.
    pub(crate) critical_in_entries: Vec<Oid>,
    /// True when a serial number is listed more than once.
    pub(crate) repeats: bool,
    pub(crate) encoding: Encoding,
    revoked: HashSet<Vec<u8>>,
    der: Vec<u8>,
    signed: Signed,
}

/// The issuing distribution point: which certificates a CRL is about (section 5.2.5).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the fields of the extension")]
pub(crate) struct Scope {
    /// The names of the distribution point; empty where it is named in a way that is not read.
    pub(crate) names: Option<Vec<GeneralName>>,
    pub(crate) only_users: bool,
    pub(crate) only_cas: bool,
    pub(crate) only_attributes: bool,
    pub(crate) only_some_reasons: bool,
    pub(crate) indirect: bool,
}

impl Scope {
    /// By x509-cert, for x509-parser 0.18.1 takes a field that it cannot read, and all behind it, for
    /// absent, which makes a CRL about some certificates one about all.
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

impl RevocationList {
    /// Reads one CRL.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Error> {
        const WANTED: &str = "a CRL";
        let (rest, crl) = CertificateRevocationList::from_der(der)
            .map_err(|error| Error::bad_der(WANTED, der, &error))?;
        no_rest(WANTED, rest)?;
        let signed = Signed::read(WANTED, der)?;
        let (encoding, entries) = Encoding::of_crl(&signed, der)
            .ok_or_else(|| Error::malformed(WANTED, "its fields cannot be told apart"))?;
        let read = crl.iter_revoked_certificates().map(|entry| entry.extensions().len());
        if !read.eq(entries.iter().copied()) {
            // The parser takes a list or extensions that it cannot read for none.
            return Err(Error::malformed(WANTED, "its list of certificates cannot be read"));
        }
        let mut revoked = HashSet::with_capacity(entries.len());
        let mut critical_in_entries = Vec::new();
        for entry in crl.iter_revoked_certificates() {
            revoked.insert(entry.raw_serial().to_vec());
            let critical = entry.extensions().iter().filter(|extension| extension.critical);
            critical_in_entries.extend(critical.map(|ext| Oid::from_der(ext.oid.as_bytes())));
        }
        let extensions = Extensions::read(WANTED, crl.extensions())?;
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
                    Error::malformed(WANTED, "its issuing distribution point cannot be read")
                })
            })
            .transpose()?;
        Ok(Self {
            version: crl.version().map_or(1, |version| version.0.saturating_add(1)),
            issuer: DistinguishedName::read(crl.issuer())
                .ok_or_else(|| Error::malformed(WANTED, "its issuer cannot be read"))?,
            this_update: crl.last_update().to_datetime(),
            next_update: crl.next_update().map(|time| time.to_datetime()),
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

    /// True when the CRL lists this serial number.
    pub(crate) fn lists(&self, serial: &SerialNumber) -> bool {
        self.revoked.contains(serial.as_bytes())
    }

    /// True when the signature was made by `key`.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signed.verifies(&self.der, key)
    }
}
