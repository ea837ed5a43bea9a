//! Reads any bytes as a private key, signs with it, and writes it in both formats; also as an encrypted key, whose scheme is
//! examined and not applied, and as a public key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{KeyFormat, PrivateKey, PublicKey, Signer};
use world::no_bug;

fuzz_target!(|bytes: &[u8]| {
    no_bug(PrivateKey::check_encrypted_pem(bytes));
    if let Some(key) = no_bug(PublicKey::from_pem_or_der(bytes)) {
        key.verify(b"message", b"signature");
    }
    for key in
        [PrivateKey::from_pem(bytes), PrivateKey::from_der(bytes)].into_iter().filter_map(no_bug)
    {
        key.sign(b"message").expect("a key that was read can sign");
        for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
            let pem = no_bug(key.to_pem(format)).expect("a key that was read can be written");
            let again = no_bug(PrivateKey::from_pem(pem.as_bytes())).expect("a key that was written can be read");
            assert_eq!(again.public_key(), key.public_key());
        }
    }
});
