//! Public keys and signatures from their numbers, as tokens and key management services give them.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use der::asn1::{AnyRef, BitStringRef, OctetStringRef, UintRef};
use der::{Decode, Encode, Sequence};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::rsa::RsaPublicKey;
use super::{OID_EC, OID_ED25519, OID_RSA, PublicKey, SignatureAlgorithm};
use crate::error::Error;
use crate::pem;

const KEY: &str = "a public key";

/// The two names of the curve of Ed25519 in `CKA_EC_PARAMS` (PKCS #11 v3.0 section 2.3.5): the OID of RFC 8410, and a
/// PrintableString.
const ED25519: [&[u8]; 2] = [&[0x06, 0x03, 0x2b, 0x65, 0x70], b"\x13\x0cedwards25519"];

impl PublicKey {
    /// Reads the one public key of a file: PEM (`PUBLIC KEY`, RFC 7468 section 13) or the DER of a SubjectPublicKeyInfo.
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, Error> {
        if !pem::is_pem(bytes) {
            return Self::from_spki_der(bytes);
        }
        let mut sections = pem::read(bytes)?.into_iter().map(|section| section.content);
        match (sections.next(), sections.next()) {
            (Some(pem::Content::PublicKey(der)), None) => Self::from_spki_der(&der),
            _ => Err(Error::malformed(KEY, "the PEM is not one PUBLIC KEY block")
                .hinted("write it with: openssl pkey -in KEY.pem -pubout")),
        }
    }

    /// The key of a point on a curve.
    ///
    /// `curve` is the DER of the curve's OID (`CKA_EC_PARAMS` in PKCS #11); for Ed25519 also the PrintableString
    /// `edwards25519`. `point` is the uncompressed point (SEC 1 section 2.3.3), for Ed25519 the 32 bytes of RFC 8032 section
    /// 5.1.2, or the DER of an OCTET STRING with it (`CKA_EC_POINT`); some tokens give the one and some the other.
    pub fn from_ec_point(curve: &[u8], point: &[u8]) -> Result<Self, Error> {
        if ED25519.contains(&curve) {
            let wrapped =
                <&OctetStringRef>::from_der(point).map_or(point, OctetStringRef::as_bytes);
            let algorithm = AlgorithmIdentifierRef { oid: OID_ED25519, parameters: None };
            return Self::from_bits(algorithm, wrapped);
        }
        let bad = |error: der::Error| Error::malformed(KEY, error.to_string());
        let parameters = Some(AnyRef::from_der(curve).map_err(bad)?);
        let algorithm = AlgorithmIdentifierRef { oid: OID_EC, parameters };
        let wrapped = <&OctetStringRef>::from_der(point).ok();
        let key = wrapped.and_then(|wrapped| Self::from_bits(algorithm, wrapped.as_bytes()).ok());
        let key = key.filter(|key| key.algorithm().is_some() && key.is_on_its_curve());
        key.map_or_else(|| Self::from_bits(algorithm, point), Ok)
    }

    /// The key of an RSA modulus and a public exponent, both big-endian.
    pub fn from_rsa_numbers(modulus: &[u8], exponent: &[u8]) -> Result<Self, Error> {
        let bad = |error: der::Error| Error::malformed(KEY, error.to_string());
        let bits = RsaPublicKey::new(modulus, exponent).and_then(|key| key.to_der());
        let parameters = Some(AnyRef::NULL);
        Self::from_bits(AlgorithmIdentifierRef { oid: OID_RSA, parameters }, &bits.map_err(bad)?)
    }

    /// The modulus and the public exponent of an RSA key, both big-endian.
    pub fn rsa_numbers(&self) -> Option<(&[u8], &[u8])> {
        self.rsa().map(|key| key.numbers())
    }

    fn from_bits(algorithm: AlgorithmIdentifierRef<'_>, bits: &[u8]) -> Result<Self, Error> {
        let bad = |error: der::Error| Error::malformed(KEY, error.to_string());
        let subject_public_key = BitStringRef::from_bytes(bits).map_err(bad)?;
        let spki = SubjectPublicKeyInfoRef { algorithm, subject_public_key };
        Self::from_spki_der(&spki.to_der().map_err(bad)?)
    }

