//! Reads any bytes as cfssl's CSR JSON, in both dialects.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{CsrJson, Dialect};
use world::no_bug;

fuzz_target!(|bytes: &[u8]| {
    if let Some(csr) = no_bug(CsrJson::from_json(bytes)) {
        let _ = format!("{csr:?}");
    }
    if let Some(read) = no_bug(CsrJson::read(bytes, Dialect::Cfssl)) {
        let _ = format!("{read:?}");
    }
});
