//! What cfssl gets wrong without a word: the real cfssl completes each row, and ours fails or warns.

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
const ROWS: &[Row] = &[
    row(
        "an empty request",
        "echo '{}' | $sign -profile peer -",
        Completes,
        Fails("would name nobody"),
    ),
    row(
        "a request that is null",
        "echo null | $sign -profile peer -",
        Completes,
        Fails("expected an object"),
    ),
    row("no CA key", "cfssl gencert -ca ca.pem leaf.json", Completes, Fails("need a CA key")),
    row(
        "no CA certificate",
        "cfssl gencert -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("need a CA certificate"),
    ),
    row("neither of both", "cfssl gencert leaf.json", Completes, Fails("need a CA certificate")),
    row(
        "a life below zero",
        "$sign -profile negative leaf.json",
        Completes,
        Fails("the lifetime must be positive"),
    ),
    row(
        "a life of four minutes",
        "$sign -profile short leaf.json",
        Completes,
        Fails("already be expired"),
    ),
    row(
        "an unknown usage",
        "$sign -profile camel leaf.json",
        Completes,
        Fails("did you mean \"server auth\"?"),
    ),
    row(
        "an unknown field of a profile",
        "$sign -profile typo leaf.json",
        Completes,
        Warns("unknown field"),
    ),
    row(
        "an unknown field of a request",
        "echo '{\"CN\":\"a\",\"hosts\":[\"a\"],\"expirey\":\"1h\"}' | $sign -profile peer -",
        Completes,
        Warns("expirey \"1h\": unknown field"),
    ),
    row(
        "a life in the request",
        "echo '{\"CN\":\"a\",\"hosts\":[\"a\"],\"expiry\":\"1h\"}' | $sign -profile peer -",
        Completes,
        Warns("has no effect in a CSR JSON"),
    ),
    row(
        "two equal keys",
        "echo '{\"CN\":\"a\",\"hosts\":[\"a\"],\"CN\":\"b\"}' | $sign -profile peer -",
        Completes,
        Warns("duplicate key"),
    ),
    row(
        "an unknown profile",
        "cfssl gencert -ca ca.pem -ca-key ca-key.pem -profile nosuch leaf.json",
        Completes,
        Fails("unknown profile"),
    ),
    row(
        "a leaf as CA",
        "cfssl gencert -ca leaf.pem -ca-key leaf-key.pem leaf.json",
        Completes,
        Fails("[ca-bc]"),
    ),
    row(
        "a CA that may not sign",
        "cfssl gencert -ca nosign.pem -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("[ca-keycertsign]"),
    ),
    row(
        "an expired CA",
        "cfssl gencert -ca expired.pem -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("[ca-time]"),
    ),
    row(
        "a leaf that outlives its CA",
        "$sign -profile long leaf.json",
        Completes,
        Warns("shortened to the CA's end"),
    ),
    row(
        "a name that the CA may not certify",
        "cfssl gencert -ca constrained.pem -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("[ca-name-constraints]"),
    ),
    row(
        "a weak CA",
        "cfssl gencert -ca weak.pem -ca-key weak-key.pem leaf.json",
        Completes,
        Fails("RSA key of 1024 bits"),
    ),
    row(
        "a request with a weak key",
        "cfssl sign -ca ca.pem -ca-key ca-key.pem weak.csr",
        Completes,
        Fails("not a key that can be certified"),
    ),
    row(
        "a request signed with SHA-1",
        "cfssl sign -ca ca.pem -ca-key ca-key.pem sha1.csr",
        Completes,
        Fails("too weak to rely on"),
    ),
    row(
        "a readable key",
        "chmod 644 open-key.pem; cfssl gencert -ca ca.pem -ca-key open-key.pem leaf.json",
        Completes,
        Warns("other users can read the key"),
    ),
    row(
        "flags of other commands",
        "$sign -profile peer -expiry 24h -usage x leaf.json",
        OnlyLater,
        Warns("-expiry has no effect"),
    ),
    row(
        "a host with a port",
        "$sign -profile peer -hostname 10.0.0.1:2379 leaf.json",
        Completes,
        Fails("with a port"),
    ),
    row(
        "a network",
        "$sign -profile peer -hostname 10.0.0.0/24 leaf.json",
        Completes,
        Fails("a network"),
    ),
    row(
        "a blank in the list",
        "$sign -profile peer -hostname 'a, 10.1.1.1' leaf.json",
        Completes,
        Fails("a space before"),
    ),
    row(
        "an empty list",
        "$sign -profile peer -hostname , leaf.json",
        Completes,
        Warns("an empty name"),
    ),
    row(
        "a wildcard alone",
        "$sign -profile peer -hostname '*' leaf.json",
        Completes,
        Fails("`*` is allowed only"),
    ),
    row(
        "an address with a zone",
        "$sign -profile peer -hostname fe80::1%eth0 leaf.json",
        Completes,
        Fails("zone"),
    ),
    row(
        "an address in brackets",
        "$sign -profile peer -hostname '[::1]' leaf.json",
        Completes,
        Fails("brackets"),
    ),
    row(
        "almost an address",
        "$sign -profile peer -hostname 256.1.1.1 leaf.json",
        Completes,
        Fails("IPv4 address"),
    ),
    row(
        "a trailing dot",
        "$sign -profile peer -hostname a.example.com. leaf.json",
        Completes,
        Fails("trailing dot"),
    ),
    row(
        "a URL",
        "$sign -profile peer -hostname https://10.0.0.1:2379 leaf.json",
        Completes,
        Fails("a URL"),
    ),
    row(
        "a name twice",
        "$sign -profile peer -hostname a,a leaf.json",
        Completes,
        Warns("the same name twice"),
    ),
    row(
        "hosts of a CA",
        "echo '{\"CN\":\"a\",\"hosts\":[\"10.0.0.1\"]}' | cfssl gencert -initca -",
        Completes,
        Warns("a CA certificate has no hosts"),
    ),
    row(
        "a root on the key of another",
        "cfssl gencert -initca -ca ca.pem -ca-key ca-key.pem leaf.json",
        Completes,
        Fails("its key would get a second name"),
    ),
    row(
        "a CA with a life below zero",
        "echo '{\"CN\":\"a\",\"ca\":{\"expiry\":\"-1h\"}}' | cfssl gencert -initca -",
        OnlyLater,
        Fails("must be positive"),
    ),
    row(
        "a junk number",
        "echo junk >numbers; cfssl gencrl numbers ca.pem ca-key.pem",
        Completes,
        Fails("in decimal"),
    ),
    row(
        "a hexadecimal number",
        "echo 0x10 >numbers; cfssl gencrl numbers ca.pem ca-key.pem",
        Completes,
        Fails("in decimal"),
    ),
    row(
        "a number with colons",
        "echo 5A:DD >numbers; cfssl gencrl numbers ca.pem ca-key.pem",
        Completes,
        Fails("in decimal"),
    ),
    row(
        "a CRL with another key",
        "echo 7 >numbers; cfssl gencrl numbers ca.pem weak-key.pem",
        Completes,
        Fails(""),
    ),
    row(
        "a CRL of a leaf",
        "echo 7 >numbers; cfssl gencrl numbers leaf.pem leaf-key.pem",
        Completes,
        Fails("[ca-bc]"),
    ),
    row(
        "a request with the key of another certificate",
        "cfssl gencsr -key ca-key.pem -cert leaf.pem",
        OnlyLater,
        Fails("is not the key of"),
    ),
    row(
        "a full disk behind the pipe",
        "$sign -profile peer leaf.json >/dev/full",
        Completes,
        Fails("No space left"),
    ),
    row(
        "an internationalized name",
        "$sign -profile peer -hostname münchen.de leaf.json",
        Panics,
        Warns(""),
    ),
    row(
        "a configuration that is null",
        "echo null >null.json; cfssl gencert -ca ca.pem -ca-key ca-key.pem -config null.json leaf.json",
        Panics,
        Fails("expected an object"),
    ),
    row(
        "cfssljson with an empty object",
        "echo '{}' | cfssljson -bare x",
        Completes,
        Fails("no certificate, key or request"),
    ),
    row(
        "cfssljson with an API answer",
        "echo '{\"success\":false,\"errors\":[{\"message\":\"no\"}]}' | cfssljson -bare x",
        Completes,
        Fails("Request failed"),
    ),
    row(
        "cfssljson with no PEM",
        "echo '{\"cert\":\"not a pem\"}' | cfssljson -bare x",
        Completes,
        Fails("no PEM"),
    ),
    row(
        "cfssljson with a number",
        "echo '{\"cert\":1}' | cfssljson -bare x",
        Panics,
        Fails("invalid type"),
    ),
];

const CONFIG: &str = r#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {
    "peer": {"expiry": "8760h", "usages": ["signing", "key encipherment", "server auth", "client auth"]},
    "negative": {"expiry": "-1h", "usages": ["signing", "server auth"]},
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
    for Row { name, script, theirs, ours } in ROWS {
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
    let rows = ROWS.iter().filter(|row| matches!(row.ours, Warns(_)));
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
