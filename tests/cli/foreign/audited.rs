//! `verify -f` of hosts whose files have the names of other tools: the configuration there decides.

use std::fs;

use super::made;
use crate::lab::Lab;

/// Puts the folders of the members where `verify -f` looks, below a CA that has one of their CAs.
fn lab(make: fn(&Lab, &str), ca: &str, manifest: &str) -> Lab {
    let lab = Lab::new();
    fs::create_dir_all(lab.path("pki/hosts")).unwrap();
    make(&lab, "pki/hosts");
    fs::copy(lab.path(ca), lab.path("pki/ca.pem")).unwrap();
    let members = made::MEMBERS.map(|(name, ip)| format!("  - {{ name: {name}, ip: {ip} }}\n"));
    lab.write("cluster.yaml", format!("cluster: lab\n{manifest}etcd:\n{}", members.concat()));
    lab
}

/// The errors of `verify -f`, as `FILE: RULE`.
fn errors(lab: &Lab) -> Vec<String> {
    let run = lab.run(&["verify", "-f", "cluster.yaml", "--format", "json"]);
    let document: serde_json::Value =
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
    errors
}

#[test]
fn members_made_by_hand_are_verified_with_the_files_that_they_use() {
    let manifest = "paths: { etcd: /opt/etcd }\nclients: [{ name: backup, host: backup }]\n";
    let lab = lab(made::by_hand, "made-clients.crt", manifest);
    // The client trusts the CA of the servers, and has its certificate from that of the clients.
    let client = made::Leaf {
        subject: "/CN=backup",
        names: "DNS:backup.invalid",
        usages: "clientAuth",
        key_usages: "digitalSignature",
        days: "365",
    };
    fs::create_dir(lab.path("pki/hosts/backup")).unwrap();
    let (certificate, key) = ("pki/hosts/backup/client.crt", "pki/hosts/backup/client.key");
    made::leaf(&lab, ("made-clients.crt", "made-clients.key"), client, certificate, key);
    fs::copy(lab.path("made-servers.crt"), lab.path("pki/hosts/backup/servers.crt")).unwrap();
    lab.write(
        "pki/hosts/backup/etcdctl.env",
        "ETCDCTL_ENDPOINTS=https://10.0.0.1:2379,https://10.0.0.2:2379\nETCDCTL_CACERT=/opt/etcd/servers.crt\n\
         ETCDCTL_CERT=/opt/etcd/client.crt\nETCDCTL_KEY=/opt/etcd/client.key\n",
    );
    assert_eq!(errors(&lab), [""; 0]);
    made::swap(&lab, "pki/hosts/node2/cluster.key", "pki/hosts/node2/tls.key");
    assert_eq!(errors(&lab), ["node2/cluster.crt: key-mismatch"]);
    fs::remove_file(lab.path("pki/hosts/node2/cluster.key")).unwrap();
    assert_eq!(errors(&lab), ["node2/cluster.key: file-missing"]);
}

/// The clients are not in the manifest, so no trust file says who verifies the servers.
#[test]
fn servers_of_another_ca_are_verified_with_the_ca_beside_them() {
    for ca in ["servers", "peers", "clients"] {
        let ca = format!("made-{ca}.crt");
        let lab = lab(made::by_hand, &ca, "paths: { etcd: /opt/etcd }\n");
        assert_eq!(errors(&lab), [""; 0], "{ca}");
    }
    let lab = lab(made::by_hand, "made-peers.crt", "paths: { etcd: /opt/etcd }\n");
    made::authority(&lab, "/CN=servers CA", "made-again.crt", "made-again.key");
    reissue(&lab, ("made-again.crt", "made-again.key"), SERVER, "node2/tls");
    assert_eq!(errors(&lab), ["node2/tls.crt: path-unknown-authority"]);
}

