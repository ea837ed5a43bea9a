//! The key of the CA above an intermediate: encrypted, behind a command, in a token, on a machine without a network.

use super::token::{Token, options, uri};
use super::*;

const INTERMEDIATE: [&str; 5] = ["init-ca", "--intermediate", "--root-dir", "root", "--org"];

fn root(options: &[&str]) -> Lab {
    let lab = lab();
    let init = ["--dir", "root", "init-ca", "--cn", "root", "--path-len", "1"];
    lab.ok(&[&init[..], options].concat());
    lab
}

/// Checks that the intermediate CA works, and that both inventories know it.
fn works(lab: &Lab) {
    lab.ok(&["issue", "--profile", "server", "one", "--chain"]);
    openssl(lab, &["verify", "-CAfile", "root/ca.pem", "-untrusted", "one.pem", "one.pem"]);
    let listed = lab.ok(&["--dir", "root", "list", "--profile", "ca"]);
    assert!(listed.contains("root") && listed.contains("etcd CA"), "{listed}");
    lab.ok(&["--dir", "root", "check"]);
    lab.ok(&["check"]);
    assert_eq!(mode(lab, "pki/ca-key.pem"), 0o600);
    assert!(!lab.path("pki/ca.pending").exists());
}

fn offline_root(options: &[&str]) -> Lab {
    let lab = root(options);
    fs::create_dir(lab.path("offline")).unwrap();
    fs::rename(lab.path("root/ca-key.pem"), lab.path("offline/ca-key.pem")).unwrap();
    lab
}

fn sign(lab: &Lab, tbs: &str) {
    let sign = ["pkeyutl", "-sign", "-rawin", "-digest", "sha256", "-inkey", "offline/ca-key.pem"];
    openssl(lab, &[&sign[..], &["-in", tbs, "-out", &format!("{tbs}.sig")]].concat());
}

const RECEIVE: [&str; 6] =
    ["init-ca", "--intermediate", "--root-dir", "root", "--signature-in", "ca.tbs.sig"];

#[test]
fn an_encrypted_root_signs() {
    let lab = lab();
    write_secret(&lab, "rootpass", "one passphrase");
    write_secret(&lab, "pass", "another passphrase");
    let init = ["--dir", "root", "init-ca", "--cn", "root", "--path-len", "1"];
    lab.ok(&[&init[..], &["--ca-passphrase", "file:rootpass"]].concat());
    let init = [&INTERMEDIATE[..], &["Lab"]].concat();
    let run = lab.run(&[&init[..], &["--root-passphrase", "file:pass"]].concat());
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("root/ca-key.pem: the passphrase is wrong"), "{run:?}");
    assert!(!lab.path("pki").exists());
    let both = ["--root-passphrase", "file:rootpass", "--ca-passphrase", "file:pass"];
    lab.ok(&[&init[..], &both].concat());
    assert!(lab.read("pki/ca-key.pem").starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    lab.ok(&["passwd", "--ca-passphrase", "file:pass", "--remove"]);
    works(&lab);
}

#[test]
fn a_root_behind_a_command_signs() {
    let lab = offline_root(&[]);
    let sign = "openssl dgst -sha256 -sign offline/ca-key.pem";
    lab.ok(&[&INTERMEDIATE[..], &["Lab", "--root-signer-cmd", sign]].concat());
    works(&lab);
    // Both keys behind commands.
    openssl(&lab, &["genpkey", "-algorithm", "ED25519", "-out", "own.key"]);
    openssl(&lab, &["pkey", "-in", "own.key", "-pubout", "-out", "own.pub"]);
    let own = ["--signer-cmd", "false", "--public-key", "own.pub", "--root-signer-cmd", sign];
    lab.ok(&[&["--dir", "third"], &INTERMEDIATE[..], &["Lab", "--cn", "third"], &own].concat());
}

