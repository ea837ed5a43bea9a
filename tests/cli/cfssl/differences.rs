//! Rows of the table in docs/cfssl.md that are not silent mistakes of cfssl.

use super::sides::{Side, Sides};
use crate::lab::Run;

const LEAF: &str = r#"{"CN": "etcdone", "hosts": ["etcdone", "127.0.0.1"]}"#;

/// Our side with a CA, a leaf's request and a configuration.
fn sides(config: &str) -> Sides {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("leaf.json", LEAF);
    sides.write("config.json", config);
    for side in [Side::Ours, Side::Theirs] {
        let run = sides.run(side, "cfssl gencert -initca ca.json | cfssljson -bare ca");
        assert_eq!(run.code, 0, "{run:?}");
    }
    sides
}

fn sign(sides: &Sides, side: Side, more: &str) -> Run {
    sides.run(
        side,
        &format!("cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json {more}"),
    )
}

const PROFILES: &str = r#"{"signing": {"default": {"expiry": "1h"}, "profiles": {
    "good": {"expiry": "1h", "usages": ["signing", "server auth"], "auth_key": "key"},
    "bad": {"expiry": "1h", "usages": ["serverAuth"]},
    "far": {"expiry": "1h", "usages": ["signing"], "remote": "elsewhere"}}},
    "auth_keys": {"key": {"type": "standard", "key": "0123456789ABCDEF"}},
    "remotes": {"elsewhere": "ca.example.com:8888"}}"#;

#[test]
fn a_profile_that_is_not_used_may_have_mistakes() {
    let sides = sides(PROFILES);
    assert_eq!(sign(&sides, Side::Theirs, "-profile good leaf.json").code, 1);
    let run = sign(&sides, Side::Ours, "-profile good leaf.json");
    assert_eq!(run.code, 0, "{run:?}");
    let warning = "[WARNING] config.json: the profile \"bad\" has a mistake, but this command does not use it";
    assert!(run.stderr.contains(warning), "{run:?}");
    let run = sign(&sides, Side::Ours, "-profile bad leaf.json");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("did you mean \"server auth\"?"), "{run:?}");
}

#[test]
fn a_remote_profile_fails_only_if_it_is_used() {
    let sides = sides(PROFILES);
    let run = sign(&sides, Side::Ours, "-profile far leaf.json");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("signed by a cfssl server"), "{run:?}");
    let run = sign(&sides, Side::Ours, "-profile good leaf.json");
    for warning in ["auth_keys", "remotes", "signing.profiles.good.auth_key"] {
        assert!(run.stderr.contains(&format!("[WARNING] config.json: {warning}")), "{run:?}");
    }
}

#[test]
fn both_programs_are_subcommands_too() {
    let sides = sides(PROFILES);
    let etcdpki = env!("CARGO_BIN_EXE_etcdpki");
    let script = format!(
        "'{etcdpki}' cfssl genkey leaf.json | '{etcdpki}' cfssljson -bare sub
        '{etcdpki}' cfssl gencert -ca=ca.pem -ca-key=ca-key.pem -hostname etcdone leaf.json |
            '{etcdpki}' cfssljson -f - -bare pair
        ls sub.csr sub-key.pem pair.pem pair-key.pem pair.csr"
    );
    let run = sides.run(Side::Ours, &script);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn flags_behind_the_file_are_refused() {
    let sides = sides(PROFILES);
    let run = sides.run(Side::Ours, "cfssl gencert leaf.json -ca ca.pem -ca-key ca-key.pem");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("only one argument is accepted"), "{run:?}");
}

#[test]
fn a_leaf_with_the_name_of_its_ca_names_its_key() {
    let sides = sides(PROFILES);
    let script = "cfssl gencert -ca ca.pem -ca-key ca-key.pem ca.json | cfssljson -bare same
        openssl x509 -noout -ext authorityKeyIdentifier -in same.pem";
    let theirs = sides.run(Side::Theirs, script);
    assert!(!theirs.stdout.contains("Authority Key Identifier"), "{theirs:?}");
    let ours = sides.run(Side::Ours, script);
    assert!(ours.stdout.contains("Authority Key Identifier"), "{ours:?}");
}

