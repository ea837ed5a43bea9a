//! The minimum cost of N certificates, on all cores. `raw-cryptography N` generates a P-256 key, signs, and
//! verifies the signature for each certificate, with the same library as etcdpki. `raw-cryptography N FOLDER`
//! writes the files, one folder with five files for every two certificates, and syncs the disk. Both print the
//! time in seconds.

use std::fs::{self, File};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::{available_parallelism, scope};
use std::time::Instant;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};

/// About the size of the signed part of a certificate.
const TO_BE_SIGNED: [u8; 400] = [0x30; 400];

/// About the size of a certificate in PEM.
const FILE: [u8; 700] = [b'A'; 700];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let certificates = arguments.next().and_then(|text| text.parse::<usize>().ok());
    let certificates = certificates.expect("usage: raw-cryptography CERTIFICATES [FOLDER]");
    let folder = arguments.next().map(PathBuf::from);
    let cores = available_parallelism().map_or(1, NonZero::get);
    let ca = &EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let start = Instant::now();
    scope(|scope| {
        for core in 0..cores {
            let share = certificates / cores + usize::from(core < certificates % cores);
            let folder = folder.as_deref();
            scope.spawn(move || match folder {
                Some(folder) => write(folder, core, share / 2),
                None => certify(ca, share),
            });
        }
    });
    if let Some(folder) = folder {
        let folder = File::open(folder).expect("the folder");
        rustix::fs::syncfs(folder).expect("a disk");
    }
    println!("{}", start.elapsed().as_secs_f64());
}

fn certify(ca: &EcdsaKeyPair, certificates: usize) {
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, ca.public_key());
    for _ in 0..certificates {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        std::hint::black_box(key);
        let signature = ca.sign(&SystemRandom::new(), &TO_BE_SIGNED).expect("a signature");
        public.verify(&TO_BE_SIGNED, signature.as_ref()).expect("the signature is valid");
    }
}

fn write(all: &Path, core: usize, hosts: usize) {
    for host in 0..hosts {
        let folder = all.join(format!("host-{core}-{host}"));
        fs::create_dir_all(&folder).expect("a folder");
        for file in ["ca.pem", "server.pem", "server-key.pem", "peer.pem", "peer-key.pem"] {
            fs::write(folder.join(file), FILE).expect("room on the disk");
        }
    }
}
