//! `verify -f` and `status`: a cluster's files against its manifest.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::lab::Lab;
use crate::peers;

fn applied() -> Lab {
    let lab = Lab::new();
    fs::copy(peers::root().join("examples/lab/cluster.yaml"), lab.path("cluster.yaml")).unwrap();
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab
}

/// The ids of what is found, as `FILE: RULE`, sorted.
fn found(lab: &Lab) -> Vec<String> {
    let run = lab.run(&["verify", "-f", "cluster.yaml", "--format", "json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let mut found = Vec::new();
    for file in document["files"].as_array().unwrap() {
        for finding in file["findings"].as_array().unwrap() {
            let (file, rule) = (file["file"].as_str().unwrap(), finding["rule"].as_str().unwrap());
            found.push(format!("{file}: {rule}"));
        }
    }
    assert_eq!(run.code, i32::from(!found.is_empty()), "{run:?}");
    found.sort();
    found
}

#[test]
fn a_lab_that_was_just_applied_has_no_finding() {
    let lab = applied();
    assert_eq!(found(&lab), [""; 0]);
    let status: Value =
        serde_json::from_str(&lab.ok(&["status", "-f", "cluster.yaml", "--format", "json"]))
            .unwrap();
    let rows = status["certificates"].as_array().unwrap();
    // The CA, three members twice, one client.
    assert_eq!(rows.len(), 8);
    assert!(rows.iter().skip(1).all(|row| row["days_left"] == 364 || row["days_left"] == 365));
}

/// Plants a fault in a lab that was just applied; gives what is found then.
fn after(plant: impl Fn(&Lab)) -> Vec<String> {
    let lab = applied();
    plant(&lab);
    assert_eq!(lab.run(&["status", "-f", "cluster.yaml"]).code, 1);
    found(&lab)
}

fn copy(lab: &Lab, from: &str, to: &str) {
    fs::copy(lab.path("pki").join(from), lab.path("pki").join(to)).unwrap();
}

#[test]
fn the_cas_key_on_a_member_is_found() {
    let found = after(|lab| copy(lab, "ca-key.pem", "hosts/etcdtwo/ca-key.pem"));
    assert_eq!(found, ["etcdtwo/ca-key.pem: ca-key-on-node"]);
}

#[test]
fn a_credential_on_a_worker_is_found() {
    let found = after(|lab| {
        fs::create_dir(lab.path("pki/hosts/workerone")).unwrap();
        copy(lab, "hosts/etcdone/peer-key.pem", "hosts/workerone/peer-key.pem");
    });
    assert_eq!(found, ["workerone/peer-key.pem: worker-holds-credential"]);
}

#[test]
fn a_key_that_others_can_read_is_found() {
    let found = after(|lab| {
        let key = lab.path("pki/hosts/masterone/apiserver-etcd-client-key.pem");
        fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    });
    assert_eq!(found, ["masterone/apiserver-etcd-client-key.pem: file-mode"]);
}

#[test]
fn a_missing_file_is_found() {
    for file in ["server.pem", "server-key.pem"] {
        let found = after(|lab| fs::remove_file(lab.path("pki/hosts/etcdone").join(file)).unwrap());
        assert_eq!(found, ["etcdone/server.pem: file-missing"], "{file}");
    }
}

/// As labs with cfssl have it.
#[test]
fn one_certificate_and_key_on_two_members_is_found() {
    let found = after(|lab| {
        for file in ["peer.pem", "peer-key.pem"] {
            copy(lab, &format!("hosts/etcdone/{file}"), &format!("hosts/etcdtwo/{file}"));
        }
    });
    let rules = ["host-mismatch", "manifest-drift", "manifest-drift", "serial-dup", "shared-key"];
    assert_eq!(found, rules.map(|rule| format!("etcdtwo/peer.pem: {rule}")));
}

#[test]
fn prometheus_reads_the_metrics_of_every_certificate() {
    let lab = applied();
    let text = lab.ok(&["status", "-f", "cluster.yaml", "--output", "prometheus"]);
    let ends =
        text.lines().filter(|line| line.starts_with("etcdpki_certificate_not_after_seconds{"));
    assert_eq!(ends.count(), 8);
    let sample =
        "etcdpki_certificate_problems{host=\"etcdone\",file=\"peer.pem\",purpose=\"peer\"} 0";
    assert!(text.lines().any(|line| line == sample), "{text}");
}
