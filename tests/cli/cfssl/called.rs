//! How the programs are called: by their names, as copies, and from scripts of every kind.

use super::sides::{Side, Sides};
use crate::lab::Run;

const SETUP: &str = r#"
    echo '{"CN": "CA", "key": {"algo": "ecdsa", "size": 256}}' >ca.json
    for n in 1 2 3 4; do
        echo "{\"CN\": \"m$n\", \"hosts\": [\"m$n\", \"10.0.0.$n\"], \"key\": {\"algo\": \"ecdsa\", \"size\": 256}}" >m$n.json
    done
    issue='cfssl gencert -ca ca.pem -ca-key ca-key.pem'
    cfssl gencert -initca ca.json 2>/dev/null | cfssljson -bare ca 2>/dev/null"#;

fn on(sides: &Sides, side: Side, script: &str) -> Run {
    sides.run(side, &format!("{SETUP}\n{script}"))
}

#[test]
fn the_installed_names_and_copies_are_the_programs() {
    let sides = Sides::new();
    let script = format!(
        "'{}' cfssl install links >/dev/null; ls links
        export PATH=$PWD/links:$PATH
        cfssl genkey m1.json | cfssl-json -bare m1; cfssl genkey m2.json | cfssljson -bare m2
        cfssl certinfo -cert ca.pem >one; cfssl-certinfo -cert ca.pem >two; cmp one two
        rm links/cfssl; cp links/cfssljson copy; mv copy links/cfssl; cfssl genkey m3.json | cfssljson -bare m3
        env -i $PWD/links/cfssl version >/dev/null; ls m?-key.pem m?.csr",
        env!("CARGO_BIN_EXE_etcdpki")
    );
    let run = on(&sides, Side::Ours, &script);
    let names = "cfssl\ncfssl-certinfo\ncfssl-json\ncfssljson\n";
    let files = "m1-key.pem\nm1.csr\nm2-key.pem\nm2.csr\nm3-key.pem\nm3.csr\n";
    assert_eq!((run.code, run.stdout), (0, format!("{names}{files}")), "{}", run.stderr);
}

#[test]
fn another_program_is_not_replaced_by_a_link() {
    let sides = Sides::new();
    let install = format!("'{}' cfssl install links", env!("CARGO_BIN_EXE_etcdpki"));
    let script = format!("mkdir links; echo other >links/cfssl; {install}");
    let run = sides.run(Side::Ours, &script);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(sides.read(Side::Ours, "links/cfssl"), b"other\n");
    let run = sides.run(Side::Ours, &format!("rm links/cfssl; {install}; {install}"));
    assert_eq!(run.code, 0, "{run:?}");
}

