//! Reads any bytes as a certificate, shows it, verifies it, trusts it, and signs with it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{Authority, Certificate, Policy, Purpose, VerifyOptions, SigningConfig, Verifier};
use world::{CHAIN, NOW, key, moment, no_bug, request};

fuzz_target!(|bytes: &[u8]| {
    let Some(certificates) = no_bug(Certificate::from_pem_or_der(bytes)) else { return };
    let leaf = &CHAIN[2].certificate;
    for certificate in &certificates {
        let _ = format!("{certificate:?} {} {}", certificate.subject, certificate.fingerprint());
        let anchors = vec![certificate.clone(), CHAIN[0].certificate.clone()];
        for (purpose, policy) in [(Purpose::Peer, Policy::Etcd), (Purpose::Client, Policy::Rfc5280)]
        {
            let mut options = VerifyOptions::at(NOW);
            options.purpose = purpose;
            options.hosts = vec!["etcdone.example.com".try_into().expect("a name")];
            let builder = Verifier::builder(anchors.clone()).policy(policy);
            let verifier = builder.intermediates(certificates.clone()).build();
            let Some(verifier) = no_bug(verifier) else { continue };
            let _ = verifier.check(certificate, &certificates, &options).to_string();
            let _ = verifier.check(leaf, std::slice::from_ref(certificate), &options).to_string();
        }
        let config = SigningConfig::etcd();
        let profile = config.profile("peer").expect("a built-in profile");
        no_bug(Authority::new(certificate.clone()).draft(&request(&key(3)), profile, &moment(4)));
    }
});
