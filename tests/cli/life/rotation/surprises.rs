//! What people do in the middle of a rotation that is not a step of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::{MANIFEST, every_host, everybody_agrees, lab, next, refused, rotate, rotated, status};
use crate::lab::Lab;
use crate::life::{APPLY, PLAN};

const BOTH: [&str; 2] = ["etcd CA", "etcd CA G2"];

fn passphrase(lab: &Lab) {
    lab.write("passphrase", "correct horse");
    fs::set_permissions(lab.path("passphrase"), Permissions::from_mode(0o600)).unwrap();
}

fn is_encrypted(lab: &Lab, key: &str) -> bool {
    lab.read(format!("pki/{key}")).starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
}

/// The new CA is the one that became valid later. A renewal of the old one must not change that: the rotation would end with the
/// old CA, and the key of the new one would be retired.
#[test]
fn a_ca_that_is_renewed_while_it_is_replaced_is_still_the_old_one() {
    let lab = lab();
    rotated(&lab, "begin");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    lab.ok(&["renew", "--ca"]);
    let now = status(&lab);
    assert_eq!((&now["old"], &now["new"]), (&"CN=etcd CA".into(), &"CN=etcd CA G2".into()));
    lab.ok(APPLY);
    everybody_agrees(&lab);
    rotated(&lab, "reissue");
    every_host(&lab, &BOTH, "etcd CA G2");
    lab.ok(&["renew", "--ca"]);
    assert_eq!(next(&lab), "finish");
    rotated(&lab, "finish");
    every_host(&lab, &["etcd CA G2"], "etcd CA G2");
    everybody_agrees(&lab);
}

/// The files of the CA come from a backup that was made before the new CA issued. Hosts trust only the new CA by now.
#[test]
fn a_ca_pem_from_an_earlier_step_does_not_undo_a_rotation_that_is_over() {
    let lab = lab();
    rotated(&lab, "begin");
    let backup = ["ca.pem", "ca-key.pem", "ca-next-key.pem"]
        .map(|file| (format!("pki/{file}"), lab.read(format!("pki/{file}"))));
    rotated(&lab, "reissue");
    rotated(&lab, "finish");
    for (file, contents) in &backup {
        lab.write(file, contents);
        fs::set_permissions(lab.path(file), Permissions::from_mode(0o600)).unwrap();
    }
    for args in [APPLY, PLAN] {
        let reasons = ["trusts only the new CA", "CN=etcd CA issues", "rotate-ca finish"];
        refused(&lab, args, &reasons);
    }
    let said = rotate(&lab, "status", &[]).stdout;
    assert!(said.contains("rotate-ca finish -f cluster.yaml --restarted all"), "{said}");
    fs::remove_file(lab.path("pki").join("ca-next-key.pem")).unwrap();
    let finish = ["rotate-ca", "finish", "-f", "cluster.yaml", "--restarted", "all"];
    let run = lab.run(&finish);
    assert!(run.code == 3 && run.stderr.contains("ca-next-key.pem is missing"), "{run:?}");
    let (file, contents) = &backup[2];
    lab.write(file, contents);
    fs::set_permissions(lab.path(file), Permissions::from_mode(0o600)).unwrap();
    for retired in fs::read_dir(lab.path("pki")).unwrap().map(Result::unwrap) {
        if retired.file_name().to_str().unwrap().starts_with("ca-retired-") {
            fs::remove_file(retired.path()).unwrap();
        }
    }
    rotated(&lab, "finish");
    every_host(&lab, &["etcd CA G2"], "etcd CA G2");
    everybody_agrees(&lab);
}

#[test]
fn a_name_for_a_new_ca_that_exists_already_is_refused() {
    let lab = lab();
    let begin = |name| ["rotate-ca", "begin", "-f", "cluster.yaml", "--cn", name];
    rotated(&lab, "begin");
    refused(
        &lab,
        &begin("another"),
        &["a rotation to CN=etcd CA G2 is under way", "rotate-ca abort"],
    );
    lab.ok(&begin("etcd CA G2"));
}

