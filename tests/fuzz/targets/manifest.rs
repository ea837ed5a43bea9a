//! Reads any bytes as the manifest of a cluster, drafts its CA, and plans the files of its hosts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{Authority, Error, Manifest, Signer};
use world::{key, moment, no_bug};

fuzz_target!(|bytes: &[u8]| {
    let manifest = match Manifest::from_yaml(bytes) {
        Ok(manifest) => manifest,
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "rejected without a reason");
            assert!(!mistakes.iter().any(|mistake| matches!(mistake, Error::Internal(_))));
            return;
        }
    };
    for spec in no_bug(manifest.certificates()).into_iter().flatten() {
        let _ = format!("{spec:?}");
    }
    no_bug(Authority::draft_root(&manifest.ca_request(&manifest.ca), key(1).public_key(), &moment(1)));
});
