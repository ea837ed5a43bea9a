//! A CA key in a PKCS #11 token: SoftHSM.

use std::process::Command;

use super::*;
use crate::lab::Run;

const PIN: &str = "738-the-users-pin";
const LIBRARY: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// A lab with a token of its own, whose PIN is in the file `pin`.
pub(super) struct Token {
    pub(super) lab: Lab,
}

impl Token {
    pub(super) fn new() -> Self {
        let lab = lab();
        assert!(Path::new(LIBRARY).is_file(), "{LIBRARY} is missing; {}", peers::INSTALL);
        fs::create_dir(lab.path("tokens")).unwrap();
        let folder = lab.path("tokens");
        lab.write("softhsm2.conf", format!("directories.tokendir = {}\n", folder.display()));
        write_secret(&lab, "pin", PIN);
        let token = Self { lab };
        let mut init = peers::program("softhsm2-util");
        init.args([
            "--init-token",
            "--free",
            "--label",
            "the lab",
            "--so-pin",
            "0000",
            "--pin",
            PIN,
        ]);
        token.succeeds(&mut init);
        token
    }

    fn succeeds(&self, command: &mut Command) {
        let command = command.env("SOFTHSM2_CONF", self.lab.path("softhsm2.conf"));
        let output = command.current_dir(self.lab.folder()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    pub(super) fn run(&self, args: &[&str]) -> Run {
        let mut command = self.lab.command(args);
        command.env("SOFTHSM2_CONF", self.lab.path("softhsm2.conf")).output().unwrap().into()
    }

    pub(super) fn ok(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
        assert!(!run.stdout.contains(PIN) && !run.stderr.contains(PIN), "{run:?}");
        run.stdout
    }
}

pub(super) fn uri(object: &str) -> String {
    format!("pkcs11:token=the%20lab;object={object}?module-path={LIBRARY}")
}

/// The options for a key of this label.
pub(super) fn options(uri: &str) -> [&str; 4] {
    ["--pkcs11", uri, "--ca-passphrase", "file:pin"]
}

#[test]
fn a_key_in_a_token_issues_the_lab() {
    let token = Token::new();
    let uri = uri("etcd-ca");
    token.ok(&[&["init-ca"][..], &options(&uri)].concat());
    assert!(!token.lab.path("pki/ca-key.pem").exists());
    token.ok(&[&["apply", "-f", "cluster.yaml"][..], &options(&uri)].concat());
    is_the_lab(&token.lab);
    token.ok(&[&["issue", "--profile", "client", "api"][..], &options(&uri)].concat());
    openssl(&token.lab, &["verify", "-CAfile", "pki/ca.pem", "api.pem"]);
}

#[test]
fn apply_creates_a_ca_with_a_new_key_in_the_token() {
    let token = Token::new();
    token.ok(&[&["apply", "-f", "cluster.yaml"][..], &options(&uri("new"))].concat());
    is_the_lab(&token.lab);
}

#[test]
fn every_kind_of_key_that_a_token_generates_signs() {
    let token = Token::new();
    for key in ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048", "rsa-3072"] {
        let (uri, folder) = (uri(key), format!("{key}-pki"));
        let init = ["--dir", &folder, "init-ca", "--key", key];
        token.ok(&[&init[..], &options(&uri)].concat());
        let issue = ["--dir", &folder, "issue", "--profile", "client", key];
        token.ok(&[&issue[..], &options(&uri)].concat());
        let (ca, leaf) = (format!("{folder}/ca.pem"), format!("{key}.pem"));
        openssl(&token.lab, &["verify", "-CAfile", &ca, &leaf]);
    }
}

/// An operator made the key before, with another tool.
#[test]
fn a_key_that_is_in_the_token_already_is_used() {
    let token = Token::new();
    let lab = &token.lab;
    openssl(
        lab,
        &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem"],
    );
    let mut import = peers::program("softhsm2-util");
    import.args([
        "--import", "key.pem", "--token", "the lab", "--label", "old", "--id", "00ff", "--pin", PIN,
    ]);
    token.succeeds(&mut import);
    let by_id = format!("pkcs11:token=the%20lab;id=%00%FF?module-path={LIBRARY}");
    token.ok(&[&["init-ca"][..], &options(&by_id)].concat());
    let of_token = openssl(lab, &["x509", "-in", "pki/ca.pem", "-noout", "-pubkey"]);
    assert_eq!(of_token, openssl(lab, &["pkey", "-in", "key.pem", "-pubout"]));
    // The same CA is imported elsewhere.
    let import = ["--dir", "imported", "import-ca", "--cert", "pki/ca.pem"];
    token.ok(&[&import[..], &options(&uri("old"))].concat());
    token.ok(&[
        &["--dir", "imported", "issue", "--profile", "client", "api"][..],
        &options(&by_id),
    ]
    .concat());
    openssl(lab, &["verify", "-CAfile", "pki/ca.pem", "api.pem"]);
}

#[test]
fn the_pin_can_be_in_the_file_that_the_uri_names() {
    let token = Token::new();
    let uri = format!("{}&pin-source=file:pin", uri("etcd-ca"));
    token.ok(&["init-ca", "--pkcs11", &uri]);
    token.ok(&["issue", "--profile", "client", "api", "--pkcs11", &uri]);
}

#[test]
fn a_crl_and_a_renewal_are_signed_by_the_token() {
    let token = Token::new();
    let uri = uri("etcd-ca");
    for args in [
        &["init-ca"][..],
        &["issue", "--profile", "client", "api"],
        &["renew", "api.pem"],
        &["crl", "--out", "ca.crl"],
    ] {
        token.ok(&[args, &options(&uri)].concat());
    }
    openssl(&token.lab, &["crl", "-in", "ca.crl", "-CAfile", "pki/ca.pem", "-noout"]);
    openssl(&token.lab, &["verify", "-CAfile", "pki/ca.pem", "api.pem"]);
}

/// The new CA has a key of its own in the token, which the URI of each step names.
#[test]
fn a_rotation_moves_from_one_key_of_the_token_to_another() {
    let token = Token::new();
    let (one, two) = (uri("one"), uri("two"));
    token.ok(&[&["apply", "-f", "cluster.yaml"][..], &options(&one)].concat());
    let step = |step, options: &[&'static str]| {
        [&["rotate-ca", step, "-f", "cluster.yaml"][..], options].concat()
    };
    std::thread::sleep(std::time::Duration::from_secs(2));
    let run = token.run(&[&step("begin", &[])[..], &options(&one)].concat());
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("is the key of the old CA"), "{run:?}");
    let restarted = &["--restarted", "all"];
    token.ok(&[&step("begin", &[])[..], &options(&two)].concat());
    token.ok(&[&step("reissue", restarted)[..], &options(&two)].concat());
    token.ok(&[&step("finish", restarted)[..], &options(&two)].concat());
    is_the_lab(&token.lab);
    token.ok(&[&["issue", "--profile", "client", "api"][..], &options(&two)].concat());
}

