//! The helper of `benches/verify-speed`: creates thousands of leaf certificates under one CA, and measures the
//! rate at which all cores verify only their signatures.
#![expect(clippy::print_stdout, reason = "a number for the script")]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use pki_core::{
    Authority, CaRequest, IssuanceContext, KeyAlgorithm, PrivateKey, Request, SerialNumber, Signer,
    SigningConfig, Subject,
};
use time::OffsetDateTime;

/// `make FOLDER NUMBER` writes `ca.pem` and `leaves/*.pem`. `raw SECONDS` prints signatures per second.
fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder, number] => make(Path::new(folder), number.parse()?),
        ["raw", seconds] => raw(Duration::from_secs_f64(seconds.parse()?)),
        other => {
            Err(format!("expected make FOLDER NUMBER, or raw SECONDS, found {other:?}").into())
        }
    }
}

/// All certificates have the same key, because generating keys is not measured.
fn make(folder: &Path, number: usize) -> Result<(), Box<dyn Error>> {
    let ca_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let leaf_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let now = OffsetDateTime::now_utc();
    let moment = |number: usize| {
        let mut serial = [0; 20];
        serial[12..].copy_from_slice(&number.to_be_bytes());
        IssuanceContext { now, serial: SerialNumber::from_random(serial) }
    };
    let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
    let ca = Authority::draft_root(&request, ca_key.public_key(), &moment(0))?.sign(&ca_key)?;
    std::fs::write(folder.join("ca.pem"), ca.certificate.to_pem()?)?;
    let authority = Authority::new(ca.certificate);
    let config = SigningConfig::etcd();
    let profile = config.profile("server")?;
    let leaves = folder.join("leaves");
    std::fs::create_dir(&leaves)?;
    for number in 1..=number {
        let name = format!("etcd-{number:05}");
        let request = Request::new(
            Subject::from_common_name(&name)?,
            vec![format!("10.{}.{}.1", number / 250, number % 250).parse()?],
            leaf_key.public_key().clone(),
        );
        let leaf = authority.draft(&request, profile, &moment(number))?.sign(&ca_key)?;
        std::fs::write(leaves.join(format!("{name}.pem")), leaf.certificate.to_pem()?)?;
    }
    Ok(())
}

/// As webpki does it: the key as encoded in a certificate, and a message of the size of a certificate. Each
/// signature is different, as in a folder of certificates, because branch prediction would favour repeated
/// ones.
fn raw(span: Duration) -> Result<(), Box<dyn Error>> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
    let random = SystemRandom::new();
    let signed = |number: u32| {
        let mut tbs = [0x30; 500];
        tbs[..4].copy_from_slice(&number.to_be_bytes());
        pair.sign(&random, &tbs).map(|signature| (tbs, signature))
    };
    let signed = (0..5000).map(signed).collect::<Result<Vec<_>, _>>()?;
    let done = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pair.public_key());
                for some in signed.chunks(50).cycle() {
                    for (tbs, signature) in some {
                        assert!(key.verify(tbs, signature.as_ref()).is_ok());
                    }
                    done.fetch_add(50, Ordering::Relaxed);
                    if start.elapsed() >= span {
                        break;
                    }
                }
            });
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    println!("{rate:.0}");
    Ok(())
}
