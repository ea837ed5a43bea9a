//! cfssl's CSR JSON for a leaf certificate.

use super::Table;
use crate::lab::Lab;

/// The fault, and the document.
const ROWS: &[(&str, &[u8])] = &[
    // Not JSON, or not an object.
    ("empty", b""),
    ("cut short", br#"{"CN": "api", "hosts": ["#),
    ("a comma too many", br#"{"CN": "api",}"#),
    ("text behind it", br#"{"CN": "api"} x"#),
    ("two documents", br#"{"CN": "api"}{"CN": "b"}"#),
    ("a comment", b"{\n  // the API server\n  \"CN\": \"api\"\n}"),
    ("a byte order mark", b"\xef\xbb\xbf{\"CN\": \"api\"}"),
    ("not UTF-8", b"{\"CN\": \"m\xfcnchen\"}"),
    ("YAML", b"CN: api\n"),
    ("a certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ("null", b"null"),
    ("a list", b"[]"),
    ("a string", br#""api""#),
    // Fields that cfssl ignores.
    ("a mistyped field", br#"{"CN": "api", "host": ["a"]}"#),
    ("a field of nobody", br#"{"CN": "api", "bogus": 1}"#),
    ("a key given twice", br#"{"CN": "api", "cn": "b"}"#),
    (
        "OU twice, as in etcd's own documents",
        br#"{"CN": "api", "names": [{"OU": "1", "OU": "2"}]}"#,
    ),
    ("an expiry", br#"{"CN": "api", "expiry": "24h"}"#),
    ("a not_after", br#"{"CN": "api", "not_after": "2030-01-01T00:00:00Z"}"#),
    ("a profile", br#"{"CN": "api", "profile": "client"}"#),
    ("usages", br#"{"CN": "api", "usages": ["client auth"]}"#),
    ("extensions", br#"{"CN": "api", "extensions": [{"Id": [2, 5, 29, 19]}]}"#),
    ("delegation", br#"{"CN": "api", "delegation_enabled": true}"#),
    ("a crl_url", br#"{"CN": "api", "crl_url": "http://a.example/crl"}"#),
    ("a ca section", br#"{"CN": "api", "ca": {"expiry": "8760h"}}"#),
    // Wrong types.
    ("CN is a number", br#"{"CN": 1}"#),
    ("hosts is a string", br#"{"CN": "api", "hosts": "a,b"}"#),
    ("a host is a number", br#"{"CN": "api", "hosts": [1]}"#),
    ("names is an object", br#"{"CN": "api", "names": {"O": "Lab"}}"#),
    ("a name is a string", br#"{"CN": "api", "names": ["Lab"]}"#),
    ("serialnumber is a number", br#"{"CN": "api", "serialnumber": 5}"#),
    ("key is a string", br#"{"CN": "api", "key": "rsa"}"#),
    ("size is a string", br#"{"CN": "api", "key": {"algo": "rsa", "size": "2048"}}"#),
    // Keys.
    ("algo in capitals", br#"{"CN": "api", "key": {"algo": "RSA", "size": 2048}}"#),
    ("DSA", br#"{"CN": "api", "key": {"algo": "dsa", "size": 2048}}"#),
    ("rsa without a size", br#"{"CN": "api", "key": {"algo": "rsa"}}"#),
    ("rsa 1024", br#"{"CN": "api", "key": {"algo": "rsa", "size": 1024}}"#),
    ("rsa 2049", br#"{"CN": "api", "key": {"algo": "rsa", "size": 2049}}"#),
    ("rsa 16384", br#"{"CN": "api", "key": {"algo": "rsa", "size": 16384}}"#),
    ("P-224", br#"{"CN": "api", "key": {"algo": "ecdsa", "size": 224}}"#),
    ("a mistyped key field", br#"{"CN": "api", "key": {"algo": "rsa", "bits": 2048}}"#),
    // Subjects (X.520 has length limits; cfssl has none).
    ("a blank common name", br#"{"CN": " "}"#),
    (
        "a common name of 65 characters",
        br#"{"CN": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#,
    ),
    ("a NUL in the common name", br#"{"CN": "a\u0000b"}"#),
    ("a common name that is no host", br#"{"CN": "the api server"}"#),
    ("a country of three letters", br#"{"CN": "api", "names": [{"C": "DEU"}]}"#),
    ("a country in small letters", br#"{"CN": "api", "names": [{"C": "de"}]}"#),
    ("a mailbox beyond ASCII", r#"{"CN": "api", "names": [{"E": "jörg@a.de"}]}"#.as_bytes()),
    ("a serial number with a star", br#"{"CN": "api", "serialnumber": "5*"}"#),
    ("one organization twice", br#"{"CN": "api", "names": [{"O": "Lab"}, {"O": "Lab"}]}"#),
    ("CN again by its OID", br#"{"CN": "api", "names": [{"OID": {"2.5.4.3": "b"}}]}"#),
    // cfssl panics on this document.
    ("no OID", br#"{"CN": "api", "names": [{"OID": {"9.9.9": "x"}}]}"#),
    ("a word for an OID", br#"{"CN": "api", "names": [{"OID": {"title": "x"}}]}"#),
];

#[test]
fn a_csr_json_that_does_not_say_what_it_means_is_refused() {
    let mut table = Table::new(Lab::with_ca(&[]));
    for (row, json) in ROWS {
        table.refused_file(
            row,
            2,
            ("csr.json", json),
            &["issue", "--profile", "client", "--csr-json", "csr.json", "api"],
        );
    }
    // A recursive parser would overflow the stack.
    let deep = "[".repeat(10_000);
    table.lab.write("csr.json", deep);
    table.refused(
        "ten thousand brackets",
        2,
        &["issue", "--profile", "client", "--csr-json", "csr.json", "api"],
    );
    table.snapshot("csr_json");
}

#[test]
fn a_csr_json_without_any_name_is_refused() {
    // cfssl issues with an empty subject and without names, and exits with 0.
    let mut table = Table::new(Lab::with_ca(&[]));
    for (row, json) in [("nothing", "{}"), ("an empty CN", r#"{"CN": "", "hosts": []}"#)] {
        table.lab.write("csr.json", json);
        table.refused(row, 2, &["issue", "--profile", "client", "--csr-json", "csr.json"]);
    }
    table.snapshot("csr_json_without_a_name");
}

#[test]
fn an_empty_csr_json_stays_without_a_subject() {
    let lab = Lab::with_ca(&[]);
    lab.write("csr.json", "{}");
    let out = lab.ok(&["issue", "--profile", "client", "--csr-json", "csr.json", "api"]);
    assert!(
        out.starts_with("issued client for (empty subject)\n  names   dns:api.invalid\n"),
        "{out}"
    );
}
