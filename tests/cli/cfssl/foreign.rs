//! Requests, files and flags that an independent generator found: what the real cfssl makes of them is what we make.

use super::sides::{Side, Sides};
use crate::lab::Run;

const CONFIG: &str = r#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {
    "peer": {"expiry": "720h", "usages": ["signing", "server auth", "client auth"]}}}}"#;

/// Both sides with a CA, a configuration and the request of a leaf.
fn sides() -> Sides {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("config.json", CONFIG);
    sides.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone", "127.0.0.1"]}"#);
    for side in [Side::Ours, Side::Theirs] {
        let _ = ok(&sides, side, "cfssl gencert -initca ca.json | cfssljson -bare ca");
    }
    sides
}

fn ok(sides: &Sides, side: Side, script: &str) -> Run {
    let run = sides.run(side, script);
    assert_eq!(run.code, 0, "{side:?} {script}: {run:?}");
    run
}

/// Runs a script on both sides, and returns our run. Standard output must be equal.
fn same(sides: &Sides, script: &str) -> Run {
    let [ours, theirs] = [Side::Ours, Side::Theirs].map(|side| ok(sides, side, script));
    assert_eq!(ours.stdout, theirs.stdout, "{script}: {ours:?} {theirs:?}");
    ours
}

/// A script that signs a request of OpenSSL and prints its subject and its names.
fn signing(request: &str) -> String {
    format!(
        "openssl req -new -newkey rsa:2048 -nodes -keyout k.pem -out made.csr {request} 2> /dev/null
        cfssl sign -ca ca.pem -ca-key ca-key.pem -config config.json -profile peer made.csr |
            cfssljson -bare made
        openssl x509 -in made.pem -noout -subject -nameopt oneline,utf8,show_type -ext subjectAltName"
    )
}

#[test]
fn an_ipv4_address_in_16_octets_is_written_in_4() {
    let sides = sides();
    // An IPv4-mapped address, which `IP:` would shorten.
    let name = "DER:3012:8710:00000000000000000000FFFF0A000007".replace(':', "");
    let name = name.replacen("DER", "DER:", 1);
    let script = signing(&format!("-subj /CN=a -addext subjectAltName={name}"));
    let run = same(&sides, &script);
    assert!(run.stdout.contains("IP Address:10.0.0.7"), "{run:?}");
    let run = ok(&sides, Side::Ours, "cfssl certinfo -csr made.csr");
    assert!(run.stdout.contains("\"10.0.0.7\""), "{run:?}");
}

#[test]
fn other_kinds_of_names_in_a_request_are_left_out_with_a_warning() {
    let sides = sides();
    let other = "-addext 'subjectAltName=DNS:a,RID:1.2.3,otherName:1.2.3.4;UTF8:x'";
    let run = same(&sides, &signing(&format!("-subj /CN=a {other}")));
    assert!(run.stdout.contains("DNS:a"), "{run:?}");
    let lines =
        run.stderr.lines().filter(|line| line.contains("[WARNING] made.csr: subjectAltName"));
    assert_eq!(lines.filter(|line| line.contains("left out")).count(), 2, "{run:?}");
}

#[test]
fn the_last_common_name_of_a_request_counts() {
    let sides = sides();
    let run = same(&sides, &signing("-subj /CN=first/O=Lab/CN=last -addext subjectAltName=DNS:a"));
    assert!(run.stdout.contains("CN = PRINTABLESTRING:last"), "{run:?}");
    assert!(run.stderr.contains("a second CN (the first is \"first\")"), "{run:?}");
}

