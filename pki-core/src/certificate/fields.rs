//! A certificate, as encoded in its bytes.

use std::ops::Deref;
use std::sync::Arc;

use time::OffsetDateTime;
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;

use super::extension::Extensions;
use super::name::DistinguishedName;
use super::serial::SerialNumber;
use super::signed::{Encoding, Signed, no_rest};
use super::strict;
use crate::error::Error;
use crate::key::{KeyId, PublicKey};
use crate::oid::Oid;
use crate::pem;

/// A certificate as encoded in its bytes. A clone shares the fields, so it is cheap.
/// ```
/// use pki_core::{Certificate, GeneralName, KeyUsages};
/// # use pki_core::{Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, SerialNumber, Signer, Subject};
/// # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// # let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
/// # let now = pki_core::time::macros::datetime!(2027-01-01 12:00 UTC);
/// # let context = IssuanceContext { now, serial: SerialNumber::from_random([7; 20]) };
/// # let pem = Authority::draft_root(&request, key.public_key(), &context)?.sign(&key)?.certificate.to_pem()?;
///
/// for certificate in Certificate::from_pem_or_der(pem.as_bytes())? {
///     // The fields of `CertificateFields`, such as the subject, the dates and the extensions.
///     assert_eq!(certificate.subject.common_name(), Some("etcd CA"));
///     assert_eq!(certificate.issuer.to_string(), "CN=etcd CA");
///     let extensions = &certificate.extensions;
///     assert!(extensions.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca));
///     assert!(extensions.key_usage.is_some_and(|usages| usages.contains(KeyUsages::KEY_CERT_SIGN)));
///     for name in extensions.subject_alt_name.iter().flatten() {
///         if let GeneralName::Dns(name) = name {
///             println!("{name}");
///         }
///     }
/// }
/// # Ok::<(), pki_core::Error>(())
/// ```
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
