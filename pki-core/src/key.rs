//! Public keys, their algorithms, and the trait for the holders of private keys.

mod algorithm;
mod parts;
mod public_key;
pub(crate) mod rsa;
mod signer;

pub use self::algorithm::KeyAlgorithm;
pub(crate) use self::algorithm::{OID_EC, OID_ED25519, OID_P256, OID_P384, OID_P521, OID_RSA};
pub use self::parts::ecdsa_signature_from_fixed;
pub use self::public_key::{KeyId, PublicKey};
pub use self::signer::{SignatureAlgorithm, Signer};
