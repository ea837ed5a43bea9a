//! PKCS #12: a key, its certificate and the CAs above it in one file with a password. Only this file uses the
//! library for it.

use p12_keystore::{KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKeyChain};
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::error::Error;
use crate::key::{PublicKey, Signer};
use crate::private_key::PrivateKey;

/// The number of hash iterations for the password. OpenSSL uses 2,048 and Java 10,000. This makes guessing
/// correspondingly slower, and opening the file still takes less than a second.
const ITERATIONS: u32 = 100_000;

/// A PKCS #12 file (RFC 7292) with a key and its chain, starting with the certificate of the key.
///
/// Key and certificates are encrypted with AES-256 (PBES2, PBKDF2 with HMAC-SHA-256), and the file is authenticated
/// with HMAC-SHA-256, like the defaults of OpenSSL 3, GnuTLS and Java. `name` is the friendly name, which Java calls
/// the alias.
pub fn pkcs12(
    name: &str,
    key: &PrivateKey,
    chain: &[Certificate],
    password: &str,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let fits = chain.first().is_some_and(|leaf| leaf.public_key == *key.public_key());
    if !fits {
        return Err(Error::invalid(
            "key",
            key.public_key().key_id().to_string(),
            "not the key of the first certificate",
        )
        .hinted("pass the certificate of this key first, then the CAs above it"));
    }
    if password.is_empty() {
        return Err(
            Error::invalid("password", "", "an empty password").hinted("choose a long password")
        );
    }
    let failed = |error: p12_keystore::error::Error| Error::Internal(format!("PKCS #12: {error}"));
    let own = p12_keystore::PrivateKey::from_der(&key.to_pkcs8()?).map_err(failed)?;
    let certificates: Vec<p12_keystore::Certificate> = chain
        .iter()
        .map(|certificate| p12_keystore::Certificate::from_der(certificate.der()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    let id: &[u8] = &key.public_key().key_id().0;
    let entry = PrivateKeyChain::new(id, own, certificates);
    let mut store = KeyStore::new();
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
    let writer = store.writer(password).mac_algorithm(MacAlgorithm::HmacSha256);
    let writer = writer.encryption_iterations(ITERATIONS).mac_iterations(ITERATIONS);
    writer.write().map(Zeroizing::new).map_err(failed)
}

/// The public halves of the keys in a PKCS #12 file that has no password; none if it has one, or is something
/// else.
pub(crate) fn keys_without_password(bytes: &[u8]) -> Vec<PublicKey> {
    let archive = p12_keystore::Pkcs12Archive::from_pkcs12(bytes, "");
    let keys = archive.map(|archive| archive.keys).unwrap_or_default();
    let keys = keys.iter().filter_map(|bag| PrivateKey::from_der(bag.key.as_der()).ok());
    keys.map(|key| key.public_key().clone()).collect()
}
