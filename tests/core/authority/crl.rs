//! CRLs that this crate writes, read by openssl and obeyed by the verifier.

use pki_core::{
    Crl, CrlRequest, Error, KeyAlgorithm, RevocationReason, RevokedCertificate, SerialNumber,
    Verifier, VerifyOptions,
};
use time::Duration;
use time::macros::datetime;

use super::ids;
use crate::der::{forge, oid, put, remove};
use crate::lab::{Ca, NOW};
use crate::openssl::Openssl;

fn request(revoked: Vec<RevokedCertificate>) -> CrlRequest {
    let next_update = NOW + Duration::days(30);
    CrlRequest { number: 1, this_update: NOW, next_update, revoked }
}

fn revoked(serial: &SerialNumber) -> RevokedCertificate {
    RevokedCertificate {
        serial: serial.clone(),
        revoked_at: NOW,
        reason: None,
        invalid_since: None,
    }
}

fn signed(ca: &Ca, request: &CrlRequest) -> Crl {
    ca.authority.draft_crl(request, NOW).unwrap().sign(&ca.key).unwrap()
}

#[test]
fn openssl_reads_every_field_of_a_crl() {
    let openssl = Openssl::new();
    for algorithm in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa(2048)] {
        let ca = Ca::with(algorithm, |_| {});
        let entries: Vec<RevokedCertificate> = RevocationReason::ALL
            .into_iter()
            .zip(1_u8..)
            .map(|(reason, number)| RevokedCertificate {
                serial: format!("8{number:x}").parse().unwrap(),
                revoked_at: NOW - Duration::days(i64::from(number)),
                reason: Some(reason),
                invalid_since: (number == 2).then_some(datetime!(2026-12-24 18:00 UTC)),
            })
            .collect();
        let crl = signed(&ca, &CrlRequest { number: 0x1_0000, ..request(entries.clone()) });
        openssl.write("ca.pem", ca.certificate().to_pem().unwrap());
        openssl.write("crl.pem", crl.to_pem().unwrap());
        openssl.write("crl.der", crl.der());
        let text = openssl.says("crl -in crl.der -inform DER -noout -text -CAfile ca.pem");
        let key_id = ca.certificate().public_key.key_id().to_string().to_uppercase();
        let key_id: Vec<&str> =
            (0..key_id.len()).step_by(2).map(|at| &key_id[at..at + 2]).collect();
        for wanted in [
            "Version 2 (0x1)",
            "Issuer: CN = etcd CA",
            "Last Update: Jan  1 12:00:00 2027 GMT",
            "Next Update: Jan 31 12:00:00 2027 GMT",
            &format!("X509v3 Authority Key Identifier: \n                {}", key_id.join(":")),
            "X509v3 CRL Number: \n                65536",
            "Serial Number: 81\n        Revocation Date: Dec 31 12:00:00 2026 GMT\n    Serial",
            "Serial Number: 82\n        Revocation Date: Dec 30 12:00:00 2026 GMT\n        CRL entry extensions:\n            X509v3 CRL Reason Code: \n                Key Compromise\n            Invalidity Date: \n                Dec 24 18:00:00 2026 GMT",
            "Cessation Of Operation",
            "Superseded",
            "AA Compromise",
        ] {
            assert!(text.contains(wanted), "{algorithm}: {wanted} in {text}");
        }
        openssl.run("crl -in crl.pem -noout -CAfile ca.pem");
        let read = Crl::from_pem_or_der(&openssl.read("crl.pem")).unwrap();
        assert_eq!(read, crl);
        // RFC 5280 section 5.3.1: a reason of `unspecified` is left out.
        let mut wanted = entries;
        wanted[0].reason = None;
        assert_eq!(crl.entries().unwrap(), wanted);
        assert_eq!((crl.len(), crl.is_empty()), (9, false));
    }
}

#[test]
fn openssl_and_the_verifier_refuse_what_is_revoked_and_nothing_else() {
    let openssl = Openssl::new();
    let ca = Ca::new();
    let (lost, kept) = (ca.issue("client", "lost", &[]), ca.issue("client", "kept", &[]));
    let crl = signed(&ca, &request(vec![revoked(&lost.serial)]));
    openssl.write("ca.pem", ca.certificate().to_pem().unwrap());
    openssl.write("crl.pem", crl.to_pem().unwrap());
    let builder = Verifier::builder([ca.certificate().clone()]).crl(crl.der()).unwrap();
    let verifier = builder.build().unwrap();
    for (leaf, wanted) in [(&lost, &["leaf-revoked"][..]), (&kept, &[])] {
        assert_eq!(ids(&verifier.check(leaf, &[], &VerifyOptions::at(NOW))), wanted);
        openssl.write("leaf.pem", leaf.to_pem().unwrap());
        let at = NOW.unix_timestamp();
        let command =
            format!("verify -crl_check -CAfile ca.pem -CRLfile crl.pem -attime {at} leaf.pem");
        let (ok, _, errors) = openssl.try_run(&command);
        assert_eq!(ok, wanted.is_empty(), "{errors}");
        assert!(ok || errors.contains("certificate revoked"), "{errors}");
    }
    // With nothing revoked there is no list at all (RFC 5280 section 5.1.2.6).
    let empty = signed(&ca, &request(Vec::new()));
    assert!(empty.is_empty() && empty.entries().unwrap().is_empty());
    openssl.write("crl.der", empty.der());
    assert!(openssl.says("crl -in crl.der -inform DER -noout -text").contains("No Revoked"));
}

