//! What both programs refuse: ours names the file, says what is wrong with it, and prints nothing.

use super::sides::{Side, Sides};

const SETUP: &str = r#"
    cfssl gencert -initca ca.json 2>/dev/null | cfssljson -bare ca
    cfssl genkey leaf.json 2>/dev/null | cfssljson -bare leaf
    openssl req -in leaf.csr -outform DER -out der.csr
    head -3 leaf.csr >short.csr
    sed 's/etcdone/etcdtwo/' der.csr | openssl req -inform DER -out altered.csr
    openssl req -new -newkey rsa:2048 -sigopt rsa_padding_mode:pss -nodes -keyout made.key -subj /CN=x -out pss.csr
    openssl req -new -newkey ed448 -nodes -keyout made.key -subj /CN=x -out ed448.csr
    openssl dsaparam -genkey -out dsa.key 1024
    openssl req -new -key dsa.key -subj /CN=x -out dsa.csr
    : >empty
    printf '{"CN": "a",}' >comma.json
    printf '{"CN": ' >half.json
    for expiry in 365d 1y 1; do
        printf '{"signing": {"profiles": {"p": {"usages": ["signing"], "expiry": "%s"}}}}' $expiry >$expiry.json
    done"#;

/// A script, and what our message says.
const REFUSED: &[(&str, &str)] = &[
    ("$sign empty", "empty: not JSON: EOF"),
    ("$sign - <empty", "standard input: not JSON: EOF"),
    ("$sign half.json", "half.json: not JSON: EOF"),
    ("$sign comma.json", "comma.json: not JSON: trailing comma"),
    ("$sign nosuch.json", "nosuch.json: No such file"),
    ("$sign .", "Is a directory"),
    ("$sign", "not enough arguments are supplied"),
    (
        "$sign -config 365d.json -profile p leaf.json",
        "365d.json: signing.profiles.p.expiry \"365d\"",
    ),
    ("$sign -config 1y.json -profile p leaf.json", "1y.json: signing.profiles.p.expiry \"1y\""),
    ("$sign -config 1.json -profile p leaf.json", "1.json: signing.profiles.p.expiry \"1\""),
    (
        "cfssl gencert -ca ca.pem -ca-key leaf-key.pem leaf.json",
        "leaf-key.pem is not the key of ca.pem",
    ),
    (
        "cfssl gencert -ca ca-key.pem -ca-key ca.pem leaf.json",
        "ca-key.pem: not a certificate: no CERTIFICATE block",
    ),
    (
        "cfssl gencert -ca empty -ca-key ca-key.pem leaf.json",
        "empty: not a certificate: it is empty",
    ),
    (
        "cfssl gencert -ca ca.pem -ca-key empty leaf.json",
        "empty: not a private key in PEM: it is empty",
    ),
    ("cfssl gencert -ca . -ca-key ca-key.pem leaf.json", "Is a directory"),
    ("cfssl gencert -ca nosuch.pem -ca-key ca-key.pem leaf.json", "nosuch.pem: No such file"),
    ("cfssl gencert -ca ca.pem -ca-key nosuch.pem leaf.json", "nosuch.pem: No such file"),
    (
        "cfssl gencert -renewca -ca ca.pem -ca-key leaf-key.pem",
        "leaf-key.pem is not the key of ca.pem",
    ),
    (
        "$csr short.csr",
        "short.csr: not PEM: line 1, BEGIN CERTIFICATE REQUEST: its END line is missing",
    ),
    ("$csr der.csr", "der.csr: not a request in PEM"),
    ("$csr ca.pem", "ca.pem: not a certification request"),
    ("$csr leaf.json", "leaf.json: not a request in PEM"),
    ("$csr altered.csr", "altered.csr: not a certification request that can be signed"),
    ("$csr dsa.csr", "dsa.csr: refused: public key"),
    ("$csr ed448.csr", "ed448.csr: refused: public key"),
    ("$csr pss.csr", "pss.csr: not a certification request that can be signed"),
    ("cfssl gencrl nosuch ca.pem ca-key.pem", "nosuch: No such file"),
    ("cfssl revoke -serial 1", "use etcdpki revoke"),
];