/// The same files, modes and answers as with the real cfssl.
#[test]
fn scripts_of_every_kind_work() {
    let sides = Sides::new();
    for script in [
        "printf '%%.pem: %%.json\\n\\tcfssl gencert -ca ca.pem -ca-key ca-key.pem $< | cfssljson -bare $*\\n' >Makefile
            make -s -j4 m1.pem m2.pem m3.pem m4.pem",
        "seq 4 | xargs -P4 -I{} sh -c 'cfssl gencert -ca ca.pem -ca-key ca-key.pem m{}.json | cfssljson -bare m{}'",
        "dash -euc \"$issue m1.json | cfssljson -bare m1 -\"",
        "bash -xeuo pipefail -c \"$issue m2.json | cfssljson -bare=true m2\"",
        "(umask 077; $issue m3.json | cfssljson -bare m3); (umask 000; cfssl genkey m4.json | cfssljson -bare m4)",
        "ln -s ca.pem ca; ln -s $PWD/ca-key.pem key; cfssl gencert -ca ca -ca-key key m1.json | cfssljson -bare m1",
        "out=$($issue m1.json); echo \"$out\" | cfssljson -bare m1; $issue m2.json >out.json && cfssljson -f out.json -bare m2; rm out.json",
        "$issue m1.json 2>&1 | tee log | tail -n 1 | cfssljson -bare m1; grep -c serial log; rm log",
        "$issue m1.json | jq -r '.cert, .csr, .key' | grep -c -e -----; $issue m1.json | jq -r 'keys[]'",
        "mkdir -p out/a; $issue m1.json | (cd out; cfssljson -bare a/m1); cd out/a; cfssl gencert -ca ../../ca.pem -ca-key ../../ca-key.pem ../../m2.json | cfssljson -bare ../m2; cd ..; find . -type f | sort",
        "$issue /dev/stdin <m1.json | cfssljson -bare m1; $issue <(cat m2.json) | cfssljson -bare m2",
        "$issue -loglevel 2 m1.json 2>log | cfssljson -bare m1; grep -c INFO log || true; rm log",
        "cfssl genkey m1.json | cfssljson -bare m1; base64 -w0 <m1.csr | base64 --decode | cfssl sign -ca ca.pem -ca-key ca-key.pem - | cfssljson -bare signed",
        "cfssl print-defaults csr; cfssl print-defaults config; cfssl print-defaults list | sort",
        "echo '{\"signing\": {\"default\": {\"expiry\": \"9h\", \"usages\": [\"signing\"]}, \"profiles\": {\"p\": {\"expiry\": \"1h\", \"usages\": [\"client auth\"]}}}}' >c.json
            info='cfssl info -ca ca.pem -ca-key ca-key.pem -config c.json'
            $info -profile p | jq -c '[.usages, .expiry, keys]'; $info | jq -c '[.usages, .expiry]'
            test \"$($info | jq -r .certificate)\" = \"$(cat ca.pem)\"",
        "for run in 1 2; do $issue m1.json | cfssljson -bare m1; done; openssl verify -CAfile ca.pem m1.pem",
    ] {
        let script = format!("mkdir case; cd case; {SETUP}; set -e; {script}");
        let [ours, theirs] = [Side::Ours, Side::Theirs].map(|side| {
            let run = sides.run(side, &script);
            let files = sides.run(side, "cd case; find . -printf '%P %M\\n' | sort; rm -r ../case");
            assert_eq!(files.code, 0, "{files:?}");
            (run, files.stdout)
        });
        assert_eq!((ours.0.code, theirs.0.code), (0, 0), "{script}: {ours:?} {theirs:?}");
        assert_eq!((ours.0.stdout, ours.1), (theirs.0.stdout, theirs.1), "{script}");
    }
}

/// 1.2 does not read these prefixes.
#[test]
fn a_ca_comes_from_the_environment_or_from_a_named_file() {
    let sides = Sides::new();
    let script = "CA=$(cat ca.pem) KEY=$(cat ca-key.pem) cfssl gencert -ca env:CA -ca-key=env:KEY m1.json | cfssljson -bare m1
        cfssl gencert --ca=file:ca.pem --ca-key file:ca-key.pem m2.json | cfssljson -bare m2
        openssl verify -CAfile ca.pem m1.pem m2.pem; ! cfssl gencert -ca http:ca.pem -ca-key ca-key.pem m1.json";
    let run = on(&sides, Side::Ours, script);
    assert_eq!((run.code, run.stdout.as_str()), (0, "m1.pem: OK\nm2.pem: OK\n"), "{run:?}");
    assert!(run.stderr.contains("unknown prefix \"http\""), "{run:?}");
}

/// A difference is a line at every level, and an error if the environment says so.
#[test]
fn warnings_are_printed_at_every_level() {
    let sides = Sides::new();
    let script = "echo '{\"CN\": \"a\", \"hosts\": [\"\"]}' | $issue -loglevel 5 -";
    let run = on(&sides, Side::Ours, script);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("[WARNING]") && !run.stderr.contains("[INFO]"), "{run:?}");
}

/// Another user may not read the key of the CA: one message and no key, as with cfssl.
#[test]
fn a_key_that_only_root_can_read_is_refused_to_others() {
    let sides = Sides::new();
    let script = "chmod 755 . .. ../bin 2>/dev/null; chmod 600 ca-key.pem
        setpriv --reuid=65534 --regid=65534 --clear-groups cfssl gencert -ca ca.pem -ca-key ca-key.pem m1.json";
    for side in [Side::Ours, Side::Theirs] {
        let run = on(&sides, side, script);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{side:?}: {run:?}");
        assert!(run.stderr.to_lowercase().contains("permission denied"), "{side:?}: {run:?}");
    }
}
