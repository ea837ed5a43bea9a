//! The modes of written files, whatever the umask is.

use std::process::Command;

use super::{mode, set_mode};
use crate::files::tree::Tree;
use crate::lab::Lab;
use crate::peers;

/// `etcdpki` with this umask.
fn with_umask(lab: &Lab, umask: &str, args: &[&str]) -> Command {
    let mut shell = peers::program("sh");
    shell.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]);
    shell.arg(env!("CARGO_BIN_EXE_etcdpki")).args(args);
    shell.current_dir(lab.folder()).env_remove("ETCDPKI_DIR");
    shell
}

fn lab_under(umask: &str) -> Lab {
    let lab = Lab::new();
    for args in [
        &["init-ca", "--dir", "etc/pki"][..],
        &["issue", "--dir", "etc/pki", "--profile", "client", "api", "--out", "out/certs"],
    ] {
        let output = with_umask(&lab, umask, args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    lab
}

#[test]
fn a_umask_of_nothing_opens_nothing() {
    let lab = lab_under("0");
    for (path, wanted) in [
        ("etc/pki", 0o700),
        ("etc/pki/ca-key.pem", 0o600),
        ("etc/pki/ca.pem", 0o644),
        ("etc/pki/inventory.db", 0o600),
        ("out/certs", 0o755),
        ("out/certs/api-key.pem", 0o600),
        ("out/certs/api.pem", 0o644),
    ] {
        assert_eq!(mode(&lab.path(path)), wanted, "{path}");
    }
    for path in Tree::of(lab.folder()).names() {
        assert_eq!(mode(&lab.path(path)) & 0o022, 0, "others can change {}", path.display());
    }
}

#[test]
fn a_narrow_umask_keeps_certificates_to_their_owner_too() {
    let lab = lab_under("077");
    for path in Tree::of(lab.folder()).names() {
        assert_eq!(mode(&lab.path(path)) & 0o077, 0, "others can read {}", path.display());
    }
}

#[test]
fn a_new_key_does_not_take_over_the_mode_of_the_old() {
    // cfssljson writes to the existing file, so a key stays world-writable.
    let lab = Lab::with_ca(&[]);
    let issue = ["issue", "--profile", "client", "api", "--force"];
    lab.ok(&issue);
    for file in ["api-key.pem", "api.pem"] {
        set_mode(&lab.path(file), 0o666);
    }
    lab.ok(&issue);
    assert_eq!(mode(&lab.path("api-key.pem")), 0o600);
    assert_eq!(mode(&lab.path("api.pem")) & 0o022, 0);
}

#[test]
fn an_inventory_that_is_made_late_is_still_readable_only_by_its_owner() {
    // A CA that was copied from elsewhere has no inventory.
    let lab = Lab::with_ca(&[]);
    std::fs::remove_file(lab.path("pki/inventory.db")).unwrap();
    let issue = ["issue", "--profile", "client", "api"];
    assert!(with_umask(&lab, "0", &issue).output().unwrap().status.success());
    assert_eq!(mode(&lab.path("pki/inventory.db")), 0o600);
    assert_eq!(mode(&lab.path("pki/inventory.db-wal")), 0o600);
}
