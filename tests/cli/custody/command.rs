//! A CA key behind a command: `--signer-cmd`.

use super::*;

/// Where the key is, and a command that signs with it, for each kind of key.
fn signing_command(algorithm: &[&str], digest: &str) -> (Lab, String) {
    let lab = lab();
    let generate = ["genpkey", "-out", "hidden.pem", "-algorithm"];
    openssl(&lab, &[&generate, algorithm].concat());
    openssl(&lab, &["pkey", "-in", "hidden.pem", "-pubout", "-out", "public.pem"]);
    let command = match digest {
        // OpenSSL needs to know the size of what Ed25519 signs.
        "" => {
            "cat >message && openssl pkeyutl -sign -rawin -inkey hidden.pem -in message".to_owned()
        }
        digest => format!("openssl dgst -{digest} -sign hidden.pem"),
    };
    (lab, command)
}

fn p256() -> (Lab, String) {
    signing_command(&["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "sha256")
}

fn init(command: &str) -> Vec<&str> {
    vec!["init-ca", "--signer-cmd", command, "--public-key", "public.pem"]
}

#[test]
fn a_command_with_openssl_issues_the_lab() {
    let (lab, command) = p256();
    lab.ok(&init(&command));
    assert!(!lab.path("pki/ca-key.pem").exists());
    issues_the_lab(&lab, &["--signer-cmd", &command]);
    let issue = ["issue", "--profile", "client", "api", "--signer-cmd", &command];
    lab.ok(&issue);
    openssl(&lab, &["verify", "-CAfile", "pki/ca.pem", "api.pem"]);
}

#[test]
fn a_command_signs_with_every_kind_of_key() {
    for (algorithm, digest) in [
        (&["EC", "-pkeyopt", "ec_paramgen_curve:P-384"][..], "sha384"),
        (&["EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "sha512"),
        (&["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "sha256"),
        (&["RSA", "-pkeyopt", "rsa_keygen_bits:3072"], "sha384"),
        (&["ED25519"], ""),
    ] {
        let (lab, command) = signing_command(algorithm, digest);
        lab.ok(&init(&command));
        lab.ok(&["issue", "--profile", "client", "api", "--signer-cmd", &command]);
        openssl(&lab, &["verify", "-CAfile", "pki/ca.pem", "api.pem"]);
    }
}

#[test]
fn the_command_can_be_in_the_environment() {
    let (lab, command) = p256();
    lab.ok(&init(&command));
    let mut issue = lab.command(&["issue", "--profile", "client", "api"]);
    let output = issue.env("ETCDPKI_SIGNER_CMD", &command).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Whatever the command does, a wrong signature never becomes a certificate.
#[test]
fn a_command_that_does_not_sign_is_reported() {
    let (lab, command) = p256();
    lab.ok(&init(&command));
    openssl(&lab, &["genpkey", "-algorithm", "ED25519", "-out", "other.pem"]);
    let twice = format!("openssl dgst -sha256 -binary | {command}");
    for (command, reason) in [
        ("exit 7", "the command ended with exit status: 7"),
        ("kill -9 $$", "signal: 9"),
        ("no-such-program-anywhere", "exit status: 127"),
        ("true", "printed 0 bytes that are not a signature"),
        ("cat", "are not a signature of the CA's key"),
        ("cat >/dev/null; echo nonsense", "printed 9 bytes"),
        ("yes", "printed more than 16384 bytes"),
        ("yes >&1 </dev/null | head -c 100000", "printed more than 16384 bytes"),
        (&twice, "ECDSA and SHA-256, and print ASN.1 DER"),
    ] {
        let run = lab.run(&["issue", "--profile", "client", "api", "--signer-cmd", command]);
        assert_eq!(run.code, 3, "{command}: {run:?}");
        assert!(run.stderr.contains(reason), "{command}: {run:?}");
        assert!(run.stderr.contains("hint: "), "{command}: {run:?}");
        assert!(!lab.path("api.pem").exists(), "{command}");
    }
    // Of what was not issued nothing is recorded.
    lab.ok(&["issue", "--profile", "client", "api", "--signer-cmd", &command]);
}

#[test]
fn standard_error_of_the_command_is_passed_through_and_its_text_is_not_repeated() {
    let (lab, command) = p256();
    lab.ok(&init(&command));
    let command = "echo touch the token >&2; : password=hunter2; exit 1";
    let run = lab.run(&["issue", "--profile", "client", "api", "--signer-cmd", command]);
    assert!(run.stderr.contains("touch the token\n"), "{run:?}");
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
}

#[test]
fn a_new_ca_behind_a_command_needs_its_public_key() {
    let (lab, command) = p256();
    for args in [
        &["init-ca", "--signer-cmd", &command][..],
        &["apply", "-f", "cluster.yaml", "--signer-cmd", &command],
    ] {
        let run = lab.run(args);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("--public-key FILE"), "{run:?}");
    }
    let run = lab.run(&["init-ca", "--signer-cmd", &command, "--public-key", "cluster.yaml"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("cluster.yaml: not a public key"), "{run:?}");
    assert!(!lab.path("pki").exists());
}

#[test]
fn without_the_command_the_message_says_that_the_key_may_be_elsewhere() {
    let (lab, command) = p256();
    lab.ok(&init(&command));
    let run = lab.run(&["issue", "--profile", "client", "api"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("add --pkcs11 or --signer-cmd"), "{run:?}");
}

#[test]
fn a_ca_behind_a_command_is_imported_after_a_trial() {
    let (lab, command) = p256();
    lab.ok(&[&["--dir", "old"], &init(&command)[..]].concat());
    let import = |command| ["import-ca", "--cert", "old/ca.pem", "--signer-cmd", command];
    let run = lab.run(&import("false"));
    assert_eq!(run.code, 3, "{run:?}");
    assert!(!lab.path("pki").exists());
    lab.ok(&import(&command));
    lab.ok(&["issue", "--profile", "client", "api", "--signer-cmd", &command]);
}

/// The variable with a passphrase does not reach the command.
#[test]
fn the_command_does_not_get_the_passphrase() {
    let (lab, command) = p256();
    lab.ok(&init(&command));
    let command = format!("env >environment; {command}");
    let args = ["issue", "--profile", "client", "api", "--signer-cmd", &command];
    let args = [&args[..], &["--ca-passphrase", "env:CA_PASS"]].concat();
    let output = lab.command(&args).env("CA_PASS", "a-secret").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!String::from_utf8(lab.read("environment")).unwrap().contains("a-secret"));
}
