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

#[test]
fn each_planted_fault_is_named_and_nothing_else() {
    let copy = |lab: &Lab, from: &str, to: &str| {
        fs::copy(lab.path(from), lab.path(to)).unwrap();
    };
    let cases: [(fn(&Lab, &dyn Fn(&Lab, &str, &str)), &[&str]); 6] = [
        (
            |lab, copy| copy(lab, "pki/ca-key.pem", "pki/hosts/etcdtwo/ca-key.pem"),
            &["etcdtwo/ca-key.pem: ca-key-on-node"],
        ),
        (
            |lab, copy| {
                fs::create_dir(lab.path("pki/hosts/workerone")).unwrap();
                copy(lab, "pki/hosts/etcdone/peer-key.pem", "pki/hosts/workerone/peer-key.pem");
            },
            &["workerone/peer-key.pem: worker-holds-credential"],
        ),
        (
            |lab, _| {
                let key = lab.path("pki/hosts/masterone/apiserver-etcd-client-key.pem");
                fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
            },
            &["masterone/apiserver-etcd-client-key.pem: file-mode"],
        ),
        (
            |lab, _| fs::remove_file(lab.path("pki/hosts/etcdone/server.pem")).unwrap(),
            &["etcdone/server.pem: file-missing"],
        ),
        (
            |lab, _| fs::remove_file(lab.path("pki/hosts/etcdone/server-key.pem")).unwrap(),
            &["etcdone/server.pem: file-missing"],
        ),
        (
            |lab, copy| {
                // One certificate and key on two members, as labs with cfssl have it.
                for file in ["peer.pem", "peer-key.pem"] {
                    let (from, to) = ("pki/hosts/etcdone", "pki/hosts/etcdtwo");
                    copy(lab, &format!("{from}/{file}"), &format!("{to}/{file}"));
                }
            },
            &[
                "etcdtwo/peer.pem: host-mismatch",
                "etcdtwo/peer.pem: manifest-drift",
                "etcdtwo/peer.pem: manifest-drift",
                "etcdtwo/peer.pem: serial-dup",
                "etcdtwo/peer.pem: shared-key",
            ],
        ),
    ];
    for (plant, wanted) in cases {
        let lab = applied();
        plant(&lab, &copy);
        assert_eq!(found(&lab), wanted);
        assert_eq!(lab.run(&["status", "-f", "cluster.yaml"]).code, 1);
    }
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
