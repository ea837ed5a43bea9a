//! Checks the generated configuration with programs that read it. The live tests check it with etcd.

use std::fs;

use serde_json::{Value, json};

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

/// The lab in examples/lab with these lines added.
fn lab(more: &str) -> Lab {
    let manifest = fs::read_to_string(peers::root().join("examples/lab/cluster.yaml")).unwrap();
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest + more);
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    lab
}

/// The messages of systemd about a unit. It also reads other units of this machine, whose messages are ignored.
fn systemd(lab: &Lab, unit: &str) -> Vec<String> {
    let mut systemd = peers::program("systemd-analyze");
    let run = finish(systemd.args(["verify", "--man=no"]).arg(lab.path(unit)));
    let lines = run.stderr.lines().filter(|line| line.contains("etcd.service"));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    assert!(run.code == 0 || !lines.is_empty(), "{run:?}");
    lines
}

#[test]
fn systemd_accepts_every_members_unit() {
    for version in ["3.4", "3.5.14", "3.6"] {
        let lab = lab(&format!("etcd_version: \"{version}\"\n"));
        for member in super::MEMBERS {
            let unit = format!("pki/hosts/{member}/etcd.service");
            let words = systemd(&lab, &unit);
            assert!(words.is_empty(), "{version}: {words:#?}");
        }
    }
}

#[test]
fn systemd_would_tell_of_a_wrong_unit() {
    let lab = lab("");
    let unit = "pki/hosts/etcdone/etcd.service";
    let text = String::from_utf8(lab.read(unit)).unwrap();
    lab.write("etcd.service", text.replace("Restart=always", "Restart=sometimes"));
    let words = systemd(&lab, "etcd.service");
    assert!(words.iter().any(|line| line.contains("sometimes")), "{words:#?}");
}

/// Reads YAML with Python.
fn yaml(lab: &Lab, file: &str) -> Value {
    let program =
        "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let mut python = std::process::Command::new(peers::venv("python"));
    let run = finish(python.args(["-c", program]).arg(lab.path(file)));
    assert_eq!(run.code, 0, "{file}: {run:?}; without yaml, run tests/install-peers");
    serde_json::from_str(&run.stdout).unwrap()
}

/// The tests do not install kubeadm. This is the whole file in kubeadm's v1beta4: `etcd` with `external`, which has
/// these four keys (kubeadm.k8s.io/v1beta4, ExternalEtcd).
#[test]
fn kubeadm_gets_the_external_etcd_of_v1beta4() {
    let kubeadm = yaml(&lab(""), "pki/hosts/masterone/kubeadm-config.yaml");
    let folder = "/etc/kubernetes/pki/etcd";
    let wanted = json!({
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "etcd": { "external": {
            "endpoints": [
                "https://192.168.29.61:2379",
                "https://192.168.29.62:2379",
                "https://192.168.29.63:2379",
            ],
            "caFile": format!("{folder}/ca.pem"),
            "certFile": format!("{folder}/apiserver-etcd-client.pem"),
            "keyFile": format!("{folder}/apiserver-etcd-client-key.pem"),
        } },
    });
    assert_eq!(kubeadm, wanted);
}

/// etcd silently ignores an unknown key, so a misspelt key has no effect, and it exits on a value of the wrong type.
/// Since 3.5.15, `allowed-hostname` is a list of strings; only in 3.5.14 it was a string (etcd-io/etcd#18063, #18160;
/// embed's securityConfig), and before that it did not exist.
#[test]
fn etcd_gets_the_keys_that_it_knows_in_the_types_that_it_wants() {
    let conf = yaml(&lab("etcd_version: \"3.6\"\n"), "pki/hosts/etcdtwo/etcd.conf.yaml");
    let wanted = json!({
        "name": "etcdtwo",
        "data-dir": "/var/lib/etcd",
        "listen-client-urls": "https://192.168.29.62:2379,https://127.0.0.1:2379",
        "advertise-client-urls": "https://192.168.29.62:2379",
        "listen-peer-urls": "https://192.168.29.62:2380",
        "initial-advertise-peer-urls": "https://192.168.29.62:2380",
        "initial-cluster": "etcdone=https://192.168.29.61:2380,\
            etcdtwo=https://192.168.29.62:2380,etcdthree=https://192.168.29.63:2380",
        "initial-cluster-token": "lab",
        "initial-cluster-state": "new",
        "client-transport-security": {
            "cert-file": "/etc/etcd/server.pem",
            "key-file": "/etc/etcd/server-key.pem",
            "trusted-ca-file": "/etc/etcd/ca.pem",
            "client-cert-auth": true,
        },
        "peer-transport-security": {
            "cert-file": "/etc/etcd/peer.pem",
            "key-file": "/etc/etcd/peer-key.pem",
            "trusted-ca-file": "/etc/etcd/ca.pem",
            "client-cert-auth": true,
            "allowed-hostname": ["etcd-peer.lab"],
        },
    });
    assert_eq!(conf, wanted);
    for (version, known) in [("3.4", false), ("3.5.14", false), ("3.5.15", true), ("3.5", true)] {
        let lab = lab(&format!("etcd_version: \"{version}\"\n"));
        let conf = yaml(&lab, "pki/hosts/etcdtwo/etcd.conf.yaml");
        let allowed = &conf["peer-transport-security"]["allowed-hostname"];
        assert_eq!(allowed.is_array(), known, "{version}: {conf}");
        let unit = String::from_utf8(lab.read("pki/hosts/etcdtwo/etcd.service")).unwrap();
        let variable = "Environment=ETCD_PEER_CERT_ALLOWED_HOSTNAME=etcd-peer.lab\n";
        // Never both, because etcd ignores its environment if it has a configuration file.
        assert_eq!(unit.contains(variable), !known, "{version}: {unit}");
        assert_eq!(unit.contains("--config-file"), known, "{version}: {unit}");
    }
}

/// The tests do not run vagrant.
#[test]
fn the_vagrantfile_has_the_hosts_and_addresses_of_the_manifest() {
    let lab = lab("");
    let manifest = yaml(&lab, "cluster.yaml");
    let vagrantfile = peers::root().join("examples/lab/Vagrantfile");
    let vagrantfile = fs::read_to_string(vagrantfile).unwrap();
    let groups = ["etcd", "control_plane", "workers"].map(|group| manifest[group].as_array());
    let hosts: Vec<_> = groups.into_iter().flatten().flatten().collect();
    assert_eq!(hosts.len(), vagrantfile.matches("ip: \"").count(), "{hosts:?}");
    for host in hosts {
        let (name, ip) = (host["name"].as_str().unwrap(), host["ip"].as_str().unwrap());
        let line = vagrantfile.lines().find(|line| line.contains(&format!("\"{name}\"")));
        assert!(line.unwrap().contains(&format!("ip: \"{ip}\"")), "{name}: {line:?}");
    }
}

#[test]
fn bash_reads_every_script_of_the_lab() {
    let folder = peers::root().join("examples/lab/provision");
    let scripts = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let scripts: Vec<_> = scripts.chain([peers::root().join("examples/lab/netns.sh")]).collect();
    assert_eq!(scripts.len(), 5, "{scripts:?}");
    for script in scripts {
        let run = finish(peers::program("bash").arg("-n").arg(&script));
        assert_eq!(run.code, 0, "{run:?}");
    }
}
