//! Reads any bytes as cfssl's signing configuration, in both dialects, and issues with every profile.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{Authority, Dialect, SigningConfig};
use world::{CHAIN, key, moment, no_bug, request};

fuzz_target!(|bytes: &[u8]| {
    for dialect in [Dialect::Native, Dialect::Cfssl] {
        if let Some(read) = no_bug(SigningConfig::read(bytes, dialect)) {
            issue(&read.value);
        }
    }
});

fn issue(config: &SigningConfig) {
    let authority = Authority::new(CHAIN[1].certificate.clone());
    let request = request(&key(3));
    for profile in config.profiles.iter().chain(&config.default) {
        no_bug(authority.draft(&request, profile, &moment(4)));
    }
}
