//! Private keys: generates, reads and writes them, and signs with them.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair,
};
use der::Decode;
use pkcs8::PrivateKeyInfoRef;
use zeroize::Zeroizing;

use crate::error::{Defect, Error};
use crate::file_format;
use crate::key::rsa;
use crate::key::{
    KeyAlgorithm, OID_EC, OID_ED25519, OID_P256, OID_P384, OID_P521, OID_RSA, PublicKey,
    SignatureAlgorithm, Signer,
};
use crate::pem;

const EXPECTED: &str = "a private key";

/// The format of a private key in a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyFormat {
    /// `PRIVATE KEY` (PKCS#8, RFC 5958), which every current program reads.
    #[default]
    Pkcs8,
    /// `EC PRIVATE KEY` (SEC1) and `RSA PRIVATE KEY` (PKCS#1), as cfssl and kubeadm write them.
    /// Ed25519 keys have no such form and are written as PKCS#8.
    Traditional,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key. It is wiped from memory when it is dropped.
///
/// ```
/// use pki_core::{KeyAlgorithm, KeyFormat, PrivateKey, Signer};
///
/// let key = PrivateKey::generate(KeyAlgorithm::Ed25519)?;
/// // The PEM is wiped too: it is a `Zeroizing<String>`.
/// let pem = key.to_pem(KeyFormat::Pkcs8)?;
/// assert_eq!(PrivateKey::from_pem(pem.as_bytes())?.public_key(), key.public_key());
/// # Ok::<(), pki_core::Error>(())
/// ```
///
/// It cannot be cloned or printed:
///
/// ```compile_fail
/// fn copy(key: pki_core::PrivateKey) -> pki_core::PrivateKey { key.clone() }
/// ```
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
}

impl PrivateKey {
    /// Generates a key. An RSA key takes up to several seconds, because its primes are found by chance.
    ///
    /// The first key of a process costs about 125 ms more, unless AWS-LC is built without its second source of
    /// entropy; the [crate's documentation](crate#the-first-key) says how.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, Error> {
        let failed = |_| Error::Internal(format!("cannot generate a key for {algorithm}"));
        let pair = match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 | KeyAlgorithm::EcdsaP521 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(ecdsa(algorithm)).map_err(failed)?)
            }
            KeyAlgorithm::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
            KeyAlgorithm::Rsa(bits) => {
                let size = match bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    8192 => KeySize::Rsa8192,
                    _ => {
                        return Err(Error::invalid(
                            "key",
                            algorithm.to_string(),
                            "RSA keys can be generated with 2048, 3072, 4096 or 8192 bits",
                        )
                        .hinted("use ecdsa-p256, or rsa-2048"));
                    }
                };
                Pair::Rsa(RsaKeyPair::generate(size).map_err(failed)?)
            }
        };
        Self::new(pair)
    }

    /// Reads the one private key of a PEM file. `EC PARAMETERS` before it are ignored.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, Error> {
        if !pem::is_pem(bytes) {
            return Err(not_pem(bytes));
        }
        let mut key = None;
        for section in pem::read(bytes)? {
            match section.content {
                pem::Content::PrivateKey(der) if key.is_none() => key = Some(der),
                pem::Content::PrivateKey(_) => {
                    let problem = format!("a second key on line {}", section.line);
                    return Err(Error::defective(Defect::Repeated, EXPECTED, problem)
                        .hinted("keep one key in each file"));
                }
                pem::Content::EncryptedKey(_) | pem::Content::LegacyEncryptedKey => {
                    return Err(Error::defective(Defect::Encrypted, EXPECTED, "it is encrypted")
                        .hinted(
                            "etcd and the API server cannot ask for a passphrase; decrypt it: \
                             openssl pkey -in KEY.pem -out PLAIN.pem",
                        ));
                }
                _ => {}
            }
        }
        match key {
            Some(der) => Self::from_der(&der),
            None => Err(Error::defective(Defect::Missing, EXPECTED, "no PRIVATE KEY block")
                .hinted("the file may be a certificate; check that two paths are not swapped")),
        }
    }

    /// Reads a key in PKCS#8, SEC1 or PKCS#1.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let rejected = |_| {
            Error::malformed(EXPECTED, "its numbers do not match")
                .hinted("the file is damaged; restore it from a backup")
        };
        if let Ok(info) = PrivateKeyInfoRef::from_der(der) {
            let curve = info.algorithm.parameters_oid().ok();
            return Self::new(match (info.algorithm.oid, curve) {
                (OID_EC, Some(OID_P256)) => Pair::Ecdsa(
                    EcdsaKeyPair::from_private_key_der(ecdsa(KeyAlgorithm::EcdsaP256), der)
                        .map_err(rejected)?,
                ),
                (OID_EC, Some(OID_P384)) => Pair::Ecdsa(
                    EcdsaKeyPair::from_private_key_der(ecdsa(KeyAlgorithm::EcdsaP384), der)
                        .map_err(rejected)?,
                ),
                (OID_EC, Some(OID_P521)) => Pair::Ecdsa(
                    EcdsaKeyPair::from_private_key_der(ecdsa(KeyAlgorithm::EcdsaP521), der)
                        .map_err(rejected)?,
                ),
                (OID_ED25519, _) => {
                    Pair::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(rejected)?)
                }
                (OID_RSA, _) => Pair::Rsa(RsaKeyPair::from_pkcs8(der).map_err(|rejected| {
                    match rsa::private_key_bits(info.private_key.as_bytes()) {
                        Some(2048..=8192) => Error::malformed(EXPECTED, "its numbers do not match")
                            .hinted("the file is damaged; restore it from a backup"),
                        Some(bits) => unsupported(&format!("it is an RSA key of {bits} bits")),
                        None => Error::malformed(EXPECTED, format!("it is damaged ({rejected})")),
                    }
                })?),
                (oid, curve) => {
                    let oid = curve.filter(|_| oid == OID_EC).unwrap_or(oid);
                    return Err(unsupported(&format!("algorithm {oid} is not supported")));
                }
            });
        }
        let curves = [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::EcdsaP521];
        for curve in curves {
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(ecdsa(curve), der) {
                return Self::new(Pair::Ecdsa(pair));
            }
        }
        match RsaKeyPair::from_der(der) {
            Ok(pair) => Self::new(Pair::Rsa(pair)),
            Err(_) => Err(Error::malformed(
                EXPECTED,
                "it is damaged, or neither PKCS#8, SEC1 nor PKCS#1 of an algorithm that is supported",
            )
            .hinted("copy it again from its source; ECDSA, Ed25519 and RSA keys are supported")),
        }
    }

    fn new(pair: Pair) -> Result<Self, Error> {
        let failed = |_| Error::Internal("cannot encode a public key".to_owned());
        let spki = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der().map_err(failed)?,
            Pair::Ed25519(pair) => pair.public_key().as_der().map_err(failed)?,
            Pair::Rsa(pair) => pair.public_key().as_der().map_err(failed)?,
        };
        let public = PublicKey::from_spki_der(spki.as_ref())?;
        Ok(Self { pair, public })
    }

    /// The key in PEM. Write it to a file that only its owner can read.
    pub fn to_pem(&self, format: KeyFormat) -> Result<Zeroizing<String>, Error> {
        let failed = |_| Error::Internal("cannot encode a private key".to_owned());
        match (format, &self.pair) {
            (KeyFormat::Traditional, Pair::Ecdsa(pair)) => {
                // The key's own document is zeroized on drop.
                let der: EcPrivateKeyRfc5915Der<'_> =
                    pair.private_key().as_der().map_err(failed)?;
                pem::write("EC PRIVATE KEY", der.as_ref())
            }
            (KeyFormat::Traditional, Pair::Rsa(..)) => {
                let pkcs8 = self.to_pkcs8()?;
                let info = PrivateKeyInfoRef::from_der(&pkcs8)
                    .map_err(|e| Error::Internal(format!("cannot read our own PKCS#8: {e}")))?;
                pem::write("RSA PRIVATE KEY", info.private_key.as_bytes())
            }
            _ => pem::write("PRIVATE KEY", &self.to_pkcs8()?),
        }
    }

    /// The key in PKCS#8.
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let failed = |_| Error::Internal("cannot encode a private key".to_owned());
        Ok(Zeroizing::new(match &self.pair {
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                der.as_ref().to_vec()
            }
        }))
    }
}