#[test]
fn the_spelling_of_a_mailbox_is_kept() {
    let sides = sides();
    sides.write("mail.json", r#"{"CN": "a", "hosts": ["Bob <Bob@EXAMPLE.com>"]}"#);
    let script = "cfssl gencert -ca ca.pem -ca-key ca-key.pem mail.json | cfssljson -bare mail
        openssl x509 -in mail.pem -noout -ext subjectAltName";
    let run = same(&sides, script);
    assert!(run.stdout.contains("email:Bob@EXAMPLE.com"), "{run:?}");
    let run = same(&sides, &signing("-subj /CN=a -addext subjectAltName=email:A@EXAMPLE.com"));
    assert!(run.stdout.contains("email:A@EXAMPLE.com"), "{run:?}");
}

#[test]
fn the_flag_crl_sets_the_distribution_point() {
    let sides = sides();
    let script = "cfssl gencert -ca ca.pem -ca-key ca-key.pem -crl http://crl.example.com/a \
        leaf.json | cfssljson -bare leaf
        openssl x509 -in leaf.pem -noout -ext crlDistributionPoints";
    let run = same(&sides, script);
    assert!(run.stdout.contains("http://crl.example.com/a"), "{run:?}");
    let run = sides.run(Side::Ours, &script.replace("http://crl.example.com/a", "nowhere"));
    assert!(run.code != 0 && run.stderr.contains("-crl"), "{run:?}");
}

#[test]
fn a_hostname_that_has_no_effect_does_not_remove_the_hosts() {
    let sides = sides();
    let names = "openssl req -in made.csr -noout -text | grep DNS";
    let commands = [
        ("genkey -hostname other leaf.json", "[WARNING] -hostname has no effect"),
        ("selfsign -hostname other leaf.json", "[WARNING] HOSTNAME other has no effect"),
        ("selfsign -initca leaf.json", "[WARNING] -initca has no effect"),
    ];
    for (command, warning) in commands {
        let script = format!("cfssl {command} | cfssljson -bare made; {names}");
        let run = same(&sides, &script);
        assert!(run.stdout.contains("DNS:etcdone, IP Address:127.0.0.1"), "{run:?}");
        assert!(run.stderr.contains(warning), "{run:?}");
    }
}

#[test]
fn a_pathlenzero_without_effect_is_logged_as_by_cfssl() {
    let sides = sides();
    sides.write("long.json", r#"{"CN": "CA", "ca": {"pathlen": 2, "pathlenzero": true}}"#);
    let log = "2>&1 > /dev/null | grep INFO | sed 's/^[^[]*//; s/number .*//'";
    for command in ["gencert -initca", "genkey -initca", "gencert -initca -ca-key ca-key.pem"] {
        let run = same(&sides, &format!("cfssl {command} long.json {log}"));
        assert!(run.stdout.contains("ignore invalid 'pathlenzero' value"), "{run:?}");
    }
}

#[test]
fn no_limit_beside_pathlenzero_is_no_limit() {
    let sides = sides();
    sides.write("root.json", r#"{"CN": "R", "ca": {"pathlen": -1, "pathlenzero": true}}"#);
    let config = r#"{"signing": {"default": {"expiry": "1h"}, "profiles": {
        "ca": {"expiry": "1h", "usages": ["cert sign"],
            "ca_constraint": {"is_ca": true, "max_path_len": -1, "max_path_len_zero": true}},
        "zero": {"expiry": "1h", "usages": ["cert sign"],
            "ca_constraint": {"is_ca": true, "max_path_len": 0, "max_path_len_zero": true}}}}}"#;
    sides.write("cas.json", config);
    let limits = |make: &str| {
        let show = "openssl x509 -in made.pem -noout -ext basicConstraints";
        same(&sides, &format!("{make} | cfssljson -bare made; {show}"))
    };
    let run = limits("cfssl gencert -initca root.json");
    assert!(run.stderr.contains("ignore invalid 'pathlenzero' value"), "{run:?}");
    let sign = "cfssl gencert -ca ca.pem -ca-key ca-key.pem -config cas.json";
    let run = limits(&format!("{sign} -profile ca leaf.json"));
    assert!(run.stdout.contains("CA:TRUE\n"), "{run:?}");
    assert!(
        run.stderr.contains("[WARNING] cas.json: signing.profiles.ca.ca_constraint.max_path_len"),
        "{run:?}"
    );
    let run = limits(&format!("{sign} -profile zero leaf.json"));
    assert!(run.stdout.contains("pathlen:0"), "{run:?}");
}

