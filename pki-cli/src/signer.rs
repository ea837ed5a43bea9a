//! How a CA keeps its key. Only this module knows.
//!
//! The rest of the program knows the key of a CA only as a [`Signer`].

mod command;
mod file;
#[cfg(feature = "pkcs11")]
mod token;
#[cfg(feature = "pkcs11")]
mod uri;

use std::error::Error;
use std::fmt;
use std::path::Path;

use pki_core::{Certificate, Defect, KeyAlgorithm, PrivateKey, PublicKey, Signer};
use zeroize::Zeroizing;

use self::command::CommandSigner;
#[cfg(feature = "pkcs11")]
use self::token::TokenSigner;
#[cfg(feature = "pkcs11")]
use self::uri::TokenUri;
use crate::failure::{Failure, shown};
use crate::keygen;
use crate::passphrase::{Passphrase, PassphraseSource};
use crate::store::{self, Access, Batch, Existing};

/// How a CA keeps its key, and what opens it. The default is the file `ca-key.pem` in the CA's folder; if it is encrypted,
/// its passphrase is asked on the terminal.
#[derive(Clone, Default)]
pub struct Custody {
    place: KeyPlace,
    passphrase: Option<PassphraseSource>,
    /// Other variables with a secret, which a signer command does not get either.
    hidden: Vec<String>,
}

#[derive(Clone, Default)]
enum KeyPlace {
    #[default]
    File,
    /// Behind a command that signs. A new CA needs its public key.
    Command { command: String, public_key: Option<PublicKey> },
    #[cfg(feature = "pkcs11")]
    Token(TokenUri),
    /// Out of reach of this process: signatures come from elsewhere.
    Elsewhere,
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

    /// A key that nobody opened: only its public half is known, and perhaps the contents of its file.
    pub(crate) fn elsewhere(public_key: PublicKey, pem: Option<Zeroizing<String>>) -> Self {
        Self { signer: Box::new(Elsewhere(public_key)), pem }
    }
}

impl Custody {
    /// The key in its file. Without a source for its passphrase, the passphrase of an encrypted key is asked on the
    /// terminal, and a new key is not encrypted.
    pub const fn file(passphrase: Option<PassphraseSource>) -> Self {
        Self { place: KeyPlace::File, passphrase, hidden: Vec::new() }
    }

    /// A key behind a command: `sh` runs it, the bytes to sign are its standard input, and the signature is its standard
    /// output. It signs with [`SignatureAlgorithm::of`](pki_core::SignatureAlgorithm::of) the key; an ECDSA signature is
    /// in ASN.1 DER. The command does not get a variable that `passphrase` names.
    pub const fn command(command: String, passphrase: Option<PassphraseSource>) -> Self {
        Self {
            place: KeyPlace::Command { command, public_key: None },
            passphrase,
            hidden: Vec::new(),
        }
    }

    /// A key in a PKCS #11 token, named by a URI (RFC 7512) with `module-path`, and the source of the token's PIN.
    ///
    /// # Errors
    /// The URI is wrong.
    #[cfg(feature = "pkcs11")]
    pub fn token(uri: &str, pin: Option<PassphraseSource>) -> Result<Self, Failure> {
        let uri = TokenUri::parse(uri)?;
        let passphrase = pin.or_else(|| uri.pin.clone());
        Ok(Self { place: KeyPlace::Token(uri), passphrase, hidden: Vec::new() })
    }

    /// A key that this process cannot use. A CA with it can draft certificates, for which signatures come from elsewhere.
    pub(crate) const fn elsewhere() -> Self {
        Self { place: KeyPlace::Elsewhere, passphrase: None, hidden: Vec::new() }
    }

    /// The same with the public key of a CA that is new. Only a command needs it.
    pub(crate) fn with_public_key(mut self, key: PublicKey) -> Result<Self, Failure> {
        let KeyPlace::Command { public_key, .. } = &mut self.place else {
            return Err(Failure::usage(
                "--public-key works only with a signer command; other keys tell their public key",
            )
            .hinted("add --signer-cmd COMMAND, or remove --public-key"));
        };
        *public_key = Some(key);
        Ok(self)
    }

    /// The same, and a signer command does not get the variable of this passphrase, which opens another key.
    pub(crate) fn hiding(mut self, other: Option<&PassphraseSource>) -> Self {
        self.hidden.extend(other.and_then(PassphraseSource::variable).map(str::to_owned));
        self
    }

    /// Whether the key is the file in the CA's folder.
    pub(crate) const fn is_file(&self) -> bool {
        matches!(self.place, KeyPlace::File)
    }

    /// How messages name the key. `file` is its place in the CA's folder.
    pub(crate) fn name(&self, file: &Path) -> String {
        match &self.place {
            KeyPlace::File => shown(file),
            KeyPlace::Command { .. } => "the key of the signer command".to_owned(),
            #[cfg(feature = "pkcs11")]
            KeyPlace::Token(uri) => uri.to_string(),
            KeyPlace::Elsewhere => "the key of the CA".to_owned(),
        }
    }

