//! Reads any bytes as a CRL, unchanged and signed by the root, and verifies a chain with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{VerifyOptions, Verifier};
use world::{CHAIN, NOW, no_bug, sign_again};

fuzz_target!(|bytes: &[u8]| {
    let [root, between, leaf] = &*CHAIN;
    let mut signed = bytes.to_vec();
    sign_again(&mut signed, &root.key);
    for crl in [bytes, &signed] {
        let anchors = vec![root.certificate.clone()];
        if let Some(builder) = no_bug(Verifier::builder(anchors).crl(crl)) {
            let verifier = builder.build().expect("a root");
            let between = std::slice::from_ref(&between.certificate);
            let _ = verifier.check(&leaf.certificate, between, &VerifyOptions::at(NOW)).to_string();
        }
    }
});
