//! Reads any bytes as PEM.
#![no_main]

use libfuzzer_sys::fuzz_target;
use world::no_bug;

fuzz_target!(|bytes: &[u8]| {
    let _ = pki_core::is_pem(bytes);
    drop(no_bug(pki_core::read_pem(bytes)));
    drop(pki_core::pem_damage("file", bytes));
});
