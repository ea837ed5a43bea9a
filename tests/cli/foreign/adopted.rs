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

/// What differs is what etcdpki does otherwise: the name that all peers share, no loopback addresses for peers, the names
/// under .invalid of clients. The certificates of Kubernetes' own CA are not adopted.
#[test]
fn a_cluster_of_kubeadm_is_adopted() {
    let lab = Lab::new();
    made::kubeadm(&lab, "hosts");
    let wanted = [
        "kube-apiserver-etcd-client.pem: names",
        "kube-etcd-healthcheck-client.pem: names",
        "peer.pem: names",
    ];
    assert_eq!(adopted(&lab, &HOSTS), wanted.map(str::to_owned).into());
    let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
    assert!(
        manifest.contains("ca: { cn: \"etcd-ca\", key: ecdsa-p256, expiry: 3650d }"),
        "{manifest}"
    );
    assert!(
        manifest.contains(
            "{ name: \"node2\", ip: \"10.0.0.2\", key: ecdsa-p256, expiry: 365d, sans: [\"::1\"] }"
        ),
        "{manifest}"
    );
}

/// The manifest is written last, so a run that was killed has left files, and no manifest.
#[test]
fn an_adoption_that_was_killed_is_finished_by_the_next_run() {
    let lab = Lab::new();
    made::kubeadm(&lab, "hosts");
    lab.ok(&[&["adopt"], &HOSTS[..]].concat());
    let manifest = lab.read("cluster.yaml");
    let peer = lab.read("pki/hosts/node2/peer.pem");
    for file in ["cluster.yaml", "pki/hosts/node2/peer.pem"] {
        std::fs::remove_file(lab.path(file)).unwrap();
    }
    for stray in ["pki/hosts/node1/.etcdpki-abCD12", "pki/.etcdpki-abCD12"] {
        lab.write(stray, "half a key");
    }
    lab.ok(&[&["adopt"], &HOSTS[..]].concat());
    assert_eq!(lab.read("cluster.yaml"), manifest);
    assert_eq!(lab.read("pki/hosts/node2/peer.pem"), peer);
    let left = crate::files::tree::Tree::of(lab.folder());
    assert_eq!(left.strays(), Vec::<&std::path::Path>::new());

    // A file with other contents is not replaced.
    std::fs::remove_file(lab.path("cluster.yaml")).unwrap();
    lab.write("pki/hosts/node2/peer.pem", "another");
    let run = lab.run(&[&["adopt"], &HOSTS[..]].concat());
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("pki/hosts/node2/peer.pem exists already"), "{run:?}");
    assert_eq!(lab.read("pki/hosts/node2/peer.pem"), b"another");
}