#[test]
fn what_both_refuse_is_explained() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone", "127.0.0.1"]}"#);
    for side in [Side::Ours, Side::Theirs] {
        let run = sides.run(side, SETUP);
        assert_eq!(run.code, 0, "{side:?}: {run:?}");
    }
    let mut wrong = Vec::new();
    for (script, message) in REFUSED {
        let script = format!(
            "sign='cfssl gencert -ca ca.pem -ca-key ca-key.pem'
            csr='cfssl sign -ca ca.pem -ca-key ca-key.pem'; {script}"
        );
        let real = sides.run(Side::Theirs, &script);
        let run = sides.run(Side::Ours, &script);
        let is_explained = run.stderr.contains(message) && run.stdout.is_empty();
        // A key that was generated before the mistake was found is lost.
        let is_early = !run.stderr.contains("generating key");
        if (real.code, run.code) != (1, 1) || !is_explained || !is_early {
            wrong.push(format!("{script}: {message:?}\n{run:?}\n{real:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_that_are_not_part_of_it_say_what_to_use_instead() {
    let sides = Sides::new();
    for (command, instead) in [
        ("bundle", "issue --chain"),
        ("serve", "etcdpki apply"),
        ("crl", "cfssl gencrl"),
        ("revoke", "etcdpki revoke"),
        ("scan", "etcdpki verify --connect"),
        ("ocspsign", "use a CRL"),
        ("ocspserve", "use a CRL"),
        ("ocspdump", "use a CRL"),
        ("ocsprefresh", "use a CRL"),
        ("gencert -remote host", "-ca and -ca-key"),
        ("gencert -db-config db.json", "inventory"),
        ("certinfo -domain host", "etcdpki verify --connect"),
    ] {
        let run = sides.run(Side::Ours, &format!("cfssl {command}"));
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{command}: {run:?}");
        assert!(run.stderr.contains(instead), "{command}: {run:?}");
    }
}

/// The files of CAs that cfssl refuses although they can be read.
#[test]
fn other_forms_of_a_ca_are_read_with_a_warning() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone", "127.0.0.1"]}"#);
    let setup = "cfssl gencert -initca ca.json | cfssljson -bare ca
        openssl x509 -in ca.pem -outform DER -out ca.der
        (cat ca.pem; echo text) >behind.pem; (echo text; cat ca.pem) >before.pem
        openssl pkcs8 -topk8 -nocrypt -in ca-key.pem -out pkcs8.pem; chmod 600 pkcs8.pem";
    for side in [Side::Ours, Side::Theirs] {
        assert_eq!(sides.run(side, setup).code, 0);
    }
    for (ca, key, real, warning) in [
        ("ca.der", "ca-key.pem", 1, Some("ca.der is in DER, which cfssl refuses")),
        ("behind.pem", "ca-key.pem", 1, Some("behind.pem has text after its certificate")),
        ("before.pem", "ca-key.pem", 0, None),
        ("ca.pem", "pkcs8.pem", 0, None),
    ] {
        let script = format!("cfssl gencert -ca {ca} -ca-key {key} leaf.json");
        assert_eq!(sides.run(Side::Theirs, &script).code, real, "{script}");
        let run = sides.run(Side::Ours, &script);
        assert_eq!(run.code, 0, "{script}: {run:?}");
        assert_eq!(run.stderr.contains("which cfssl refuses"), warning.is_some(), "{run:?}");
        assert!(run.stderr.contains(warning.unwrap_or_default()), "{run:?}");
    }
}

/// cfssljson writes the certificate first, so a key that it cannot write leaves a pair that does not match.
#[test]
fn a_pair_is_written_whole_or_not_at_all() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone", "127.0.0.1"]}"#);
    let issue = "cfssl gencert -ca ca.pem -ca-key ca-key.pem leaf.json | cfssljson -bare x";
    let setup = format!("cfssl gencert -initca ca.json | cfssljson -bare ca; {issue}");
    for side in [Side::Ours, Side::Theirs] {
        assert_eq!(sides.run(side, &setup).code, 0);
        let before = [sides.read(side, "x.pem"), sides.read(side, "x.csr")];
        let run = sides.run(side, &format!("rm x-key.pem; mkdir x-key.pem; {issue}"));
        assert_eq!(run.code, 1, "{side:?}: {run:?}");
        let is_kept = before == [sides.read(side, "x.pem"), sides.read(side, "x.csr")];
        assert_eq!(is_kept, side == Side::Ours, "{side:?}");
        assert_eq!(sides.run(side, "ls -A | grep etcdpki").code, 1, "a file that was not removed");
    }
}

#[test]
fn every_mistake_of_a_file_has_its_own_line() {
    let sides = Sides::new();
    sides.write("leaf.json", r#"{"CN": 5, "hosts": ["a b", "10.0.0.1:2379"]}"#);
    let run = sides.run(Side::Ours, "cfssl genkey leaf.json");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    for line in [
        "[ERROR] leaf.json: 3 mistakes in the file",
        "[ERROR] CN \"5\": expected a string, found a number (fix: ",
        "[ERROR] hosts[0] \"a b\": ",
        "[ERROR] hosts[1] \"10.0.0.1:2379\": ",
    ] {
        assert!(run.stderr.contains(line), "{line}: {run:?}");
    }
}

/// The key is nowhere else, so this is an error with a message.
#[test]
fn a_key_for_a_closed_pipe_is_lost_with_a_message() {
    let sides = Sides::new();
    sides.write("leaf.json", r#"{"CN": "etcdone"}"#);
    let script = "mkfifo pipe; (exec 3<pipe) & exec 4>pipe; wait; cfssl genkey leaf.json >&4";
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("[ERROR] writing to standard output: Broken pipe"), "{run:?}");
    // SIGPIPE
    assert_eq!(sides.run(Side::Theirs, script).code, 128 + 13);
}
