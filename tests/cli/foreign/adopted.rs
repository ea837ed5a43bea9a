//! `adopt`: a manifest from the folders of other tools, and what `plan` says of them then.

use std::collections::BTreeSet;

use serde_json::Value;

use super::made;
use crate::lab::Lab;

/// Adopts folders; gives what `plan` would change, as `FILE: FIELD, FIELD`, with the hosts left out.
fn adopted(lab: &Lab, folders: &[&str]) -> BTreeSet<String> {
    lab.ok(&[&["adopt"], folders].concat());
    let run = lab.run(&["plan", "-f", "cluster.yaml", "--format", "json"]);
    let plan: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let mut changes = BTreeSet::new();
    for step in plan["steps"].as_array().unwrap() {
        let (action, file) = (step["action"].as_str().unwrap(), step["file"].as_str().unwrap());
        assert!(matches!(action, "keep" | "reissue"), "{step}");
        let reasons = step["reasons"].as_array().unwrap().iter();
        let fields = reasons.map(|reason| reason.as_str().unwrap().split(':').next().unwrap());
        let fields: Vec<&str> = fields.collect();
        if action == "reissue" {
            let file = made::MEMBERS
                .iter()
                .fold(file.to_owned(), |file, (name, _)| file.replace(name, "NODE"));
            changes.insert(format!("{file}: {}", fields.join(", ")));
        }
    }
    changes
}

const HOSTS: [&str; 3] = ["hosts/node1", "hosts/node2", "hosts/node3"];

/// What differs is what etcdpki does otherwise: the name that all peers share, the names under .invalid of clients,
/// the file's name as the common name of a client.
#[test]
fn a_cluster_of_kubeadm_is_adopted() {
    let lab = Lab::new();
    made::kubeadm(&lab, "hosts");
    let wanted = [
        "apiserver-etcd-client-NODE.pem: subject, names",
        "healthcheck-client-NODE.pem: subject, names",
        "peer.pem: names",
        "server.pem: names",
    ];
    assert_eq!(adopted(&lab, &HOSTS), wanted.map(str::to_owned).into());
    let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
    assert!(
        manifest.contains("ca: { cn: \"etcd-ca\", key: ecdsa-p256, expiry: 3650d }"),
        "{manifest}"
    );
    assert!(
        manifest.contains("{ name: \"node2\", ip: \"10.0.0.2\", key: ecdsa-p256, expiry: 365d }"),
        "{manifest}"
    );
}

/// The environment file tells the addresses, and that etcd2 runs on node2.
#[test]
fn a_cluster_of_kubespray_is_adopted() {
    let lab = Lab::new();
    made::kubespray_hosts(&lab, "hosts");
    let wanted = [
        "admin-NODE.pem: subject, names, extKeyUsage",
        "member.pem: subject, names",
        "node-NODE.pem: subject, names, extKeyUsage",
    ];
    assert_eq!(adopted(&lab, &HOSTS), wanted.map(str::to_owned).into());
    let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
    assert!(manifest.contains("paths: { etcd: \"/etc/ssl/etcd/ssl\" }"), "{manifest}");
    assert!(manifest.contains("cluster: k8s-etcd\n"), "{manifest}");
    assert!(manifest.contains("name: \"node2\", ip: \"10.0.0.2\""), "{manifest}");
}

#[test]
fn a_cluster_of_rke_is_adopted() {
    let lab = Lab::new();
    made::rke(&lab, "ssl");
    let wanted = ["kube-node.pem: subject, names", "member.pem: subject, names"];
    assert_eq!(adopted(&lab, &["ssl"]), wanted.map(str::to_owned).into());
}

#[test]
fn a_cluster_of_easy_rsa_is_adopted() {
    let lab = Lab::new();
    made::easy_rsa(&lab, "easy");
    assert_eq!(adopted(&lab, &["easy"]), ["member.pem: names".to_owned()].into());
}

#[test]
fn a_cluster_made_by_hand_is_adopted() {
    let lab = Lab::new();
    made::by_hand(&lab, "hosts");
    let wanted = ["peer.pem: names", "server.pem: issuer"];
    assert_eq!(adopted(&lab, &HOSTS), wanted.map(str::to_owned).into());
}

/// The keys are the members' own, readable by nobody else, and nothing is replaced.
#[test]
fn what_is_there_is_not_replaced() {
    let lab = Lab::new();
    made::easy_rsa(&lab, "easy");
    lab.ok(&["adopt", "easy"]);
    assert_eq!(lab.read("pki/hosts/node1/member-key.pem"), lab.read("easy/private/node1.key"));
    let key = std::fs::metadata(lab.path("pki/hosts/node1/member-key.pem")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    let run = lab.run(&["adopt", "easy"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("cluster.yaml"), "{run:?}");
}

/// Nobody can say which of three addresses is whose.
#[test]
fn an_address_that_nothing_tells_is_asked_for() {
    let lab = Lab::new();
    made::kubespray(&lab, "ssl");
    let run = lab.run(&["adopt", "ssl"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("3 mistakes"), "{run:?}");
    assert!(run.stderr.contains("unknown address"), "{run:?}");
    assert!(!lab.path("cluster.yaml").exists() && !lab.path("pki").exists(), "{run:?}");
}