#[test]
fn a_ca_file_with_its_chain_is_read() {
    let sides = sides(PROFILES);
    let script = "cfssl gencert -initca leaf.json 2>/dev/null | cfssljson -bare other 2>/dev/null
        cat ca.pem other.pem >both.pem; cfssl gencert -ca both.pem -ca-key ca-key.pem leaf.json";
    assert_eq!(sides.run(Side::Theirs, script).code, 1);
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("[WARNING] both.pem has 2 certificates"), "{run:?}");
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let sides = sides(PROFILES);
    let script =
        "echo mine >target; ln -s target x-key.pem; cfssl genkey leaf.json | cfssljson -bare x";
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("x-key.pem is a symbolic link"), "{run:?}");
    assert_eq!(sides.read(Side::Ours, "target"), b"mine\n");
    assert!(!sides.has(Side::Ours, "x.csr"));
}

#[test]
fn an_ed25519_key_is_one_that_openssl_reads() {
    let sides = sides(PROFILES);
    let script = r#"echo '{"CN": "a", "hosts": ["a"], "key": {"algo": "ed25519"}}' |
            cfssl gencert -ca ca.pem -ca-key ca-key.pem - | cfssljson -bare ed
        openssl pkey -noout -in ed-key.pem; openssl verify -CAfile ca.pem ed.pem
        sed 's/ PRIVATE KEY/ Ed25519 PRIVATE KEY/' ed-key.pem >label.pem
        cfssl gencsr -key label.pem leaf.json"#;
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn unusual_sizes_of_rsa_are_refused() {
    let sides = sides(PROFILES);
    let script = r#"echo '{"CN": "a", "key": {"algo": "rsa", "size": 2050}}' | cfssl genkey -"#;
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("2048, 3072, 4096, 8192"), "{run:?}");
}

/// With a variable that is missing, empty or wrong, and with each command that opens the key of a CA.
#[test]
fn an_encrypted_ca_key_is_opened_with_the_variable() {
    let sides = sides(PROFILES);
    let script = "openssl pkey -aes256 -passout pass:secret -in ca-key.pem -out locked-key.pem
        chmod 600 locked-key.pem";
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 0, "{run:?}");
    let sign = "cfssl gencert -ca ca.pem -ca-key locked-key.pem leaf.json";
    for script in [
        &format!("{sign} | cfssljson -bare e && openssl verify -CAfile ca.pem e.pem"),
        "cfssl genkey leaf.json | cfssljson -bare f &&
            cfssl sign -ca ca.pem -ca-key locked-key.pem f.csr",
        "cfssl gencert -renewca -ca ca.pem -ca-key locked-key.pem",
        "cfssl gencert -initca -ca-key locked-key.pem ca.json",
        "echo 5 >numbers && cfssl gencrl numbers ca.pem locked-key.pem",
        "cfssl gencsr -key locked-key.pem leaf.json",
    ] {
        let run = sides.run_with(Side::Ours, script, &[("CFSSL_CA_PK_PASSWORD", "secret")]);
        assert_eq!(run.code, 0, "{script}: {run:?}");
        assert!(!run.stderr.contains("secret"), "{script}: {run:?}");
    }
    for (variables, message) in [
        (&[][..], "there is no variable CFSSL_CA_PK_PASSWORD in the environment"),
        (&[("CFSSL_CA_PK_PASSWORD", "")][..], "the passphrase of locked-key.pem is empty"),
        (&[("CFSSL_CA_PK_PASSWORD", "other")][..], "the passphrase is wrong"),
    ] {
        let run = sides.run_with(Side::Ours, sign, variables);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{message}: {run:?}");
        assert!(run.stderr.contains(message), "{run:?}");
    }
}

