//! Reads any bytes as cfssl's CSR JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::CsrJson;
use world::no_bug;

fuzz_target!(|bytes: &[u8]| {
    if let Some(csr) = no_bug(CsrJson::from_json(bytes)) {
        let _ = format!("{csr:?}");
    }
});
