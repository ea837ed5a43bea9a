//! A CA key on a machine without a network: `issue --tbs-out`, OpenSSL there, `issue --signature-in`.

use super::*;
use crate::crash::between::killed_at;

/// A CA whose key is in `offline/ca-key.pem` and not in its folder.
fn offline(options: &[&str]) -> Lab {
    let lab = lab();
    lab.ok(&[&["init-ca"], options].concat());
    fs::create_dir(lab.path("offline")).unwrap();
    fs::rename(lab.path("pki/ca-key.pem"), lab.path("offline/ca-key.pem")).unwrap();
    lab
}

/// Signs a file where the key is.
fn sign(lab: &Lab, tbs: &str, digest: &str) {
    let signature = format!("{tbs}.sig");
    let sign = ["pkeyutl", "-sign", "-rawin", "-inkey", "offline/ca-key.pem"];
    let digest: &[&str] = if digest.is_empty() { &[] } else { &["-digest", digest] };
    openssl(lab, &[&sign[..], digest, &["-in", tbs, "-out", &signature]].concat());
}

/// Issues with two commands.
fn issue(lab: &Lab, name: &str, options: &[&str]) {
    let issue = [&["issue", name], options].concat();
    let tbs = format!("{name}.tbs");
    let printed = lab.ok(&[&issue[..], &["--tbs-out", &tbs]].concat());
    assert!(printed.contains(&format!("--signature-in {tbs}.sig")), "{printed}");
    sign(lab, &tbs, "sha256");
    lab.ok(&[&issue[..], &["--signature-in", &format!("{tbs}.sig")]].concat());
}

const CLIENT: [&str; 4] = ["issue", "--profile", "client", "api"];

/// The certificates of the examples' lab, each in two commands, in the folders that `apply` would make.
#[test]
fn two_commands_issue_the_lab() {
    let lab = offline(&[]);
    let members = [
        ("etcdone", "192.168.29.61"),
        ("etcdtwo", "192.168.29.62"),
        ("etcdthree", "192.168.29.63"),
    ];
    for (name, ip) in members {
        for profile in ["server", "peer"] {
            let out = format!("hosts/{name}");
            fs::create_dir_all(lab.path(&out)).unwrap();
            let file = format!("{name}-{profile}");
            let names = ["--cn", name, "--san", name, "--san", ip, "--out", &out];
            issue(&lab, &file, &[&["--profile", profile][..], &names].concat());
            let leaf = format!("{out}/{file}.pem");
            openssl(&lab, &["verify", "-CAfile", "pki/ca.pem", &leaf]);
            lab.ok(&["verify", &leaf, "--purpose", profile, "--host", ip]);
            assert_eq!(mode(&lab, &format!("{out}/{file}-key.pem")), 0o600);
        }
    }
    issue(&lab, "apiserver-etcd-client", &["--profile", "client"]);
    lab.ok(&[
        "verify",
        "apiserver-etcd-client.pem",
        "--purpose",
        "client",
        "--key",
        "apiserver-etcd-client-key.pem",
    ]);
    // All of them are recorded: the CA, six of members and one client.
    let mut sqlite = peers::program("sqlite3");
    sqlite.args(["pki/inventory.db", "SELECT count(*) FROM certificates"]);
    let output = sqlite.current_dir(lab.folder()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "8", "{output:?}");
}

#[test]
fn every_kind_of_ca_key_signs_elsewhere() {
    for (key, digest) in [
        ("ecdsa-p384", "sha384"),
        ("ecdsa-p521", "sha512"),
        ("rsa-3072", "sha384"),
        ("ed25519", ""),
    ] {
        let lab = offline(&["--key", key]);
        let printed = lab.ok(&[&CLIENT[..], &["--tbs-out", "api.tbs"]].concat());
        assert_eq!(
            printed.contains(&format!("-digest {digest} ")),
            !digest.is_empty(),
            "{printed}"
        );
        sign(&lab, "api.tbs", digest);
        lab.ok(&[&CLIENT[..], &["--signature-in", "api.tbs.sig"]].concat());
        openssl(&lab, &["verify", "-CAfile", "pki/ca.pem", "api.pem"]);
    }
}

/// The key of the leaf waits where only its owner can read it, and no other file has it.
#[test]
fn the_leafs_key_waits_in_a_secret_file_and_is_moved() {
    let lab = offline(&[]);
    lab.ok(&[&CLIENT[..], &["--tbs-out", "api.tbs"]].concat());
    assert_eq!(mode(&lab, "api.pending"), 0o600);
    assert!(!lab.path("api.pem").exists() && !lab.path("api-key.pem").exists());
    // A second draft would lose the first key.
    let run = lab.run(&[&CLIENT[..], &["--tbs-out", "again.tbs"]].concat());
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("api.pending exists already"), "{run:?}");
    sign(&lab, "api.tbs", "sha256");
    lab.ok(&[&CLIENT[..], &["--signature-in", "api.tbs.sig"]].concat());
    assert!(!lab.path("api.pending").exists());
    lab.ok(&["verify", "api.pem", "--key", "api-key.pem"]);
}