    /// Opens the key in its file, whose public half is not known.
    pub(crate) fn open_file(&self, file: &Path) -> Result<Box<dyn Signer + Send + Sync>, Failure> {
        Ok(Box::new(file::read(file, &self.passphrase_or_terminal())?))
    }

    /// Reads the key from the contents of its file, which other users may be able to read.
    pub(crate) fn read_file(&self, file: &Path, pem: &[u8]) -> Result<PrivateKey, Failure> {
        Ok(file::open(file, pem, &self.passphrase_or_terminal())?.0)
    }

    /// Opens the key of a CA. `file` is its place in the CA's folder, `public_key` that of its certificate. The key that is
    /// found can be another one.
    pub(crate) fn open(
        &self,
        file: &Path,
        public_key: &PublicKey,
    ) -> Result<Box<dyn Signer + Send + Sync>, Failure> {
        Ok(match &self.place {
            KeyPlace::File => return self.open_file(file),
            KeyPlace::Command { command, .. } => Box::new(self.behind(command, public_key)),
            #[cfg(feature = "pkcs11")]
            KeyPlace::Token(uri) => {
                Box::new(TokenSigner::open(uri, &self.passphrase_or_terminal(), public_key)?)
            }
            KeyPlace::Elsewhere => Box::new(Elsewhere(public_key.clone())),
        })
    }

    fn behind(&self, command: &str, public_key: &PublicKey) -> CommandSigner {
        let own = self.passphrase.as_ref().and_then(PassphraseSource::variable);
        let hidden = self.hidden.iter().cloned().chain(own.map(str::to_owned)).collect();
        CommandSigner::new(command.to_owned(), public_key.clone(), hidden)
    }

    /// Generates the key of a new CA, or finds it if it was generated elsewhere. `file` is its place in the CA's folder.
    pub(crate) fn create(&self, algorithm: KeyAlgorithm, file: &Path) -> Result<NewKey, Failure> {
        match &self.place {
            KeyPlace::File => self.create_file(algorithm, file),
            KeyPlace::Command { command, public_key: Some(public_key) } => {
                Ok(NewKey { pem: None, signer: Box::new(self.behind(command, public_key)) })
            }
            #[cfg(feature = "pkcs11")]
            KeyPlace::Token(uri) => {
                let pin = self.passphrase_or_terminal();
                let signer = TokenSigner::open_or_generate(uri, &pin, algorithm)?;
                Ok(NewKey { pem: None, signer: Box::new(signer) })
            }
            KeyPlace::Command { .. } | KeyPlace::Elsewhere => Err(Failure::usage(
                "a new CA needs its public key, which a signer command cannot tell",
            )
            .hinted(
                "give it to init-ca or rotate-ca begin with --public-key FILE; openssl pkey -pubout and every KMS write it",
            )),
        }
    }

    /// Refuses to make the key of a new CA in a file without encryption, if the key of the CA that it replaces is encrypted.
    pub(crate) fn check_new_key(&self, new: &Path, old: &Path) -> Result<(), Failure> {
        if !self.is_file() || self.passphrase.is_some() || !file::is_encrypted(old)? {
            return Ok(());
        }
        let problem = format!("{} is encrypted, and {} would not be", shown(old), shown(new));
        Err(Failure::usage(problem).hinted(
            "give the passphrase of the new key with --ca-passphrase prompt, file:PATH, fd:NUMBER or env:NAME",
        ))
    }

    fn create_file(&self, algorithm: KeyAlgorithm, file: &Path) -> Result<NewKey, Failure> {
        let what = file::passphrase_of(file);
        let passphrase = self.passphrase.as_ref().map(|source| source.read_new(&what));
        let passphrase = passphrase.transpose()?;
        NewKey::in_file(keygen::generate(algorithm)?, passphrase.as_ref())
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

/// Does not print the command, which may contain a password.
impl fmt::Debug for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.place {
            KeyPlace::File => "file",
            KeyPlace::Command { .. } => "command",
            #[cfg(feature = "pkcs11")]
            KeyPlace::Token(_) => "token",
            KeyPlace::Elsewhere => "elsewhere",
        };
        f.debug_struct("Custody").field("place", &place).finish_non_exhaustive()
    }
}

/// Knows the public key and cannot sign.
struct Elsewhere(PublicKey);

impl Signer for Elsewhere {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        Err("the key of the CA is elsewhere".into())
    }
}

/// The public key of a key in a file, unless the file is encrypted.
pub(crate) fn plain_public_key(file: &Path) -> Result<Option<PublicKey>, Failure> {
    match PrivateKey::from_pem(&store::read_secret(file)?) {
        Ok(key) => Ok(Some(key.public_key().clone())),
        Err(error) if error.defect() == Some(Defect::Encrypted) => Ok(None),
        Err(error) => Err(Failure::from(error).in_file(file)),
    }
}

/// Encrypts the key in a file with another passphrase, or with none. The file is replaced only after the
/// new contents were read back as the same key.
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
        return Err(Failure::bug(
            "the key that was written is not the old key; nothing was changed",
        ));
    }
    let mut batch = Batch::new(Existing::Replace);
    batch.stage(file.to_owned(), pem.as_bytes(), Access::Secret)?;
    batch.commit()
}
