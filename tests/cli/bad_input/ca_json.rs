//! cfssl's CSR JSON for a CA.

use super::Table;
use crate::lab::Lab;

const ROWS: &[(&str, &str)] = &[
    ("empty", ""),
    ("null", "null"),
    ("no name at all", "{}"),
    ("a mailbox alone is no name", r#"{"names": [{"E": ""}]}"#),
    ("hosts, of which cfssl keeps the addresses", r#"{"CN": "CA", "hosts": ["10.0.0.1"]}"#),
    ("an expiry outside the ca section", r#"{"CN": "CA", "expiry": "87600h"}"#),
    ("a mistyped expiry", r#"{"CN": "CA", "ca": {"expirey": "87600h"}}"#),
    ("an expiry of nothing", r#"{"CN": "CA", "ca": {"expiry": "0h"}}"#),
    ("an expiry below zero", r#"{"CN": "CA", "ca": {"expiry": "-1h"}}"#),
    ("an expiry without a unit", r#"{"CN": "CA", "ca": {"expiry": "3650"}}"#),
    ("an expiry that is a number", r#"{"CN": "CA", "ca": {"expiry": 87600}}"#),
    ("an expiry in words", r#"{"CN": "CA", "ca": {"expiry": "ten years"}}"#),
    ("an expiry beyond the year 9999", r#"{"CN": "CA", "ca": {"expiry": "9000y"}}"#),
    ("a backdate below zero", r#"{"CN": "CA", "ca": {"backdate": "-1h"}}"#),
    ("a backdate before 1950", r#"{"CN": "CA", "ca": {"backdate": "100y"}}"#),
    ("a path length below zero", r#"{"CN": "CA", "ca": {"pathlen": -2}}"#),
    ("a path length above 255", r#"{"CN": "CA", "ca": {"pathlen": 256}}"#),
    ("a path length that is a string", r#"{"CN": "CA", "ca": {"pathlen": "1"}}"#),
    ("a path length with a fraction", r#"{"CN": "CA", "ca": {"pathlen": 1.5}}"#),
    ("two path lengths", r#"{"CN": "CA", "ca": {"pathlen": 2, "pathlenzero": true}}"#),
    ("pathlenzero is a number", r#"{"CN": "CA", "ca": {"pathlenzero": 1}}"#),
    ("a ca section that is a list", r#"{"CN": "CA", "ca": []}"#),
    ("is_ca, which belongs to a profile", r#"{"CN": "CA", "ca": {"is_ca": true}}"#),
    ("a crl_url that is none", r#"{"CN": "CA", "crl_url": "example.com/crl"}"#),
    ("a key too weak", r#"{"CN": "CA", "key": {"algo": "rsa", "size": 1024}}"#),
];

#[test]
fn a_ca_json_that_does_not_say_what_it_means_is_refused() {
    let mut table = Table::new(Lab::new());
    for (row, json) in ROWS {
        table.refused_file(
            row,
            2,
            ("ca.json", json.as_bytes()),
            &["init-ca", "--csr-json", "ca.json"],
        );
    }
    table.snapshot("ca_json");
}

#[test]
fn the_path_lengths_of_cfssl_are_kept() {
    for (json, wanted) in [
        (r#"{"CN": "CA"}"#, "yes, path length 0"),
        (r#"{"CN": "CA", "ca": {}}"#, "yes"),
        (r#"{"CN": "CA", "ca": {"pathlen": 0}}"#, "yes"),
        (r#"{"CN": "CA", "ca": {"pathlen": -1}}"#, "yes"),
        (r#"{"CN": "CA", "ca": {"pathlen": 1}}"#, "yes, path length 1"),
        (r#"{"CN": "CA", "ca": {"pathlenzero": true}}"#, "yes, path length 0"),
        (r#"{"CN": "CA", "ca": {"expiry": "10y"}}"#, "yes"),
    ] {
        let lab = Lab::new();
        lab.write("ca.json", json);
        lab.ok(&["init-ca", "--csr-json", "ca.json"]);
        let out = lab.ok(&["inspect", "pki/ca.pem"]);
        let line = out.lines().find(|line| line.starts_with("  ca ")).unwrap();
        assert_eq!(line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "), wanted, "{json}");
    }
}
