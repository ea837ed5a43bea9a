//! Who signs for a CA.
//!
//! The rest of the program knows the key of a CA only as a [`Signer`]. An encrypted file, a command or a token is another
//! constructor here.

use std::path::Path;

use pki_core::{Defect, KeyAlgorithm, KeyFormat, PrivateKey, Signer};
use zeroize::Zeroizing;

use crate::failure::{Failure, shown};
use crate::store;

/// Reads the key of a CA from its file, which must be readable only by its owner.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Signer + Send + Sync>, Failure> {
    match PrivateKey::from_pem(&store::read_secret(path)?) {
        Ok(key) => Ok(Box::new(key)),
        Err(error) if error.defect() == Some(Defect::Encrypted) => Err(encrypted(path)),
        Err(error) => Err(Failure::from(error).in_file(path)),
    }
}

fn encrypted(path: &Path) -> Failure {
    let path = shown(path);
    Failure::environment(format!("{path} is encrypted, and etcdpki does not ask for its password")).hinted(
        format!("decrypt it: umask 077; openssl pkey -in {path} -out {path}.plain && mv {path}.plain {path}"),
    )
}

/// The key of a new CA.
pub(crate) struct NewKey {
    pub(crate) signer: Box<dyn Signer + Send + Sync>,
    /// The contents of its file: PKCS #8 in PEM.
    pub(crate) pem: Zeroizing<String>,
}

/// Generates the key of a new CA.
pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<NewKey, Failure> {
    let key = PrivateKey::generate(algorithm)?;
    Ok(NewKey { pem: key.to_pem(KeyFormat::Pkcs8)?, signer: Box::new(key) })
}
