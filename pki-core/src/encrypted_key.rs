//! Private keys under a passphrase: encrypted PKCS #8 (RFC 5958 section 3) with PBES2 (RFC 8018 section 6.2). Only this
//! file uses the library for it.

use aws_lc_rs::rand;
use der::{Decode, Reader, SliceReader, asn1::AnyRef};
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Salt, ScryptParams};
use pkcs8::pkcs5::{self, EncryptionScheme as Scheme};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use crate::error::{Defect, Error};
use crate::pem;
use crate::private_key::PrivateKey;

const EXPECTED: &str = "an encrypted private key";

/// scrypt with N = 2^14, r = 8 and p = 5 (RFC 7914): 16 MiB of memory, and the work that OWASP recommends. OpenSSL refuses
/// more than 32 MiB unless it is told otherwise, so a larger N would make a file that it does not read.
const SCRYPT_N: u64 = 1 << 14;
const SCRYPT_R: u16 = 8;
const SCRYPT_P: u16 = 5;

/// The most memory, in bytes, that scrypt may use for a file that is read: 128 · N · r.
const MOST_MEMORY: u64 = 256 << 20;
/// The most work, in blocks of 128 bytes, that scrypt may do for a file that is read: N · r · p. This takes about ten
/// seconds.
const MOST_BLOCKS: u64 = 1 << 24;
/// The most iterations of PBKDF2 for a file that is read. OWASP recommends 600,000, and this takes some seconds.
const MOST_ITERATIONS: u32 = 10_000_000;

impl PrivateKey {
    /// Reads the one private key of a PEM file, which is encrypted with this passphrase (`ENCRYPTED PRIVATE KEY`).
    ///
    /// The schemes are those of PBES2 that OpenSSL writes: PBKDF2 or scrypt, and AES or triple DES in CBC mode. The
    /// parameters of the key derivation are limited (256 MiB of memory, ten million iterations), because the writer of
    /// the file chooses them.
    ///
    /// ```
    /// use pki_core::{Defect, KeyAlgorithm, PrivateKey, Signer};
    ///
    /// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// let pem = key.to_encrypted_pem(b"correct horse")?;
    /// let read = PrivateKey::from_encrypted_pem(pem.as_bytes(), b"correct horse")?;
    /// assert_eq!(read.public_key(), key.public_key());
    ///
    /// let refused = PrivateKey::from_encrypted_pem(pem.as_bytes(), b"battery staple");
    /// assert_eq!(refused.unwrap_err().defect(), Some(Defect::WrongPassphrase));
    /// # Ok::<(), pki_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Defect::WrongPassphrase`] if the passphrase does not decrypt it; [`Defect::Unsupported`] if the scheme is
    /// another one or its parameters exceed the limits.
    pub fn from_encrypted_pem(pem: &[u8], passphrase: &[u8]) -> Result<Self, Error> {
        let der = only_key(pem)?;
        let plain = match scheme(&der)?.decrypt(passphrase) {
            Ok(plain) => plain,
            Err(pkcs8::Error::EncryptedPrivateKey(
                pkcs5::Error::UnsupportedAlgorithm { oid }
                | pkcs5::Error::AlgorithmParametersInvalid { oid },
            )) => {
                return Err(unsupported(&format!("the parameters of {oid} cannot be used")));
            }
            Err(_) => return Err(wrong_passphrase()),
        };
        // With one wrong passphrase in 256, the padding is correct by chance.
        if PrivateKeyInfoRef::from_der(plain.as_bytes()).is_err() {
            return Err(wrong_passphrase());
        }
        Self::from_der(plain.as_bytes())
    }

    /// Checks, before a passphrase is asked for, that [`PrivateKey::from_encrypted_pem`] needs only the right passphrase.
    ///
    /// # Errors
    /// Those of [`PrivateKey::from_encrypted_pem`], except [`Defect::WrongPassphrase`].
    pub fn check_encrypted_pem(pem: &[u8]) -> Result<(), Error> {
        scheme(&only_key(pem)?).map(drop)
    }

    /// The key in PEM, encrypted with this passphrase: PKCS #8 with scrypt and AES-256-CBC, which OpenSSL 1.1 and later
    /// read.
    ///
    /// # Errors
    /// The passphrase is empty.
    pub fn to_encrypted_pem(&self, passphrase: &[u8]) -> Result<Zeroizing<String>, Error> {
        if passphrase.is_empty() {
            return Err(Error::invalid("passphrase", "", "empty, which protects nothing")
                .hinted("choose a long one"));
        }
        let failed = |what: &str| Error::Internal(format!("cannot encrypt a private key: {what}"));
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        for random in [&mut salt, &mut iv] {
            rand::fill(random).map_err(|_| failed("no randomness"))?;
        }
        let parameters = Parameters {
            kdf: Kdf::Scrypt(ScryptParams {
                salt: Salt::new(salt).map_err(|error| failed(&error.to_string()))?,
                cost_parameter: SCRYPT_N,
                block_size: SCRYPT_R,
                parallelization: SCRYPT_P,
                key_length: None,
            }),
            encryption: EncryptionScheme::Aes256Cbc { iv },
        };
        let plain = self.to_pkcs8()?;
        let info = PrivateKeyInfoRef::from_der(&plain).map_err(|e| failed(&e.to_string()))?;
        let encrypted: SecretDocument = info
            .encrypt_with_params(parameters, passphrase)
            .map_err(|error| failed(&error.to_string()))?;
        pem::write("ENCRYPTED PRIVATE KEY", encrypted.as_bytes())
    }
}