#[test]
fn a_root_in_a_token_signs() {
    let token = Token::new();
    let (root, own) = (uri("root"), uri("own"));
    let init = ["--dir", "root", "init-ca", "--cn", "root", "--path-len", "1"];
    token.ok(&[&init[..], &options(&root)].concat());
    let of_root = ["Lab", "--root-pkcs11", &root, "--root-passphrase", "file:pin"];
    token.ok(&[&INTERMEDIATE[..], &of_root].concat());
    works(&token.lab);
    // The intermediate's key is in the same token.
    let third = [&["--dir", "third"], &INTERMEDIATE[..], &of_root, &["--cn", "third"]].concat();
    token.ok(&[&third[..], &options(&own)].concat());
    let issue = ["--dir", "third", "issue", "--profile", "client", "api", "--chain"];
    token.ok(&[&issue[..], &options(&own)].concat());
    openssl(&token.lab, &["verify", "-CAfile", "root/ca.pem", "-untrusted", "api.pem", "api.pem"]);
}

#[test]
fn a_root_without_a_network_signs_in_two_commands() {
    let lab = offline_root(&[]);
    write_secret(&lab, "pass", "a passphrase");
    let init = [&INTERMEDIATE[..], &["Lab", "--tbs-out", "ca.tbs"]].concat();
    let printed = lab.ok(&[&init[..], &["--ca-passphrase", "file:pass"]].concat());
    assert!(printed.contains("-digest sha256") && printed.contains("ca.pending"), "{printed}");
    assert_eq!(mode(&lab, "pki/ca.pending"), 0o600);
    let pending = String::from_utf8(lab.read("pki/ca.pending")).unwrap();
    assert!(pending.contains("BEGIN ENCRYPTED PRIVATE KEY"), "{pending}");
    // Meanwhile there is no CA, and no other takes its place.
    for args in [
        &["issue", "--profile", "client", "api"][..],
        &["apply", "-f", "cluster.yaml"],
        &["plan", "-f", "cluster.yaml"],
        &["init-ca"],
        &[&INTERMEDIATE[..], &["Lab", "--tbs-out", "again.tbs"]].concat(),
    ] {
        let run = lab.run(args);
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        assert!(run.stderr.contains("--signature-in FILE"), "{args:?}: {run:?}");
        assert!(!lab.path("pki/ca.pem").exists());
    }
    sign(&lab, "cluster.yaml");
    let wrong = [&RECEIVE[..5], &["cluster.yaml.sig"]].concat();
    let run = lab.run(&wrong);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("are not a signature of the CA's key"), "{run:?}");
    sign(&lab, "ca.tbs");
    let pending = lab.read("pki/ca.pending");
    lab.ok(&RECEIVE);
    // A run that was killed at its end left the draft, with a copy of the key.
    write_secret(&lab, "pki/ca.pending", pending);
    lab.ok(&RECEIVE);
    lab.ok(&["passwd", "--ca-passphrase", "file:pass", "--remove"]);
    works(&lab);
    let run = lab.run(&RECEIVE);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("ca.pending is missing"), "{run:?}");
}

/// A draft that is older than the root's end is not signed by accident.
#[test]
fn an_intermediate_is_checked_again_when_its_signature_arrives() {
    let lab = offline_root(&["--expiry", "5s"]);
    lab.ok(&[&INTERMEDIATE[..], &["Lab", "--expiry", "3s", "--tbs-out", "ca.tbs"]].concat());
    sign(&lab, "ca.tbs");
    std::thread::sleep(std::time::Duration::from_secs(6));
    let run = lab.run(&RECEIVE);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("[ca-time]"), "{run:?}");
    assert!(!lab.path("pki/ca.pem").exists());
}

/// A draft with the bytes of a leaf does not become a CA.
#[test]
fn only_a_ca_comes_out_of_a_draft_of_a_ca() {
    let lab = offline_root(&[]);
    lab.ok(&[&INTERMEDIATE[..], &["Lab", "--tbs-out", "ca.tbs"]].concat());
    let client = ["--dir", "root", "issue", "--profile", "client", "api", "--tbs-out", "leaf.tbs"];
    lab.ok(&client);
    fs::copy(lab.path("api.pending"), lab.path("pki/ca.pending")).unwrap();
    sign(&lab, "leaf.tbs");
    let run = lab.run(&[&RECEIVE[..5], &["leaf.tbs.sig"]].concat());
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("not the draft of a CA"), "{run:?}");
    assert!(!lab.path("pki/ca.pem").exists());
}
