//! A CA key that is encrypted with a passphrase.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use super::*;
use crate::lab::Run;

const KEY: &str = "pki/ca-key.pem";
const PASSPHRASE: &str = "vT9-quite-a-long-passphrase";
const OTHER: &str = "Zk4-another-passphrase";
const FROM_FILE: [&str; 2] = ["--ca-passphrase", "file:passphrase"];

/// A lab whose CA key is encrypted with [`PASSPHRASE`], which is in the file `passphrase`.
fn encrypted() -> Lab {
    let lab = lab();
    write_secret(&lab, "passphrase", PASSPHRASE);
    write_secret(&lab, "other", OTHER);
    lab.ok(&[&["init-ca"][..], &FROM_FILE].concat());
    lab
}

/// The public key, from OpenSSL.
fn public_key(lab: &Lab, passphrase: &str) -> Vec<u8> {
    openssl(lab, &["pkey", "-in", KEY, "-passin", &format!("pass:{passphrase}"), "-pubout"])
}

fn is_encrypted(lab: &Lab) -> bool {
    lab.read(KEY).starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
}

fn issue<'a>(name: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["issue", "--profile", "client", name][..], options].concat()
}

/// Runs `etcdpki` in a terminal. Each time that it asks, the next of these answers is typed.
fn on_a_terminal(lab: &Lab, args: &str, answers: &[&str]) -> Run {
    let etcdpki = env!("CARGO_BIN_EXE_etcdpki");
    let mut script = peers::program("script");
    script.args(["--quiet", "--return", "--echo", "never", "--command"]);
    script.arg(format!("'{etcdpki}' {args}")).arg("/dev/null");
    script.current_dir(lab.folder()).env_remove("ETCDPKI_DIR").env("TERM", "xterm");
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let mut answers = answers.iter();
    let (mut shown, mut byte) = (Vec::new(), [0]);
    while screen.read(&mut byte).unwrap() > 0 {
        shown.push(byte[0]);
        if shown.ends_with(b": ") && is_question(&shown) {
            let answer = answers.next().expect("an answer to each question");
            keyboard.write_all(answer.as_bytes()).unwrap();
        }
    }
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Run { code, stdout: String::from_utf8(shown).unwrap(), stderr: String::new() }
}

fn is_question(shown: &[u8]) -> bool {
    let line = shown.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"Enter ") || line.starts_with(b"Repeat ")
}

/// Neither passphrase is in what a run printed.
fn says_no_passphrase(run: &Run) {
    for passphrase in [PASSPHRASE, OTHER] {
        assert!(!run.stdout.contains(passphrase), "{run:?}");
        assert!(!run.stderr.contains(passphrase), "{run:?}");
    }
}

#[test]
fn an_encrypted_key_issues_the_lab() {
    let lab = encrypted();
    assert!(is_encrypted(&lab));
    assert_eq!(mode(&lab, KEY), 0o600);
    issues_the_lab(&lab, &FROM_FILE);
    public_key(&lab, PASSPHRASE);
}

#[test]
fn apply_encrypts_the_key_of_a_ca_that_it_creates() {
    let lab = lab();
    write_secret(&lab, "passphrase", PASSPHRASE);
    issues_the_lab(&lab, &FROM_FILE);
    assert!(is_encrypted(&lab));
}