#[test]
fn a_key_in_the_earlier_encryption_is_refused() {
    let sides = sides(PROFILES);
    let script = "openssl ec -aes256 -passout pass:secret -in ca-key.pem -out locked-key.pem
        chmod 600 locked-key.pem; cfssl gencert -ca ca.pem -ca-key locked-key.pem leaf.json";
    let password = [("CFSSL_CA_PK_PASSWORD", "secret")];
    assert_eq!(sides.run_with(Side::Theirs, script, &password).code, 0);
    let run = sides.run_with(Side::Ours, script, &password);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("openssl pkey -aes256"), "{run:?}");
}

/// The runtime opens /dev/null in place of a closed descriptor, so that no write fails.
#[test]
fn a_key_for_a_closed_standard_output_is_reported() {
    let sides = sides(PROFILES);
    let warning = "[WARNING] standard output is closed or discarded, so the new key is lost";
    for (to, is_closed) in [(">&-", true), (">/dev/null", false), ("| cat", false)] {
        let run = sides.run(Side::Ours, &format!("cfssl genkey leaf.json {to}"));
        assert_eq!((run.code, run.stderr.contains(warning)), (0, is_closed), "{to}: {run:?}");
    }
}

/// `-hostname` replaces the names, but a file of another form is still a mistake, as for cfssl.
#[test]
fn hosts_that_are_replaced_must_be_a_list_of_strings() {
    let sides = sides(PROFILES);
    for hosts in [r#""localhost""#, r#"["a", 1]"#, "{}"] {
        let file = format!(r#"{{"CN": "a", "hosts": {hosts}}}"#);
        sides.write("form.json", &file);
        let script = "cfssl gencert -ca ca.pem -ca-key ca-key.pem -hostname etcdone form.json";
        for side in [Side::Ours, Side::Theirs] {
            assert_eq!(sides.run(side, script).code, 1, "{side:?}: {hosts}");
        }
    }
}

/// cfssl reads the `key` of a file only if it generates one.
#[test]
fn the_key_of_the_file_does_not_matter_if_the_key_exists() {
    let sides = sides(PROFILES);
    for (key, code) in [
        (r#"{"algo": "rsa", "size": 1024}"#, 0),
        (r#"{"algo": "dsa"}"#, 0),
        (r#"{"algo": 5}"#, 1),
        (r#""rsa""#, 1),
    ] {
        sides.write("other.json", &format!(r#"{{"CN": "a", "hosts": ["a"], "key": {key}}}"#));
        let run = sides.run(Side::Ours, "cfssl gencsr -key ca-key.pem other.json");
        assert_eq!(run.code, code, "{key}: {run:?}");
        for side in [Side::Ours, Side::Theirs] {
            let run = sides.run(side, "cfssl gencert -initca -ca-key ca-key.pem other.json");
            assert_eq!(run.code, code, "{side:?} {key}: {run:?}");
            // A flag of another command changes nothing.
            assert_ne!(sides.run(side, "cfssl genkey -key ca-key.pem other.json").code, 0);
        }
    }
}

#[test]
fn a_name_whitelist_does_not_limit_addresses() {
    let sides = sides(
        r#"{"signing": {"default": {"expiry": "1h", "usages": ["signing"], "name_whitelist": "^etcd"}}}"#,
    );
    for side in [Side::Theirs, Side::Ours] {
        let run = sign(&sides, side, "leaf.json");
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(sign(&sides, side, "-hostname other leaf.json").code, 1);
    }
    let run = sign(&sides, Side::Ours, "leaf.json");
    assert!(run.stderr.contains("[WARNING] the name_whitelist"), "{run:?}");
}

/// Labs make their root this way.
#[test]
fn the_profile_of_a_self_signed_certificate_is_used() {
    let sides = sides(
        r#"{"signing": {"default": {"expiry": "9h"}, "profiles": {"root": {"expiry": "43800h",
            "usages": ["cert sign", "crl sign"], "ca_constraint": {"is_ca": true}}}}}"#,
    );
    let script = "cfssl selfsign -config config.json --profile root 'Lab CA' ca.json | cfssljson -bare root
        cfssl gencert -ca root.pem -ca-key root-key.pem leaf.json | cfssljson -bare leaf
        openssl verify -x509_strict -CAfile root.pem leaf.pem; openssl x509 -noout -checkend 157600000 -in root.pem";
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 0, "{run:?}");
    let theirs = script.replace(" -x509_strict", "");
    assert_eq!(sides.run(Side::Theirs, &theirs).code, 0);
    for side in [Side::Ours, Side::Theirs] {
        let run = sides.run(side, "cfssl selfsign -config config.json x leaf.json");
        assert_eq!(run.code, 0, "{run:?}");
    }
}

/// Without `-profile`, the default profile is used, although another one may have its name.
#[test]
fn a_profile_called_default_is_not_the_default_profile() {
    let sides = sides(
        r#"{"signing": {"default": {"expiry": "9h"}, "profiles": {"default": {"expiry": "1h",
            "usages": ["signing", "client auth"]}}}}"#,
    );
    for side in [Side::Ours, Side::Theirs] {
        let run = sign(&sides, side, "-profile default leaf.json");
        assert_eq!(run.code, 0, "{side:?}: {run:?}");
        let run = sign(&sides, side, "leaf.json");
        assert_eq!(run.code, 1, "{side:?}: {run:?}");
    }
}