    /// True if this key made `signature` over `message` with [`SignatureAlgorithm::of`] the key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        SignatureAlgorithm::of(self).is_some_and(|algorithm| {
            self.verifies(algorithm.identifier().as_ref(), message, signature)
        })
    }
}

impl SignatureAlgorithm {
    /// The hash of `message` that this algorithm signs, for a [`Signer`](crate::Signer) whose key signs hashes only. Ed25519
    /// signs the message itself.
    pub fn digest(self, message: &[u8]) -> Option<Vec<u8>> {
        let algorithm = match self {
            Self::EcdsaP256Sha256 | Self::RsaSha256 => &SHA256,
            Self::EcdsaP384Sha384 | Self::RsaSha384 => &SHA384,
            Self::EcdsaP521Sha512 | Self::RsaSha512 => &SHA512,
            Self::Ed25519 => return None,
        };
        Some(digest(algorithm, message).as_ref().to_vec())
    }
}

/// `Ecdsa-Sig-Value` (RFC 3279 section 2.2.3).
#[derive(Sequence)]
struct EcdsaSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// An ECDSA signature as certificates have it, from its two numbers one after the other (PKCS #11, JOSE, IEEE P1363).
///
/// # Errors
/// The length is odd or zero.
pub fn ecdsa_signature_from_fixed(fixed: &[u8]) -> Result<Vec<u8>, Error> {
    let length = fixed.len();
    let bad = |problem: String| Error::malformed("an ECDSA signature", problem);
    if length == 0 || !length.is_multiple_of(2) {
        return Err(bad(format!("{length} bytes are not two numbers of the same size")));
    }
    let (r, s) = fixed.split_at(length / 2);
    let number = |bytes| UintRef::new(bytes).map_err(|error| bad(error.to_string()));
    let signature = EcdsaSignature { r: number(r)?, s: number(s)? };
    signature.to_der().map_err(|error| bad(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyAlgorithm, Signer};
    use crate::private_key::PrivateKey;

    #[test]
    fn a_key_is_the_same_from_its_numbers() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP521, KeyAlgorithm::Rsa(2048)]
        {
            let key = PrivateKey::generate(algorithm).unwrap();
            let public = key.public_key();
            let again = if let Some(rsa) = public.rsa() {
                let (modulus, exponent) = rsa.numbers();
                PublicKey::from_rsa_numbers(modulus, exponent)
            } else {
                let spki = SubjectPublicKeyInfoRef::from_der(public.spki_der()).unwrap();
                let curve = spki.algorithm.parameters.unwrap().to_der().unwrap();
                let wrapped = OctetStringRef::new(public.bits()).unwrap().to_der().unwrap();
                assert_eq!(PublicKey::from_ec_point(&curve, &wrapped).unwrap(), *public);
                PublicKey::from_ec_point(&curve, public.bits())
            };
            assert_eq!(again.unwrap(), *public);
            let signature = key.sign(b"message").unwrap();
            assert!(public.verify(b"message", &signature));
            assert!(!public.verify(b"another", &signature));
        }
    }

    #[test]
    fn an_ed25519_key_is_the_same_from_its_bytes() {
        let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let public = key.public_key();
        let wrapped = OctetStringRef::new(public.bits()).unwrap().to_der().unwrap();
        for curve in ED25519 {
            for point in [public.bits(), &wrapped] {
                assert_eq!(PublicKey::from_ec_point(curve, point).unwrap(), *public);
            }
        }
    }

    #[test]
    fn leading_zeros_of_the_two_numbers_are_dropped_and_signs_kept() {
        let der = ecdsa_signature_from_fixed(&[0, 0, 1, 0x80, 0, 0]).unwrap();
        assert_eq!(der, [0x30, 9, 2, 1, 1, 2, 4, 0, 0x80, 0, 0]);
        assert!(ecdsa_signature_from_fixed(&[1, 2, 3]).is_err());
        assert!(ecdsa_signature_from_fixed(&[]).is_err());
    }
}