fn not_pem(bytes: &[u8]) -> Error {
    const EXPECTED: &str = "a private key in PEM";
    if PrivateKey::from_der(bytes).is_ok() {
        return Error::malformed(EXPECTED, "it is DER, which etcd does not read")
            .hinted("convert it: openssl pkey -inform DER -in KEY.der -out KEY.pem");
    }
    #[cfg(feature = "encrypted-keys")]
    if pkcs8::EncryptedPrivateKeyInfoRef::from_der(bytes).is_ok() {
        return Error::malformed(
            EXPECTED,
            "it is an encrypted key in DER, which etcd does not read",
        )
        .hinted(
            "convert it: openssl pkcs8 -inform DER -in KEY.der | openssl pkey -aes256 -out KEY.pem",
        );
    }
    if bytes.trim_ascii().is_empty() {
        return Error::empty(EXPECTED);
    }
    match file_format::recognize(bytes) {
        Some(format) => {
            Error::malformed(EXPECTED, format!("it is {}", format.name)).hinted(format.key_hint)
        }
        None => Error::malformed(EXPECTED, "it is not PEM"),
    }
}

fn unsupported(problem: &str) -> Error {
    Error::defective(Defect::Unsupported, EXPECTED, problem).hinted(
        "etcd and its clients support ECDSA P-256, P-384 and P-521, Ed25519, and RSA with at least 2048 bits",
    )
}

const fn ecdsa(algorithm: KeyAlgorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        KeyAlgorithm::EcdsaP384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        KeyAlgorithm::EcdsaP521 => &ECDSA_P521_SHA512_ASN1_SIGNING,
        _ => &ECDSA_P256_SHA256_ASN1_SIGNING,
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let random = SystemRandom::new();
        Ok(match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match SignatureAlgorithm::of(&self.public)
                {
                    Some(SignatureAlgorithm::RsaSha384) => &RSA_PKCS1_SHA384,
                    Some(SignatureAlgorithm::RsaSha512) => &RSA_PKCS1_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)?;
                signature
            }
        })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, redacted)", self.public.algorithm_name())
    }
}
