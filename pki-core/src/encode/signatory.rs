//! Who signs, as far as an encoder needs to know: a name, a key identifier and an algorithm, but no key.

use rcgen::{CertificateParams, KeyIdMethod, PublicKeyData, SigningKey};

use crate::certificate::Certificate;
use crate::error::{Error, Input};
use crate::key::{KeyId, PublicKey, SignatureAlgorithm};

/// The issuer's name and key identifier, and the algorithm of its key.
pub(super) struct Signatory<'a> {
    pub(super) name: &'a [u8],
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) key_id: Option<&'a KeyId>,
}

impl<'a> Signatory<'a> {
    pub(super) fn ca(ca: &'a Certificate) -> Result<Self, Error> {
        Ok(Self {
            name: ca.subject.der(),
            algorithm: signature_algorithm(&ca.public_key)?,
            key_id: ca.extensions.subject_key_id.as_ref(),
        })
    }
}

/// The algorithm that a key signs with.
pub(crate) fn signature_algorithm(key: &PublicKey) -> Result<SignatureAlgorithm, Error> {
    SignatureAlgorithm::of(key).ok_or_else(|| {
        Error::invalid("key", key.algorithm_name(), "a key that this crate cannot sign with")
            .hinted("use ECDSA P-256, P-384 or P-521, Ed25519, or RSA with 2048 to 8192 bits")
            .of(Input::Authority)
    })
}

/// Takes the place of every key, because rcgen does not need to see one.
pub(super) struct NoKey;

impl PublicKeyData for NoKey {
    fn der_bytes(&self) -> &[u8] {
        &[]
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl SigningKey for NoKey {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}

/// An issuer with an empty name, which is replaced later, and with the key identifier for the authorityKeyIdentifier.
pub(super) fn issuer_params(key_id: Option<&KeyId>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.key_identifier_method =
        KeyIdMethod::PreSpecified(key_id.map(|id| id.0.clone()).unwrap_or_default());
    params
}