#[test]
fn info_prints_the_profile_that_is_used_without_a_default() {
    let sides = sides();
    sides.write(
        "none.json",
        r#"{"SIGNING": {"profiles": {"a": {"expiry": "1h", "usages": ["any"]}}}}"#,
    );
    sides.write("upper.json", r#"{"Signing": {"Default": {"EXPIRY": "5h", "Usages": ["any"]}}}"#);
    for config in ["config.json", "none.json", "none.json -profile a", "upper.json"] {
        let script = format!(
            "cfssl info -ca ca.pem -ca-key ca-key.pem -config {config} | sed 's/.*,\"usages/usages/'"
        );
        let run = same(&sides, &script);
        assert!(run.stdout.starts_with("usages"), "{run:?}");
    }
}

#[test]
fn what_cfssl_refuses_is_read_with_a_warning() {
    let sides = sides();
    let key = "{\"signing\": {\"default\": {\"expiry\": \"1h\", \"usages\": [\"any\"], \"auth_key\": \"x\"}, \
        \"profiles\": {\"a\": {\"expiry\": \"1h\", \"usages\": [\"any\"]}}}}";
    sides.write("key.json", key);
    sides.write("idn.json", r#"{"CN": "a", "hosts": ["münchen.de", "a@münchen.de"]}"#);
    let signed = "cfssl gencert -ca ca.pem -ca-key ca-key.pem";
    let request = "openssl req -new -newkey rsa:2048 -nodes -keyout k.pem -out made.csr";
    let sign = "2> /dev/null; cfssl sign -ca ca.pem -ca-key ca-key.pem made.csr";
    let text = "[req]\ndistinguished_name = dn\nprompt = no\nutf8 = yes\nstring_mask = nombstr\n[dn]\nL = München\n";
    sides.write("latin.cnf", text);
    let cases = [
        (format!("{signed} -config key.json -profile a leaf.json"), "default.auth_key \"x\": not in \"auth_keys\""),
        ("cfssl gencert -initca -config key.json ca.json".to_owned(), "not in \"auth_keys\""),
        (format!("{signed} idn.json"), "\"münchen.de\": cfssl cannot write this name; it is written as xn--mnchen-3ya.de"),
        (format!("{signed} idn.json"), "\"a@münchen.de\": cfssl cannot write this name"),
        (
            format!("{request} -subj /CN=a -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest {sign}"),
            "made.csr: signature \"rsassaPss\": cfssl refuses this algorithm",
        ),
        (format!("{request} -config latin.cnf {sign}"), "text in T61String"),
        (
            "openssl x509 -in ca.pem -outform DER -out der.pem; cfssl certinfo -cert der.pem".to_owned(),
            "der.pem is in DER, which cfssl refuses",
        ),
        (
            "openssl pkcs8 -topk8 -in ca-key.pem -passout pass:secret -out locked.pem; chmod 600 locked.pem
            CFSSL_CA_PK_PASSWORD=secret cfssl gencert -ca ca.pem -ca-key locked.pem leaf.json"
                .to_owned(),
            "locked.pem is encrypted in PKCS #8, which cfssl cannot read",
        ),
    ];
    for (script, warning) in &cases {
        let run = sides.run(Side::Theirs, script);
        assert_ne!(run.code, 0, "{script}: {run:?}");
        let run = ok(&sides, Side::Ours, script);
        let has = |line: &str| line.contains("[WARNING]") && line.contains(warning);
        assert!(run.stderr.lines().any(has), "{script}: {run:?}");
        let run = sides.run_with(Side::Ours, script, &[("ETCDPKI_STRICT", "1")]);
        assert_ne!(run.code, 0, "{script}: {run:?}");
    }
}

#[test]
fn the_expiry_in_nanoseconds_of_cfssl_is_refused() {
    let sides = sides();
    let config = r#"{"signing": {"default": {"expiry": "1h"}, "profiles": {
        "a": {"Expiry": "1h", "usages": ["any"]}, "b": {"EXPIRY": "1h", "usages": ["any"]}}}}"#;
    sides.write("spelled.json", config);
    let script =
        "cfssl gencert -ca ca.pem -ca-key ca-key.pem -config spelled.json -profile a leaf.json";
    assert_eq!(sides.run(Side::Theirs, script).code, 1);
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr.contains("cfssl refuses this spelling of the field (fix: write \"expiry\")"),
        "{run:?}"
    );
    let _ = ok(&sides, Side::Ours, &script.replace("-profile a", "-profile b"));
}

