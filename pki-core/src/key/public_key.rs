//! Public keys and their identifiers.

use std::fmt;

use aws_lc_rs::agreement::{ECDH_P256, ECDH_P384, ECDH_P521, ParsedPublicKey, UnparsedPublicKey};
use der::{Decode, Encode};
use pkcs8::spki::SubjectPublicKeyInfoRef;
use rustls_pki_types::{SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer};

use super::algorithm::{KeyAlgorithm, OID_EC, OID_ED25519, OID_P256, OID_P384, OID_P521, OID_RSA};
use super::rsa::RsaPublicKey;
use crate::error::Error;

/// The public key of a certificate or a request (SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    spki: Vec<u8>,
    /// If this crate does not support the algorithm, its OID or what is wrong with it.
    algorithm: Result<KeyAlgorithm, String>,
    /// Where the bits of the BIT STRING start in `spki`. They end where it ends.
    bits_at: usize,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        let bad = |problem: String| Error::malformed("a public key", problem);
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|e| bad(e.to_string()))?;
        let bits = spki
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| bad("the key is not a whole number of bytes".to_owned()))?;
        let curve = || spki.algorithm.parameters_oid().ok();
        // SEC 1 section 2.3.3: Go reads only the uncompressed form of a point, which starts with 4.
        let compressed = spki.algorithm.oid == OID_EC && bits.first() != Some(&4);
        let algorithm = match spki.algorithm.oid {
            _ if compressed => None,
            OID_EC if curve() == Some(OID_P256) => Some(KeyAlgorithm::EcdsaP256),
            OID_EC if curve() == Some(OID_P384) => Some(KeyAlgorithm::EcdsaP384),
            OID_EC if curve() == Some(OID_P521) => Some(KeyAlgorithm::EcdsaP521),
            OID_ED25519 => Some(KeyAlgorithm::Ed25519),
            OID_RSA => RsaPublicKey::read(bits).and_then(|key| key.bits()).map(KeyAlgorithm::Rsa),
            _ => None,
        };
        let algorithm = algorithm.ok_or_else(|| match curve() {
            Some(curve) if compressed => format!("{curve} (compressed point)"),
            Some(curve) if spki.algorithm.oid == OID_EC => curve.to_string(),
            // RFC 5480 section 2.1.1 requires a named curve.
            None if spki.algorithm.oid == OID_EC => {
                "EC without a named curve (explicit or missing parameters)".to_owned()
            }
            _ if spki.algorithm.oid == OID_RSA => "RSA in an unreadable form".to_owned(),
            _ => spki.algorithm.oid.to_string(),
        });
        Ok(Self { bits_at: der.len() - bits.len(), spki: der.to_vec(), algorithm })
    }

    /// The DER of the SubjectPublicKeyInfo.
    pub fn spki(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(self.spki.as_slice())
    }

    /// The DER of the SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The algorithm, or `None` if this crate does not support it.
    pub const fn algorithm(&self) -> Option<KeyAlgorithm> {
        match self.algorithm {
            Ok(algorithm) => Some(algorithm),
            Err(_) => None,
        }
    }

    /// The algorithm for people: `ecdsa-p256`. If this crate does not support it, its OID or what is wrong with it.
    pub fn algorithm_name(&self) -> String {
        match &self.algorithm {
            Ok(algorithm) => algorithm.to_string(),
            Err(oid) => oid.clone(),
        }
    }

    /// The key's identifier: the SHA-1 of its bits (RFC 5280 section 4.2.1.2, method 1), as OpenSSL, cfssl
    /// and Go before 1.25 compute it.
    pub fn key_id(&self) -> KeyId {
        // The hash only identifies the key, so security does not depend on it.
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, self.bits());
        KeyId(digest.as_ref().to_vec())
    }

    /// True for an RSA key, even if its numbers cannot be read.
    pub(crate) fn is_rsa(&self) -> bool {
        match self.algorithm() {
            Some(algorithm) => matches!(algorithm, KeyAlgorithm::Rsa(_)),
            None => SubjectPublicKeyInfoRef::from_der(&self.spki)
                .is_ok_and(|spki| spki.algorithm.oid == OID_RSA),
        }
    }

    /// The two numbers of an RSA key.
    pub(crate) fn rsa(&self) -> Option<RsaPublicKey<'_>> {
        matches!(self.algorithm, Ok(KeyAlgorithm::Rsa(_)))
            .then(|| RsaPublicKey::read(self.bits()))
            .flatten()
    }

    /// The contents of subjectPublicKey.
    pub(crate) fn bits(&self) -> &[u8] {
        &self.spki[self.bits_at..]
    }

    /// False for an ECDSA key that is not a point of its curve (SEC 1 section 2.3.4).
    pub(crate) fn is_on_its_curve(&self) -> bool {
        let curve = match self.algorithm() {
            Some(KeyAlgorithm::EcdsaP256) => &ECDH_P256,
            Some(KeyAlgorithm::EcdsaP384) => &ECDH_P384,
            Some(KeyAlgorithm::EcdsaP521) => &ECDH_P521,
            _ => return true,
        };
        // A point is the same for key agreement; to read it as a key for signatures checks it once more.
        ParsedPublicKey::try_from(UnparsedPublicKey::new(curve, self.bits())).is_ok()
    }

    /// True if `signature` over `message` was made by this key with the algorithm whose
    /// AlgorithmIdentifier (contents, without the SEQUENCE header) is `algorithm`.
    pub(crate) fn verifies(&self, algorithm: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let verifies = |candidate: &dyn SignatureVerificationAlgorithm| {
            candidate.verify_signature(self.bits(), message, signature).is_ok()
        };
        self.verifiers(algorithm).any(verifies)
    }

    /// True if signatures of this algorithm can be checked with this key.
    pub(crate) fn supports(&self, algorithm: &[u8]) -> bool {
        let is_rsa_that_webpki_rejects = match self.algorithm() {
            Some(KeyAlgorithm::Rsa(bits)) => !(2048..=8192).contains(&bits),
            Some(_) => false,
            None => self.is_rsa(),
        };
        !is_rsa_that_webpki_rejects && self.verifiers(algorithm).next().is_some()
    }

    /// The implementation that checks signatures of this algorithm with this kind of key.
    fn verifiers(
        &self,
        algorithm: &[u8],
    ) -> impl Iterator<Item = &'static dyn SignatureVerificationAlgorithm> {
        let spki = SubjectPublicKeyInfoRef::from_der(&self.spki).ok();
        let of_key = spki.and_then(|spki| spki.algorithm.to_der().ok()).unwrap_or_default();
        let all = webpki::ALL_VERIFICATION_ALGS.iter().copied();
        all.filter(move |candidate| {
            candidate.signature_alg_id().as_ref() == algorithm
                // An AlgorithmIdentifier of a supported key is shorter than 128 bytes, so its header has two bytes.
                && of_key.get(2..) == Some(candidate.public_key_alg_id().as_ref())
        })
    }
}

/// A subject or authority key identifier.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "it is nothing but octets")]
pub struct KeyId(pub Vec<u8>);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
