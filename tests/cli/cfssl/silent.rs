//! What cfssl gets wrong without a word: the real cfssl completes each row, and ours fails or warns.

mod authority;
mod hosts;
mod output;
mod requests;

use super::sides::{Side, Sides};

/// What ours does.
#[derive(Clone, Copy)]
enum Ours {
    /// Exits with 1 and this text.
    Fails(&'static str),
    /// Completes, with this text in a warning.
    Warns(&'static str),
}

use Ours::{Fails, Warns};

/// What the real cfssl does.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Theirs {
    /// Exits with 0.
    Completes,
    /// Dies of a panic, with exit code 2.
    Panics,
    /// 1.6.5 completes it, and 1.2 has no such command, field or form.
    OnlyLater,
}

use Theirs::{Completes, OnlyLater, Panics};

struct Row {
    name: &'static str,
    script: &'static str,
    theirs: Theirs,
    ours: Ours,
}

const fn row(name: &'static str, script: &'static str, theirs: Theirs, ours: Ours) -> Row {
    Row { name, script, theirs, ours }
}

/// `sign` is `cfssl gencert` with the CA and the configuration.
fn rows() -> impl Iterator<Item = &'static Row> {
    [requests::ROWS, authority::ROWS, hosts::ROWS, output::ROWS].into_iter().flatten()
}

const CONFIG: &str = r#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {
    "peer": {"expiry": "8760h", "usages": ["signing", "key encipherment", "server auth", "client auth"]},
    "negative": {"expiry": "-1h", "usages": ["signing", "server auth"]},
    "instant": {"expiry": "1us", "usages": ["signing", "server auth"]},
    "short": {"expiry": "4m", "usages": ["signing", "server auth"]},
    "camel": {"expiry": "1h", "usages": ["signing", "serverAuth"]},
    "typo": {"expiry": "1h", "usages": ["signing", "server auth"], "bogus": 1},
    "long": {"expiry": "876000h", "usages": ["signing", "server auth"]}}}}"#;

/// The files of the rows, made by openssl on both sides.
const SETUP: &str = r"
    cfssl gencert -initca ca.json 2>/dev/null | cfssljson -bare ca
    cfssl gencert -ca ca.pem -ca-key ca-key.pem leaf.json 2>/dev/null | cfssljson -bare leaf
    cp ca-key.pem open-key.pem
    ca='openssl req -x509 -new -key ca-key.pem -subj /O=Lab/CN=CA'
    $ca -days 30 -addext keyUsage=critical,cRLSign -out nosign.pem
    $ca -days 30 -addext nameConstraints=critical,permitted\;DNS:example.com -out constrained.pem
    openssl req -new -key ca-key.pem -subj /O=Lab/CN=CA -out ca-request.pem
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' >extensions
    openssl x509 -req -in ca-request.pem -signkey ca-key.pem -days -1 -extfile extensions -out expired.pem
    openssl req -x509 -newkey rsa:1024 -nodes -keyout weak-key.pem -subj /CN=weak -days 30 -out weak.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-224 -nodes -keyout p224-key.pem -subj /CN=x -days 30 -out p224.pem
    openssl req -new -newkey rsa:512 -nodes -keyout tiny-key.pem -subj /CN=x -out tiny.csr
    openssl req -new -newkey rsa:1024 -nodes -keyout weak-request-key.pem -subj /CN=x -out weak.csr
    openssl req -new -newkey rsa:2048 -nodes -keyout sha1-key.pem -sha1 -subj /CN=x -out sha1.csr";

fn sides() -> Sides {
    let sides = Sides::new();
    sides.write("config.json", CONFIG);
    sides.write("ca.json", r#"{"CN": "CA", "names": [{"O": "Lab"}]}"#);
    sides.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone", "127.0.0.1"]}"#);
    for side in [Side::Ours, Side::Theirs] {
        let run = sides.run(side, SETUP);
        assert_eq!(run.code, 0, "{side:?}: {run:?}");
    }
    sides
}

#[test]
fn what_cfssl_gets_wrong_silently_fails_or_warns() {
    let sides = sides();
    let mut wrong = Vec::new();
    for Row { name, script, theirs, ours } in rows() {
        let script = format!(
            "sign='cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json'; {script}"
        );
        let real = sides.run(Side::Theirs, &script);
        let expected = match theirs {
            Completes => real.code == 0,
            Panics => real.code == 2,
            OnlyLater => true,
        };
        if !expected {
            wrong.push(format!("{name}: the real cfssl: {real:?}"));
        }
        let run = sides.run(Side::Ours, &script);
        let warned = |text: &str| {
            run.stderr.lines().any(|line| line.contains("[WARNING]") && line.contains(text))
        };
        let as_expected = match ours {
            Fails(text) => run.code == 1 && run.stderr.contains(text) && run.stdout.is_empty(),
            Warns(text) => run.code == 0 && warned(text),
        };
        if !as_expected {
            wrong.push(format!("{name}: ours: {run:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every warning of the rows above is an error with `ETCDPKI_STRICT=1`, and nothing is printed.
#[test]
fn warnings_are_errors_if_the_environment_says_so() {
    let sides = sides();
    let rows = rows().filter(|row| matches!(row.ours, Warns(_)));
    for Row { name, script, .. } in rows {
        let script = format!(
            "sign='cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json'; {script}"
        );
        let run = sides.run_with(Side::Ours, &script, &[("ETCDPKI_STRICT", "1")]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{name}: {run:?}");
        assert!(run.stderr.contains("ETCDPKI_STRICT is 1"), "{name}: {run:?}");
        assert!(!run.stderr.contains("signed certificate"), "{name}: {run:?}");
    }
}

/// A lab of our own choice has no warning and passes.
#[test]
fn a_clean_lab_passes_with_warnings_as_errors() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone", "127.0.0.1"]}"#);
    sides.write(
        "config.json",
        r#"{"signing": {"default": {"expiry": "8760h", "usages": ["signing", "server auth", "client auth"]}}}"#,
    );
    let script = "cfssl gencert -initca ca.json | cfssljson -bare ca
        cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json leaf.json | cfssljson -bare leaf";
    let run = sides.run_with(Side::Ours, script, &[("ETCDPKI_STRICT", "1")]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!run.stderr.contains("[WARNING]"), "{run:?}");
}