#[test]
fn what_is_wrong_with_a_token_is_reported() {
    let token = Token::new();
    let right = uri("etcd-ca");
    token.ok(&[&["init-ca"][..], &options(&right)].concat());
    token.ok(&[&["--dir", "other", "init-ca"][..], &options(&uri("another"))].concat());
    write_secret(&token.lab, "wrong", "1234-wrong");
    let no_module = "pkcs11:token=the%20lab;object=etcd-ca?module-path=/nowhere.so";
    let no_token = format!("pkcs11:token=missing;object=etcd-ca?module-path={LIBRARY}");
    for (uri, pin, code, reason) in [
        (right.as_str(), "file:wrong", 3, "the PIN of the token \"the lab\" is wrong"),
        (no_module, "file:pin", 3, "/nowhere.so"),
        (no_token.as_str(), "file:pin", 3, "has no token that matches the URI"),
        (&uri("missing"), "file:pin", 3, "the key \"missing\" in the token \"the lab\" is missing"),
        (&uri("another"), "file:pin", 2, "is not the key of pki/ca.pem"),
        ("pkcs11:object=x", "file:pin", 2, "module-path is missing"),
    ] {
        let issue = ["issue", "--profile", "client", "api"];
        let run = token.run(&[&issue[..], &["--pkcs11", uri, "--ca-passphrase", pin]].concat());
        assert_eq!(run.code, code, "{uri}: {run:?}");
        assert!(run.stderr.contains(reason), "{reason}: {run:?}");
        assert!(run.stderr.contains("hint: "), "{run:?}");
        assert!(!run.stderr.contains("1234-wrong") && !run.stderr.contains(PIN), "{run:?}");
    }
    assert!(!token.lab.path("api.pem").exists());
}

/// What the token says about itself, with another bit in its flags. SoftHSM counts no PINs, and reports what its file has.
fn with_flag(token: &Token, flag: u64) {
    let folder = fs::read_dir(token.lab.path("tokens")).unwrap().next().unwrap().unwrap().path();
    let path = folder.join("token.object");
    let mut bytes = fs::read(&path).unwrap();
    // CKF_RNG, CKF_LOGIN_REQUIRED, CKF_USER_PIN_INITIALIZED, CKF_RESTORE_KEY_NOT_NEEDED and CKF_TOKEN_INITIALIZED.
    let place = |bytes: &[u8]| {
        bytes.windows(8).position(|window| {
            let flags = u64::from_be_bytes(window.try_into().unwrap());
            flags & !0x7_0000 == 0x42d
        })
    };
    let place = place(&bytes).expect("the flags of the token");
    bytes[place..place + 8].copy_from_slice(&(0x42d | flag).to_be_bytes());
    fs::write(path, bytes).unwrap();
}

/// A run that nobody watches must not lock the token.
#[test]
fn a_pin_is_tried_once_and_the_last_try_is_left_to_a_person() {
    let token = Token::new();
    let right = uri("etcd-ca");
    token.ok(&[&["init-ca"][..], &options(&right)].concat());
    write_secret(&token.lab, "wrong", "1234-wrong");
    let issue =
        |pin| ["issue", "--profile", "client", "api", "--pkcs11", &right, "--ca-passphrase", pin];
    let run = token.run(&issue("file:wrong"));
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("is wrong; the token counts wrong PINs"), "{run:?}");
    // CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED
    for (flag, reason, hint) in [
        (0x2_0000, "one more wrong PIN, so only a person may try", "--ca-passphrase prompt"),
        (0x4_0000, "the PIN of the token \"the lab\" is locked", "the security officer"),
    ] {
        with_flag(&token, flag);
        let run = token.run(&issue("file:pin"));
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stderr.contains(reason) && run.stderr.contains(hint), "{run:?}");
    }
    with_flag(&token, 0);
    token.ok(&issue("file:pin"));
}
