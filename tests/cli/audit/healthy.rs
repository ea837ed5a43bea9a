//! Files that `apply` creates violate no rule, not even an informational one.

use serde_json::Value;

use super::{APPLIED, applied, copy_of, found, host};
use crate::lab::Lab;

fn nothing_is_found(lab: &Lab) {
    assert_eq!(found(lab), [""; 0]);
    lab.ok(&["status", "-f", "cluster.yaml"]);
}

#[test]
fn a_lab_that_was_just_applied_has_no_finding() {
    let lab = copy_of(&APPLIED);
    nothing_is_found(&lab);
    let status: Value =
        serde_json::from_str(&lab.ok(&["status", "-f", "cluster.yaml", "--format", "json"]))
            .unwrap();
    let rows = status["certificates"].as_array().unwrap();
    // The CA, two certificates for each of three members, one client.
    assert_eq!(rows.len(), 8);
    assert!(rows.iter().skip(1).all(|row| row["days_left"] == 364 || row["days_left"] == 365));
}

#[test]
fn nor_has_one_with_one_certificate_for_both_ports() {
    nothing_is_found(&applied("combined: true\n"));
}

#[test]
fn nor_has_one_with_an_etcd_whose_unit_says_everything() {
    for version in ["3.4", "3.5.1", "3.5.14", "3.5.15"] {
        nothing_is_found(&applied(&format!("etcd_version: \"{version}\"\n")));
    }
}

#[test]
fn nor_has_one_whose_ca_is_held_to_its_names() {
    nothing_is_found(&applied("constrain: true\n"));
}

#[test]
fn nor_has_one_with_other_clients_and_other_paths() {
    nothing_is_found(&applied(
        "clients: [ { name: backup }, { name: calico, host: workertwo } ]\n\
         paths: { etcd: /srv/etcd/pki, kubernetes: /srv/kubernetes }\n",
    ));
}

#[test]
fn nor_has_one_of_any_algorithm_and_any_life() {
    for (key, ca, leaf) in [
        ("ed25519", "10y", "1y"),
        ("ecdsa-p384", "10y", "90d"),
        ("ecdsa-p521", "60d", "10d"),
        ("rsa-2048", "2y", "1y"),
    ] {
        let lab = Lab::new();
        lab.write(
            "cluster.yaml",
            format!(
                "cluster: two\nca: {{ key: {key}, expiry: {ca} }}\n\
                 defaults: {{ key: {key}, expiry: {leaf} }}\n\
                 etcd:\n  - {{ name: one, ip: [\"2001:db8::1\", 192.0.2.1], sans: [\"*.etcd.example\"] }}\n\
                 control_plane: [ {{ name: master, ip: 192.0.2.9 }} ]\n"
            ),
        );
        lab.ok(&["apply", "-f", "cluster.yaml"]);
        // `status` warns about certificates that expire within 30 days, as some of these do.
        assert_eq!(found(&lab), [""; 0], "{key}");
    }
}

/// The path and its end of validity do not depend on how the file was found.
#[test]
fn files_of_hosts_are_reported_like_files() {
    let lab = copy_of(&APPLIED);
    lab.write(host("etcdone/server.pem"), lab.read("pki/ca.pem"));
    let run = lab.run(&["verify", "-f", "cluster.yaml", "--format", "json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let files = document["files"].as_array().unwrap();
    assert!(files.iter().all(|file| file["not_after"].is_string()), "{run:?}");
    assert_eq!(files[0]["file"], "etcdone/server.pem");
    assert_eq!(files[0]["limit"], "the certificate is a CA", "{run:?}");
}
