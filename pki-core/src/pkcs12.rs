//! PKCS #12: a key, its certificate and the CAs above it in one file with a password. Only this file uses the
//! library for it.

use p12_keystore::{
    KeyStore, KeyStoreEntry, MacAlgorithm, Pkcs12Archive, Pkcs12ImportPolicy, PrivateKeyChain,
    error::Error as P12Error,
};
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::error::{Defect, Error};
use crate::file_format;
use crate::key::{PublicKey, Signer};
use crate::private_key::PrivateKey;

/// The number of hash iterations for the password. OpenSSL uses 2,048 and Java 10,000. This makes guessing
/// correspondingly slower, and opening the file still takes less than a second.
const ITERATIONS: u32 = 100_000;

/// What a PKCS #12 file holds (RFC 7292).
/// ```
/// use pki_core::{KeyStoreContents, Signer, read_pkcs12};
/// # use pki_core::{Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, SerialNumber, Subject};
/// # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// # let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
/// # let now = pki_core::time::macros::datetime!(2027-01-01 12:00 UTC);
/// # let context = IssuanceContext { now, serial: SerialNumber::from_random([7; 20]) };
/// # let ca = Authority::draft_root(&request, key.public_key(), &context)?.sign(&key)?.certificate;
///
/// let chain = [ca];
/// let store = KeyStoreContents { name: "etcd", key: &key, chain: &chain, trusted: &[] };
/// let file = store.to_pkcs12("a password")?;
/// let (read, certificates) = read_pkcs12(&file, "a password")?;
/// assert_eq!(read.public_key(), key.public_key());
/// assert_eq!(certificates, chain);
/// # Ok::<(), pki_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct KeyStoreContents<'a> {
    /// The friendly name of the key, which Java calls its alias.
    pub name: &'a str,
    /// The private key.
    pub key: &'a PrivateKey,
    /// The certificate of the key first, then the CAs that it is sent with.
    pub chain: &'a [Certificate],
    /// The CAs that the holder of the key trusts. Java trusts a certificate that the file marks as
    /// trusted.
    pub trusted: &'a [Certificate],
}

impl KeyStoreContents<'_> {
    /// Writes the file.
    ///
    /// Key and certificates are encrypted with AES-256 (PBES2, PBKDF2 with HMAC-SHA-256), and the file is
    /// authenticated with HMAC-SHA-256: the defaults of OpenSSL 3, GnuTLS and Java.
    pub fn to_pkcs12(&self, password: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let fits = self.chain.first().is_some_and(|leaf| leaf.public_key == *self.key.public_key());
        if !fits {
            return Err(Error::invalid(
                "key",
                self.key.public_key().key_id().to_string(),
                "not the key of the first certificate",
            )
            .hinted("give the certificate of this key first, then the CAs above it"));
        }
        if password.is_empty() {
            return Err(Error::invalid("password", "", "empty, which protects nothing")
                .hinted("choose a long one"));
        }
        let own = p12_keystore::PrivateKey::from_der(&self.key.to_pkcs8()?).map_err(failed)?;
        let chain = self.chain.iter().map(certificate).collect::<Result<Vec<_>, _>>()?;
        let id: &[u8] = &self.key.public_key().key_id().0;
        let entry = PrivateKeyChain::new(id, own, chain);
        let mut store = KeyStore::new();
        store.add_entry(self.name, KeyStoreEntry::PrivateKeyChain(entry));
        for (index, ca) in self.trusted.iter().enumerate() {
            let alias = if index == 0 { "ca".to_owned() } else { format!("ca-{}", index + 1) };
            store.add_entry(&alias, KeyStoreEntry::Certificate(certificate(ca)?));
        }
        let writer = store.writer(password).mac_algorithm(MacAlgorithm::HmacSha256);
        let writer = writer.encryption_iterations(ITERATIONS).mac_iterations(ITERATIONS);
        writer.write().map(Zeroizing::new).map_err(failed)
    }

    /// True if a file opens with the password and contains exactly this.
    pub fn is_in(&self, pkcs12: &[u8], password: &str) -> bool {
        let opened = KeyStore::from_pkcs12(pkcs12, password, Pkcs12ImportPolicy::Strict);
        let Ok(store) = opened else { return false };
        let mut trusted = Vec::new();
        let mut has_key = false;
        for (alias, entry) in store.entries() {
            match entry {
                KeyStoreEntry::PrivateKeyChain(found) => {
                    let key = PrivateKey::from_der(found.key().as_der());
                    let is_same = key.is_ok_and(|key| key.public_key() == self.key.public_key());
                    let chain = found.certs().iter().map(p12_keystore::Certificate::as_der);
                    has_key = alias == self.name
                        && is_same
                        && chain.eq(self.chain.iter().map(Certificate::der));
                }
                KeyStoreEntry::Certificate(found) => trusted.push(found.as_der()),
                KeyStoreEntry::Secret(_) => return false,
            }
        }
        has_key && trusted.into_iter().eq(self.trusted.iter().map(Certificate::der))
    }
}