/// The key takes its place first. The same command recognizes it, but refuses any other key in that place.
#[test]
fn a_signature_in_that_was_killed_between_the_key_and_the_certificate_is_finished_by_the_same_command()
 {
    let lab = offline(&[]);
    lab.ok(&[&CLIENT[..], &["--tbs-out", "api.tbs"]].concat());
    sign(&lab, "api.tbs", "sha256");
    let again = [&CLIENT[..], &["--signature-in", "api.tbs.sig"]].concat();
    let run = killed_at(&lab, "renameat2", 2, &again);
    assert_ne!(run.code, 0, "{run:?}");
    assert!(lab.path("api-key.pem").exists() && !lab.path("api.pem").exists());
    fs::rename(lab.path("api-key.pem"), lab.path("kept-key.pem")).unwrap();
    openssl(&lab, &["genpkey", "-algorithm", "ED25519", "-out", "api-key.pem"]);
    let refused = lab.run(&again);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("api-key.pem exists already"), "{refused:?}");
    fs::rename(lab.path("kept-key.pem"), lab.path("api-key.pem")).unwrap();
    lab.ok(&again);
    assert!(!lab.path("api.pending").exists());
    openssl(&lab, &["verify", "-CAfile", "pki/ca.pem", "api.pem"]);
    lab.ok(&["verify", "api.pem", "--key", "api-key.pem"]);
}

/// The certificate was recorded, and the disk was full when its files were to be put in place.
#[test]
fn a_signature_that_is_recorded_and_whose_files_are_missing_is_used_again() {
    let lab = offline(&[]);
    lab.ok(&[&CLIENT[..], &["--tbs-out", "api.tbs"]].concat());
    sign(&lab, "api.tbs", "sha256");
    let receive = [&CLIENT[..], &["--signature-in", "api.tbs.sig"]].concat();
    let go_back = |pending: &[u8]| {
        for file in ["api.pem", "api-key.pem"] {
            fs::remove_file(lab.path(file)).unwrap();
        }
        lab.write("api.pending", pending);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(lab.path("api.pending"), mode).unwrap();
    };
    let pending = lab.read("api.pending");
    lab.ok(&receive);
    let first = lab.read("api.pem");
    go_back(&pending);
    lab.ok(&receive);
    assert_eq!(lab.read("api.pem"), first);
    let count = "SELECT count(*) FROM certificates WHERE ca_label = 'client'";
    assert_eq!(crate::inventory::sqlite(&lab, "pki/inventory.db", count).trim(), "1");

    // ECDSA signs with a random number, so this is another certificate with the same serial number.
    go_back(&pending);
    sign(&lab, "api.tbs", "sha256");
    let run = lab.run(&receive);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("another certificate with the same serial number"), "{run:?}");
    assert!(!lab.path("api.pem").exists(), "it is not recorded");
}

#[test]
fn a_request_with_its_own_key_is_signed_elsewhere() {
    let lab = offline(&[]);
    let request = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let files =
        ["-config", "/dev/null", "-subj", "/CN=etcdone", "-keyout", "own.key", "-out", "own.csr"];
    openssl(&lab, &[&request[..], &files].concat());
    issue(&lab, "own", &["--profile", "client", "--csr", "own.csr"]);
    assert!(!lab.path("own-key.pem").exists());
    lab.ok(&["verify", "own.pem", "--key", "own.key"]);
}

#[test]
fn another_signature_or_other_options_are_refused() {
    let lab = offline(&[]);
    lab.ok(&[&CLIENT[..], &["--tbs-out", "api.tbs"]].concat());
    sign(&lab, "api.tbs", "sha256");
    sign(&lab, "cluster.yaml", "sha256");
    let receive = |signature| [&CLIENT[..], &["--signature-in", signature]].concat();
    for (args, code, reason) in [
        (receive("cluster.yaml.sig"), 2, "are not a signature of the CA's key"),
        (receive("cluster.yaml"), 2, "are not a signature of the CA's key"),
        (receive("missing"), 3, "missing"),
        (
            [&receive("api.tbs.sig")[..], &["--san", "10.0.0.1"]].concat(),
            2,
            "describe another certificate",
        ),
        (
            [&receive("api.tbs.sig")[..], &["--expiry", "1d"]].concat(),
            2,
            "describe another certificate",
        ),
        (
            vec!["issue", "--profile", "client", "other", "--signature-in", "api.tbs.sig"],
            3,
            "other.pending is missing",
        ),
    ] {
        let run = lab.run(&args);
        assert_eq!(run.code, code, "{args:?}: {run:?}");
        assert!(run.stderr.contains(reason), "{reason}: {run:?}");
        assert!(run.stderr.contains("hint: "), "{run:?}");
        assert!(!lab.path("api.pem").exists());
    }
    // The draft is still there.
    lab.ok(&receive("api.tbs.sig"));
}

