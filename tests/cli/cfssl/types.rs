//! Values of a wrong JSON type: the real cfssl refuses them also where it ignores the field, or replaces the value.

use super::sides::{Side, Sides};

fn sides() -> Sides {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone"]}"#);
    for side in [Side::Ours, Side::Theirs] {
        let run = sides.run(side, "cfssl gencert -initca ca.json | cfssljson -bare ca");
        assert_eq!(run.code, 0, "{run:?}");
    }
    sides
}

/// The exit codes of both programs.
fn codes(sides: &Sides, script: &str) -> [i32; 2] {
    [Side::Ours, Side::Theirs].map(|side| sides.run(side, script).code)
}

#[test]
fn a_value_of_a_wrong_type_is_refused_as_by_cfssl() {
    let sides = sides();
    for (members, code) in [
        (r#""names": [{"SerialNumber": 5}]"#, 1),
        (r#""names": [{"SerialNumber": null}]"#, 0),
        // The last of two equal keys counts, but both are read.
        (r#""CN": 5, "CN": "b""#, 1),
        (r#""CN": ["b"], "CN": "b""#, 1),
        (r#""hosts": "b", "hosts": ["b"]"#, 1),
        (r#""hosts": [5], "hosts": ["b"]"#, 1),
        (r#""key": {"size": 1.5, "size": 256}"#, 1),
        (r#""key": "ecdsa", "key": {"algo": "ecdsa"}"#, 1),
        (r#""CN": null, "CN": "b""#, 0),
        // A field that cfssl does not know may have any value.
        (r#""_": 1e400, "_": [-1E999]"#, 0),
        (r#""_": 1.e400"#, 1),
        (r#""key": {"algo": "ecdsa", "size": 1e400}"#, 1),
    ] {
        let file = format!(r#"{{"CN": "a", "hosts": ["a"], {members}}}"#);
        sides.write("csr.json", &file);
        let found = codes(&sides, "cfssl gencert -ca ca.pem -ca-key ca-key.pem csr.json");
        assert_eq!(found, [code; 2], "{file}");
    }
}

#[test]
fn a_field_of_a_profile_has_its_type_even_if_it_is_not_used() {
    let sides = sides();
    for (members, code) in [
        (r#""auth_key": 5"#, 1),
        (r#""cert_store": ["x"]"#, 1),
        (r#""ct_log_servers": "x""#, 1),
        (r#""remote": false"#, 1),
        (r#""not_before": """#, 1),
        (r#""Policies": [{"ID": ""}]"#, 1),
        (r#""CSRWhitelist": {"PublicKey": true, "SignatureAlgorithm": 5}"#, 1),
        (r#""cert_store": null, "ct_log_servers": null, "remote": """#, 0),
    ] {
        let config = format!(
            r#"{{"signing": {{"profiles": {{"p": {{"expiry": "1h", "usages": ["signing"], {members}}}}}}}}}"#
        );
        sides.write("config.json", &config);
        let found = codes(
            &sides,
            "cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json -profile p leaf.json",
        );
        assert_eq!(found, [code; 2], "{config}");
    }
}

/// cfssl reads `-config` before any command runs.
#[test]
fn a_configuration_that_cannot_be_read_is_refused_by_every_command() {
    let sides = sides();
    sides.write("bad.json", "x");
    sides.write("odd.json", r#"{"signing": {"profiles": {"p": {"expiry": "1h", "usages": []}}}}"#);
    for command in [
        "gencert -initca -config CONFIG ca.json",
        "gencert -renewca -ca ca.pem -ca-key ca-key.pem -config CONFIG",
        "genkey -config CONFIG leaf.json",
        "certinfo -config CONFIG -cert ca.pem",
        "print-defaults -config CONFIG csr",
    ] {
        for config in ["bad.json", "nosuch.json"] {
            let script = format!("cfssl {}", command.replace("CONFIG", config));
            assert_eq!(codes(&sides, &script), [1; 2], "{script}");
        }
    }
    // No profile is used.
    let run = sides.run(Side::Ours, "cfssl gencert -initca -config odd.json ca.json");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("the profile \"p\" has a mistake, but this command"), "{run:?}");
}