#[test]
fn the_passphrase_comes_from_a_file_a_pipe_a_descriptor_or_a_variable() {
    let lab = encrypted();
    lab.ok(&issue("file", &FROM_FILE));
    let mut variable = lab.command(&issue("variable", &["--ca-passphrase", "env:CA_PASS"]));
    let run = Run::from(variable.env("CA_PASS", PASSPHRASE).output().unwrap());
    assert_eq!(run.code, 0, "{run:?}");
    let etcdpki = env!("CARGO_BIN_EXE_etcdpki");
    for (name, source) in [
        ("descriptor", "fd:3 3<passphrase"),
        ("input", "fd:0 <passphrase"),
        ("pipe", "file:<(cat passphrase)"),
    ] {
        // The shell replaces <(…) only where a word begins.
        let source = source.replace("file:<(cat passphrase)", "file:$P");
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(format!(
            "exec 4< <(cat passphrase); P=/dev/fd/4; '{etcdpki}' issue --profile client {name} --ca-passphrase {source}"
        ));
        let output = shell.current_dir(lab.folder()).env_remove("ETCDPKI_DIR").output().unwrap();
        let run = Run::from(output);
        assert_eq!(run.code, 0, "{name}: {run:?}");
    }
    for name in ["file", "variable", "descriptor", "input", "pipe"] {
        openssl(&lab, &["verify", "-CAfile", "pki/ca.pem", &format!("{name}.pem")]);
    }
}

#[test]
fn the_terminal_asks_and_does_not_show_the_answer() {
    let lab = encrypted();
    let answer = format!("{PASSPHRASE}\n");
    let run = on_a_terminal(&lab, "issue --profile client api", &[&answer]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("Enter the passphrase of pki/ca-key.pem: "), "{run:?}");
    says_no_passphrase(&run);
    // A typing error is corrected.
    let typed = format!("wrong\u{15}{PASSPHRASE}x\u{7f}\n");
    let run = on_a_terminal(&lab, "issue --profile client other", &[&typed]);
    assert_eq!(run.code, 0, "{run:?}");

    let run = on_a_terminal(&lab, "issue --profile client never", &["half\u{3}"]);
    assert_eq!(run.code, 130, "{run:?}");
    assert!(!lab.path("never.pem").exists());
}

#[test]
fn a_new_passphrase_is_asked_for_twice() {
    let lab = lab();
    let [one, other] = [PASSPHRASE, OTHER].map(|passphrase| format!("{passphrase}\n"));
    let run = on_a_terminal(&lab, "init-ca --ca-passphrase prompt", &[&one, &other]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.contains("the two passphrases are different"), "{run:?}");
    says_no_passphrase(&run);
    assert!(!lab.path("pki").exists());
    let run = on_a_terminal(&lab, "init-ca --ca-passphrase prompt", &[&one, &one]);
    assert_eq!(run.code, 0, "{run:?}");
    public_key(&lab, PASSPHRASE);
}

#[test]
fn keys_that_openssl_encrypted_sign() {
    let lab = lab();
    write_secret(&lab, "passphrase", PASSPHRASE);
    lab.ok(&["init-ca"]);
    let plain = lab.read(KEY);
    lab.write("plain.pem", &plain);
    let pass = format!("pass:{PASSPHRASE}");
    for (name, scheme) in [
        ("aes256", &["-v2", "aes-256-cbc"][..]),
        ("aes128", &["-v2", "aes-128-cbc"]),
        ("aes192-sha512", &["-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512"]),
        ("des3", &["-v2", "des3", "-v2prf", "hmacWithSHA1"]),
        ("scrypt", &["-scrypt"]),
    ] {
        let encrypt = ["pkcs8", "-topk8", "-in", "plain.pem", "-out", KEY, "-passout", &pass];
        openssl(&lab, &[&encrypt[..], scheme].concat());
        assert!(is_encrypted(&lab), "{name}");
        lab.ok(&issue(name, &FROM_FILE));
    }
    // `openssl genrsa -aes256` of OpenSSL 1 writes this; it hashes the passphrase once, with MD5.
    openssl(&lab, &["ec", "-in", "plain.pem", "-aes256", "-passout", &pass, "-out", KEY]);
    let run = lab.run(&issue("legacy", &FROM_FILE));
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("openssl pkey -aes256"), "{run:?}");
}

