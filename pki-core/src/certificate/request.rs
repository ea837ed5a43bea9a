//! Reads certification requests from DER once (PKCS #10, RFC 2986).

use x509_parser::asn1_rs::FromDer;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;

use super::{DistinguishedName, Extensions, Signed, no_rest};
use crate::error::{Defect, Error};
use crate::key::PublicKey;
use crate::oid::Oid;
use crate::pem;

const EXPECTED: &str = "a certification request";

/// A PKCS #10 certification request as encoded in its bytes (RFC 2986).
///
/// [`Request::from_csr`](crate::Request::from_csr) checks it and converts it to a request for a CA.
/// [`CertificateRequest::draft`] creates a new one.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CertificateRequest {
    /// subject
    pub subject: DistinguishedName,
    /// subjectPKInfo
    pub public_key: PublicKey,
    /// The requested extensions.
    pub extensions: Extensions,
    /// signatureAlgorithm
    pub signature_algorithm: Oid,
    der: Vec<u8>,
    signed: Signed,
}

impl CertificateRequest {
    /// Reads one request in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let (rest, csr) = X509CertificationRequest::from_der(der)
            .map_err(|error| Error::bad_der(EXPECTED, der, &error))?;
        no_rest(EXPECTED, rest)?;
        let info = &csr.certification_request_info;
        let mut requested = Vec::new();
        for attribute in info.attributes() {
            if let ParsedCriAttribute::ExtensionRequest(request) = attribute.parsed_attribute() {
                requested.extend_from_slice(&request.extensions);
            }
        }
        Ok(Self {
            subject: DistinguishedName::read(&info.subject)
                .ok_or_else(|| Error::malformed(EXPECTED, "its subject cannot be read"))?,
            public_key: PublicKey::from_spki_der(info.subject_pki.raw)?,
            extensions: Extensions::read(EXPECTED, &requested)?,
            signature_algorithm: Oid::from_der(csr.signature_algorithm.algorithm.as_bytes()),
            der: der.to_vec(),
            signed: Signed::read(EXPECTED, der)?,
        })
    }

    /// Reads the only request of a PEM or DER file.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, Error> {
        if !pem::is_pem(bytes) {
            return Self::from_der(bytes);
        }
        let mut requests =
            pem::read(bytes)?.into_iter().filter_map(|section| match section.content {
                pem::Content::CertificateRequest(der) => Some(der),
                _ => None,
            });
        match (requests.next(), requests.next()) {
            (Some(der), None) => Self::from_der(&der),
            (None, _) => {
                let problem = "no CERTIFICATE REQUEST block in the PEM";
                Err(Error::defective(Defect::Missing, EXPECTED, problem)
                    .hinted("create one: openssl req -new -key KEY.pem -subj /CN=NAME"))
            }
            (Some(_), Some(_)) => {
                Err(Error::defective(Defect::Repeated, EXPECTED, "the PEM contains several")
                    .hinted("keep one request in each file"))
            }
        }
    }

    /// The DER of the request.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request in PEM.
    pub fn to_pem(&self) -> Result<String, Error> {
        pem::write("CERTIFICATE REQUEST", &self.der).map(|mut text| std::mem::take(&mut *text))
    }

    /// True if the request is signed with its own key. This proves that its creator has the private key.
    pub fn is_self_signed(&self) -> bool {
        self.signed.verifies(&self.der, &self.public_key)
    }

    /// The DER that is signed (`CertificationRequestInfo`, RFC 2986 section 4.1).
    pub fn tbs(&self) -> &[u8] {
        self.signed.body(&self.der)
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        self.signed.signature(&self.der)
    }

    /// The request in `der`, if it is this one with another signature. The fields are the same and are not read again.
    pub(crate) fn with_signature(self, der: Vec<u8>) -> Option<Self> {
        let signed = self.signed.signed_again(&self.der, &der)?;
        Some(Self { der, signed, ..self })
    }
}
