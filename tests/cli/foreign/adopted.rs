//! `adopt`: a manifest from the folders of other tools, and what `plan` says of them then.

use std::collections::BTreeSet;

use serde_json::Value;

use super::made;
use crate::lab::Lab;

/// Adopts folders; gives what `plan` says: each action, and the fields that differ.
fn adopted(lab: &Lab, folders: &[&str]) -> BTreeSet<String> {
    lab.ok(&[&["adopt"], folders].concat());
    let run = lab.run(&["plan", "-f", "cluster.yaml", "--format", "json"]);
    let plan: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let mut said = BTreeSet::new();
    for step in plan["steps"].as_array().unwrap() {
        let action = step["action"].as_str().unwrap();
        let file = step["file"].as_str().unwrap_or_default();
        let fields = step["drift"].as_array().cloned().unwrap_or_default();
        let fields: Vec<_> =
            fields.iter().map(|drift| drift["field"].as_str().unwrap().to_owned()).collect();
        said.insert(format!("{action} {file} {}", fields.join(",")));
    }
    said
}

#[test]
fn show() {
    let lab = Lab::new();
    made::kubeadm(&lab, "hosts");
    let said = adopted(&lab, &["hosts/node1", "hosts/node2", "hosts/node3"]);
    println!("{}\n{said:#?}", String::from_utf8(lab.read("cluster.yaml")).unwrap());
    let lab = Lab::new();
    made::kubespray_hosts(&lab, "hosts");
    let said = adopted(&lab, &["hosts/node1", "hosts/node2", "hosts/node3"]);
    println!("{}\n{said:#?}", String::from_utf8(lab.read("cluster.yaml")).unwrap());
    let lab = Lab::new();
    made::rke(&lab, "ssl");
    let said = adopted(&lab, &["ssl"]);
    println!("{}\n{said:#?}", String::from_utf8(lab.read("cluster.yaml")).unwrap());
    let lab = Lab::new();
    made::easy_rsa(&lab, "easy");
    let said = adopted(&lab, &["easy"]);
    println!("{}\n{said:#?}", String::from_utf8(lab.read("cluster.yaml")).unwrap());
    let lab = Lab::new();
    made::by_hand(&lab, "hosts");
    let said = adopted(&lab, &["hosts/node1", "hosts/node2", "hosts/node3"]);
    println!("{}\n{said:#?}", String::from_utf8(lab.read("cluster.yaml")).unwrap());
}
