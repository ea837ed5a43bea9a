//! `verify DIR` with folders from other tools.

use std::fs;

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

/// Plants a fault in a healthy PKI, and checks that it is the only error in a folder.
#[track_caller]
fn only_fault(make: fn(&Lab), plant: fn(&Lab), folder: &str, error: &str) {
    let lab = Lab::new();
    make(&lab);
    plant(&lab);
    only(&lab, folder, &format!("{folder}/{error}"));
}

#[test]
fn a_folder_of_kubeadm_is_known() {
    const MAKE: fn(&Lab) = |lab| made::kubeadm(lab, "hosts");
    const CA: (&str, &str) = ("made/ca.crt", "made/ca.key");
    let lab = Lab::new();
    MAKE(&lab);
    for (name, _) in made::MEMBERS {
        healthy(&lab, &format!("hosts/{name}"));
        // etcd's client certificates have no names, so the peer port really accepts them. It does not accept those of
        // Kubernetes' CA.
        let run = lab.run(&["verify", &format!("hosts/{name}")]);
        assert_eq!(run.stdout.matches("[peer-port-open-to-clients]").count(), 2, "{run:?}");
        assert_eq!(run.stdout.matches(": ok").count(), 5, "{run:?}");
    }
    // Only etcd's folder.
    healthy(&lab, "hosts/node1/etcd");
    // The pod of the kubelet has paths on the host: two files are called ca.crt.
    made::kubeadm_hosts(&lab, "pods");
    fs::copy(lab.path("pods/node1/etcd.yaml"), lab.path("hosts/node1/etcd.yaml")).unwrap();
    healthy(&lab, "hosts/node1");
    // All of /etc/kubernetes
    fs::create_dir_all(lab.path("kubernetes/manifests")).unwrap();
    fs::rename(lab.path("hosts/node1/etcd.yaml"), lab.path("kubernetes/manifests/etcd.yaml"))
        .unwrap();
    fs::rename(lab.path("hosts/node1"), lab.path("kubernetes/pki")).unwrap();
    healthy(&lab, "kubernetes");

    let peer: fn(&Lab) = |lab| {
        made::leaf(lab, CA, SERVER, "hosts/node1/etcd/peer.crt", "hosts/node1/etcd/peer.key");
    };
    only_fault(MAKE, peer, "hosts/node1", "etcd/peer.crt: peer-eku-both");
    let key: fn(&Lab) =
        |lab| made::swap(lab, "hosts/node2/etcd/server.key", "hosts/node3/etcd/server.key");
    only_fault(MAKE, key, "hosts/node2", "etcd/server.crt: key-mismatch");
    let client: fn(&Lab) = |lab| {
        let ca = ("made/kubernetes.crt", "made/kubernetes.key");
        let client = made::Leaf { names: "", usages: "clientAuth", ..SERVER };
        let base = "hosts/node3/apiserver-etcd-client";
        made::leaf(lab, ca, client, &format!("{base}.crt"), &format!("{base}.key"));
    };
    only_fault(MAKE, client, "hosts/node3", "apiserver-etcd-client.crt: path-unknown-authority");
}

#[test]
fn a_folder_of_kubespray_is_known() {
    const MAKE: fn(&Lab) = |lab| made::kubespray(lab, "ssl");
    let lab = Lab::new();
    MAKE(&lab);
    healthy(&lab, "ssl");
    let key: fn(&Lab) = |lab| made::swap(lab, "ssl/member-node2-key.pem", "ssl/node-node2-key.pem");
    only_fault(MAKE, key, "ssl", "member-node2.pem: key-mismatch");
    // A second run of kubespray without the key of the CA made a new one of the same name.
    let ca: fn(&Lab) = |lab| {
        made::authority(lab, "/CN=etcd-ca", "made-again.pem", "made-again-key.pem");
        let (ca, both) = (("made-again.pem", "made-again-key.pem"), made::BOTH);
        let member = made::Leaf { usages: both, ..SERVER };
        made::leaf(lab, ca, member, "ssl/member-node1.pem", "ssl/member-node1-key.pem");
    };
    only_fault(MAKE, ca, "ssl", "member-node1.pem: path-signature");
}

