//! Reads any bytes as cfssl's signing configuration, and issues with every profile.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{Authority, SigningConfig};
use world::{CHAIN, key, moment, no_bug, request};

fuzz_target!(|bytes: &[u8]| {
    let Some(config) = no_bug(SigningConfig::from_json(bytes)) else { return };
    let authority = Authority::new(CHAIN[1].certificate.clone());
    let request = request(&key(3));
    for profile in config.profiles.iter().chain(&config.default) {
        no_bug(authority.draft(&request, profile, &moment(4)));
    }
});
