//! `certdb`: cfssl reads what we export, and what cfssl wrote is imported.

use std::fs;

use rusqlite::Connection;

use super::queries::{program, serial_of, sqlite};
use super::{CFSSL, rows};
use crate::lab::Lab;

const DB_CONFIG: &str = r#"{ "driver": "sqlite3", "data_source": "certs.db" }"#;

fn cfssl(lab: &Lab, args: &[&str]) {
    let run = program(lab, "cfssl", args);
    assert_eq!(run.code, 0, "cfssl {args:?}: {run:?}");
}

/// cfssl reads every row: it signs an OCSP response for each that is valid. And it revokes by serial and key identifier.
#[test]
fn cfssl_works_with_an_exported_certdb() {
    let lab = Lab::with_ca(&[]);
    for name in ["a", "b", "c"] {
        lab.ok(&["issue", "--profile", "server", name, "--san", "192.0.2.1"]);
    }
    assert_eq!(lab.ok(&["certdb", "export", "certs.db"]), "wrote certs.db: 4 certificates\n");
    lab.write("db.json", DB_CONFIG);
    let ca = ["-ca", "pki/ca.pem", "-responder", "pki/ca.pem", "-responder-key", "pki/ca-key.pem"];
    cfssl(&lab, &[&["ocsprefresh", "-db-config", "db.json"][..], &ca].concat());
    // The root has no key identifier of an issuer, and its row is one of the four.
    let answered = sqlite(&lab, "certs.db", "SELECT count(*) FROM ocsp_responses");
    assert_eq!(answered.trim(), "4");
    let names = sqlite(&lab, "certs.db", "SELECT sans FROM certificates WHERE common_name = 'a'");
    assert_eq!(names.trim(), r#"["a","localhost","127.0.0.1","192.0.2.1"]"#);

    let key =
        "SELECT serial_number, authority_key_identifier FROM certificates WHERE common_name = 'b'";
    let key = sqlite(&lab, "certs.db", key);
    let (serial, issuer) = key.trim().split_once('|').unwrap();
    let revoke = ["revoke", "-db-config", "db.json", "-serial", serial, "-aki", issuer];
    cfssl(&lab, &[&revoke[..], &["-reason", "superseded"]].concat());
    // Back again: nothing is new but that.
    let said = lab.ok(&["certdb", "import", "certs.db"]);
    assert_eq!(said, "added 0 certificates; 4 were known, 1 of them are revoked now\n");
    let listed = lab.ok(&["list", "--revoked"]);
    assert!(listed.contains("revoked (superseded)"), "{listed}");
    assert!(listed.to_uppercase().contains(&serial_of(&lab, "b.pem")), "{listed}");
    assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 4 certificates\n");
}

/// A CA and its certdb as cfssl makes them: `gencert -db-config` records what it signs, and 1.2 leaves the key identifier
/// of the issuer empty.
#[test]
fn a_certdb_that_cfssl_wrote_is_imported() {
    for schema in CFSSL {
        let lab = Lab::with_ca(&["--key", "rsa-2048"]);
        Connection::open(lab.path("certs.db")).unwrap().execute_batch(schema).unwrap();
        lab.write("db.json", DB_CONFIG);
        lab.write("csr.json", r#"{ "CN": "from cfssl", "hosts": ["192.0.2.7"], "key": { "algo": "ecdsa", "size": 256 } }"#);
        let gencert = [
            "gencert",
            "-db-config",
            "db.json",
            "-ca",
            "pki/ca.pem",
            "-ca-key",
            "pki/ca-key.pem",
            "csr.json",
        ];
        let run = program(&lab, "cfssl", &gencert);
        assert_eq!(run.code, 0, "{run:?}");
        let rows_there = sqlite(&lab, "certs.db", "SELECT count(*) FROM certificates");
        if rows_there.trim() == "0" {
            // Debian's 1.2 signs with -db-config only in `serve`; its insert is this one.
            let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            lab.write("cfssl.pem", document["cert"].as_str().unwrap());
            let serial = decimal(&serial_of(&lab, "cfssl.pem"));
            let insert = "INSERT INTO certificates (serial_number, authority_key_identifier, ca_label, status,
                reason, expiry, revoked_at, pem) VALUES (?1, '', '', 'good', 0, '2030-01-01 00:00:00+00:00',
                '0001-01-01 00:00:00+00:00', ?2)";
            let certdb = Connection::open(lab.path("certs.db")).unwrap();
            certdb.execute(insert, [&serial, document["cert"].as_str().unwrap()]).unwrap();
        }
        // One of another CA, which stays out.
        lab.ok(&["--dir", "other", "init-ca", "--cn", "other CA"]);
        let stranger = String::from_utf8(lab.read("other/ca.pem")).unwrap();
        let insert = format!(
            "INSERT INTO certificates (serial_number, authority_key_identifier, status, pem) VALUES ('1', 'ab', 'good', '{stranger}')"
        );
        sqlite(&lab, "certs.db", &insert);

        let run = lab.run(&["certdb", "import", "certs.db"]);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(run.stdout, "added 1 certificates; 0 were known, 0 of them are revoked now\n");
        assert!(run.stderr.contains("the row 1: CN=other CA was not issued by this CA"), "{run:?}");
        assert_eq!(rows(&lab)[1].0, "from cfssl");
        assert_eq!(lab.ok(&["check"]), "pki/inventory.db: ok, 2 certificates\n");
    }
}

#[test]
fn what_is_not_a_certdb_is_refused() {
    let lab = Lab::with_ca(&[]);
    lab.write("text.db", "no database");
    fs::copy(lab.path("pki/ca.pem"), lab.path("ca.pem")).unwrap();
    sqlite(&lab, "notes.db", "CREATE TABLE notes (text TEXT)");
    for file in ["text.db", "ca.pem", "notes.db", "missing.db"] {
        let run = lab.run(&["certdb", "import", file]);
        assert_eq!(run.code, 2, "{file}: {run:?}");
        let says = format!("{file}: not a certdb of cfssl: ");
        assert!(run.stderr.contains(&says), "{run:?}");
    }
    assert_eq!(rows(&lab).len(), 1);
}

/// A number in hexadecimal, as cfssl keeps it.
pub(super) fn decimal(hexadecimal: &str) -> String {
    let mut digits = vec![0_u32];
    for nibble in hexadecimal.chars() {
        let mut carry = nibble.to_digit(16).unwrap();
        for digit in &mut digits {
            carry += *digit * 16;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().filter_map(|digit| char::from_digit(*digit, 10)).collect()
}

/// Rows are found by serial number and issuer, so a second certificate with both can have none, and its revocation
/// counts for the first.
#[test]
fn a_second_certificate_with_the_same_serial_number_is_named_and_its_revocation_counts() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "first"]);
    lab.ok(&["certdb", "export", "certs.db"]);
    let serial = format!("0x{}", serial_of(&lab, "first.pem"));
    let request =
        "req -new -newkey rsa:2048 -nodes -subj /CN=second -keyout second-key.pem -out second.csr";
    let sign = "x509 -req -in second.csr -CA pki/ca.pem -CAkey pki/ca-key.pem -out second.pem -days 9 -extfile extensions -set_serial";
    lab.write("extensions", "authorityKeyIdentifier = keyid\n");
    for args in [request.to_owned(), format!("{sign} {serial}")] {
        let run = program(&lab, "openssl", &args.split(' ').collect::<Vec<_>>());
        assert_eq!(run.code, 0, "{run:?}");
    }
    let second = String::from_utf8(lab.read("second.pem")).unwrap();
    let certdb = Connection::open(lab.path("certs.db")).unwrap();
    let change = "UPDATE certificates SET pem = ?1, status = 'revoked', reason = 1,
        revoked_at = '2026-01-02 00:00:00+00:00' WHERE common_name = 'first'";
    assert_eq!(certdb.execute(change, [&second]).unwrap(), 1);
    drop(certdb);
    let run = lab.run(&["certdb", "import", "certs.db"]);
    assert!(run.stderr.contains("another certificate has this serial number"), "{run:?}");
    assert_eq!(
        run.stdout, "added 0 certificates; 1 were known, 1 of them are revoked now\n",
        "{run:?}"
    );
    assert!(lab.ok(&["list", "--revoked"]).contains("revoked (keyCompromise)"));
}
