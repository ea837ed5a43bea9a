//! Drafts of PKCS #10 requests.

use super::Draft;
use crate::certificate::CertificateRequest;
use crate::encode::{self, CsrTemplate};
use crate::error::Error;
use crate::key::PublicKey;
use crate::request::{CaRequest, Request};
use crate::template::CaConstraint;

impl CertificateRequest {
    /// Drafts a PKCS #10 request with the subject, the names and the extensions of a request. It must be signed with the key of
    /// the request. A PKCS #10 request does not contain a lifetime.
    ///
    /// ```
    /// use pki_core::{CertificateRequest, KeyAlgorithm, PrivateKey, Request, Signer, Subject};
    ///
    /// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// let subject = Subject::from_common_name("etcdone")?;
    /// let request = Request::new(subject, vec!["10.0.0.1".parse()?], key.public_key().clone());
    /// let csr = CertificateRequest::draft(&request)?.sign(&key)?;
    /// assert!(csr.to_pem()?.starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
    /// # Ok::<(), pki_core::Error>(())
    /// ```
    pub fn draft(request: &Request) -> Result<Draft<Self>, Error> {
        draft_request(&CsrTemplate {
            subject: request.subject.value(),
            names: request.names.value(),
            ca: None,
            extensions: &request.extensions,
            public_key: &request.public_key,
        })
    }

    /// The same request, which also asks for CA:TRUE and a path length, as cfssl writes it for a file with a `ca` section.
    pub fn draft_with_constraint(
        request: &Request,
        ca: CaConstraint,
    ) -> Result<Draft<Self>, Error> {
        draft_request(&CsrTemplate {
            subject: request.subject.value(),
            names: request.names.value(),
            ca: Some(ca),
            extensions: &request.extensions,
            public_key: &request.public_key,
        })
    }

    /// Drafts a PKCS #10 request for a CA, with CA:TRUE and the path length. It does not contain lifetime, name constraints and
    /// CRL URL, which the issuer decides.
    pub fn draft_ca(request: &CaRequest, public_key: &PublicKey) -> Result<Draft<Self>, Error> {
        draft_request(&CsrTemplate {
            subject: &request.subject,
            names: &[],
            ca: Some(CaConstraint { path_len: request.path_len }),
            extensions: &[],
            public_key,
        })
    }
}

fn draft_request(template: &CsrTemplate<'_>) -> Result<Draft<CertificateRequest>, Error> {
    let unsigned = CertificateRequest::from_der(&encode::request(template)?)?;
    let signer = unsigned.public_key.clone();
    Ok(Draft::new(unsigned, signer, Vec::new()))
}