/// The only key of a file, which must be encrypted.
fn only_key(pem: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    use pem::Content::{EncryptedKey, LegacyEncryptedKey, PrivateKey};

    let mut keys = pem::read(pem)?;
    let is_key = |content: &pem::Content| {
        matches!(content, EncryptedKey(_) | LegacyEncryptedKey | PrivateKey(_))
    };
    keys.retain(|section| is_key(&section.content));
    if let [_, second, ..] = &keys[..] {
        let problem = format!("a second key on line {}", second.line);
        return Err(Error::defective(Defect::Repeated, EXPECTED, problem)
            .hinted("keep one key in each file"));
    }
    match keys.pop().map(|section| section.content) {
        Some(EncryptedKey(der)) => Ok(der),
        Some(LegacyEncryptedKey) => Err(legacy()),
        _ => Err(Error::defective(Defect::Missing, EXPECTED, "no ENCRYPTED PRIVATE KEY block")
            .hinted("the file may be a certificate or a key that is not encrypted")),
    }
}

/// An encrypted key whose scheme is PBES2, with parameters within the limits.
fn scheme(der: &[u8]) -> Result<EncryptedPrivateKeyInfoRef<'_>, Error> {
    let info = match EncryptedPrivateKeyInfoRef::from_der(der) {
        Ok(info) => info,
        // The library reads only algorithms that it knows.
        Err(_) if is_encrypted_private_key_info(der) => {
            return Err(unsupported("its encryption scheme is not supported"));
        }
        Err(_) => return Err(Error::malformed(EXPECTED, "its DER is damaged")),
    };
    let Scheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(unsupported("it is encrypted with PBES1, which is broken"));
    };
    check_limits(&parameters.kdf)?;
    Ok(info)
}

fn check_limits(kdf: &Kdf) -> Result<(), Error> {
    match kdf {
        Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count > MOST_ITERATIONS => {
            Err(unsupported(&format!(
                "its PBKDF2 has {} iterations; the most is {MOST_ITERATIONS}",
                pbkdf2.iteration_count
            )))
        }
        Kdf::Scrypt(scrypt) => {
            let row = u64::from(scrypt.block_size);
            let blocks = scrypt.cost_parameter.saturating_mul(row);
            let work = blocks.saturating_mul(scrypt.parallelization.into());
            let lanes = row.saturating_mul(scrypt.parallelization.into());
            let memory = blocks.max(lanes).saturating_mul(128);
            if memory <= MOST_MEMORY && work <= MOST_BLOCKS {
                return Ok(());
            }
            Err(unsupported(&format!(
                "its scrypt needs N={}, r={}, p={}, which is more than 256 MiB of memory or too much work",
                scrypt.cost_parameter, scrypt.block_size, scrypt.parallelization
            )))
        }
        _ => Ok(()),
    }
}

/// True for two elements in a SEQUENCE, of which the first names an algorithm.
fn is_encrypted_private_key_info(der: &[u8]) -> bool {
    let read = || {
        let mut reader = SliceReader::new(der)?;
        reader.sequence(|reader| {
            let scheme: pkcs8::AlgorithmIdentifierRef<'_> = reader.decode()?;
            let _: AnyRef<'_> = reader.decode()?;
            Ok::<_, der::Error>(scheme.oid)
        })
    };
    read().is_ok()
}

fn wrong_passphrase() -> Error {
    Error::defective(
        Defect::WrongPassphrase,
        EXPECTED,
        "the passphrase is wrong, or the file is damaged",
    )
    .hinted("give the passphrase that the key was encrypted with")
}

fn legacy() -> Error {
    unsupported(
        "its encryption is that of OpenSSL before PKCS #8, which hashes the passphrase once",
    )
}

fn unsupported(problem: &str) -> Error {
    Error::defective(Defect::Unsupported, EXPECTED, problem)
        .hinted("encrypt it again: openssl pkey -aes256 -in KEY.pem -out NEW.pem")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrypt(cost_parameter: u64, block_size: u16, parallelization: u16) -> Kdf {
        let salt = Salt::new([0; 16]).unwrap();
        let key_length = None;
        Kdf::Scrypt(ScryptParams { salt, cost_parameter, block_size, parallelization, key_length })
    }

    #[test]
    fn parameters_that_exhaust_the_machine_are_refused_before_they_are_used() {
        for (n, r, p) in [
            (1 << 19, 8, 1),
            (1 << 14, 8, u16::MAX),
            (2, u16::MAX, u16::MAX),
            (1 << 63, 1, 1),
            (u64::MAX, u16::MAX, u16::MAX),
        ] {
            let error = check_limits(&scrypt(n, r, p)).unwrap_err();
            assert_eq!(error.defect(), Some(Defect::Unsupported), "{n} {r} {p}");
        }
        for (n, r, p) in [(1 << 14, 8, 1), (1 << 14, 8, 5), (1 << 17, 8, 1), (1 << 18, 8, 1)] {
            check_limits(&scrypt(n, r, p)).unwrap();
        }
    }
}