#[test]
fn a_crl_has_the_name_of_its_ca_byte_for_byte() {
    let openssl = Openssl::new();
    openssl.run(
        "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout key.pem -out ca.pem \
         -days 30 -config openssl.cnf -multivalue-rdn -subj /DC=com/DC=example/O=Lab/OU=b+OU=a",
    );
    let ca = Ca {
        authority: pki_core::Authority::new(openssl.certificate("ca.pem")),
        key: pki_core::PrivateKey::from_pem(&openssl.read("key.pem")).unwrap(),
    };
    // openssl has a clock of its own.
    let now = ca.certificate().not_before;
    let request = CrlRequest {
        number: 1,
        this_update: now,
        next_update: now + Duration::days(7),
        revoked: Vec::new(),
    };
    let crl = ca.authority.draft_crl(&request, now).unwrap().sign(&ca.key).unwrap();
    assert_eq!(crl.issuer.der(), ca.certificate().subject.der());
    openssl.write("crl.pem", crl.to_pem().unwrap());
    openssl.run("crl -in crl.pem -noout -CAfile ca.pem");
}

#[test]
fn what_no_crl_should_say_is_refused_with_its_place() {
    let ca = Ca::new();
    let serial = |text: &str| revoked(&text.parse().unwrap());
    let leaf = ca.issue("client", "etcdone", &[]);
    let zero = forge(leaf.der(), &ca.key, |fields| *fields[1].content() = vec![0]);
    let zero = pki_core::Certificate::from_der(&zero).unwrap().serial.clone();
    let early = RevokedCertificate { revoked_at: datetime!(1949-01-01 0:00 UTC), ..serial("5") };
    for (request, wanted) in [
        (CrlRequest { next_update: NOW, ..request(Vec::new()) }, "not after thisUpdate"),
        (
            CrlRequest { next_update: datetime!(9999-12-31 23:00 -2), ..request(Vec::new()) },
            "nextUpdate",
        ),
        (request(vec![serial("5"), revoked(&zero)]), "revoked[1].serial \"00\""),
        (request(vec![early]), "revoked[0].revoked_at"),
        (request(vec![revoked(&ca.certificate().serial)]), "the serial number of the CA itself"),
    ] {
        let error = ca.authority.draft_crl(&request, NOW).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)) && error.hint().is_some(), "{error:?}");
        assert!(error.to_string().contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn the_rules_about_crls_hold_before_one_is_signed() {
    let ca = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.path_len = None);
    let refused = |ca: &Ca, request: &CrlRequest| match ca.authority.draft_crl(request, NOW) {
        Err(Error::Refused(findings)) => {
            findings.iter().map(|finding| finding.rule.id).collect::<Vec<_>>()
        }
        other => panic!("not refused: {other:?}"),
    };
    let twice = request(vec![revoked(&"5".parse().unwrap()), revoked(&"05".parse().unwrap())]);
    assert_eq!(refused(&ca, &twice), ["crl-form"]);
    let tomorrow = CrlRequest { this_update: NOW + Duration::DAY, ..request(Vec::new()) };
    assert_eq!(refused(&ca, &tomorrow), ["crl-stale"]);
    let with = |key_usage: &[u8]| {
        let der = forge(ca.certificate().der(), &ca.key, |fields| {
            put(fields, oid::KEY_USAGE, true, key_usage);
        });
        pki_core::Authority::new(pki_core::Certificate::from_der(&der).unwrap())
    };
    // Only keyCertSign, and no usage that signs.
    for (key_usage, wanted) in [
        (&[3, 2, 2, 4][..], &["crl-sign", "ca-no-crlsign"][..]),
        (&[3, 2, 7, 0x80], &["crl-sign", "ca-keycertsign"]),
    ] {
        match with(key_usage).draft_crl(&request(Vec::new()), NOW) {
            Err(Error::Refused(findings)) => {
                let found: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
                assert_eq!(found, wanted);
            }
            other => panic!("not refused: {other:?}"),
        }
    }
}

// RFC 5280 section 5.2.1: every CRL names the key of its issuer, also of a CA that does not do so itself.
#[test]
fn a_crl_of_a_ca_without_a_key_identifier_names_its_key() {
    let ca = Ca::new();
    let der = forge(ca.certificate().der(), &ca.key, |fields| remove(fields, oid::SUBJECT_KEY_ID));
    let ca = Ca {
        authority: pki_core::Authority::new(pki_core::Certificate::from_der(&der).unwrap()),
        key: ca.key,
    };
    let crl = signed(&ca, &request(Vec::new()));
    let named = crl.extensions.authority_key_id.as_ref().unwrap().key_id.as_ref();
    assert_eq!(named, Some(&ca.certificate().public_key.key_id()));
    let openssl = Openssl::new();
    openssl.write("ca.pem", ca.certificate().to_pem().unwrap());
    openssl.write("crl.pem", crl.to_pem().unwrap());
    openssl.run("crl -in crl.pem -noout -CAfile ca.pem");
}
