//! The algorithms of keys.

use std::fmt;
use std::str::FromStr;

use der::asn1::ObjectIdentifier;

use crate::error::Error;
use crate::suggest;

/// The algorithm and strength of a key.
///
/// ```
/// use pki_core::KeyAlgorithm;
///
/// assert_eq!("rsa-2048".parse::<KeyAlgorithm>()?, KeyAlgorithm::Rsa(2048));
/// assert_eq!(KeyAlgorithm::default().to_string(), "ecdsa-p256");
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256, signing with SHA-256
    #[default]
    EcdsaP256,
    /// ECDSA on NIST P-384, signing with SHA-384
    EcdsaP384,
    /// ECDSA on NIST P-521, signing with SHA-512
    EcdsaP521,
    /// Ed25519
    Ed25519,
    /// RSA with a modulus of this many bits. Keys of 2048, 3072, 4096 and 8192 bits can be generated
    Rsa(usize),
}

impl KeyAlgorithm {
    /// The algorithms that options and manifests offer. A CSR JSON can also ask for RSA with 8192 bits, which takes up to a
    /// minute to generate.
    pub const GENERATED: [Self; 7] = [
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Ed25519,
        Self::Rsa(2048),
        Self::Rsa(3072),
        Self::Rsa(4096),
    ];
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ecdsa-p256"),
            Self::EcdsaP384 => f.write_str("ecdsa-p384"),
            Self::EcdsaP521 => f.write_str("ecdsa-p521"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Rsa(bits) => write!(f, "rsa-{bits}"),
        }
    }
}

impl FromStr for KeyAlgorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::GENERATED.map(|algorithm| algorithm.to_string());
        match known.iter().position(|name| name == text) {
            Some(index) => Ok(Self::GENERATED[index]),
            None => Err(Error::invalid("key", text, "unknown or unsupported key algorithm")
                .hinted(suggest::one_of(text, known.iter().map(String::as_str)))),
        }
    }
}

pub(crate) const OID_EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(crate) const OID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(crate) const OID_P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(crate) const OID_P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(crate) const OID_P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
pub(crate) const OID_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