/// `status` shows the certificates that the hosts use, and none that they do not need.
#[test]
fn the_status_is_that_of_the_files_that_are_used() {
    let manifest = "paths: { etcd: /etc/kubernetes/pki/etcd }\n";
    let lab = lab(made::kubeadm_hosts, "made/ca.crt", manifest);
    let run = lab.run(&["status", "-f", "cluster.yaml", "--format", "json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let rows = document["certificates"].as_array().unwrap().iter().skip(1);
    let rows: Vec<String> = rows
        .map(|row| {
            let text = |field: &str| row[field].as_str().unwrap().to_owned();
            assert!(row["days_left"].as_i64().unwrap() > 300 && row["serial"].is_string(), "{row}");
            format!("{}/{} {}", text("host"), text("file"), text("purpose"))
        })
        .collect();
    let of = |host: &str| [format!("{host}/peer.crt peer"), format!("{host}/server.crt server")];
    assert_eq!(rows, ["node1", "node2", "node3"].map(of).concat());
}

/// Edits a file of a host once.
fn edit(lab: &Lab, path: &str, from: &str, to: &str) {
    let path = format!("pki/hosts/{path}");
    let text = String::from_utf8(lab.read(&path)).unwrap();
    assert!(text.contains(from), "{path}: {text}");
    lab.write(path, text.replacen(from, to, 1));
}

/// The same hosts, each time with one fault, which is the only error.
#[track_caller]
fn only_faults(healthy: impl Fn() -> Lab, faults: &[Fault]) {
    assert_eq!(errors(&healthy()), [""; 0]);
    for fault in faults {
        let lab = healthy();
        (fault.plant)(&lab);
        assert_eq!(errors(&lab), [fault.error]);
    }
}

/// A fault, and the error that it causes, as `FILE: RULE`.
struct Fault {
    plant: fn(&Lab),
    error: &'static str,
}

const SERVER: made::Leaf<'_> = made::Leaf {
    subject: "/CN=node2",
    names: "DNS:node2, IP:10.0.0.2, DNS:localhost, IP:127.0.0.1",
    usages: made::BOTH,
    key_usages: "digitalSignature",
    days: "365",
};

fn reissue(lab: &Lab, ca: (&str, &str), leaf: made::Leaf<'_>, base: &str) {
    let base = format!("pki/hosts/{base}");
    made::leaf(lab, ca, leaf, &format!("{base}.crt"), &format!("{base}.key"));
}

/// The pod of the kubelet is etcd's configuration. Without it, the names of the files decide.
#[test]
fn members_of_kubeadm_are_verified_with_the_files_that_they_use() {
    const CA: (&str, &str) = ("made/ca.crt", "made/ca.key");
    let manifest = "paths: { etcd: /etc/kubernetes/pki/etcd }\n";
    let make = || lab(made::kubeadm_hosts, "made/ca.crt", manifest);
    only_faults(
        make,
        &[
            Fault {
                plant: |lab| {
                    let elsewhere =
                        "DNS:node2, IP:10.0.0.22, DNS:localhost, IP:127.0.0.1, IP:10.0.0.12";
                    let leaf = made::Leaf { names: elsewhere, ..SERVER };
                    reissue(lab, CA, leaf, "node2/server");
                },
                error: "node2/server.crt: srv-san-advertise",
            },
            Fault {
                plant: |lab| {
                    edit(lab, "node1/etcd.yaml", "https://127.0.0.1:2379", "http://0.0.0.0:2379");
                },
                error: "node1/etcd.yaml: cfg-auth-off",
            },
            Fault {
                plant: |lab| {
                    edit(lab, "node3/etcd.yaml", "--trusted-ca-file", "--trusted-ca-files");
                },
                error: "node3/etcd.yaml: cfg-malformed",
            },
        ],
    );
    let without_pods = || {
        let lab = make();
        for (name, _) in made::MEMBERS {
            fs::remove_file(lab.path(format!("pki/hosts/{name}/etcd.yaml"))).unwrap();
        }
        lab
    };
    only_faults(
        without_pods,
        &[
            Fault {
                plant: |lab| {
                    let leaf = made::Leaf { usages: "serverAuth", ..SERVER };
                    reissue(lab, CA, leaf, "node2/peer");
                },
                error: "node2/peer.crt: peer-eku-both",
            },
            Fault {
                plant: |lab| fs::remove_file(lab.path("pki/hosts/node1/server.key")).unwrap(),
                error: "node1/server.key: file-missing",
            },
        ],
    );
}

/// The unit is elsewhere on the host; the environment file has everything.
#[test]
fn members_of_kubespray_are_verified_with_the_files_that_they_use() {
    let manifest = "etcd_version: \"3.5.1\"\npaths: { etcd: /etc/ssl/etcd/ssl }\n";
    let make = || lab(made::kubespray_hosts, "made-ssl/ca.pem", manifest);
    let faults = [
        Fault {
            plant: |lab| {
                let open = "https://127.0.0.1:2379\nETCD_ELECTION";
                let http = "http://127.0.0.1:2379\nETCD_ELECTION";
                edit(lab, "node3/etcd.env", open, http);
            },
            error: "node3/etcd.env: cfg-auth-off",
        },
        Fault {
            plant: |lab| {
                let more = "ETCD_PEER_CERT_ALLOWED_HOSTNAMES=etcd.lab\nETCD_NAME";
                edit(lab, "node1/etcd.env", "ETCD_NAME", more);
            },
            error: "node1/etcd.env: cfg-unknown-variable",
        },
        Fault {
            plant: |lab| edit(lab, "node2/etcd.env", "ETCDCTL_CACERT", "ETCDCTL_CA_FILE"),
            error: "node2/etcd.env: client-variable-unread",
        },
        Fault {
            plant: |lab| {
                edit(
                    lab,
                    "node2/etcd.env",
                    "=https://127.0.0.1:2379\nETCDCTL",
                    "=https://10.0.0.9:2379\nETCDCTL",
                );
            },
            error: "node2/etcd.env: client-endpoint-unknown",
        },
    ];
    only_faults(make, &faults);
    // With the unit, which reads /etc/etcd.env.
    let with_unit = || {
        let lab = make();
        let unit =
            "[Service]\nUser=root\nEnvironmentFile=/etc/etcd.env\nExecStart=/usr/local/bin/etcd\n";
        for (name, _) in made::MEMBERS {
            lab.write(format!("pki/hosts/{name}/etcd.service"), unit);
        }
        lab
    };
    assert_eq!(errors(&with_unit()), [""; 0]);
    // The names decide where there is no configuration.
    let without = || {
        let lab = make();
        for (name, _) in made::MEMBERS {
            fs::remove_file(lab.path(format!("pki/hosts/{name}/etcd.env"))).unwrap();
        }
        lab
    };
    let key: fn(&Lab) = |lab| {
        let base = "pki/hosts/node1";
        made::swap(
            lab,
            format!("{base}/member-node1-key.pem"),
            format!("{base}/node-node1-key.pem"),
        );
    };
    let error = "node1/member-node1.pem: key-mismatch";
    only_faults(without, &[Fault { plant: key, error }]);
}

/// Files outside `paths` are not seen, and nothing in the folder is missing because of that.
#[test]
fn files_outside_the_folder_are_unseen_and_not_missing() {
    let lab = lab(made::kubespray_hosts, "made-ssl/ca.pem", "etcd_version: \"3.5.1\"\n");
    assert_eq!(errors(&lab), [""; 0]);
    let run = lab.run(&["verify", "-f", "cluster.yaml"]);
    assert!(
        run.stdout.contains(
            "cert-file is /etc/ssl/etcd/ssl/member-node1.pem, which is outside /etc/etcd"
        ),
        "{run:?}"
    );
    assert_eq!(run.stdout.matches("[file-unseen]").count(), 27, "{run:?}");
}

/// RKE's etcd has its options only in a container.
#[test]
fn members_of_rke_are_verified_by_the_names_of_their_files() {
    const CA: (&str, &str) = ("made-ssl/kube-ca.pem", "made-kube-ca-key.pem");
    const BASE: &str = "pki/hosts/node2/kube-etcd-10-0-0-2";
    fn member(lab: &Lab, ca: (&str, &str), leaf: made::Leaf<'_>) {
        made::leaf(lab, ca, leaf, &format!("{BASE}.pem"), &format!("{BASE}-key.pem"));
    }
    only_faults(
        || lab(made::rke_hosts, "made-ssl/kube-ca.pem", ""),
        &[
            Fault {
                plant: |lab| member(lab, CA, made::Leaf { usages: "serverAuth", ..SERVER }),
                error: "node2/kube-etcd-10-0-0-2.pem: peer-eku-both",
            },
            Fault {
                plant: |lab| {
                    let header = "made-ssl/kube-apiserver-requestheader-ca";
                    let header = (format!("{header}.pem"), format!("{header}-key.pem"));
                    member(lab, (&header.0, &header.1), SERVER);
                },
                error: "node2/kube-etcd-10-0-0-2.pem: path-unknown-authority",
            },
        ],
    );
}

/// Red Hat's configuration is an environment file.
#[test]
fn members_of_easy_rsa_are_verified_with_the_files_that_they_use() {
    const CA: (&str, &str) = ("made-pki/ca.crt", "made-ca.key");
    only_faults(
        || lab(made::easy_rsa_hosts, "made-pki/ca.crt", "etcd_version: \"3.5.1\"\n"),
        &[
            Fault {
                // `easyrsa sign-req server`
                plant: |lab| {
                    let leaf = made::Leaf { usages: "serverAuth", ..SERVER };
                    reissue(lab, CA, leaf, "node2/node2");
                },
                error: "node2/node2.crt: peer-eku-both",
            },
            Fault {
                plant: |lab| {
                    edit(
                        lab,
                        "node1/etcd.conf",
                        "AUTH=\"true\"\nETCD_TRUSTED_CA_FILE=\"/etc/etcd/ca.crt\"",
                        "AUTH=\"false\"",
                    );
                },
                error: "node1/etcd.conf: cfg-auth-off",
            },
        ],
    );
}