/// All folders are called pki, and one has a fault: a key of another member.
#[test]
fn the_hosts_are_named_in_their_certificates_and_a_fault_is_in_the_plan() {
    let lab = Lab::new();
    made::kubeadm(&lab, "hosts");
    for (name, _) in made::MEMBERS {
        std::fs::create_dir_all(lab.path(format!("copies/{name}"))).unwrap();
        let copy = lab.path(format!("copies/{name}/pki"));
        std::fs::rename(lab.path(format!("hosts/{name}")), copy).unwrap();
    }
    made::swap(&lab, "copies/node2/pki/etcd/server.key", "copies/node1/pki/etcd/server.key");
    lab.ok(&["adopt", "copies/node1/pki", "copies/node2/pki", "copies/node3/pki"]);
    let run = lab.run(&["plan", "-f", "cluster.yaml"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let servers: Vec<&&str> = lines.iter().filter(|line| line.ends_with("/server.pem")).collect();
    let wanted = [
        "  keep     node1/server.pem",
        "  reissue  node2/server.pem",
        "  keep     node3/server.pem",
    ];
    assert_eq!(servers, wanted.iter().collect::<Vec<_>>(), "{run:?}");
    let at = lines.iter().position(|line| *line == wanted[1]).unwrap();
    assert!(lines[at + 1].starts_with("           key file: "), "{run:?}");
    assert_eq!(lines[at + 2], "  reissue  node2/peer.pem", "{run:?}");
}

/// The environment file tells the addresses, and that etcd2 runs on node2.
#[test]
fn a_cluster_of_kubespray_is_adopted() {
    let lab = Lab::new();
    made::kubespray_hosts(&lab, "hosts");
    let wanted = [
        "etcd-admin-NODE.pem: names, extKeyUsage",
        "etcd-node-NODE.pem: names, extKeyUsage",
        "member.pem: subject, names",
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
    let wanted = ["backup.pem: names", "member.pem: names"];
    assert_eq!(adopted(&lab, &["easy"]), wanted.map(str::to_owned).into());
    // Nothing says where the client is.
    let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
    assert!(manifest.contains("{ name: \"backup\", host: \"admin\","), "{manifest}");
}

/// It has a CA for servers, one for peers and one for clients, and no client on the members.
#[test]
fn a_cluster_made_by_hand_is_adopted_with_its_three_cas() {
    let lab = Lab::new();
    made::by_hand(&lab, "hosts");
    assert_eq!(adopted(&lab, &HOSTS), ["peer.pem: names".to_owned()].into());
    let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
    for (traffic, name) in [("server", "servers"), ("peer", "peers"), ("client", "clients")] {
        let line =
            format!("\n  {traffic}: {{ cn: \"{name} CA\", key: ecdsa-p256, expiry: 3650d }}\n");
        assert!(manifest.contains(&line), "{line}: {manifest}");
        let made = lab.read(format!("made-{name}.crt"));
        assert_eq!(lab.read(format!("pki/{traffic}-ca/ca.pem")), made);
    }
    assert_eq!(lab.read("pki/hosts/node1/peer-ca.pem"), lab.read("made-peers.crt"));
    assert!(!lab.path("pki/ca.pem").exists());

    // With the keys of the CAs beside them, the cluster is etcdpki's.
    for (traffic, name) in [("server", "servers"), ("peer", "peers"), ("client", "clients")] {
        std::fs::copy(
            lab.path(format!("made-{name}.key")),
            lab.path(format!("pki/{traffic}-ca/ca-key.pem")),
        )
        .unwrap();
    }
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 0, "{run:?}");
    let listed = lab.ok(&["check", "-f", "cluster.yaml", "--rebuild"]);
    assert_eq!(listed.matches(": ok, ").count(), 3, "{listed}");
}

/// With the certificates of clients in the folders, they say which CA is theirs. A CA that issued certificates of two kinds
/// cannot be in `cas`, and a warning says so.
#[test]
fn the_certificates_of_clients_say_which_ca_is_theirs() {
    for (ca, is_separate) in [("clients", true), ("servers", false)] {
        let lab = Lab::new();
        made::by_hand(&lab, "hosts");
        for (name, _) in made::MEMBERS {
            made::client(&lab, &format!("made-{ca}"), &format!("hosts/{name}/backup"));
        }
        let run = lab.run(&[&["adopt"], &HOSTS[..]].concat());
        assert_eq!(run.code, 0, "{run:?}");
        let manifest = String::from_utf8(lab.read("cluster.yaml")).unwrap();
        assert_eq!(manifest.contains("\ncas:\n"), is_separate, "{manifest}");
        assert!(manifest.contains("name: \"backup\""), "{manifest}");
        let says = "peers CA issued some of the certificates";
        assert_eq!(run.stderr.contains(says), !is_separate, "{run:?}");
    }
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

/// kubespray gives the keys of members to a group.
#[test]
fn keys_that_others_can_read_are_adopted_with_a_warning() {
    let lab = Lab::new();
    made::easy_rsa(&lab, "easy");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(lab.path("easy/private/node2.key"), mode).unwrap();
    let run = lab.run(&["adopt", "easy"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stderr.matches("warning").count(), 1, "{run:?}");
    assert!(run.stderr.contains("easy/private/node2.key has mode 0640"), "{run:?}");
    let key = std::fs::metadata(lab.path("pki/hosts/node2/member-key.pem")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
}

/// Nobody can say which of three addresses is whose.
#[test]
fn an_address_that_no_file_contains_is_asked_for() {
    let lab = Lab::new();
    made::kubespray(&lab, "ssl");
    let run = lab.run(&["adopt", "ssl"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("3 mistakes"), "{run:?}");
    assert!(run.stderr.contains("unknown address"), "{run:?}");
    assert!(!lab.path("cluster.yaml").exists() && !lab.path("pki").exists(), "{run:?}");
}