/// The private key and the certificates of a PKCS #12 file. The certificate of the key comes first, then those above it in
/// order, then the others. The file must have exactly one key.
///
/// # Errors
/// [`Defect::WrongPassphrase`] if the password does not open it; [`Defect::Missing`] if there is no key, or no certificate
/// of it; [`Defect::Repeated`] if there are several keys.
pub fn read_pkcs12(bytes: &[u8], password: &str) -> Result<(PrivateKey, Vec<Certificate>), Error> {
    const EXPECTED: &str = "a PKCS #12 file";
    let defective = |defect, problem: String| Error::defective(defect, EXPECTED, problem);
    let wrong_password = || {
        defective(Defect::WrongPassphrase, "the password is wrong".to_owned())
            .hinted("give the password that the file was exported with")
    };
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).map_err(|error| match error {
        P12Error::MacError(_) => wrong_password(),
        // Without a MAC, decryption is the first thing to fail.
        P12Error::Pkcs5Error(problem) if problem.contains("decryption failed") => wrong_password(),
        P12Error::UnsupportedEncryptionScheme => defective(
            Defect::Unsupported,
            "its encryption (RC2 or 3DES, which OpenSSL writes with -legacy) is not supported".to_owned(),
        )
        .hinted("convert it: openssl pkcs12 -legacy -in OLD.p12 -nodes | openssl pkcs12 -export -out NEW.p12"),
        other => match file_format::recognize(bytes) {
            Some(format) if !file_format::is_pkcs12(bytes) => {
                Error::malformed(EXPECTED, format!("it is {}", format.name)).hinted(
                    "convert a Java keystore: keytool -importkeystore -srckeystore OLD.jks -srcalias ALIAS \
                     -destkeystore NEW.p12 -deststoretype PKCS12",
                )
            }
            _ => Error::malformed(EXPECTED, other.to_string()),
        },
    })?;
    let key = match &archive.keys[..] {
        [bag] => PrivateKey::from_der(bag.key.as_der())?,
        [] => {
            return Err(defective(Defect::Missing, "it holds no private key".to_owned()).hinted(
                "export it with its key: openssl pkcs12 -export -inkey KEY.pem -in CERT.pem",
            ));
        }
        keys => {
            return Err(defective(
                Defect::Repeated,
                format!("it holds {} private keys", keys.len()),
            )
            .hinted(
                "export one key with its certificates: keytool -importkeystore -srckeystore FILE -srcalias ALIAS \
                 -destkeystore NEW.p12 -deststoretype PKCS12",
            ));
        }
    };
    let mut others = Vec::new();
    for bag in &archive.certs {
        let certificate = Certificate::from_der(bag.cert.as_der())?;
        if !others.contains(&certificate) {
            others.push(certificate);
        }
    }
    let Some(own) = others.iter().position(|one| one.public_key == *key.public_key()) else {
        return Err(defective(Defect::Missing, "it holds no certificate of its key".to_owned())
            .hinted("export the key together with its certificate"));
    };
    let mut chain = vec![others.remove(own)];
    while let Some(above) = chain.last().and_then(|below| {
        let issuer = |other: &Certificate| other.subject.der() == below.issuer.der();
        others.iter().position(issuer)
    }) {
        chain.push(others.remove(above));
    }
    chain.append(&mut others);
    Ok((key, chain))
}

fn certificate(certificate: &Certificate) -> Result<p12_keystore::Certificate, Error> {
    p12_keystore::Certificate::from_der(certificate.der()).map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: p12_keystore::error::Error) -> Error {
    Error::Internal(format!("PKCS #12: {error}"))
}

/// The public halves of the keys in a PKCS #12 file that has no password; empty if it has one, or is not a
/// PKCS #12 file.
pub(crate) fn keys_without_password(bytes: &[u8]) -> Vec<PublicKey> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, "");
    let keys = archive.map(|archive| archive.keys).unwrap_or_default();
    let keys = keys.iter().filter_map(|bag| PrivateKey::from_der(bag.key.as_der()).ok());
    keys.map(|key| key.public_key().clone()).collect()
}