/// Rules that changed their mind between the two commands decide: here the CA has expired.
#[test]
fn a_certificate_is_checked_again_when_its_signature_arrives() {
    let lab = offline(&["--expiry", "5s"]);
    let issue = [&CLIENT[..], &["--expiry", "2s"]].concat();
    lab.ok(&[&issue[..], &["--tbs-out", "api.tbs"]].concat());
    sign(&lab, "api.tbs", "sha256");
    std::thread::sleep(std::time::Duration::from_secs(6));
    let run = lab.run(&[&issue[..], &["--signature-in", "api.tbs.sig"]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("expired"), "{run:?}");
    assert!(!lab.path("api.pem").exists());
}

#[test]
fn a_damaged_draft_is_refused() {
    let lab = offline(&[]);
    lab.ok(&[&CLIENT[..], &["--tbs-out", "api.tbs"]].concat());
    let whole = lab.read("api.pending");
    for damaged in [&whole[..40], b"", b"{}\n", b"\xff\n"] {
        write_secret(&lab, "api.pending", damaged);
        let run = lab.run(&[&CLIENT[..], &["--signature-in", "api.tbs"]].concat());
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("api.pending is damaged"), "{run:?}");
    }
}

/// A root that is kept offline must still issue its CRL. `apply` delivers it, and needs no key for that.
#[test]
fn a_crl_is_signed_elsewhere() {
    let lab = lab();
    let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
    lab.write("cluster.yaml", format!("{manifest}crl: true\n"));
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    fs::create_dir(lab.path("offline")).unwrap();
    fs::rename(lab.path("pki/ca-key.pem"), lab.path("offline/ca-key.pem")).unwrap();
    let leaf = "pki/hosts/etcdone/peer.pem";
    lab.ok(&["revoke", leaf]);
    let out = ["crl", "--der", "--out", "crl.der"];
    let printed = lab.ok(&[&out[..], &["--tbs-out", "crl.tbs"]].concat());
    assert!(printed.contains("--signature-in crl.tbs.sig"), "{printed}");
    assert!(!lab.path("crl.der").exists());
    // A new draft replaces the one that waits, but no file that exists.
    let again = [&out[..], &["--tbs-out", "crl.tbs"]].concat();
    let run = lab.run(&again);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("crl.tbs exists already\n  hint: name another file"), "{run:?}");
    fs::remove_file(lab.path("crl.tbs")).unwrap();
    lab.ok(&again);
    sign(&lab, "cluster.yaml", "sha256");
    let run = lab.run(&[&out[..], &["--signature-in", "cluster.yaml.sig"]].concat());
    assert_eq!(run.code, 2, "{run:?}");
    sign(&lab, "crl.tbs", "sha256");
    // What was revoked in the meantime is not on it, and the run says so.
    lab.ok(&["revoke", "pki/hosts/etcdtwo/peer.pem"]);
    let run = lab.run(&[&out[..], &["--signature-in", "crl.tbs.sig"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("does not list the revoked certificates"), "{run:?}");
    assert!(run.stdout.contains("issued the CRL 2: 1 revoked"), "{run:?}");
    openssl(&lab, &["crl", "-inform", "DER", "-in", "crl.der", "-CAfile", "pki/ca.pem", "-noout"]);
    assert!(!lab.path("pki/crl.pending").exists());
    let run = lab.run(&[&out[..], &["--signature-in", "crl.tbs.sig"]].concat());
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("crl.pending is missing"), "{run:?}");
    lab.ok(&["crl", "--tbs-out", "next.tbs"]);
    sign(&lab, "next.tbs", "sha256");
    lab.ok(&[&out[..], &["--signature-in", "next.tbs.sig"]].concat());
    lab.ok(&["crl", "--check"]);
    // The two revoked certificates wait for the key; the CRL does not.
    let run = lab.run(&["apply", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("ca-key.pem is missing"), "{run:?}");
}

/// Only the newest CRL of a CA is worth something: a draft that was overtaken is refused.
#[test]
fn a_crl_that_was_overtaken_is_refused() {
    let lab = offline(&[]);
    lab.ok(&["crl", "--tbs-out", "crl.tbs"]);
    sign(&lab, "crl.tbs", "sha256");
    let sign = "openssl dgst -sha256 -sign offline/ca-key.pem";
    lab.ok(&["crl", "--signer-cmd", sign]);
    let run = lab.run(&["crl", "--signature-in", "crl.tbs.sig"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("has issued the CRL 1 after this one was drafted"), "{run:?}");
}