#[test]
fn the_key_of_a_new_ca_is_encrypted_if_that_of_the_old_one_is() {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    passphrase(&lab);
    let with_passphrase = ["--ca-passphrase", "file:passphrase"];
    lab.ok(&[APPLY, &with_passphrase].concat());
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let run = rotate(&lab, "begin", &[]);
    assert_eq!(run.code, 2, "{run:?}");
    let reason = "pki/ca-key.pem is encrypted, and pki/ca-next-key.pem would not be";
    assert!(run.stderr.contains(reason) && run.stderr.contains("--ca-passphrase"), "{run:?}");
    assert!(!lab.path("pki/ca-next-key.pem").exists());
    assert_eq!(rotate(&lab, "begin", &with_passphrase).code, 0);
    assert!(is_encrypted(&lab, "ca-next-key.pem"));
    for step in ["reissue", "finish"] {
        let run = rotate(&lab, step, &[&["--restarted", "all"], &with_passphrase[..]].concat());
        assert_eq!(run.code, 0, "{step}: {run:?}");
    }
    assert!(is_encrypted(&lab, "ca-key.pem"));
}

#[test]
fn passwd_says_that_it_does_not_change_the_key_of_the_new_ca() {
    let lab = lab();
    rotated(&lab, "begin");
    passphrase(&lab);
    let run = lab.run(&["passwd", "--new-passphrase", "file:passphrase"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("ca-next-key.pem, the key of the new CA, is unchanged"), "{run:?}");
    assert!(is_encrypted(&lab, "ca-key.pem") && !is_encrypted(&lab, "ca-next-key.pem"));
}

#[test]
fn a_lost_key_of_the_new_ca_is_named_and_the_rotation_can_be_aborted() {
    let lab = lab();
    rotated(&lab, "begin");
    fs::remove_file(lab.path("pki").join("ca-next-key.pem")).unwrap();
    let run = rotate(&lab, "reissue", &["--restarted", "all"]);
    assert_eq!(run.code, 3, "{run:?}");
    for part in ["pki/ca-next-key.pem is missing", "CN=etcd CA G2", "rotate-ca abort"] {
        assert!(run.stderr.contains(part), "{part:?} is not in {run:?}");
    }
    rotated(&lab, "abort");
    every_host(&lab, &["etcd CA"], "etcd CA");
}

/// `reissue` replaces what is in the hosts' folders. Other certificates of the CA would be rejected without a word.
#[test]
fn certificates_in_no_hosts_folder_are_named_before_members_reject_them() {
    let lab = lab();
    for client in ["backup", "monitoring", "former"] {
        lab.ok(&["issue", "--profile", "client", client]);
    }
    lab.ok(&["revoke", "former.pem"]);
    rotated(&lab, "begin");
    let run = rotate(&lab, "reissue", &["--restarted", "all"]);
    let named = |text: &str, file: &str| text.contains(&format!("/{file}.pem"));
    let said = run.stderr;
    assert!(named(&said, "backup") && named(&said, "monitoring"), "{said}");
    assert!(!named(&said, "former") && said.contains("etcdpki renew FILE"), "{said}");
    lab.ok(&["renew", "backup.pem", "--dir", "pki"]);
    let said = rotate(&lab, "finish", &["--restarted", "all"]).stderr;
    assert!(!named(&said, "backup") && named(&said, "monitoring"), "{said}");
    assert!(said.contains("etcdpki issue --profile PROFILE NAME --force"), "{said}");
    assert_eq!(lab.run(&["verify", "backup.pem"]).code, 0);
    assert_eq!(lab.run(&["verify", "monitoring.pem"]).code, 1);
    // They are not news in the next rotation.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    rotated(&lab, "begin");
    let said = rotate(&lab, "reissue", &["--restarted", "all"]).stderr;
    assert!(named(&said, "backup") && !named(&said, "monitoring"), "{said}");
}

/// The clock of the machine is behind that of the machine which created the CA.
#[test]
fn a_rotation_on_a_machine_with_a_slow_clock_says_when_it_is_possible() {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    let run = lab.run_at("2026-01-01 12:10:00", APPLY);
    assert_eq!(run.code, 0, "{run:?}");
    let begin = ["rotate-ca", "begin", "-f", "cluster.yaml"];
    let run = lab.run_at("2026-01-01 12:00:00", &begin);
    assert_eq!(run.code, 3, "{run:?}");
    let reason = "CN=etcd CA is valid only from ";
    assert!(run.stderr.contains(reason) && run.stderr.contains("set-ntp"), "{run:?}");
    assert_eq!(lab.run_at("2026-01-01 12:06:00", &begin).code, 0);
}
