//! Faults in trust files, and in the chains that lead to them.

use std::fs;

use time::Duration;

use super::plant::{Planted, openssl};
use super::{after, append, copy_of, found, host};
use crate::lab::Lab;

/// Another CA in the folder `other`.
fn other_ca(lab: &Lab, cn: &str) -> Vec<u8> {
    lab.ok(&["--dir", "other", "init-ca", "--cn", cn]);
    lab.read("other/ca.pem")
}

#[test]
fn another_ca_in_the_place_of_the_clusters_is_found() {
    let found = after(|lab| lab.write(host("etcdone/ca.pem"), other_ca(lab, "another CA")));
    assert_eq!(found, ["etcdone/ca.pem: trust-wrong-ca"]);
}

#[test]
fn the_old_key_of_the_cas_name_is_found() {
    let found = after(|lab| lab.write(host("masterone/ca.pem"), other_ca(lab, "etcd CA")));
    assert_eq!(found, ["masterone/ca.pem: trust-wrong-ca"]);
}

#[test]
fn an_empty_trust_file_is_found() {
    let found = after(|lab| lab.write(host("etcdone/ca.pem"), ""));
    assert_eq!(found, ["etcdone/ca.pem: trust-empty"]);
}

#[test]
fn a_leaf_that_is_trusted_is_found() {
    let found =
        after(|lab| lab.write(host("etcdone/ca.pem"), lab.read(host("etcdone/server.pem"))));
    assert_eq!(found, ["etcdone/ca.pem: trust-not-ca"]);
}

#[test]
fn a_key_in_the_trust_file_is_found() {
    let found = after(|lab| {
        openssl(lab, "genpkey -algorithm ED25519 -out key.pem");
        append(lab, "etcdone/ca.pem", lab.read("key.pem"));
    });
    // The key is readable by everyone there.
    assert_eq!(found, ["etcdone/ca.pem: file-mode", "etcdone/ca.pem: trust-foreign-block"]);
}

#[test]
fn a_second_ca_that_is_trusted_is_found() {
    for (cn, rule) in [
        ("old etcd CA", "trust-extra-ca"),
        ("etcd CA", "ca-same-dn-other-key"),
        ("kubernetes", "ca-shared-with-k8s"),
    ] {
        let found = after(|lab| append(lab, "etcdone/ca.pem", other_ca(lab, cn)));
        assert_eq!(found, [format!("etcdone/ca.pem: {rule}")]);
    }
}

#[test]
fn a_certificate_of_another_ca_is_found() {
    let found = after(|lab| {
        other_ca(lab, "another CA");
        Planted::server().signed_by("other/ca").write(lab, &host("etcdone/server"));
    });
    assert_eq!(found, ["etcdone/server.pem: path-unknown-authority"]);
}

#[test]
fn a_certificate_of_the_cas_other_key_is_found() {
    let found = after(|lab| {
        other_ca(lab, "etcd CA");
        Planted::server().signed_by("other/ca").write(lab, &host("etcdone/server"));
    });
    assert_eq!(found, ["etcdone/server.pem: aki-ski", "etcdone/server.pem: path-signature"]);
}

/// A lab with an intermediate for one leaf certificate, whose file contains what `written` returns.
fn with_an_intermediate(written: fn(&[u8], &[u8]) -> Vec<u8>) -> Vec<String> {
    let lab = Lab::new();
    let manifest = super::APPLIED.read("cluster.yaml");
    lab.write("cluster.yaml", manifest);
    lab.ok(&["init-ca", "--cn", "etcd CA", "--path-len", "1"]);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    assert_eq!(found(&copy_of(&lab)), [""; 0]);
    openssl(&lab, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out between-key.pem");
    Planted::new("between", "", "")
        .more("basicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, keyCertSign, cRLSign")
        .life(Duration::minutes(-5), Duration::days(1000))
        .write(&lab, "between");
    Planted::peer().signed_by("between").serial("51").write(&lab, &host("etcdone/peer"));
    let between = lab.read("between.pem");
    // So that the intermediate is known.
    fs::write(lab.path(host("etcdtwo/between.pem")), &between).unwrap();
    let leaf = lab.read(host("etcdone/peer.pem"));
    lab.write(host("etcdone/peer.pem"), written(&leaf, &between));
    found(&lab)
}

#[test]
fn a_missing_intermediate_is_found() {
    let found = with_an_intermediate(|leaf, _| leaf.to_vec());
    assert_eq!(found, ["etcdone/peer.pem: chain-missing-intermediate"]);
}

#[test]
fn a_chain_in_the_wrong_order_is_found() {
    let found = with_an_intermediate(|leaf, between| [between, leaf].concat());
    assert_eq!(found, ["etcdone/peer.pem: chain-order"]);
}

#[test]
fn a_chain_in_order_differs_only_from_the_manifest() {
    let found = with_an_intermediate(|leaf, between| [leaf, between].concat());
    assert_eq!(found, ["etcdone/peer.pem: manifest-drift"]);
}
