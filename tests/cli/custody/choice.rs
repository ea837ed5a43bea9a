//! Options, the environment and the CA's folder: which of them says where the key is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::*;
use crate::lab::Run;

const SIGNER_CMD: &str = "ETCDPKI_SIGNER_CMD";
const PKCS11: &str = "ETCDPKI_PKCS11";
/// A token that does not exist.
const NO_TOKEN: &str = "pkcs11:token=none;object=none?module-path=/nowhere.so";

fn run(lab: &Lab, variables: &[(&str, &str)], args: &[&str]) -> Run {
    let mut command = lab.command(args);
    command.envs(variables.iter().copied()).output().unwrap().into()
}

fn ok(lab: &Lab, variables: &[(&str, &str)], args: &[&str]) {
    let run = run(lab, variables, args);
    assert_eq!(run.code, 0, "{variables:?} {args:?}: {run:?}");
}

const CLIENT: [&str; 4] = ["issue", "--profile", "client", "api"];

/// A CA whose key is in `key.pem`, and the command that signs with it.
fn behind_a_command() -> (Lab, &'static str) {
    let lab = lab();
    lab.ok(&["init-ca"]);
    fs::rename(lab.path("pki/ca-key.pem"), lab.path("key.pem")).unwrap();
    openssl(&lab, &["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
    (lab, "openssl dgst -sha256 -sign key.pem")
}

/// clap took the variables for options, so these runs were refused because of options that nobody gave.
#[test]
fn an_option_takes_precedence_over_the_environment() {
    let (lab, command) = behind_a_command();
    let variables = [&[(SIGNER_CMD, "false")][..], &[(PKCS11, NO_TOKEN)]];
    for variables in [variables[0], variables[1], &variables.concat()] {
        ok(&lab, variables, &[&CLIENT[..], &["--force", "--tbs-out", "api.tbs"]].concat());
        let sign = ["pkeyutl", "-sign", "-rawin", "-digest", "sha256", "-inkey", "key.pem"];
        openssl(&lab, &[&sign[..], &["-in", "api.tbs", "-out", "api.sig"]].concat());
        ok(&lab, variables, &[&CLIENT[..], &["--force", "--signature-in", "api.sig"]].concat());
        let _ = fs::remove_file(lab.path("crl.tbs"));
        ok(&lab, variables, &["crl", "--tbs-out", "crl.tbs"]);
        openssl(&lab, &[&sign[..], &["-in", "crl.tbs", "-out", "crl.sig"]].concat());
        ok(&lab, variables, &["crl", "--signature-in", "crl.sig"]);
        ok(&lab, variables, &["crl", "--check"]);
        let import = ["--dir", "copy", "import-ca", "--cert", "pki/ca.pem", "--key", "key.pem"];
        ok(&lab, variables, &import);
        ok(&lab, variables, &[&CLIENT[..], &["--force", "--signer-cmd", command]].concat());
        ok(&lab, variables, &["--dir", "copy", "passwd", "--remove"]);
        fs::remove_dir_all(lab.path("copy")).unwrap();
    }
}

#[test]
fn two_places_in_the_environment_are_refused_by_their_names() {
    let (lab, _) = behind_a_command();
    let both = [(SIGNER_CMD, "false"), (PKCS11, NO_TOKEN)];
    for args in [&CLIENT[..], &["crl"], &["init-ca", "--dir", "new"]] {
        let run = run(&lab, &both, args);
        assert_eq!(run.code, 2, "{run:?}");
        let names = "ETCDPKI_SIGNER_CMD and ETCDPKI_PKCS11 are both set";
        assert!(run.stderr.contains(names) && run.stderr.contains("hint: unset one"), "{run:?}");
    }
    // Nobody needs the key for these.
    ok(&lab, &both, &["list"]);
    ok(&lab, &both, &["check"]);
}

/// A service manager cannot unset a variable, only empty it.
#[test]
fn an_empty_variable_counts_as_unset() {
    let lab = lab();
    let empty = [(SIGNER_CMD, ""), (PKCS11, ""), ("ETCDPKI_DIR", "")];
    ok(&lab, &empty, &["init-ca"]);
    assert!(lab.path("pki/ca-key.pem").exists());
    ok(&lab, &empty, &CLIENT);
}

#[test]
fn a_mistake_in_the_environment_is_reported_under_the_variables_name() {
    let (lab, _) = behind_a_command();
    for (variable, option, value, reason) in [
        (PKCS11, "--pkcs11", "softhsm", "a PKCS #11 URI begins with pkcs11:"),
        (PKCS11, "--pkcs11", "pkcs11:token=t;object=o", "module-path is missing"),
    ] {
        let of_variable = run(&lab, &[(variable, value)], &CLIENT);
        let of_option = lab.run(&[&CLIENT[..], &[option, value]].concat());
        for (run, name) in [(of_variable, variable), (of_option, option)] {
            assert_eq!(run.code, 2, "{run:?}");
            assert!(run.stderr.contains(&format!("{name}: {reason}")), "{run:?}");
        }
    }
    let mut command = lab.command(&CLIENT);
    command.env(SIGNER_CMD, OsStr::from_bytes(b"sign \xff"));
    let run: Run = command.output().unwrap().into();
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("ETCDPKI_SIGNER_CMD is not UTF-8"), "{run:?}");
}

#[test]
fn the_folder_of_an_option_takes_precedence_over_that_of_the_environment() {
    let lab = lab();
    ok(&lab, &[("ETCDPKI_DIR", "one")], &["init-ca"]);
    ok(&lab, &[("ETCDPKI_DIR", "one")], &["--dir", "two", "init-ca"]);
    assert!(lab.path("one/ca.pem").exists() && lab.path("two/ca.pem").exists());
    ok(&lab, &[("ETCDPKI_DIR", "one")], &["apply", "-f", "cluster.yaml"]);
    assert!(lab.path("one/hosts").exists() && !lab.path("pki").exists());
}

/// The public key of a new CA belongs to a command, wherever that is named.
#[test]
fn a_public_key_needs_a_signer_command() {
    let (lab, command) = behind_a_command();
    let init = ["--dir", "new", "init-ca", "--public-key", "public.pem"];
    for variables in [&[][..], &[(PKCS11, NO_TOKEN)]] {
        let run = run(&lab, variables, &init);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("--public-key works only with a signer command"), "{run:?}");
    }
    assert!(!lab.path("new").exists());
    ok(&lab, &[(SIGNER_CMD, command)], &init);
}

/// A shell that exports the token of one CA, and a CA whose key is a file.
#[test]
fn a_key_of_another_ca_names_the_variables_to_unset() {
    let (lab, command) = behind_a_command();
    lab.ok(&["--dir", "other", "init-ca"]);
    let run = run(
        &lab,
        &[(SIGNER_CMD, command)],
        &["--dir", "other", "issue", "--profile", "client", "x"],
    );
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("not a signature of the CA's key"), "{run:?}");
    assert!(run.stderr.contains("unset ETCDPKI_"), "{run:?}");
}
