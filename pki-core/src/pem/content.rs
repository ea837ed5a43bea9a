//! The contents of a PEM block.

use zeroize::Zeroizing;

/// The contents of a PEM block, in DER.
#[non_exhaustive]
pub enum Content {
    /// `CERTIFICATE`
    Certificate(Vec<u8>),
    /// `CERTIFICATE REQUEST`
    CertificateRequest(Vec<u8>),
    /// `X509 CRL`
    Crl(Vec<u8>),
    /// `EC PARAMETERS`, which OpenSSL writes before a SEC1 key, and which repeats the key's curve
    EcParameters,
    /// `ENCRYPTED PRIVATE KEY`: an EncryptedPrivateKeyInfo (RFC 5958)
    EncryptedKey(Zeroizing<Vec<u8>>),
    /// A private key that the PEM encoding itself encrypts (RFC 1421), as OpenSSL did before PKCS#8. Its contents are
    /// not kept
    LegacyEncryptedKey,
    /// Another label
    Other(String),
    /// A private key in PKCS#8, SEC1 or PKCS#1
    PrivateKey(Zeroizing<Vec<u8>>),
    /// `PUBLIC KEY`: a SubjectPublicKeyInfo
    PublicKey(Vec<u8>),
}

impl Content {
    /// The usual label of such a section, or its own if it is of another kind.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Certificate(_) => "CERTIFICATE",
            Self::CertificateRequest(_) => "CERTIFICATE REQUEST",
            Self::Crl(_) => "X509 CRL",
            Self::EcParameters => "EC PARAMETERS",
            Self::EncryptedKey(_) => "ENCRYPTED PRIVATE KEY",
            Self::Other(label) => label,
            Self::LegacyEncryptedKey | Self::PrivateKey(_) => "PRIVATE KEY",
            Self::PublicKey(_) => "PUBLIC KEY",
        }
    }
}
