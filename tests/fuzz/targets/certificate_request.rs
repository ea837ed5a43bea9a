//! Reads any bytes as a PKCS #10 request, and certifies it with a profile that copies its extensions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{Authority, CertificateRequest, Request, SigningConfig};
use world::{CHAIN, moment, no_bug};

const OPEN: &[u8] = br#"{"signing":{"profiles":{
    "leaf":{"expiry":"1h","usages":["client auth"],"copy_extensions":true},
    "ca":{"expiry":"1h","usages":["cert sign"],"ca_constraint":{"is_ca":true},"copy_extensions":true}}}}"#;

fuzz_target!(|bytes: &[u8]| {
    let Some(csr) = no_bug(CertificateRequest::from_pem_or_der(bytes)) else { return };
    let _ = format!("{csr:?} {}", csr.is_self_signed());
    let Some(request) = no_bug(Request::from_csr(&csr)) else { return };
    let authority = Authority::new(CHAIN[1].certificate.clone());
    let open = SigningConfig::from_json(OPEN).expect("a configuration");
    for profile in open.profiles.iter().chain(&SigningConfig::etcd().profiles) {
        no_bug(authority.draft(&request, profile, &moment(4)));
    }
});
