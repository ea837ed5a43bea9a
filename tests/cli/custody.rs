//! How a CA keeps its key. Each kind of custody issues the lab of the examples.

mod air_gap;
mod choice;
mod command;
mod encrypted;
mod import;
mod matrix;
mod root;
mod secrets;
mod token;
mod unusual;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::lab::Lab;
use crate::peers;

/// A lab with the manifest of the examples.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", fs::read(peers::root().join("examples/lab/cluster.yaml")).unwrap());
    lab
}

/// Issues all certificates of the lab with these options of `apply`, and checks them with etcdpki and with OpenSSL.
fn issues_the_lab(lab: &Lab, options: &[&str]) {
    let run = lab.run(&[&["apply", "-f", "cluster.yaml"], options].concat());
    assert!(run.code == 0 && run.stdout.contains("\ndone"), "{run:?}");
    is_the_lab(lab);
}

/// Checks all certificates of the lab with etcdpki and with OpenSSL.
fn is_the_lab(lab: &Lab) {
    lab.ok(&["verify", "-f", "cluster.yaml"]);
    for host in ["etcdone", "etcdtwo", "etcdthree"] {
        for name in ["server.pem", "peer.pem"] {
            let leaf = format!("pki/hosts/{host}/{name}");
            openssl(lab, &["verify", "-CAfile", "pki/ca.pem", &leaf]);
        }
    }
    let plan = lab.run(&["plan", "-f", "cluster.yaml"]);
    assert_eq!(plan.code, 0, "{plan:?}");
}

/// Runs OpenSSL in the lab's folder, expects success, and returns its standard output.
fn openssl(lab: &Lab, args: &[&str]) -> Vec<u8> {
    let output = peers::program("openssl").args(args).current_dir(lab.folder()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {args:?}: {errors}");
    output.stdout
}

/// Writes a file that only its owner can read.
fn write_secret(lab: &Lab, name: &str, contents: impl AsRef<[u8]>) {
    lab.write(name, contents);
    fs::set_permissions(lab.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

fn mode(lab: &Lab, name: &str) -> u32 {
    fs::metadata(lab.path(name)).unwrap().permissions().mode() & 0o7777
}
