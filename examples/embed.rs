//! Issues an etcd member's certificate from your own program: `cargo run --example embed`.
//!
//! The library takes only values. This program supplies the time and the random bytes.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the embedding program provides the clock and the output streams"
)]

use pki_core::{
    Authority, CaRequest, Error, IssuanceContext, KeyAlgorithm, KeyFormat, PrivateKey, Purpose,
    Request, SerialNumber, Signer, SigningConfig, Subject, Verifier, VerifyOptions,
};
use time::OffsetDateTime;

fn moment() -> IssuanceContext {
    let mut random = [0; 20];
    aws_lc_rs::rand::fill(&mut random).expect("the operating system has randomness");
    IssuanceContext { now: OffsetDateTime::now_utc(), serial: SerialNumber::from_random(random) }
}

fn main() -> Result<(), Error> {
    // A root CA, and the authority that issues with it.
    let ca_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let root = CaRequest::new(Subject::from_common_name("etcd CA")?);
    let ca = Authority::draft_root(&root, ca_key.public_key(), &moment())?.sign(&ca_key)?;
    let authority = Authority::new(ca.certificate);

    // A peer certificate for one member. `sign` takes any `Signer`: a file, an HSM, a KMS.
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let request = Request::new(
        Subject::from_common_name("etcdone")?,
        vec!["192.168.29.61".parse()?, "etcd-peer.lab".parse()?],
        key.public_key().clone(),
    );
    let profiles = SigningConfig::etcd();
    let draft = authority.draft(&request, profiles.profile("peer")?, &moment())?;
    let issued = draft.sign(&ca_key)?;
    print!("{}{}", issued.certificate.to_pem()?, *key.to_pem(KeyFormat::Pkcs8)?);

    // The verifier applies the same rules that `draft` applied.
    let verifier = Verifier::builder([authority.certificate().clone()]).build()?;
    let mut options = VerifyOptions::at(OffsetDateTime::now_utc());
    options.purpose = Purpose::Peer;
    let report = verifier.check(&issued.certificate, &[], &options);
    eprintln!("{}: {}", report.path(), if report.is_ok() { "good" } else { "bad" });
    Ok(())
}
