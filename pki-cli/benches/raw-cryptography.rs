//! The cryptography of N certificates alone, on all cores: a P-256 key, a signature and its verification each,
//! by the same library that etcdpki uses. Prints the seconds that it took.

use std::num::NonZero;
use std::thread::{available_parallelism, scope};
use std::time::Instant;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};

/// About what a certificate has to be signed of.
const TO_BE_SIGNED: [u8; 400] = [0x30; 400];

fn main() {
    let certificates = std::env::args().nth(1).and_then(|text| text.parse::<usize>().ok());
    let certificates = certificates.expect("usage: raw-cryptography CERTIFICATES");
    let cores = available_parallelism().map_or(1, NonZero::get);
    let ca = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let start = Instant::now();
    scope(|scope| {
        for core in 0..cores {
            let share = certificates / cores + usize::from(core < certificates % cores);
            scope.spawn(|| certify(&ca, share));
        }
    });
    println!("{}", start.elapsed().as_secs_f64());
}

fn certify(ca: &EcdsaKeyPair, certificates: usize) {
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, ca.public_key());
    for _ in 0..certificates {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        std::hint::black_box(key);
        let signature = ca.sign(&SystemRandom::new(), &TO_BE_SIGNED).expect("a signature");
        public.verify(&TO_BE_SIGNED, signature.as_ref()).expect("its own signature");
    }
}
