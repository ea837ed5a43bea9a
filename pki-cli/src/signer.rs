//! Who signs for a CA: the only place that knows how a CA keeps its key.
//!
//! The rest of the program knows the key of a CA only as a [`Signer`].

mod file;

use std::path::Path;

use pki_core::{Certificate, KeyAlgorithm, PrivateKey, Signer};
use zeroize::Zeroizing;

use crate::failure::{Failure, shown};
use crate::passphrase::{Passphrase, PassphraseSource};
use crate::store::{Access, Batch, Existing};

/// How a CA keeps its key, and what opens it. The default is the file `ca-key.pem` in the CA's folder; if it is encrypted,
/// its passphrase is asked on the terminal.
#[derive(Clone, Debug, Default)]
pub struct Custody {
    passphrase: Option<PassphraseSource>,
}

/// The key of a new CA.
pub(crate) struct NewKey {
    pub(crate) signer: Box<dyn Signer + Send + Sync>,
    /// The contents of its file: PKCS #8 in PEM. `None` if the key is elsewhere.
    pub(crate) pem: Option<Zeroizing<String>>,
}

impl NewKey {
    fn in_file(key: PrivateKey, passphrase: Option<&Passphrase>) -> Result<Self, Failure> {
        let pem = file::contents(&key, passphrase)?;
        Ok(Self { pem: Some(pem), signer: Box::new(key) })
    }
}

impl Custody {
    /// The key in its file, with the source of its passphrase. Without one, a key that is encrypted is asked for on the
    /// terminal, and a new key is not encrypted.
    pub const fn file(passphrase: Option<PassphraseSource>) -> Self {
        Self { passphrase }
    }

    /// Opens the key of a CA. `file` is its place in the CA's folder.
    pub(crate) fn open(&self, file: &Path) -> Result<Box<dyn Signer + Send + Sync>, Failure> {
        Ok(Box::new(file::read(file, &self.passphrase_or_terminal())?))
    }

    /// Makes the key of a new CA. `file` is its place in the CA's folder.
    pub(crate) fn create(&self, algorithm: KeyAlgorithm, file: &Path) -> Result<NewKey, Failure> {
        let what = file::passphrase_of(file);
        let passphrase = self.passphrase.as_ref().map(|source| source.read_new(&what));
        let passphrase = passphrase.transpose()?;
        NewKey::in_file(PrivateKey::generate(algorithm)?, passphrase.as_ref())
    }

    /// Takes over the key of a CA from these contents of a file. A key that is encrypted stays encrypted with the same
    /// passphrase.
    pub(crate) fn import(&self, path: &Path, pem: &[u8]) -> Result<NewKey, Failure> {
        let (key, passphrase) = file::open(path, pem, &self.passphrase_or_terminal())?;
        self.take(key, passphrase, path)
    }

    /// The same from a PKCS #12 file, with its certificates.
    pub(crate) fn import_pkcs12(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(NewKey, Vec<Certificate>), Failure> {
        let (key, passphrase, certificates) =
            file::open_pkcs12(path, bytes, &self.passphrase_or_terminal())?;
        Ok((self.take(key, passphrase, path)?, certificates))
    }

    fn take(
        &self,
        key: PrivateKey,
        old: Option<Passphrase>,
        path: &Path,
    ) -> Result<NewKey, Failure> {
        let passphrase = match (old, &self.passphrase) {
            (Some(old), _) => Some(old),
            (None, Some(source)) => Some(source.read_new(&file::passphrase_of(path))?),
            (None, None) => None,
        };
        NewKey::in_file(key, passphrase.as_ref())
    }

    fn passphrase_or_terminal(&self) -> PassphraseSource {
        self.passphrase.clone().unwrap_or(PassphraseSource::Terminal)
    }
}

/// Encrypts the key in a file with another passphrase, or with none. The file is replaced once what was written for it
/// reads back as the same key.
pub(crate) fn change_passphrase(
    file: &Path,
    old: &Custody,
    new: Option<&PassphraseSource>,
) -> Result<(), Failure> {
    let key = file::read(file, &old.passphrase_or_terminal())?;
    let what = format!("the new passphrase of {}", shown(file));
    let new = new.map(|source| source.read_new(&what)).transpose()?;
    let pem = file::contents(&key, new.as_ref())?;
    let again = match &new {
        Some(new) => PrivateKey::from_encrypted_pem(pem.as_bytes(), new.as_bytes()),
        None => PrivateKey::from_pem(pem.as_bytes()),
    }?;
    if again.public_key() != key.public_key() {
        return Err(Failure::bug("the key that was written is another one; nothing was changed"));
    }
    let mut batch = Batch::new(Existing::Replace);
    batch.stage(file.to_owned(), pem.as_bytes(), Access::Secret)?;
    batch.commit()
}
