//! `--prune` removes what `apply` made for the same cluster, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;

use crate::files::tree::Tree;
use crate::lab::Lab;

const TWO: &str = "cluster: lab\netcd:\n  - { name: etcdone, ip: 192.168.29.61 }\n\
    clients:\n  - { name: backup, host: backuphost }\n";
const ONE: &str = "cluster: lab\netcd:\n  - { name: etcdone, ip: 192.168.29.61 }\n";
const PRUNE: &[&str] = &["apply", "-f", "cluster.yaml", "--prune", "--yes"];
const PLAN: &[&str] = &["plan", "-f", "cluster.yaml", "--prune", "--exit-code"];

/// Two hosts were made; the manifest lists one of them.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", TWO);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab.write("cluster.yaml", ONE);
    lab
}

/// `plan --prune` shows that the folder stays and why, and `apply --prune` leaves it as it is.
#[track_caller]
fn stays(lab: &Lab, why: &str) {
    let before = Tree::of(&lab.path("pki/hosts/backuphost"));
    let plan = lab.run(PLAN);
    let line = "  orphan   backuphost\n           the manifest does not list this host\n           --prune keeps it: ";
    assert!(plan.stdout.contains(&format!("{line}{why}\n")), "{plan:?}");
    let out = lab.ok(PRUNE);
    assert!(!out.contains("remove"), "{out}");
    assert_eq!(before.changes(&Tree::of(&lab.path("pki/hosts/backuphost"))), [""; 0]);
}

#[test]
fn a_folder_that_apply_made_is_shown_and_removed() {
    let lab = lab();
    let plan = lab.run(PLAN);
    assert_eq!(plan.code, 4, "{plan:?}");
    assert!(plan.stdout.contains("  remove   backuphost\n"), "{plan:?}");
    assert!(lab.ok(PRUNE).contains("  remove   backuphost\n"));
    assert!(!lab.path("pki/hosts/backuphost").exists());
    assert_eq!(lab.ok(PRUNE), "nothing to do\n");
}

#[test]
fn without_a_terminal_it_needs_yes() {
    let lab = lab();
    let before = Tree::of(lab.folder());
    let run = lab.run(&["apply", "-f", "cluster.yaml", "--prune"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("--prune would remove backuphost"), "{run:?}");
    assert!(run.stderr.contains("add --yes"), "{run:?}");
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0]);
    // With nothing to remove there is nothing to ask.
    lab.ok(PRUNE);
    assert_eq!(lab.ok(&["apply", "-f", "cluster.yaml", "--prune"]), "nothing to do\n");
}

#[test]
fn a_folder_with_something_else_in_it_stays() {
    let lab = lab();
    lab.write("pki/hosts/backuphost/notes.txt", "mine");
    stays(&lab, "it holds notes.txt, which apply did not make");
    fs::remove_file(lab.path("pki/hosts/backuphost/notes.txt")).unwrap();
    fs::create_dir(lab.path("pki/hosts/backuphost/more")).unwrap();
    stays(&lab, "it contains files that apply did not make");
    fs::remove_dir(lab.path("pki/hosts/backuphost/more")).unwrap();
    symlink("/etc", lab.path("pki/hosts/backuphost/etc")).unwrap();
    stays(&lab, "it contains files that apply did not make");
}

#[test]
fn a_key_without_its_certificate_or_of_another_ca_stays() {
    let lab = lab();
    lab.write("pki/hosts/backuphost/other-key.pem", "a key");
    let why =
        "which is not from the cluster's current CA; delete the folder yourself if no host uses it";
    stays(&lab, &format!("it holds other-key.pem, {why}"));
    fs::remove_file(lab.path("pki/hosts/backuphost/other-key.pem")).unwrap();
    let other = Lab::with_ca(&[]);
    other.ok(&["issue", "--profile", "client", "backup"]);
    lab.write("pki/hosts/backuphost/backup.pem", other.read("backup.pem"));
    stays(&lab, &format!("it holds backup-key.pem, {why}"));
}

#[test]
fn the_folders_of_another_cluster_stay() {
    // Two clusters in one folder: each would have removed the other's hosts.
    let lab = lab();
    lab.write("cluster.yaml", ONE.replace("cluster: lab", "cluster: other"));
    stays(&lab, "it was made for the cluster \"lab\"");
}

#[test]
fn a_folder_that_nobody_knows_of_stays() {
    let lab = lab();
    fs::remove_file(lab.path("pki/hosts.json")).unwrap();
    stays(&lab, "there is no record that apply made it");
    lab.write("pki/hosts.json", "[1, 2");
    let run = lab.run(PRUNE);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("pki/hosts.json: not a list of hosts"), "{run:?}");
}

#[test]
fn hidden_folders_stay_and_are_not_shown() {
    let lab = lab();
    fs::rename(lab.path("pki/hosts/backuphost"), lab.path("pki/hosts/.git")).unwrap();
    let before = Tree::of(lab.folder());
    assert_eq!(lab.run(PLAN).code, 0);
    assert_eq!(lab.ok(PRUNE), "nothing to do\n");
    let after = Tree::of(lab.folder());
    assert_eq!(before.changes(&after), [""; 0]);
}
