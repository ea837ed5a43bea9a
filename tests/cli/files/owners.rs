//! Whose the CA's folder and its key are, and who else can write to them.

use std::fs;
use std::os::unix::fs::chown;

use super::{mode, set_mode};
use crate::files::tree::Tree;
use crate::lab::{Lab, Run};

const ISSUE: &[&str] = &["issue", "--profile", "client", "api"];
const INIT: &[&str] = &["init-ca"];
const APPLY: &[&str] = &["apply", "-f", "cluster.yaml"];

/// A user who is neither root nor whoever runs the tests.
const SOMEBODY: u32 = 61_234;

fn lab() -> Lab {
    let lab = Lab::with_ca(&[]);
    lab.write("cluster.yaml", "cluster: lab\netcd:\n  - { name: etcdone, ip: 192.168.29.61 }\n");
    lab
}

/// The command is refused with these words, and changes nothing.
#[track_caller]
fn refused(lab: &Lab, args: &[&str], says: &str) {
    let before = Tree::of(lab.folder());
    let run = lab.run(args);
    assert_eq!(run.code, 3, "{args:?}: {run:?}");
    assert!(run.stderr.contains(says), "{args:?}: {says:?} was expected: {run:?}");
    assert!(run.stderr.contains("\n  hint: "), "{args:?}: {run:?}");
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0], "{args:?}");
}

#[test]
fn a_ca_folder_that_others_can_write_to_is_refused() {
    let lab = lab();
    for wrong in [0o770, 0o702, 0o777, 0o720] {
        set_mode(&lab.path("pki"), wrong);
        let says = format!("pki has mode {wrong:04o}: users other than its owner can write to it");
        refused(&lab, ISSUE, &says);
        refused(&lab, APPLY, &says);
    }
    set_mode(&lab.path("pki"), 0o755);
    lab.ok(ISSUE);
    // Reading what everybody may read needs no trust in the folder's owner.
    set_mode(&lab.path("pki"), 0o777);
    lab.ok(&["verify", "api.pem"]);

    let empty = Lab::new();
    fs::create_dir(empty.path("pki")).unwrap();
    set_mode(&empty.path("pki"), 0o777);
    refused(&empty, INIT, "pki has mode 0777");
    assert_eq!(mode(&empty.path("pki")), 0o777);
}

#[test]
fn a_ca_folder_or_key_of_another_user_is_refused() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test gives files to another user, which only root can"
    );
    for path in ["pki", "pki/ca-key.pem"] {
        let lab = lab();
        chown(lab.path(path), Some(SOMEBODY), None).unwrap();
        let says = format!("{path} belongs to the user ID {SOMEBODY}");
        refused(&lab, ISSUE, &says);
        refused(&lab, APPLY, &says);
        lab.ok(&[ISSUE, &["--allow-foreign-owner"]].concat());
        lab.ok(&[APPLY, &["--allow-foreign-owner"]].concat());
    }
    let empty = Lab::new();
    fs::create_dir(empty.path("pki")).unwrap();
    chown(empty.path("pki"), Some(SOMEBODY), None).unwrap();
    refused(&empty, INIT, "pki belongs to the user");
    // The flag says whom to trust, and not that everybody may write.
    set_mode(&empty.path("pki"), 0o777);
    refused(&empty, &[INIT, &["--allow-foreign-owner"]].concat(), "pki has mode 0777");
}

#[test]
fn a_user_uses_the_folder_of_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test runs etcdpki as another user, which only root can"
    );
    let lab = lab();
    set_mode(lab.folder(), 0o777);
    set_mode(&lab.path("pki"), 0o755);
    let mut command = crate::peers::program("setpriv");
    command.args([&format!("--reuid={SOMEBODY}"), "--clear-groups"]);
    command.arg(env!("CARGO_BIN_EXE_etcdpki")).args(ISSUE).current_dir(lab.folder());
    let run = Run::from(command.output().unwrap());
    // Its key is not for everybody to read; that is all that is wrong.
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("Permission denied"), "{run:?}");
}
