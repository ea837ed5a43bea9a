//! The key of a CA in a file, which may be encrypted.

use std::path::Path;

use pki_core::{Certificate, Defect, Error, KeyFormat, PrivateKey, read_pkcs12};
use zeroize::Zeroizing;

use crate::failure::{Failure, shown};
use crate::passphrase::{Passphrase, PassphraseSource};
use crate::store;

/// Reads the key of a file, which must be readable only by its owner. The passphrase is read only if the key is encrypted.
pub(super) fn read(path: &Path, passphrase: &PassphraseSource) -> Result<PrivateKey, Failure> {
    let pem = store::read_secret(path)?;
    Ok(open(path, &pem, passphrase)?.0)
}

/// Reads a key from the contents of its file, and gives its passphrase if it is encrypted.
pub(super) fn open(
    path: &Path,
    pem: &[u8],
    passphrase: &PassphraseSource,
) -> Result<(PrivateKey, Option<Passphrase>), Failure> {
    match PrivateKey::from_pem(pem) {
        Ok(key) => Ok((key, None)),
        Err(error) if error.defect() == Some(Defect::Encrypted) => {
            // An unsupported encryption is reported before the user types a passphrase.
            PrivateKey::check_encrypted_pem(pem)
                .map_err(|error| Failure::from(error).in_file(path))?;
            let passphrase = passphrase.read(&passphrase_of(path))?;
            let key = PrivateKey::from_encrypted_pem(pem, passphrase.as_bytes())
                .map_err(|error| not_decrypted(error, path))?;
            Ok((key, Some(passphrase)))
        }
        Err(error) => Err(Failure::from(error).in_file(path)),
    }
}

/// Reads the key and the certificates of a PKCS #12 file, and gives its password unless it opens with an empty one.
pub(super) fn open_pkcs12(
    path: &Path,
    bytes: &[u8],
    password: &PassphraseSource,
) -> Result<(PrivateKey, Option<Passphrase>, Vec<Certificate>), Failure> {
    let failed = |error: Error| match error.defect() {
        Some(Defect::WrongPassphrase) => {
            Failure::environment(format!("{}: the password is wrong", shown(path)))
                .hinted("give the password that the file was exported with, with --ca-passphrase")
        }
        _ => Failure::from(error).in_file(path),
    };
    match read_pkcs12(bytes, "") {
        Ok((key, certificates)) => Ok((key, None, certificates)),
        Err(error) if error.defect() == Some(Defect::WrongPassphrase) => {
            let what = passphrase_of(path);
            let password = password.read(&what)?;
            let (key, certificates) =
                read_pkcs12(bytes, password.as_str(&what)?).map_err(failed)?;
            Ok((key, Some(password), certificates))
        }
        Err(error) => Err(failed(error)),
    }
}

/// The contents of a key's file: PKCS #8 in PEM, encrypted if there is a passphrase.
pub(super) fn contents(
    key: &PrivateKey,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<String>, Error> {
    match passphrase {
        Some(passphrase) => key.to_encrypted_pem(passphrase.as_bytes()),
        None => key.to_pem(KeyFormat::Pkcs8),
    }
}

/// How messages and questions name the passphrase of a key.
pub(super) fn passphrase_of(path: &Path) -> String {
    format!("the passphrase of {}", shown(path))
}

fn not_decrypted(error: Error, path: &Path) -> Failure {
    match error.defect() {
        Some(Defect::WrongPassphrase) => {
            let path = shown(path);
            Failure::environment(format!("{path}: the passphrase is wrong, or the file is damaged"))
                .hinted(format!("check the passphrase with: openssl pkey -noout -in {path}"))
        }
        _ => Failure::from(error).in_file(path),
    }
}
