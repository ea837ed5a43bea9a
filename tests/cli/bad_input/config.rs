//! cfssl's ca-config.json for `--config`.

use super::Table;
use crate::lab::Lab;

/// A whole document.
const DOCUMENTS: &[(&str, &[u8])] = &[
    ("empty", b""),
    // cfssl crashes on this document.
    ("null", b"null"),
    ("cut short", br#"{"signing": {"#),
    ("a comma too many", br#"{"signing": {"default": {"expiry": "1h"},}}"#),
    ("text behind it", b"{\"signing\": {}}\n# profiles of the lab"),
    ("a comment", br#"{"signing": { /* none yet */ }}"#),
    ("a byte order mark", b"\xef\xbb\xbf{\"signing\": {}}"),
    ("no signing", b"{}"),
    ("signing is null", br#"{"signing": null}"#),
    ("signing is a list", br#"{"signing": []}"#),
    ("a CSR JSON in its place", br#"{"CN": "api", "hosts": []}"#),
    ("a mistyped field", br#"{"signing": {"profile": {}}}"#),
    ("profiles is a list", br#"{"signing": {"profiles": []}}"#),
    ("profiles twice", br#"{"signing": {"profiles": {}, "profiles": {}}}"#),
    ("a profile twice", br#"{"signing": {"profiles": {"a": null, "a": null}}}"#),
    ("remotes", br#"{"signing": {}, "remotes": {"ca": "10.0.0.1:8888"}}"#),
    ("auth_keys", br#"{"signing": {}, "auth_keys": {"k": {"type": "standard"}}}"#),
];

/// The contents of the profile `client`.
const PROFILES: &[(&str, &str)] = &[
    ("null", "null"),
    ("a list", "[]"),
    ("no usages", r#"{"expiry": "1h"}"#),
    ("no usages listed", r#"{"expiry": "1h", "usages": []}"#),
    ("usages is a string", r#"{"expiry": "1h", "usages": "client auth"}"#),
    ("a usage is null", r#"{"expiry": "1h", "usages": [null]}"#),
    // cfssl silently ignores these.
    ("usage for usages", r#"{"expiry": "1h", "usage": ["client auth"]}"#),
    ("a usage as Go spells it", r#"{"expiry": "1h", "usages": ["signing", "clientAuth"]}"#),
    ("a usage in capitals", r#"{"expiry": "1h", "usages": ["signing", "Client Auth"]}"#),
    ("a usage of nobody", r#"{"expiry": "1h", "usages": ["signing", "world domination"]}"#),
    ("expirey for expiry", r#"{"expirey": "1h", "usages": ["client auth"]}"#),
    ("no expiry", r#"{"usages": ["client auth"]}"#),
    ("an empty expiry", r#"{"expiry": "", "usages": ["client auth"]}"#),
    ("an expiry of nothing", r#"{"expiry": "0s", "usages": ["client auth"]}"#),
    ("an expiry below zero", r#"{"expiry": "-1h", "usages": ["client auth"]}"#),
    ("an expiry without a unit", r#"{"expiry": "1", "usages": ["client auth"]}"#),
    ("an expiry that is a number", r#"{"expiry": 8760, "usages": ["client auth"]}"#),
    ("an expiry with a blank", r#"{"expiry": "1 h", "usages": ["client auth"]}"#),
    ("an expiry below a second", r#"{"expiry": "1us", "usages": ["client auth"]}"#),
    ("an expiry in months", r#"{"expiry": "6mo", "usages": ["client auth"]}"#),
    ("an expiry beyond the year 9999", r#"{"expiry": "9000y", "usages": ["client auth"]}"#),
    ("a backdate below zero", r#"{"expiry": "1h", "backdate": "-1h", "usages": ["client auth"]}"#),
    (
        "a date without a time",
        r#"{"expiry": "1h", "not_after": "2099-01-01", "usages": ["client auth"]}"#,
    ),
    (
        "an end that is past",
        r#"{"expiry": "1h", "not_after": "2020-01-01T00:00:00Z", "usages": ["client auth"]}"#,
    ),
    // cfssl panics on this profile.
    (
        "an end before its beginning",
        r#"{"expiry": "1h", "not_before": "2098-01-01T00:00:00Z", "not_after": "2097-01-01T00:00:00Z", "usages": ["client auth"]}"#,
    ),
    (
        "a beginning to come",
        r#"{"expiry": "1h", "not_before": "2098-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z", "usages": ["client auth"]}"#,
    ),
    // A CA needs both to be accepted.
    (
        "is_ca without cert sign",
        r#"{"expiry": "1h", "usages": ["signing"], "ca_constraint": {"is_ca": true}}"#,
    ),
    ("cert sign without is_ca", r#"{"expiry": "1h", "usages": ["cert sign"]}"#),
    (
        "a path length below -1",
        r#"{"expiry": "1h", "usages": ["cert sign"], "ca_constraint": {"is_ca": true, "max_path_len": -2}}"#,
    ),
    (
        "two path lengths",
        r#"{"expiry": "1h", "usages": ["cert sign"], "ca_constraint": {"is_ca": true, "max_path_len": 2, "max_path_len_zero": true}}"#,
    ),
    (
        "a mistyped constraint",
        r#"{"expiry": "1h", "usages": ["cert sign"], "ca_constraint": {"isca": true}}"#,
    ),
    (
        "is_ca is a string",
        r#"{"expiry": "1h", "usages": ["cert sign"], "ca_constraint": {"is_ca": "true"}}"#,
    ),
    (
        "a crl_url that is none",
        r#"{"expiry": "1h", "usages": ["client auth"], "crl_url": "crl.example.com"}"#,
    ),
    (
        "an issuer_url that is none",
        r#"{"expiry": "1h", "usages": ["client auth"], "issuer_urls": [""]}"#,
    ),
    (
        "an expression that is none",
        r#"{"expiry": "1h", "usages": ["client auth"], "name_whitelist": "[a-"}"#,
    ),
    (
        "copied extensions without leave",
        r#"{"expiry": "1h", "usages": ["client auth"], "allowed_extensions": ["1.2.3"]}"#,
    ),
    (
        "an extension that is no OID",
        r#"{"expiry": "1h", "usages": ["client auth"], "copy_extensions": true, "allowed_extensions": ["tls feature"]}"#,
    ),
    (
        "a CSRWhitelist without a key",
        r#"{"expiry": "1h", "usages": ["client auth"], "CSRWhitelist": {"Subject": true}}"#,
    ),
    ("a policy without ID", r#"{"expiry": "1h", "usages": ["client auth"], "Policies": [{}]}"#),
    (
        "a qualifier of nobody",
        r#"{"expiry": "1h", "usages": ["client auth"], "Policies": [{"ID": "1.2.3", "Qualifiers": [{"Type": "id-qt-unnotice", "Value": "x"}]}]}"#,
    ),
    (
        "a qualifier without value",
        r#"{"expiry": "1h", "usages": ["client auth"], "Policies": [{"ID": "1.2.3", "Qualifiers": [{"Type": "id-qt-cps"}]}]}"#,
    ),
    (
        "an added name that is none",
        r#"{"expiry": "1h", "usages": ["client auth"], "add_names": ["10.0.0.1:2379"]}"#,
    ),
    (
        "an added name made from the common name",
        r#"{"expiry": "1h", "usages": ["client auth"], "add_names": ["{cn}:2379"]}"#,
    ),
    ("a remote signer", r#"{"expiry": "1h", "usages": ["client auth"], "remote": "ca"}"#),
    ("an auth_key", r#"{"expiry": "1h", "usages": ["client auth"], "auth_key": "k"}"#),
];

#[test]
fn a_config_that_does_not_say_what_it_means_is_refused() {
    let mut table = Table::new(Lab::with_ca(&[]));
    let args = ["issue", "--profile", "client", "--config", "config.json", "api"];
    for (row, json) in DOCUMENTS {
        table.refused_file(row, 2, ("config.json", json), &args);
    }
    table.snapshot("config");
}

#[test]
fn a_profile_that_does_not_say_what_it_means_is_refused() {
    let mut table = Table::new(Lab::with_ca(&[]));
    let args = ["issue", "--profile", "client", "--config", "config.json", "api"];
    for (row, profile) in PROFILES {
        let json = format!(r#"{{"signing": {{"profiles": {{"client": {profile}}}}}}}"#);
        table.refused_file(row, 2, ("config.json", json.as_bytes()), &args);
    }
    table.snapshot("config_profile");
}

#[test]
fn a_profile_that_does_not_exist_is_refused() {
    // cfssl signs with `default`, or with a built-in profile that allows everything.
    let mut table = Table::new(Lab::with_ca(&[]));
    for (profile, code) in [("Server", 2), ("sever", 2), ("www", 2), ("", 2), ("default", 1)] {
        table.refused(
            &format!("built in, {profile:?}"),
            code,
            &["issue", "--profile", profile, "api"],
        );
    }
    let config = r#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {"kubernetes": {"expiry": "8760h", "usages": ["client auth"]}}}}"#;
    for (profile, code) in [("kubernets", 2), ("server", 2), ("default", 1)] {
        table.refused_file(
            profile,
            code,
            ("config.json", config.as_bytes()),
            &["issue", "--config", "config.json", "--profile", profile, "api"],
        );
    }
    table.snapshot("profile_names");
}

#[test]
fn a_profile_refuses_what_it_does_not_admit() {
    let mut table = Table::new(Lab::with_ca(&[]));
    let config = r#"{"signing": {"profiles": {"lab": {"expiry": "1h", "usages": ["client auth"],
        "name_whitelist": "^[a-z]+\\.lab$"}}}}"#;
    for (row, name) in [("a name", "a.example"), ("an address, which cfssl lets pass", "8.8.8.8")] {
        table.refused_file(
            row,
            1,
            ("config.json", config.as_bytes()),
            &["issue", "--config", "config.json", "--profile", "lab", "a.lab", "--san", name],
        );
    }
    table.snapshot("name_whitelist");
}

#[test]
fn what_go_reads_in_a_config_is_read() {
    // Field names in any case, null as absent, CRLF, and the lifetime from `default`.
    let lab = Lab::with_ca(&[]);
    lab.write(
        "config.json",
        "{\"Signing\":\r\n{\"DEFAULT\":{\"Expiry\":\"48h\"},\"profiles\":\r\n{\"c\":{\"expiry\":null,\
         \"USAGES\":[\"client auth\"],\"auth_key\":\"\"}}},\"remotes\":null}\r\n",
    );
    let out = lab.ok(&["issue", "--config", "config.json", "--profile", "c", "api"]);
    assert!(out.starts_with("issued c for CN=api\n"), "{out}");
}