/// Nobody looks for the issuer of a certificate that signs itself.
#[test]
fn a_self_signed_leaf_gets_no_advice_about_its_issuer() {
    let sides = sides(PROFILES);
    let run = sides.run(Side::Ours, "cfssl selfsign etcdone leaf.json");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!run.stderr.contains("aki-missing"), "{run:?}");
}

/// The table of docs/cfssl.md names rows and tests that exist.
#[test]
fn every_difference_has_its_test() {
    let docs = include_str!("../../../docs/cfssl.md");
    let tests = [
        include_str!("differences.rs"),
        include_str!("silent/authority.rs"),
        include_str!("silent/hosts.rs"),
        include_str!("silent/output.rs"),
        include_str!("silent/requests.rs"),
        include_str!("both_ways.rs"),
        include_str!("refused.rs"),
        include_str!("scenarios.rs"),
        include_str!("durable.rs"),
        include_str!("foreign.rs"),
        "cfssl::differential cfssl::native",
    ]
    .concat();
    let table = docs.lines().skip_while(|line| !line.starts_with("| input |")).skip(2);
    let mut rows = 0;
    for line in table.take_while(|line| line.starts_with('|')) {
        rows += 1;
        let named = line.trim_end_matches([' ', '|']).rsplit('|').next().unwrap().trim();
        for name in named.split("; ") {
            let name = name.trim_matches('`').split(", and the rows").next().unwrap();
            let exists = name.starts_with("none:") || tests.contains(name);
            assert!(exists, "no test {name:?} for: {line}");
        }
    }
    assert!(rows > 30);
}

#[test]
fn times_in_the_log_are_local_as_in_cfssl() {
    let sides = sides(PROFILES);
    // To the minute.
    let time = |side, zone| {
        let run = sides.run_with(side, "cfssl genkey leaf.json", &[("TZ", zone)]);
        assert_eq!(run.code, 0, "{run:?}");
        run.stderr[..16].to_owned()
    };
    for zone in ["Asia/Kathmandu", "America/St_Johns", "UTC", "No/Where"] {
        let same = || time(Side::Ours, zone) == time(Side::Theirs, zone);
        // Between the two runs a minute may end.
        assert!(same() || same(), "{zone}");
    }
    assert_ne!(
        time(Side::Ours, "Asia/Kathmandu"),
        time(Side::Ours, "UTC"),
        "no time zones: install tzdata"
    );
}
