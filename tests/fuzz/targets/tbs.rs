//! Reads any bytes as what is to be signed, signs what the rules admit, and reads it again; and renews any
//! certificate.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_core::{
    Authority, Certificate, CertificateRequest, Crl, CrlRequest, Draft, IssuedBy, Renewal,
};
use time::Duration;
use world::{CHAIN, NOW, moment, no_bug};

fuzz_target!(|bytes: &[u8]| {
    let root = &CHAIN[0];
    let leaf_key = &CHAIN[2].key;
    for issued_by in [IssuedBy::Ca(&root.certificate), IssuedBy::Itself] {
        let draft = no_bug(Draft::<Certificate>::from_tbs(bytes, issued_by, NOW));
        let Some(draft) = draft else { continue };
        assert_eq!(draft.tbs(), bytes);
        // A root is signed by the key that it contains, which the input chooses.
        let Ok(issued) = draft.sign(&root.key) else { continue };
        let again = Certificate::from_der(issued.certificate.der()).expect("what was signed");
        assert!(again.is_signed_by(&root.certificate.public_key));
    }
    if let Some(draft) = no_bug(Draft::<Crl>::from_tbs(bytes, &root.certificate, NOW)) {
        assert_eq!(draft.tbs(), bytes);
        let crl = draft.sign(&root.key).expect("a signature");
        let again = Crl::from_der(crl.der()).expect("what was signed");
        assert!(again.is_signed_by(&root.certificate.public_key));
    }
    if let Some(draft) = no_bug(Draft::<CertificateRequest>::from_tbs(bytes)) {
        assert_eq!(draft.tbs(), bytes);
        if let Ok(request) = draft.sign(leaf_key) {
            let again = CertificateRequest::from_der(request.der()).expect("what was signed");
            assert!(again.is_self_signed());
        }
    }
    for old in no_bug(Certificate::from_pem_or_der(bytes)).into_iter().flatten() {
        renew(&old);
    }
});

/// What is renewed differs only in what a renewal replaces.
fn renew(old: &Certificate) {
    let renewal = Renewal::default();
    let by_root = Authority::new(CHAIN[0].certificate.clone());
    let of_old = Authority::new(old.clone());
    for draft in [
        by_root.draft_renewal(old, &renewal, &moment(4)),
        of_old.draft_ca_renewal(&renewal, &moment(5)),
    ] {
        let Some(draft) = no_bug(draft) else { continue };
        let new = draft.contents();
        assert_eq!(new.subject.der(), old.subject.der());
        assert_eq!(new.extensions.subject_key_id, old.extensions.subject_key_id);
        assert_eq!(new.extensions.subject_alt_name, old.extensions.subject_alt_name);
    }
    let request = CrlRequest {
        number: 1,
        this_update: NOW,
        next_update: NOW + Duration::days(30),
        revoked: Vec::new(),
    };
    if let Some(draft) = no_bug(of_old.draft_crl(&request, NOW)) {
        assert_eq!(draft.contents().issuer.der(), old.subject.der());
    }
}
