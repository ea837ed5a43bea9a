//! Reads certificates and certification requests from DER once.
//!
//! The fields contain what the bytes say, even if it is wrong; the rules check it.

mod constraints;
pub(crate) mod der;
mod element;
mod extension;
mod file;
mod general_name;
mod host;
mod name;
mod request;
mod serial;
mod shape;
mod signed;
mod strict;

use std::ops::Deref;
use std::sync::Arc;

use time::OffsetDateTime;
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;

pub use self::constraints::NameConstraints;
pub(crate) use self::constraints::covers_domain;
pub use self::extension::{
    AccessDescription, AuthorityKeyId, BasicConstraints, DistributionPoint, Extension, Extensions,
    PolicyConstraints,
};
pub use self::file::CertificateFile;
pub use self::general_name::GeneralName;
pub(crate) use self::general_name::prefix;
pub use self::name::{DistinguishedName, NameAttribute};
pub use self::request::CertificateRequest;
pub use self::serial::SerialNumber;
pub(crate) use self::signed::{Encoding, Signed};
pub(crate) use self::strict::der_fault;
use crate::error::Error;
use crate::key::{KeyId, PublicKey};
use crate::oid::Oid;
use crate::pem;

/// A certificate as encoded in its bytes. A clone shares the fields, so it is cheap.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate(Arc<CertificateFields>);

impl Deref for Certificate {
    type Target = CertificateFields;

    fn deref(&self) -> &CertificateFields {
        &self.0
    }
}

/// The fields of a certificate (RFC 5280 section 4.1).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CertificateFields {
    /// 1 for X.509 version 1, 3 for version 3
    pub version: u32,
    /// serialNumber
    pub serial: SerialNumber,
    /// signatureAlgorithm
    pub signature_algorithm: Oid,
    /// issuer
    pub issuer: DistinguishedName,
    /// notBefore
    pub not_before: OffsetDateTime,
    /// notAfter
    pub not_after: OffsetDateTime,
    /// subject
    pub subject: DistinguishedName,
    /// subjectPublicKeyInfo
    pub public_key: PublicKey,
    /// extensions
    pub extensions: Extensions,
    pub(crate) encoding: Encoding,
    /// Parts that are not DER. Decoders of BER still read them, but Go and webpki do not.
    pub(crate) der_fault: Option<&'static str>,
    der: Vec<u8>,
    signed: Signed,
}

