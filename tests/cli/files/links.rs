//! Links in the hosts' folders: their targets must not be read or changed.

use std::fs;
use std::os::unix::fs::symlink;

use super::{mode, set_mode};
use crate::files::tree::Tree;
use crate::lab::Lab;

const MANIFEST: &str = "cluster: lab\netcd:\n  - { name: etcdone, ip: 192.168.29.61 }\n";
const APPLY: &[&str] = &["apply", "-f", "cluster.yaml"];

fn applied() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", MANIFEST);
    lab.ok(APPLY);
    lab
}

/// Every command that reads the hosts' folders rejects the link, and nothing changes.
#[track_caller]
fn refused(lab: &Lab, link: &str) {
    let before = Tree::of(lab.folder());
    for args in [APPLY, &["plan", "-f", "cluster.yaml"]] {
        let run = lab.run(args);
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        let says = format!("{link} is a symbolic link; it is not followed");
        assert!(run.stderr.contains(&says), "{args:?}: {run:?}");
    }
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0]);
}

#[test]
fn a_link_in_the_place_of_a_hosts_folder_is_not_followed() {
    let lab = applied();
    fs::rename(lab.path("pki/hosts/etcdone"), lab.path("elsewhere")).unwrap();
    symlink("../../elsewhere", lab.path("pki/hosts/etcdone")).unwrap();
    refused(&lab, "pki/hosts/etcdone");
}

#[test]
fn a_link_in_a_hosts_folder_is_not_followed_and_the_mode_of_its_target_stays() {
    // Anyone who could create a link there could change the mode of a file of root from 0600 to 0644.
    let lab = applied();
    lab.write("secret", "not a certificate");
    set_mode(&lab.path("secret"), 0o600);
    fs::remove_file(lab.path("pki/hosts/etcdone/ca.pem")).unwrap();
    symlink("../../../secret", lab.path("pki/hosts/etcdone/ca.pem")).unwrap();
    refused(&lab, "pki/hosts/etcdone/ca.pem");
    assert_eq!(mode(&lab.path("secret")), 0o600);
}

#[test]
fn a_link_to_a_folder_is_nobodys_host() {
    let lab = applied();
    symlink("etcdone", lab.path("pki/hosts/latest")).unwrap();
    assert_eq!(lab.run(&["plan", "-f", "cluster.yaml", "--exit-code"]).code, 0);
    let _ = lab.run(&["apply", "-f", "cluster.yaml", "--prune", "--yes"]);
    assert!(lab.path("pki/hosts/latest").is_symlink());
    assert!(lab.path("pki/hosts/etcdone/server.pem").exists());
}

/// `status --out` as a collector of metrics needs it.
#[test]
fn a_page_of_metrics_is_replaced_in_one_step() {
    let lab = applied();
    let status =
        ["status", "-f", "cluster.yaml", "--output", "prometheus", "--out", "etcdpki.prom"];
    assert_eq!(lab.ok(&status), "");
    let page = lab.ok(&["status", "-f", "cluster.yaml", "--output", "prometheus"]);
    assert_eq!(lab.read("etcdpki.prom"), page.as_bytes());
    let old = fs::File::open(lab.path("etcdpki.prom")).unwrap();
    lab.ok(&status);
    // Whoever has the old one open reads all of it.
    assert_eq!(std::io::read_to_string(old).unwrap(), page);
    fs::remove_file(lab.path("etcdpki.prom")).unwrap();
    symlink("elsewhere", lab.path("etcdpki.prom")).unwrap();
    assert_eq!(lab.run(&status).code, 3);
    assert!(!lab.path("elsewhere").exists());
}
