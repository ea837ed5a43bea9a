//! The certificates of a file.

use super::Certificate;
use crate::error::Error;
use crate::pem::{self, Content};

/// The certificates of a file, in PEM or DER, and whether Go can read it too.
///
/// ```
/// use pki_core::CertificateFile;
///
/// # let ca = pki_core::CaRequest::new(pki_core::Subject::from_common_name("etcd CA")?);
/// # let key = pki_core::PrivateKey::generate(pki_core::KeyAlgorithm::EcdsaP256)?;
/// # let now = time::macros::datetime!(2027-01-01 12:00 UTC);
/// # let moment = pki_core::IssuanceContext { now, serial: pki_core::SerialNumber::from_random([1; 20]) };
/// # use pki_core::Signer;
/// # let ca = pki_core::Authority::draft_root(&ca, key.public_key(), &moment)?.sign(&key)?.certificate;
/// let pem = ca.to_pem()?;
/// let file = CertificateFile::from_bytes(pem.as_bytes())?;
/// assert_eq!(file.certificates.len(), 1);
/// assert!(file.damage("ca.pem").is_none());
/// let indented = CertificateFile::from_bytes(format!("  {pem}").as_bytes())?;
/// let finding = indented.damage("ca.pem").expect("Go requires BEGIN at the start of its line");
/// assert_eq!(finding.rule.id, "pem-damaged");
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateFile {
    /// In the order of the file. There is at least one.
    pub certificates: Vec<Certificate>,
    /// Why Go does not find a certificate or a key in it.
    pub(crate) go_fault: Option<String>,
    /// The label of the first PEM block that is not a certificate.
    pub(crate) other_label: Option<String>,
}

impl CertificateFile {
    /// Reads all certificates of a PEM file, or the only one of a DER file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if !pem::is_pem(bytes) {
            let certificate = Certificate::from_der(bytes)?;
            return Ok(Self { certificates: vec![certificate], go_fault: None, other_label: None });
        }
        let sections = pem::read(bytes)?;
        let go_fault = pem::go::fault_in(bytes, &sections);
        let mut certificates = Vec::new();
        let mut first_other = None;
        for section in sections {
            if let Content::Certificate(der) = section.content {
                certificates.push(Certificate::from_der(&der)?);
            } else {
                first_other.get_or_insert(section);
            }
        }
        if certificates.is_empty() {
            let other = first_other.map(|other| {
                format!(", but {} (line {})", other.content.label().escape_debug(), other.line)
            });
            let problem = format!("no CERTIFICATE block in the PEM{}", other.unwrap_or_default());
            return Err(Error::malformed("a certificate", problem).hinted(
                "pass the file with the certificate; check that two paths are not swapped",
            ));
        }
        let other_label = first_other.map(|other| other.content.label().to_owned());
        Ok(Self { certificates, go_fault, other_label })
    }
}

impl Certificate {
    /// Reads all certificates of a PEM file, or the only one of a DER file.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        CertificateFile::from_bytes(bytes).map(|file| file.certificates)
    }
}