impl Certificate {
    /// Reads one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        const EXPECTED: &str = "a certificate";
        let (rest, x509) = X509Certificate::from_der(der)
            .map_err(|error| Error::bad_der(EXPECTED, der, &error))?;
        no_rest(EXPECTED, rest)?;
        let tbs = &x509.tbs_certificate;
        let name = |name, problem| {
            DistinguishedName::read(name).ok_or_else(|| Error::malformed(EXPECTED, problem))
        };
        let signed = Signed::read(EXPECTED, der)?;
        let encoding = Encoding::of_certificate(&signed, der)
            .ok_or_else(|| Error::malformed(EXPECTED, "its fields cannot be separated"))?;
        let mut extensions = Extensions::read(EXPECTED, tbs.extensions())?;
        // Extensions exist only in version 3 (section 4.1.2.9), also for Go; `version-form` reports those of other versions.
        if tbs.version.0 != 2 {
            extensions = Extensions { all: extensions.all, ..Extensions::default() };
        }
        Ok(Self(Arc::new(CertificateFields {
            version: tbs.version.0.saturating_add(1),
            serial: SerialNumber::from_contents(tbs.raw_serial()),
            signature_algorithm: Oid::from_der(x509.signature_algorithm.algorithm.as_bytes()),
            issuer: name(&tbs.issuer, "its issuer cannot be read")?,
            not_before: tbs.validity.not_before.to_datetime(),
            not_after: tbs.validity.not_after.to_datetime(),
            subject: name(&tbs.subject, "its subject cannot be read")?,
            public_key: PublicKey::from_spki_der(tbs.subject_pki.raw)?,
            der_fault: strict::der_fault_with(der, &extensions),
            extensions,
            encoding,
            der: der.to_vec(),
            signed,
        })))
    }

    /// Reads all certificates of a PEM file, or the only one of a DER file.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        CertificateFile::from_bytes(bytes).map(|file| file.certificates)
    }

    /// The bytes that were read.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM.
    pub fn to_pem(&self) -> Result<String, Error> {
        pem::write("CERTIFICATE", &self.der).map(|mut text| std::mem::take(&mut *text))
    }

    /// The SHA-256 of the DER, in hexadecimal, which people compare to tell two certificates apart.
    pub fn fingerprint(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der);
        KeyId(digest.as_ref().to_vec()).to_string()
    }

    /// True if issuer and subject are the same name byte for byte.
    pub fn is_self_issued(&self) -> bool {
        self.issuer.der() == self.subject.der()
    }

    /// True if both have the same key and the same subject, as a CA and its renewal do.
    pub fn is_same_ca(&self, other: &Self) -> bool {
        self.public_key == other.public_key && self.subject.der() == other.subject.der()
    }

    /// True if its basicConstraints say that it is a CA.
    pub fn is_ca(&self) -> bool {
        matches!(&self.extensions.basic_constraints, Some(constraints) if constraints.ca)
    }

    /// True if the signature was made by `key`.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signed.verifies(&self.der, key)
    }

    /// True if a signature of this algorithm by a key of this kind can be verified. For what cannot be verified,
    /// such as SHA-1 or an RSA key of 1024 bits, [`Certificate::is_signed_by`] is false too.
    pub fn is_checkable_with(&self, key: &PublicKey) -> bool {
        key.supports(self.signature_algorithm_der())
    }

    /// The contents of signatureAlgorithm.
    pub(crate) fn signature_algorithm_der(&self) -> &[u8] {
        self.signed.algorithm(&self.der)
    }

    pub(crate) fn tbs(&self) -> &[u8] {
        self.signed.body(&self.der)
    }

    /// The certificate in `der`, if it is this one with another signature. The fields are the same and are not read
    /// again.
    pub(crate) fn with_signature(self, der: Vec<u8>) -> Option<Self> {
        let signed = self.signed.signed_again(&self.der, &der)?;
        let fields = Arc::unwrap_or_clone(self.0);
        Some(Self(Arc::new(CertificateFields { der, signed, ..fields })))
    }
}

pub(crate) fn no_rest(expected: &'static str, rest: &[u8]) -> Result<(), Error> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(Error::malformed(expected, format!("{} byte(s) follow it", rest.len())))
}

/// Signature algorithms: OID, name, and whether the hash is still secure.
const SIGNATURE_ALGORITHMS: [(&str, &str, bool); 14] = [
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption", false),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", false),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", false),
    ("1.2.840.113549.1.1.10", "rsassaPss", true),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", true),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", true),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", true),
    ("1.2.840.10040.4.3", "dsa-with-sha1", false),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1", false),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", true),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", true),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", true),
    ("1.3.14.3.2.29", "sha1WithRSA", false),
    ("1.3.101.112", "Ed25519", true),
];

/// The name of a signature algorithm, or its OID if it has no name here.
pub fn signature_algorithm_name(oid: &Oid) -> &str {
    signature_row(oid).map_or(oid.as_str(), |(_, name, _)| *name)
}

/// True for signatures with SHA-1, MD5 or MD2.
pub(crate) fn is_weak_signature(oid: &Oid) -> bool {
    signature_row(oid).is_some_and(|(_, _, strong)| !strong)
}

fn signature_row(oid: &Oid) -> Option<&'static (&'static str, &'static str, bool)> {
    SIGNATURE_ALGORITHMS.iter().find(|(dotted, ..)| *dotted == oid.as_str())
}
