//! Any bytes as a private key: read, made to sign, and written again in both forms.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{KeyFormat, PrivateKey, Signer};
use world::no_bug;

fuzz_target!(|bytes: &[u8]| {
    for key in
        [PrivateKey::from_pem(bytes), PrivateKey::from_der(bytes)].into_iter().filter_map(no_bug)
    {
        key.sign(b"message").expect("a key that was read signs");
        for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
            let pem = no_bug(key.to_pem(format)).expect("a key that was read is written");
            let again = no_bug(PrivateKey::from_pem(pem.as_bytes())).expect("and read again");
            assert_eq!(again.public_key(), key.public_key());
        }
    }
});
