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
fn members_made_by_hand_are_judged_by_the_files_that_they_use() {
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

/// kubespray's unit is elsewhere on the host; its environment file says all that it needs.
#[test]
fn members_of_kubespray_are_judged_by_the_files_that_they_use() {
    let manifest = "etcd_version: \"3.5.1\"\npaths: { etcd: /etc/ssl/etcd/ssl }\n";
    let lab = lab(made::kubespray_hosts, "made-ssl/ca.pem", manifest);
    assert_eq!(errors(&lab), [""; 0]);
    let path = "pki/hosts/node3/etcd.env";
    let text = String::from_utf8(lab.read(path)).unwrap();
    let open = "https://127.0.0.1:2379\nETCD_ELECTION";
    lab.write(path, text.replace(open, "http://127.0.0.1:2379\nETCD_ELECTION"));
    assert_eq!(errors(&lab), ["node3/etcd.env: cfg-auth-off"]);
}
