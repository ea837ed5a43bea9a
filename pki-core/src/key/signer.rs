//! Signers, and the algorithms that they sign with.

use rustls_pki_types::{AlgorithmIdentifier, alg_id};

use super::{KeyAlgorithm, PublicKey};

/// The holder of a private key, which signs with it: a file, an HSM, a KMS, another process.
///
/// [`PrivateKey`](crate::PrivateKey) is the signer of a key in memory. To use a key that is elsewhere, implement
/// this trait; if the signature takes longer than a function call may, send [`Draft::tbs`](crate::Draft::tbs)
/// there and join the answer with [`Draft::assemble`](crate::Draft::assemble).
///
/// The draft verifies each signature before it becomes a certificate, so a signer that returns a wrong
/// signature does no harm. A signer may block, and it may fail; the error ends the issuing of this one certificate.
///
/// A service that signs only hashes gets [`SignatureAlgorithm::digest`]. One that gives the two numbers of an ECDSA
/// signature, as PKCS #11 does, needs [`ecdsa_signature_from_fixed`](crate::ecdsa_signature_from_fixed).
///
/// # A key in a KMS
///
/// ```
/// use std::error::Error;
///
/// use pki_core::{PublicKey, SignatureAlgorithm, Signer};
///
/// # struct KmsClient(pki_core::PrivateKey);
/// # impl KmsClient {
/// #     fn sign(&self, _: &str, _: &str, message: &[u8]) -> Result<Vec<u8>, std::io::Error> {
/// #         self.0.sign(message).map_err(std::io::Error::other)
/// #     }
/// # }
/// struct KmsKey {
///     client: KmsClient,
///     name: String,
///     /// Asked of the KMS once, and read with [`PublicKey::from_spki_der`].
///     public_key: PublicKey,
/// }
///
/// impl Signer for KmsKey {
///     fn public_key(&self) -> &PublicKey {
///         &self.public_key
///     }
///
///     fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
///         let algorithm = match SignatureAlgorithm::of(&self.public_key) {
///             Some(SignatureAlgorithm::EcdsaP256Sha256) => "ECDSA_SHA_256",
///             Some(SignatureAlgorithm::EcdsaP384Sha384) => "ECDSA_SHA_384",
///             other => return Err(format!("the KMS has no algorithm for {other:?}").into()),
///         };
///         // The KMS hashes the message itself, and answers with an ECDSA signature in ASN.1.
///         Ok(self.client.sign(&self.name, algorithm, message)?)
///     }
/// }
///
/// # fn main() -> Result<(), pki_core::Error> {
/// # use pki_core::{Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, SerialNumber, Subject};
/// # let client = KmsClient(PrivateKey::generate(KeyAlgorithm::EcdsaP384)?);
/// # let public_key = client.0.public_key().clone();
/// # let key = KmsKey { client, name: "ca".to_owned(), public_key };
/// # let now = time::macros::datetime!(2027-01-01 00:00 UTC);
/// # let context = IssuanceContext { now, serial: SerialNumber::from_random([7; 20]) };
/// # let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
/// let draft = Authority::draft_root(&request, key.public_key(), &context)?;
/// let root = draft.sign(&key)?.certificate;
/// # assert!(root.is_ca());
/// # Ok(())
/// # }
/// ```
pub trait Signer {
    /// The public half of the key.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`, which is not hashed yet, with [`SignatureAlgorithm::of`] the public key. ECDSA
    /// signatures are in ASN.1 (RFC 3279 section 2.2.3), RSA signatures in PKCS#1 v1.5 (RFC 8017 section 8.2).
    ///
    /// An error becomes [`Error::Signer`](crate::Error::Signer).
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;
}

/// The signature algorithm that goes with a key. It follows from the key, so callers do not choose it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// ecdsa-with-SHA256 on P-256
    EcdsaP256Sha256,
    /// ecdsa-with-SHA384 on P-384
    EcdsaP384Sha384,
    /// ecdsa-with-SHA512 on P-521
    EcdsaP521Sha512,
    /// Ed25519
    Ed25519,
    /// sha256WithRSAEncryption
    RsaSha256,
    /// sha384WithRSAEncryption
    RsaSha384,
    /// sha512WithRSAEncryption
    RsaSha512,
}

impl SignatureAlgorithm {
    /// The algorithm that `key` signs with, or `None` if this crate does not support the key.
    pub const fn of(key: &PublicKey) -> Option<Self> {
        Some(match key.algorithm() {
            Some(KeyAlgorithm::EcdsaP256) => Self::EcdsaP256Sha256,
            Some(KeyAlgorithm::EcdsaP384) => Self::EcdsaP384Sha384,
            Some(KeyAlgorithm::EcdsaP521) => Self::EcdsaP521Sha512,
            Some(KeyAlgorithm::Ed25519) => Self::Ed25519,
            // A hash as strong as the modulus, with the same limits as in cfssl.
            Some(KeyAlgorithm::Rsa(..3072)) => Self::RsaSha256,
            Some(KeyAlgorithm::Rsa(..4096)) => Self::RsaSha384,
            Some(KeyAlgorithm::Rsa(_)) => Self::RsaSha512,
            None => return None,
        })
    }

    /// The AlgorithmIdentifier in the `signature` field of a certificate (RFC 5280 section 4.1.1.2).
    pub(crate) const fn identifier(self) -> AlgorithmIdentifier {
        match self {
            Self::EcdsaP256Sha256 => alg_id::ECDSA_SHA256,
            Self::EcdsaP384Sha384 => alg_id::ECDSA_SHA384,
            Self::EcdsaP521Sha512 => alg_id::ECDSA_SHA512,
            Self::Ed25519 => alg_id::ED25519,
            Self::RsaSha256 => alg_id::RSA_PKCS1_SHA256,
            Self::RsaSha384 => alg_id::RSA_PKCS1_SHA384,
            Self::RsaSha512 => alg_id::RSA_PKCS1_SHA512,
        }
    }
}
