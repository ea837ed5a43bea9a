//! Edits a valid chain anywhere and signs it again, so that the edits pass the signature checks.
//!
//! The first byte chooses the certificates to sign again, the second the options. Every three bytes after them are
//! one edit: the certificate, the position in it (the low bits), and the bits to flip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{Certificate, Policy, Purpose, VerifyOptions, Verifier};
use world::{CHAIN, NOW, no_bug, sign_again};

fuzz_target!(|bytes: &[u8]| {
    let [signed, asked, edits @ ..] = bytes else { return };
    let mut chain = CHAIN.each_ref().map(|entity| entity.certificate.der().to_vec());
    for edit in edits.chunks_exact(3) {
        let der = &mut chain[usize::from(edit[0] >> 6) % 3];
        let at = (usize::from(edit[0] & 0x0f) << 8 | usize::from(edit[1])) % der.len();
        der[at] ^= edit[2];
    }
    for (index, signer) in [0, 0, 1].into_iter().enumerate() {
        if signed >> index & 1 == 0 {
            sign_again(&mut chain[index], &CHAIN[signer].key);
        }
    }
    let [root, between, leaf] = chain.map(|der| no_bug(Certificate::from_der(&der)));
    let (Some(root), Some(leaf)) = (root, leaf) else { return };
    let verifier = Verifier::builder([root])
        .policy(if asked & 1 == 0 { Policy::Rfc5280 } else { Policy::Etcd })
        .max_depth((asked & 2 != 0).then_some(usize::from(asked >> 6)))
        .build();
    let Some(verifier) = no_bug(verifier) else { return };
    let mut options = VerifyOptions::at(NOW);
    options.purpose = [Purpose::Any, Purpose::Client, Purpose::Peer, Purpose::Server]
        [usize::from(asked >> 2 & 3)];
    if asked & 0x10 != 0 {
        options.hosts =
            ["etcdone.example.com", "10.0.0.1"].map(|h| h.try_into().expect("a host")).into();
    }
    let between: Vec<Certificate> = between.into_iter().collect();
    let report = verifier.check(&leaf, &between, &options);
    let _ = report.to_string();
    if edits.is_empty() && *asked & 0xc2 == 0 {
        assert!(report.is_ok(), "the chain without an edit is valid: {report}");
    }
});
