//! `verify DIR` with folders from other tools.

use serde_json::Value;

use super::made;
use crate::lab::Lab;

/// The errors of `verify` as `FILE: RULE`, and its exit code.
fn errors(lab: &Lab, folder: &str) -> (i32, Vec<String>) {
    let run = lab.run(&["verify", folder, "--format", "json"]);
    let document: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let mut errors = Vec::new();
    for file in document["files"].as_array().unwrap() {
        for finding in file["findings"].as_array().unwrap() {
            if finding["severity"] == "error" {
                let (file, rule) =
                    (file["file"].as_str().unwrap(), finding["rule"].as_str().unwrap());
                errors.push(format!("{file}: {rule}"));
            }
        }
    }
    errors.sort();
    errors.dedup();
    (run.code, errors)
}

#[track_caller]
fn healthy(lab: &Lab, folder: &str) {
    assert_eq!(errors(lab, folder), (0, Vec::new()));
}

#[track_caller]
fn only(lab: &Lab, folder: &str, error: &str) {
    assert_eq!(errors(lab, folder), (1, vec![error.to_owned()]));
}

const SERVER: made::Leaf<'_> = made::Leaf {
    subject: "/CN=node1",
    names: "DNS:node1, IP:10.0.0.1",
    usages: "serverAuth",
    key_usages: "digitalSignature",
    days: "365",
};

#[test]
fn a_folder_of_kubeadm_is_known() {
    let lab = Lab::new();
    made::kubeadm(&lab, "hosts");
    for (name, _) in made::MEMBERS {
        let run = lab.run(&["verify", &format!("hosts/{name}")]);
        // kubeadm's client certificates have no names, so the peer port really accepts them.
        assert_eq!(run.stdout.matches("peer-port-open-to-clients").count(), 2, "{run:?}");
        assert!(run.stdout.contains("etcd/ca.crt"), "{run:?}");
    }
    // A peer certificate without clientAuth, and a key of another member.
    let ca = ("made/ca.crt", "made/ca.key");
    let (certificate, key) = ("hosts/node1/etcd/peer.crt", "hosts/node1/etcd/peer.key");
    made::leaf(&lab, ca, SERVER, certificate, key);
    let (_, errors) = errors(&lab, "hosts/node1");
    assert!(errors.contains(&format!("{certificate}: peer-eku-both")), "{errors:?}");
    let (one, other) = ("hosts/node2/etcd/server.key", "hosts/node3/etcd/server.key");
    made::swap(&lab, one, other);
    let (_, errors) = self::errors(&lab, "hosts/node2");
    assert!(errors.contains(&"hosts/node2/etcd/server.crt: key-mismatch".to_owned()), "{errors:?}");
}

#[test]
fn a_folder_of_kubespray_is_known() {
    let lab = Lab::new();
    made::kubespray(&lab, "ssl");
    healthy(&lab, "ssl");
    made::swap(&lab, "ssl/member-node2-key.pem", "ssl/node-node2-key.pem");
    only(&lab, "ssl", "ssl/member-node2.pem: key-mismatch");
}

#[test]
fn a_folder_of_rke_is_known() {
    let lab = Lab::new();
    made::rke(&lab, "ssl");
    healthy(&lab, "ssl");
    let ca = ("ssl/kube-ca.pem", "made-kube-ca-key.pem");
    let base = "ssl/kube-etcd-10-0-0-2";
    made::leaf(&lab, ca, SERVER, &format!("{base}.pem"), &format!("{base}-key.pem"));
    only(&lab, "ssl", &format!("{base}.pem: peer-eku-both"));
}

#[test]
fn a_folder_of_easy_rsa_is_known() {
    let lab = Lab::new();
    made::easy_rsa(&lab, "easy");
    healthy(&lab, "easy");
    made::swap(&lab, "easy/private/node3.key", "easy/private/node1.key");
    only(&lab, "easy", "easy/issued/node3.crt: key-mismatch");
}

/// The configuration determines the role of each file, and each certificate is verified with its own CA.
#[test]
fn a_folder_made_by_hand_is_read_by_its_configuration() {
    let lab = Lab::new();
    made::by_hand(&lab, "hosts");
    for (name, _) in made::MEMBERS {
        healthy(&lab, &format!("hosts/{name}"));
    }
    let ca = ("made-peers.crt", "made-peers.key");
    made::leaf(&lab, ca, SERVER, "hosts/node1/cluster.crt", "hosts/node1/cluster.key");
    only(&lab, "hosts/node1", "hosts/node1/cluster.crt: peer-eku-both");
    // Issued by the CA for clients, which the other members do not trust.
    let both = made::Leaf { usages: "serverAuth, clientAuth", ..SERVER };
    let ca = ("made-clients.crt", "made-clients.key");
    made::leaf(&lab, ca, both, "hosts/node2/cluster.crt", "hosts/node2/cluster.key");
    only(&lab, "hosts/node2", "hosts/node2/cluster.crt: path-unknown-authority");
}

/// Explicit options take precedence.
#[test]
fn an_option_beats_what_the_folder_says() {
    let lab = Lab::with_ca(&[]);
    made::kubespray(&lab, "ssl");
    let run = lab.run(&["verify", "ssl"]);
    assert!(run.stdout.contains("path-unknown-authority"), "{run:?}");
    lab.ok(&["verify", "ssl", "--ca", "ssl/ca.pem", "--purpose", "server"]);
}