#[test]
fn a_wrong_passphrase_ends_with_3_and_changes_nothing() {
    let lab = encrypted();
    let before = lab.read(KEY);
    for args in [
        issue("api", &["--ca-passphrase", "file:other"]),
        vec!["apply", "-f", "cluster.yaml", "--ca-passphrase", "file:other"],
        vec!["passwd", "--ca-passphrase", "file:other", "--new-passphrase", "file:passphrase"],
        vec!["passwd", "--ca-passphrase", "file:other", "--remove"],
    ] {
        for format in ["text", "json"] {
            let run = lab.run(&[&args[..], &["--format", format]].concat());
            assert_eq!(run.code, 3, "{args:?}: {run:?}");
            assert!(run.stderr.contains("pki/ca-key.pem: the passphrase is wrong"), "{run:?}");
            assert!(run.stderr.contains("hint: "), "{run:?}");
            says_no_passphrase(&run);
        }
    }
    assert_eq!(lab.read(KEY), before);
    assert!(!lab.path("api.pem").exists());
}

#[test]
fn without_a_terminal_the_message_says_how_to_give_the_passphrase() {
    let lab = encrypted();
    let run = lab.run(&issue("api", &[]));
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("--ca-passphrase file:PATH, fd:NUMBER or env:NAME"), "{run:?}");
}

/// A passphrase in the place of its source is in no message, and a source that cannot be used is refused.
#[test]
fn sources_that_cannot_be_used_are_refused() {
    let lab = encrypted();
    lab.write("readable", PASSPHRASE);
    write_secret(&lab, "empty", "\nsecond line\n");
    write_secret(&lab, "long", "x".repeat(2000));
    for (source, code) in [
        (PASSPHRASE, 2),
        (&format!("pass:{PASSPHRASE}"), 2),
        (&format!("fd:{PASSPHRASE}"), 2),
        ("env:THERE_IS_NO_SUCH_VARIABLE", 2),
        ("file:empty", 2),
        ("file:long", 2),
        ("file:readable", 3),
        ("file:missing", 3),
        ("fd:99", 3),
    ] {
        let run = lab.run(&issue("api", &["--ca-passphrase", source]));
        assert_eq!(run.code, code, "{source}: {run:?}");
        assert!(run.stderr.contains("hint: "), "{run:?}");
        says_no_passphrase(&run);
    }
}

#[test]
fn passwd_adds_changes_and_removes_the_passphrase_of_the_same_key() {
    let lab = lab();
    write_secret(&lab, "passphrase", PASSPHRASE);
    write_secret(&lab, "other", OTHER);
    lab.ok(&["init-ca"]);
    let before = public_key(&lab, "");
    lab.ok(&["passwd", "--new-passphrase", "file:passphrase"]);
    assert!(is_encrypted(&lab));
    assert_eq!(public_key(&lab, PASSPHRASE), before);
    let change = ["--new-passphrase", "file:other"];
    lab.ok(&[&["passwd"][..], &FROM_FILE, &change].concat());
    assert_eq!(public_key(&lab, OTHER), before);
    assert_eq!(lab.run(&issue("api", &FROM_FILE)).code, 3);
    lab.ok(&issue("api", &["--ca-passphrase", "file:other"]));
    lab.ok(&["passwd", "--ca-passphrase", "file:other", "--remove"]);
    assert!(!is_encrypted(&lab));
    assert_eq!(public_key(&lab, ""), before);
    assert_eq!(mode(&lab, KEY), 0o600);
    let left: Vec<_> = std::fs::read_dir(lab.path("pki")).unwrap().flatten().collect();
    let left = left.iter().map(|entry| entry.file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.starts_with(".etcdpki")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn passwd_asks_for_both_passphrases_on_the_terminal() {
    let lab = encrypted();
    let [old, new] = [PASSPHRASE, OTHER].map(|passphrase| format!("{passphrase}\n"));
    let run = on_a_terminal(&lab, "passwd", &[&old, &new, &new]);
    assert_eq!(run.code, 0, "{run:?}");
    says_no_passphrase(&run);
    public_key(&lab, OTHER);
}
