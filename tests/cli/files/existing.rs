//! Existing files, links and folders with the name of a new file.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::is_pair;
use crate::files::tree::Tree;
use crate::lab::{Lab, Run};
use crate::peers;

const ISSUE: &[&str] = &["issue", "--profile", "client", "api"];
const FORCE: &[&str] = &["issue", "--profile", "client", "api", "--force"];

/// The command exits with this code, prints this, and changes nothing.
#[track_caller]
fn refused(lab: &Lab, args: &[&str], says: &str) {
    let before = Tree::of(lab.folder());
    let run = lab.run(args);
    assert_eq!(run.code, 3, "{args:?}: {run:?}");
    assert!(run.stderr.contains(says), "{args:?}: {says:?} was wanted: {run:?}");
    assert!(run.stderr.contains("\n  hint: "), "{args:?}: {run:?}");
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0], "{args:?}");
}

#[test]
fn a_pair_or_half_of_one_is_not_overwritten() {
    let lab = Lab::with_ca(&[]);
    lab.ok(ISSUE);
    refused(&lab, ISSUE, "api.pem exists already");
    fs::remove_file(lab.path("api.pem")).unwrap();
    refused(&lab, ISSUE, "api-key.pem exists already");
    lab.ok(FORCE);
    fs::remove_file(lab.path("api-key.pem")).unwrap();
    refused(&lab, ISSUE, "api.pem exists already");
    lab.ok(FORCE);
    assert!(is_pair(lab.folder(), "api"));
}

#[test]
fn force_replaces_the_name_and_does_not_touch_the_old_file() {
    // A program that has the old file open reads all of it; etcd reads it at every handshake.
    let lab = Lab::with_ca(&[]);
    lab.ok(ISSUE);
    let files = ["api.pem", "api-key.pem"];
    let old = files.map(|file| lab.read(file));
    for file in files {
        fs::hard_link(lab.path(file), lab.path(format!("old-{file}"))).unwrap();
    }
    lab.ok(FORCE);
    for (file, old) in files.into_iter().zip(old) {
        assert_eq!(lab.read(format!("old-{file}")), old, "{file} was written in place");
        assert_ne!(lab.read(file), old, "{file} was not replaced");
        let inode = |name: &str| fs::metadata(lab.path(name)).unwrap().ino();
        assert_ne!(inode(file), inode(&format!("old-{file}")), "{file}");
    }
    assert!(is_pair(lab.folder(), "api"));
    assert_eq!(Tree::of(lab.folder()).strays().len(), 0);
}

#[test]
fn a_ca_or_half_of_one_is_never_overwritten() {
    for missing in [None, Some("pki/ca.pem"), Some("pki/ca-key.pem")] {
        let lab = Lab::with_ca(&[]);
        if let Some(file) = missing {
            fs::remove_file(lab.path(file)).unwrap();
        }
        refused(&lab, &["init-ca"], "exists already; a CA is never overwritten");
    }
}

#[test]
fn a_leaf_never_takes_the_place_of_its_ca() {
    // With NAME `ca`, NAME.pem and NAME-key.pem are the CA's own files.
    let lab = Lab::with_ca(&[]);
    symlink("pki", lab.path("link")).unwrap();
    let belongs = "belongs to the CA; it is never overwritten";
    for out in ["pki", "./pki/", "link", "pki/../pki"] {
        for name in ["ca", "ca-key"] {
            let args = ["issue", "--profile", "client", name, "--force", "--out", out];
            refused(&lab, &args, belongs);
        }
    }
    let run = lab.run(&["issue", "--profile", "client", "ca", "--out", "pki"]);
    assert_eq!(run.code, 3, "{run:?}");

    let mut inside = lab.command(&["issue", "--dir", ".", "--profile", "client", "ca", "--force"]);
    let before = Tree::of(lab.folder());
    let run = Run::from(inside.current_dir(lab.path("pki")).output().unwrap());
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains(belongs), "{run:?}");
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0]);

    // In another folder, the name is allowed.
    lab.ok(&["issue", "--profile", "client", "ca"]);
    lab.ok(&["issue", "--profile", "client", "ca", "--force"]);
}

#[test]
fn a_link_is_not_followed_and_not_replaced() {
    // cfssljson follows the link and writes the key to its target.
    for target in ["target", "nowhere"] {
        for file in ["api.pem", "api-key.pem"] {
            let lab = Lab::with_ca(&[]);
            lab.write("target", "precious");
            symlink(target, lab.path(file)).unwrap();
            for args in [ISSUE, FORCE] {
                refused(&lab, args, &format!("{file} is a symbolic link; it is not followed"));
            }
        }
        for file in ["ca.pem", "ca-key.pem"] {
            let lab = Lab::new();
            lab.write("target", "precious");
            fs::create_dir(lab.path("pki")).unwrap();
            symlink(lab.path(target), lab.path("pki").join(file)).unwrap();
            refused(&lab, &["init-ca"], &format!("pki/{file} exists already"));
        }
    }
}

#[test]
fn a_link_in_place_of_the_inventory_is_not_followed() {
    for target in ["target", "nowhere"] {
        for file in ["inventory.db", "inventory.db-wal", "inventory.db-journal"] {
            let lab = Lab::with_ca(&[]);
            lab.write("target", "");
            let _ = fs::remove_file(lab.path("pki").join(file));
            symlink(lab.path(target), lab.path("pki").join(file)).unwrap();
            refused(&lab, ISSUE, "pki/inventory.db");
            refused(&lab, FORCE, "pki/inventory.db");
            for file in ["ca.pem", "ca-key.pem"] {
                fs::remove_file(lab.path("pki").join(file)).unwrap();
            }
            refused(&lab, &["init-ca"], "pki/inventory.db");
        }
    }
}

#[test]
fn what_is_not_a_file_is_not_replaced() {
    for file in ["api.pem", "api-key.pem"] {
        let lab = Lab::with_ca(&[]);
        fs::create_dir(lab.path(file)).unwrap();
        refused(&lab, FORCE, &format!("{file} is not a file"));
        fs::remove_dir(lab.path(file)).unwrap();
        // Opening a pipe would wait for a reader forever.
        let mut mkfifo = peers::program("mkfifo");
        assert!(mkfifo.arg(lab.path(file)).status().unwrap().success());
        let run = lab.run(FORCE);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stderr.contains("is not a file"), "{run:?}");
    }
}
