//! An inventory of 100,000 certificates: every command works, and says how long it took.

use std::time::Instant;

use pki_core::{Certificate, PrivateKey, Signer};
use rusqlite::{Connection, params};

use super::FILE;
use super::queries::sqlite;
use crate::lab::Lab;

const ROWS: u32 = 100_000;

/// Certificates like `model` with other serial numbers. Signatures of Ed25519 all have 64 octets, so that both can be
/// replaced in place.
fn fill(lab: &Lab) -> String {
    let model = Certificate::from_pem_or_der(&lab.read("model.pem")).unwrap().swap_remove(0);
    let key = PrivateKey::from_pem(&lab.read("pki/ca-key.pem")).unwrap();
    let serial = model.serial.as_bytes();
    let mut der = model.der().to_vec();
    let at = der.windows(serial.len()).position(|octets| octets == serial).unwrap();
    // 30 82 LENGTH: the certificate, then what is signed.
    let tbs = 4..8 + usize::from(u16::from_be_bytes([der[6], der[7]]));
    let signature = der.len() - 64;
    let mut database = Connection::open(lab.path(FILE)).unwrap();
    let columns = "authority_key_identifier, ca_label, status, reason, expiry, revoked_at";
    let transaction = database.transaction().unwrap();
    let mut last = String::new();
    {
        let mut insert = transaction
            .prepare(&format!(
                "INSERT INTO certificates SELECT ?1, {columns}, ?2, issued_at, not_before, common_name
                FROM certificates WHERE common_name = 'model' LIMIT 1"
            ))
            .unwrap();
        let mut place = transaction
            .prepare(
                "INSERT INTO places SELECT ?1, authority_key_identifier, ?2, ?3
                FROM certificates WHERE common_name = 'model' LIMIT 1",
            )
            .unwrap();
        for number in 0..ROWS {
            der[at + serial.len() - 4..at + serial.len()].copy_from_slice(&number.to_be_bytes());
            let signed = key.sign(&der[tbs.clone()]).unwrap();
            der[signature..].copy_from_slice(&signed);
            let certificate = Certificate::from_der(&der).unwrap();
            last = certificate.serial.to_string();
            let decimal = super::certdb::decimal(&last);
            insert.execute(params![decimal, certificate.to_pem().unwrap()]).unwrap();
            let host = format!("host{}", number / 2);
            let path = format!("hosts/{host}/{}.pem", number % 2);
            place.execute(params![decimal, host, path]).unwrap();
        }
    }
    transaction.commit().unwrap();
    last
}

#[test]
fn an_inventory_of_100_000_certificates_is_usable() {
    let lab = Lab::with_ca(&["--key", "ed25519"]);
    lab.ok(&["issue", "--profile", "client", "model"]);
    let started = Instant::now();
    let last = fill(&lab);
    eprintln!("filled in {:.1?}", started.elapsed());
    let timed = |args: &[&str]| {
        let started = Instant::now();
        let said = lab.ok(args);
        eprintln!("{args:?}: {:.2?}", started.elapsed());
        said
    };
    assert_eq!(timed(&["list"]).lines().count(), 100_003);
    assert_eq!(timed(&["list", "--host", "host49999"]).lines().count(), 3);
    assert_eq!(timed(&["list", "--expiring", "2y"]).lines().count(), 100_002);
    assert_eq!(timed(&["list", "--revoked"]).lines().count(), 1);
    assert!(timed(&["list", "--serial", &last]).contains("hosts/host49999/1.pem"));
    assert!(timed(&["show", &last]).contains("host host49999\n"));
    assert_eq!(timed(&["check"]), "pki/inventory.db: ok, 100002 certificates\n");
    assert_eq!(timed(&["backup", "copy.db"]), "wrote copy.db: 100002 certificates\n");
    assert_eq!(timed(&["certdb", "export", "certs.db"]), "wrote certs.db: 100002 certificates\n");
    timed(&["issue", "--profile", "client", "next"]);
    let count = "SELECT count(*) FROM certificates";
    assert_eq!(sqlite(&lab, "copy.db", count), "100002\n");
    assert_eq!(sqlite(&lab, "certs.db", count), "100002\n");
}
