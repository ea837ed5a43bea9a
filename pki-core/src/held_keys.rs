//! Finds all private keys in a file, in any format, for callers that must keep keys out of a folder.

use crate::key::{PublicKey, Signer};
use crate::pem::{self, Content};
#[cfg(feature = "pkcs12")]
use crate::pkcs12;
use crate::private_key::PrivateKey;

/// The public halves of all private keys that can be read from a file: in each section of a PEM file, also if
/// another section is damaged, in DER, and, with the feature `pkcs12`, in a PKCS #12 file that opens without a
/// password.
pub fn private_keys(bytes: &[u8]) -> Vec<PublicKey> {
    if pem::is_pem(bytes) {
        return sections(bytes).filter_map(key_of).collect();
    }
    match PrivateKey::from_der(bytes) {
        Ok(key) => vec![key.public_key().clone()],
        #[cfg(feature = "pkcs12")]
        Err(_) => pkcs12::keys_without_password(bytes),
        #[cfg(not(feature = "pkcs12"))]
        Err(_) => Vec::new(),
    }
}

/// How often a PEM block begins in a file, wherever in a line and whether or not it can be read.
#[cfg(feature = "manifest")]
pub(crate) fn count_begins(bytes: &[u8]) -> usize {
    begins(bytes).count()
}

fn begins(bytes: &[u8]) -> impl Iterator<Item = usize> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let windows = bytes.windows(BEGIN.len()).enumerate();
    windows.filter(|(_, window)| *window == BEGIN).map(|(place, _)| place)
}

/// Splits a PEM file into parts that start with a `-----BEGIN` line.
fn sections(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begins = begins(bytes).peekable();
    std::iter::from_fn(move || {
        let begin = begins.next()?;
        Some(&bytes[begin..begins.peek().copied().unwrap_or(bytes.len())])
    })
}

fn key_of(section: &[u8]) -> Option<PublicKey> {
    let content = pem::read(section).ok()?.pop()?.content;
    match content {
        Content::PrivateKey(der) => {
            PrivateKey::from_der(&der).ok().map(|key| key.public_key().clone())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyAlgorithm;
    use crate::private_key::KeyFormat;

    #[test]
    fn every_section_is_looked_at() {
        let [one, two] = [0, 1].map(|_| PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let pem = |key: &PrivateKey| key.to_pem(KeyFormat::Pkcs8).unwrap();
        let damaged = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        let text = format!("{}{damaged}{}", *pem(&one), *pem(&two));
        let expected = vec![one.public_key().clone(), two.public_key().clone()];
        assert_eq!(private_keys(text.as_bytes()), expected);
        assert_eq!(private_keys(&one.to_pkcs8().unwrap()), &expected[..1]);
        assert_eq!(private_keys(damaged.as_bytes()), []);
    }
}
