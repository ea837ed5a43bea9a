//! A CA continues under the other tool: cfssl's CA natively, and ours with the real cfssl and with the front end.

use super::sides::{Side, Sides};

const LEAF: &str = r#"{"CN": "etcdtwo", "hosts": ["etcdtwo", "127.0.0.1"]}"#;

fn etcdpki(sides: &Sides, arguments: &str) {
    let script = format!("'{}' {arguments}", env!("CARGO_BIN_EXE_etcdpki"));
    let run = sides.run(Side::Ours, &script);
    assert_eq!(run.code, 0, "{arguments}: {run:?}");
}

fn ok(sides: &Sides, side: Side, script: &str) -> String {
    let run = sides.run(side, script);
    assert_eq!(run.code, 0, "{side:?}: {run:?}");
    run.stdout
}

#[test]
fn a_ca_of_cfssl_continues_natively() {
    for key in [r#"{"algo": "rsa", "size": 2048}"#, r#"{"algo": "ecdsa", "size": 256}"#] {
        for side in [Side::Theirs, Side::Ours] {
            let sides = Sides::new();
            sides.write(
                "ca.json",
                &format!(r#"{{"CN": "CA", "key": {key}, "names": [{{"C": "US"}}]}}"#),
            );
            ok(
                &sides,
                side,
                "mkdir -p pki; cfssl gencert -initca ca.json | cfssljson -bare pki/ca",
            );
            if side == Side::Theirs {
                ok(
                    &sides,
                    Side::Ours,
                    "mkdir -p pki; cp ../theirs/pki/* pki/; chmod 600 pki/ca-key.pem",
                );
            }
            etcdpki(&sides, "--dir pki issue --profile server etcdone --san 127.0.0.1");
            ok(&sides, Side::Ours, "openssl verify -x509_strict -CAfile pki/ca.pem etcdone.pem");
        }
    }
}

#[test]
fn a_native_ca_continues_with_cfssl() {
    for key in ["ecdsa-p256", "rsa-2048"] {
        let sides = Sides::new();
        sides.write("leaf.json", LEAF);
        etcdpki(&sides, &format!("--dir pki init-ca --key {key}"));
        ok(&sides, Side::Theirs, "cp -r ../ours/pki .");
        for side in [Side::Theirs, Side::Ours] {
            let script = "cfssl gencert -ca pki/ca.pem -ca-key pki/ca-key.pem leaf.json | cfssljson -bare leaf
                openssl verify -CAfile pki/ca.pem leaf.pem";
            ok(&sides, side, script);
        }
        // The CA and the leaf of the front end.
        let count =
            ok(&sides, Side::Ours, "sqlite3 pki/inventory.db 'SELECT count(*) FROM certificates'");
        assert_eq!(count, "2\n");
    }
}

/// A CA that has no inventory does not get one.
#[test]
fn a_ca_without_an_inventory_stays_without_one() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("leaf.json", LEAF);
    ok(&sides, Side::Ours, "cfssl gencert -initca ca.json | cfssljson -bare ca");
    ok(
        &sides,
        Side::Ours,
        "cfssl gencert -ca ca.pem -ca-key ca-key.pem leaf.json | cfssljson -bare leaf",
    );
    assert!(!sides.has(Side::Ours, "inventory.db"));
}

/// cfssl loses the extensions of a renewed CA and the bytes of its name, so that leaves no longer chain to it.
#[test]
fn a_renewed_ca_still_has_its_leaves() {
    let setup = r"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca-key.pem \
            -subj '/CN=CA/O=Lab/emailAddress=ca@example.com' -days 30 -out ca.pem \
            -addext keyUsage=critical,keyCertSign,cRLSign
        cfssl gencert -ca ca.pem -ca-key ca-key.pem leaf.json | cfssljson -bare leaf
        cfssl gencert -renewca -ca ca.pem -ca-key ca-key.pem | cfssljson -bare new";
    let sides = Sides::new();
    sides.write("leaf.json", LEAF);
    ok(&sides, Side::Theirs, &format!("{setup}; ! openssl verify -CAfile new.pem leaf.pem"));
    ok(&sides, Side::Ours, &format!("{setup}; openssl verify -CAfile new.pem leaf.pem"));
}

/// Labs do this to give a root the lifetime of a profile, because `-initca` takes no profile.
#[test]
fn a_root_signs_its_own_request_again() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA", "names": [{"O": "Lab"}]}"#);
    sides.write("leaf.json", LEAF);
    sides.write(
        "config.json",
        r#"{"signing": {"profiles": {"ca": {"expiry": "262800h", "usages": ["cert sign", "crl sign"],
            "ca_constraint": {"is_ca": true}}}}}"#,
    );
    let script = "cfssl gencert -initca ca.json | cfssljson -bare ca
        cfssl gencert -ca ca.pem -ca-key ca-key.pem leaf.json | cfssljson -bare leaf
        cfssl sign -ca ca.pem -ca-key ca-key.pem -config config.json -profile ca ca.csr ca.json | cfssljson -bare ca
        openssl verify -x509_strict -CAfile ca.pem leaf.pem; openssl x509 -noout -checkend 900000000 -in ca.pem
        openssl x509 -noout -ext keyUsage,basicConstraints,authorityKeyIdentifier -in ca.pem; ls ca*";
    assert_eq!(ok(&sides, Side::Ours, script), ok(&sides, Side::Theirs, script));
}

