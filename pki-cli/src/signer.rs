//! Who signs for a CA.
//!
//! The rest of the program knows a CA's key as a [`Signer`] only. A key in an encrypted file, behind a command
//! or on a token is another constructor here.

use std::path::Path;

use pki_core::{KeyAlgorithm, KeyFormat, PrivateKey, Signer};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::store;

/// Reads the key of a CA from its file, which only its owner may read.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Signer + Send + Sync>, Failure> {
    let key = PrivateKey::from_pem(&store::read_secret(path)?)
        .map_err(|error| Failure::from(error).in_file(path))?;
    Ok(Box::new(key))
}

/// A CA's key that was just made.
pub(crate) struct NewKey {
    pub(crate) signer: Box<dyn Signer + Send + Sync>,
    /// The key in PKCS #8, in PEM, for its file.
    pub(crate) pem: Zeroizing<String>,
}

/// Makes a key for a new CA.
pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<NewKey, Failure> {
    let key = PrivateKey::generate(algorithm)?;
    Ok(NewKey { pem: key.to_pem(KeyFormat::Pkcs8)?, signer: Box::new(key) })
}