#[test]
fn a_crl_says_what_differs_from_that_of_cfssl() {
    let sides = sides();
    sides.write("rsa.json", r#"{"CN": "CA", "key": {"algo": "rsa", "size": 3072}}"#);
    sides.write("numbers", "7\n7\n");
    let make = "cfssl gencert -initca rsa.json | cfssljson -bare rsa
        cfssl gencrl numbers rsa.pem rsa-key.pem | base64 --decode | openssl crl -inform DER -noout -text";
    let [ours, theirs] = [Side::Ours, Side::Theirs].map(|side| ok(&sides, side, make));
    assert!(theirs.stdout.contains("sha256WithRSAEncryption"), "{theirs:?}");
    assert!(ours.stdout.contains("sha384WithRSAEncryption"), "{ours:?}");
    for warning in ["cfssl signs it with SHA-256", "7 is listed twice; it is written once"] {
        assert!(ours.stderr.contains(warning), "{ours:?}");
    }
}

#[test]
fn a_crl_has_the_name_of_its_ca() {
    let sides = sides();
    let make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout o-key.pem -subj /O=Lab/C=DE/CN=CA -out o.pem \
        -addext keyUsage=critical,cRLSign,keyCertSign 2> /dev/null
        echo 7 > numbers; cfssl gencrl numbers o.pem o-key.pem | base64 --decode > crl.der
        openssl crl -inform DER -in crl.der -noout -issuer";
    let [ours, theirs] = [Side::Ours, Side::Theirs].map(|side| ok(&sides, side, make));
    assert_eq!(ours.stdout, "issuer=O = Lab, C = DE, CN = CA\n");
    assert_ne!(ours.stdout, theirs.stdout);
}

#[test]
fn what_works_for_nobody_is_refused() {
    let sides = sides();
    let config = r#"{"signing": {"default": {"expiry": "1h"}, "profiles": {
        "ca": {"expiry": "1h", "usages": ["signing"], "ca_constraint": {"is_ca": true}},
        "inter": {"expiry": "1h", "usages": ["cert sign"], "ca_constraint": {"is_ca": true}},
        "url": {"expiry": "1h", "usages": ["signing"], "crl_url": "ca.crl"},
        "later": {"expiry": "1h", "usages": ["signing"], "not_before": "2099-01-01T00:00:00Z", "not_after": "2100-01-01T00:00:00Z"},
        "past": {"expiry": "1h", "usages": ["signing"], "not_after": "2020-01-01T00:00:00Z"}}}}"#;
    sides.write("wrong.json", config);
    sides.write("ocsp.json", r#"{"ocspResponse": "aGVsbG8="}"#);
    let sign = "cfssl gencert -ca ca.pem -ca-key ca-key.pem -config wrong.json leaf.json -profile";
    let sign = |profile: &str| {
        sign.replace("leaf.json -profile", &format!("-profile {profile} leaf.json"))
    };
    let cases = [
        (sign("ca"), "is_ca without the usage \"cert sign\""),
        (sign("url"), "crl_url \"ca.crl\": a URI without a scheme"),
        (sign("later"), "the certificate would not be valid yet"),
        (sign("past"), "the certificate would already be expired"),
        (
            format!(
                "{} | cfssljson -bare inter
                cfssl gencert -renewca -ca inter.pem -ca-key inter-key.pem",
                sign("inter")
            ),
            "not a root",
        ),
        ("cfssl-certinfo -cert nowhere.pem".to_owned(), "nowhere.pem"),
        ("cfssljson -bare x < ocsp.json".to_owned(), "ocspResponse"),
    ];
    for (script, message) in &cases {
        let _ = ok(&sides, Side::Theirs, script);
        let run = sides.run(Side::Ours, script);
        assert_eq!(run.code, 1, "{script}: {run:?}");
        assert!(run.stderr.contains(message), "{script}: {run:?}");
    }
}

#[test]
fn the_first_of_several_requests_is_signed() {
    let sides = sides();
    let script = "cfssl genkey leaf.json | cfssljson -bare first
        cfssl genkey ca.json | cfssljson -bare second
        cat first.csr second.csr > both.csr
        cfssl sign -ca ca.pem -ca-key ca-key.pem both.csr | cfssljson -bare both
        openssl x509 -in both.pem -noout -subject; cmp both.csr both.csr";
    let run = same(&sides, script);
    assert!(run.stdout.contains("CN = etcdone"), "{run:?}");
    assert!(
        run.stderr.contains("[WARNING] both.csr has several requests; only the first"),
        "{run:?}"
    );
}

#[test]
fn unicode_classes_in_a_name_whitelist_are_refused() {
    let sides = sides();
    let config = r#"{"signing": {"default": {"expiry": "1h", "usages": ["any"], "name_whitelist": "^\\pL+$"}}}"#;
    sides.write("classes.json", config);
    sides.write("plain.json", r#"{"CN": "etcdone"}"#);
    let script = "cfssl gencert -ca ca.pem -ca-key ca-key.pem -config classes.json plain.json";
    let _ = ok(&sides, Side::Theirs, script);
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("Unicode character classes are not supported"), "{run:?}");
}

#[test]
fn another_name_of_a_file_keeps_the_old_contents() {
    let sides = sides();
    let script = "echo old > other; ln other x.pem
        cfssl gencert -ca ca.pem -ca-key ca-key.pem leaf.json | cfssljson -bare x; head -1 other";
    assert_eq!(ok(&sides, Side::Ours, script).stdout, "old\n");
    assert_eq!(ok(&sides, Side::Theirs, script).stdout, "-----BEGIN CERTIFICATE-----\n");
}