/// `cfssljson` over the files of a CA: cfssl overwrites the only copy of its key.
#[test]
fn the_key_of_a_ca_that_is_made_again_is_kept() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    let make = "cfssl gencert -initca ca.json | cfssljson -bare ca";
    ok(&sides, Side::Ours, make);
    let before = sides.read(Side::Ours, "ca-key.pem");
    let again = sides.run(Side::Ours, make);
    assert!(again.stderr.contains("[WARNING] ca-key.pem is the key of a CA"), "{again:?}");
    let kept = sides.files(Side::Ours, "ca-key-");
    let (name, mode) = kept.first_key_value().unwrap();
    assert_eq!((sides.read(Side::Ours, name), *mode), (before.clone(), 0o600));
    assert_ne!(sides.read(Side::Ours, "ca-key.pem"), before);
}

/// The key of a leaf is secret even where a file with another mode was.
#[test]
fn a_key_is_secret_whatever_was_in_its_place() {
    let sides = Sides::new();
    sides.write("leaf.json", LEAF);
    let script = "touch x-key.pem; chmod 666 x-key.pem; cfssl genkey leaf.json | cfssljson -bare x; stat -c %a x-key.pem";
    assert_eq!(ok(&sides, Side::Theirs, script), "666\n");
    assert_eq!(ok(&sides, Side::Ours, script), "600\n");
}

/// A member that runs as another user can still read its key after the script ran again.
#[test]
fn a_file_that_is_replaced_keeps_its_owner() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test gives files to another user, which only root can"
    );
    let sides = Sides::new();
    sides.write("leaf.json", LEAF);
    let script = "cfssl genkey leaf.json | cfssljson -bare x; chown 61234:61235 x.csr x-key.pem
        cfssl genkey leaf.json | cfssljson -bare x; stat -c '%u:%g %a' x.csr x-key.pem";
    let expected = "61234:61235 644\n61234:61235 600\n";
    assert_eq!(ok(&sides, Side::Theirs, script), expected);
    assert_eq!(ok(&sides, Side::Ours, script), expected);
    // There anybody could have put the file, to get the key.
    let run = sides.run(
        Side::Ours,
        "mkdir open; chmod 777 open; touch open/x-key.pem; chown 61234 open/x-key.pem
        cfssl genkey leaf.json | cfssljson -bare open/x; stat -c %u open/x-key.pem",
    );
    assert_eq!((run.code, run.stdout.as_str()), (0, "0\n"), "{run:?}");
    assert!(run.stderr.contains("[WARNING] open/x-key.pem belonged to user 61234"), "{run:?}");
}

/// Other files keep the modes that somebody gave them, as in cfssl.
#[test]
fn a_certificate_keeps_the_mode_of_the_one_that_it_replaces() {
    let sides = Sides::new();
    sides.write("leaf.json", LEAF);
    let script = "cfssl genkey leaf.json | cfssljson -bare x; chmod 640 x.csr
        cfssl genkey leaf.json | cfssljson -bare x; stat -c %a x.csr x-key.pem";
    assert_eq!(ok(&sides, Side::Theirs, script), "640\n600\n");
    assert_eq!(ok(&sides, Side::Ours, script), "640\n600\n");
}

/// Only the folder must be writable to replace a file, but somebody has protected this one.
#[test]
fn a_file_that_is_read_only_is_not_replaced() {
    let sides = Sides::new();
    sides.write("leaf.json", LEAF);
    let script = "cfssl genkey leaf.json | cfssljson -bare x; chmod 400 x-key.pem; cp -p x-key.pem old
        cfssl genkey leaf.json > new.json
        drop=; test $(id -u) != 0 || drop='setpriv --bounding-set -dac_override --'
        if $drop cfssljson -bare x < new.json; then exit 9; fi; cmp old x-key.pem; stat -c %a x-key.pem";
    assert_eq!(ok(&sides, Side::Theirs, script), "400\n");
    let run = sides.run(Side::Ours, script);
    assert_eq!((run.code, run.stdout.as_str()), (0, "400\n"), "{run:?}");
    assert!(run.stderr.contains("x-key.pem: the file is there and read-only"), "{run:?}");
}

#[test]
fn a_failed_left_side_is_reported_as_such() {
    let sides = Sides::new();
    let run = sides.run(Side::Ours, "cfssl gencert -initca nosuch.json | cfssljson -bare ca");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("nosuch.json: No such file"), "{run:?}");
    assert!(run.stderr.contains("cfssl printed nothing (fix: see its message above)"), "{run:?}");
}
