//! Commands that work on the CA's folder find it through the manifest.

use std::fs;

use crate::lab::Lab;

/// The folder that only the manifest names.
const MANIFEST: &str = "cluster: lab\ndir: keys\netcd: [{ name: etcdone, ip: 10.0.0.1 }]\n";

#[test]
fn every_command_on_the_folder_of_a_ca_takes_the_manifest() {
    let lab = Lab::new();
    fs::create_dir(lab.path("site")).unwrap();
    lab.write("site/cluster.yaml", MANIFEST);
    lab.ok(&["apply", "-f", "site/cluster.yaml"]);
    let serial = crate::inventory::serial_of(&lab, "site/keys/hosts/etcdone/peer.pem");
    for command in [
        &["list"][..],
        &["show", &serial],
        &["check"],
        &["backup", "backup.db"],
        &["certdb", "export", "certs.db"],
        &["certdb", "import", "certs.db"],
        &["export", "etcdone"],
        &["renew", "--all"],
        &["renew", "--ca", "--dry-run"],
        &["revoke", &serial],
        &["crl"],
        &["crl", "--check"],
        &["passwd", "--remove"],
        &["import-ca", "--cert", "site/keys/ca.pem", "--key", "site/keys/ca-key.pem"],
    ] {
        lab.ok(&[command, &["-f", "site/cluster.yaml"]].concat());
        assert!(!lab.path("pki").exists(), "{command:?} used another folder");
        // Without it, there is no CA to work on, and import-ca would create one.
        if command[0] != "import-ca" && command[0] != "backup" {
            let run = lab.run(command);
            assert_ne!(run.code, 0, "{command:?}: {run:?}");
        }
    }
    // --dir decides if both are given.
    let run = lab.run(&["--dir", "nowhere", "list", "-f", "site/cluster.yaml"]);
    assert!(run.stderr.contains("nowhere/inventory.db is missing"), "{run:?}");
}

#[test]
fn with_separate_cas_each_command_for_one_ca_asks_which() {
    let lab = Lab::new();
    lab.write("cluster.yaml", format!("{MANIFEST}cas: {{}}\n"));
    let import = ["import-ca", "--cert", "other/ca.pem", "--key", "other/ca-key.pem"];
    lab.ok(&["--dir", "other", "init-ca"]);
    // Also before there are any: import-ca must not write into the folder around them.
    asks(&lab, &import);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    for command in [
        &["certdb", "export", "certs.db"][..],
        &["certdb", "import", "certs.db"],
        &["crl", "--der"],
        &["crl", "--out", "crl.pem"],
        &["passwd", "--remove"],
        &import,
    ] {
        asks(&lab, command);
        assert!(!lab.path("keys/ca.pem").exists(), "{command:?}");
    }
    // export packs what all three issued.
    lab.ok(&["export", "etcdone", "-f", "cluster.yaml"]);
    let listed = lab.ok(&["--dir", "keys/peer-ca", "list", "-f", "cluster.yaml"]);
    assert!(listed.contains("peer.pem") && !listed.contains("server.pem"), "{listed}");
}

#[track_caller]
fn asks(lab: &Lab, command: &[&str]) {
    let run = lab.run(&[command, &["-f", "cluster.yaml"]].concat());
    assert_eq!(run.code, 3, "{command:?}: {run:?}");
    assert!(run.stderr.contains("keys: it holds separate CAs"), "{command:?}: {run:?}");
    let folders = "--dir: keys/server-ca, keys/peer-ca, keys/client-ca";
    assert!(run.stderr.contains(folders), "{command:?}: {run:?}");
}