#[test]
fn a_folder_of_rke_is_known() {
    const MAKE: fn(&Lab) = |lab| made::rke(lab, "ssl");
    const CA: (&str, &str) = ("ssl/kube-ca.pem", "made-kube-ca-key.pem");
    let lab = Lab::new();
    MAKE(&lab);
    healthy(&lab, "ssl");
    let usages: fn(&Lab) = |lab| {
        let base = "ssl/kube-etcd-10-0-0-2";
        made::leaf(lab, CA, SERVER, &format!("{base}.pem"), &format!("{base}-key.pem"));
    };
    only_fault(MAKE, usages, "ssl", "kube-etcd-10-0-0-2.pem: peer-eku-both");
    let names: fn(&Lab) = |lab| {
        let base = "ssl/kube-etcd-10-0-0-3";
        let nameless = made::Leaf { names: "", usages: made::BOTH, ..SERVER };
        made::leaf(lab, CA, nameless, &format!("{base}.pem"), &format!("{base}-key.pem"));
    };
    only_fault(MAKE, names, "ssl", "kube-etcd-10-0-0-3.pem: san-none-cn-only");
}

/// With text before the PEM, and without the second copies of all certificates.
#[test]
fn a_folder_of_easy_rsa_is_known() {
    const MAKE: fn(&Lab) = |lab| made::easy_rsa(lab, "easy");
    let lab = Lab::new();
    MAKE(&lab);
    healthy(&lab, "easy");
    let run = lab.run(&["verify", "easy"]);
    assert!(run.stdout.contains("4 certificates checked"), "{run:?}");
    let key: fn(&Lab) = |lab| made::swap(lab, "easy/private/node3.key", "easy/private/node1.key");
    only_fault(MAKE, key, "easy", "issued/node3.crt: key-mismatch");
    // `easyrsa build-server-full node2` without --san.
    let names: fn(&Lab) =
        |lab| made::issue(lab, "easy", made::Leaf { names: "", ..SERVER }, "node2");
    only_fault(MAKE, names, "easy", "issued/node2.crt: san-none-cn-only");
}

/// The configuration determines the role of each file, and each certificate is verified with its own CA.
#[test]
fn a_folder_made_by_hand_is_read_by_its_configuration() {
    const MAKE: fn(&Lab) = |lab| made::by_hand(lab, "hosts");
    let lab = Lab::new();
    MAKE(&lab);
    for (name, _) in made::MEMBERS {
        healthy(&lab, &format!("hosts/{name}"));
    }
    // The configuration turns the gateway off, so the server's certificate is never that of a client.
    let server = ("hosts/node1/tls.crt", "hosts/node1/tls.key");
    made::leaf(&lab, ("made-servers.crt", "made-servers.key"), SERVER, server.0, server.1);
    let run = lab.run(&["verify", "hosts/node1", "--warn-as-error"]);
    assert_eq!(run.code, 0, "{run:?}");
    let usages: fn(&Lab) = |lab| {
        let ca = ("made-peers.crt", "made-peers.key");
        made::leaf(lab, ca, SERVER, "hosts/node1/cluster.crt", "hosts/node1/cluster.key");
    };
    only_fault(MAKE, usages, "hosts/node1", "cluster.crt: peer-eku-both");
    // Issued by the CA for clients, which the other members do not trust.
    let ca: fn(&Lab) = |lab| {
        let both = made::Leaf { usages: made::BOTH, ..SERVER };
        let ca = ("made-clients.crt", "made-clients.key");
        made::leaf(lab, ca, both, "hosts/node2/cluster.crt", "hosts/node2/cluster.key");
    };
    only_fault(MAKE, ca, "hosts/node2", "cluster.crt: path-unknown-authority");
    let address: fn(&Lab) = |lab| {
        let wrong = made::Leaf { names: "DNS:10.0.0.3", usages: made::BOTH, ..SERVER };
        let ca = ("made-servers.crt", "made-servers.key");
        made::leaf(lab, ca, wrong, "hosts/node3/tls.crt", "hosts/node3/tls.key");
    };
    only_fault(MAKE, address, "hosts/node3", "tls.crt: san-ip-as-dns");
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
