//! `crl`: when a CRL is due, and what it refuses.

use std::fs;

use serde_json::Value;

use super::{crl_number, openssl};
use crate::inventory::{serial_of, sqlite};
use crate::lab::Lab;

#[test]
fn check_says_when_a_crl_is_due() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    let due = |args: &[&str], says: &str| {
        let run = lab.run(&[&["crl", "--check"], args].concat());
        assert_eq!(run.code, i32::from(!says.is_empty()), "{run:?}");
        assert!(run.stdout.contains(says), "{says:?} was expected: {run:?}");
        let json = lab.run(&[&["crl", "--check", "--format", "json"], args].concat());
        let document: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(document["ok"], says.is_empty(), "{document}");
    };
    due(&[], "the CA has not issued a CRL yet");
    lab.ok(&["crl", "--out", "crl.der", "--der"]);
    due(&[], "");
    due(&["--out", "crl.der"], "");
    lab.ok(&["revoke", "api.pem"]);
    let serial = serial_of(&lab, "api.pem").to_lowercase();
    due(&[], &format!("does not list the revoked certificates {serial}"));
    due(&["--out", "crl.der"], &serial);
    lab.ok(&["crl", "--next-update", "1s"]);
    due(&["--out", "crl.der"], "is not the newest CRL, whose number is 2");
    std::thread::sleep(std::time::Duration::from_secs(1));
    due(&[], "the nextUpdate of the newest CRL is ");
    lab.ok(&["--dir", "other", "init-ca"]);
    lab.ok(&["--dir", "other", "crl", "--out", "other.pem"]);
    due(&["--out", "other.pem"], "other.pem was not issued by this CA");
}

#[test]
fn crl_replaces_only_crls_and_never_files_of_the_ca() {
    let lab = Lab::with_ca(&[]);
    lab.write("notes", "not a CRL");
    for (file, says) in [
        ("notes", "notes exists and is not a CRL"),
        ("pki/ca.pem", "belongs to the CA"),
        ("pki/inventory.db", "belongs to the CA"),
    ] {
        let run = lab.run(&["crl", "--out", file]);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
    }
    lab.ok(&["crl", "--out", "crl.pem"]);
    lab.ok(&["crl", "--out", "crl.pem", "--der"]);
    assert_eq!(crl_number(&lab, "crl.pem"), "2");
    assert!(pki_core::Crl::from_der(&lab.read("crl.pem")).is_ok());
}

/// Nobody has a CRL that the inventory does not have.
#[test]
fn a_crl_that_cannot_be_recorded_is_not_given_out() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["crl"]);
    for trigger in ["RAISE(IGNORE)", "RAISE(ABORT, 'no room')"] {
        let trigger = format!(
            "DROP TRIGGER IF EXISTS quiet; CREATE TRIGGER quiet BEFORE INSERT ON crls BEGIN SELECT {trigger}; END"
        );
        sqlite(&lab, "pki/inventory.db", &trigger);
        let run = lab.run(&["crl", "--out", "crl.pem"]);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{run:?}");
        assert!(!lab.path("crl.pem").exists());
    }
    assert_eq!(sqlite(&lab, "pki/inventory.db", "SELECT count(*) FROM crls"), "1\n");
}

/// A CA whose key usage does not allow it (RFC 5280 section 4.2.1.3) issues no CRL.
#[test]
fn a_ca_without_crl_sign_is_refused() {
    let lab = Lab::new();
    fs::create_dir(lab.path("pki")).unwrap();
    let run = openssl(
        &lab,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 400 -subj /CN=ca \
         -addext keyUsage=critical,keyCertSign -keyout pki/ca-key.pem -out pki/ca.pem",
    );
    assert_eq!(run.code, 0, "{run:?}");
    let run = lab.run(&["crl"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
}
