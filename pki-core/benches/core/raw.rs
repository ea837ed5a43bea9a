//! Keys of aws-lc-rs, without this library.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use pki_core::{KeyAlgorithm, PrivateKey};

/// A key of aws-lc-rs, without this library.
pub(crate) enum RawKey {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl RawKey {
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::EcdsaP256 => {
                Self::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
            }
            KeyAlgorithm::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            KeyAlgorithm::Rsa(2048) => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            other => unreachable!("{other} is not measured"),
        }
    }

    /// The same key in this library.
    pub(crate) fn to_ours(&self) -> PrivateKey {
        let pkcs8 = match self {
            Self::Ecdsa(pair) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).unwrap().as_ref().to_vec(),
        };
        PrivateKey::from_der(&pkcs8).unwrap()
    }

    pub(crate) fn public_key(&self) -> &[u8] {
        match self {
            Self::Ecdsa(pair) => pair.public_key().as_ref(),
            Self::Ed25519(pair) => pair.public_key().as_ref(),
            Self::Rsa(pair) => pair.public_key().as_ref(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    pub(crate) fn verification(&self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Ecdsa(_) => &signature::ECDSA_P256_SHA256_ASN1,
            Self::Ed25519(_) => &signature::ED25519,
            Self::Rsa(_) => &signature::RSA_PKCS1_2048_8192_SHA256,
        }
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) {
        UnparsedPublicKey::new(self.verification(), self.public_key())
            .verify(message, signature)
            .unwrap();
    }
}
