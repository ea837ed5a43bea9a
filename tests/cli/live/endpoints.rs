//! The endpoints of the lab as `verify -f --connect` sees them from the master.

use std::fs;

use super::CLIENT;
use crate::machines::Machines;
use crate::machines::network::{MASTER, MEMBERS};
use crate::process::finish;

/// `verify -f --connect`: both ports of the three members. The client port accepts the certificate, which is not
/// presented to the peer port. These endpoints serve certificates that are not in their host's folder.
pub(super) fn every_endpoint_is_verified_from_the_master(machines: &Machines, outdated: &[String]) {
    let (code, seen) = endpoints_seen_from_the_master(machines, CLIENT);
    assert_eq!(code, i32::from(!outdated.is_empty()), "{seen:?}");
    let wanted: Vec<_> = MEMBERS
        .iter()
        .flat_map(|name| {
            let address = machines.network.address(name);
            [(format!("{address}:2379"), "accepted"), (format!("{address}:2380"), "required")]
        })
        .map(|(endpoint, client)| {
            let is_outdated = outdated.contains(&endpoint);
            let rules = if is_outdated { vec!["endpoint-serves-other".to_owned()] } else { vec![] };
            Seen { endpoint, client: client.to_owned(), rules }
        })
        .collect();
    assert_eq!(seen, wanted);
}

/// What `verify -f --connect` says of an endpoint.
#[derive(Debug, PartialEq)]
struct Seen {
    endpoint: String,
    client: String,
    rules: Vec<String>,
}

/// With the client certificate of this name.
fn endpoints_seen_from_the_master(machines: &Machines, client: &str) -> (i32, Vec<Seen>) {
    let lab = machines.lab.folder().display().to_string();
    let mut etcdpki = machines.network.command(MASTER, env!("CARGO_BIN_EXE_etcdpki"));
    let (cert, key) = (format!("{lab}/{client}.pem"), format!("{lab}/{client}-key.pem"));
    etcdpki
        .args(["--dir", &format!("{lab}/pki"), "verify", "-f", &format!("{lab}/cluster.yaml")])
        .args(["--connect", "--cert", &cert, "--cert-key", &key, "--format", "json"]);
    let run = finish(&mut etcdpki);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let endpoints = document["files"].as_array().unwrap().iter().map(|endpoint| {
        let findings = endpoint["findings"].as_array().unwrap().iter();
        Seen {
            endpoint: text(&endpoint["file"]),
            client: text(&endpoint["endpoint"]["client_certificate"]),
            rules: findings.map(|finding| text(&finding["rule"])).collect(),
        }
    });
    (run.code, endpoints.collect())
}

/// etcd reads the CAs that it trusts when it starts. A new one is in the host's file, and the member that was
/// not restarted since rejects its clients.
pub(super) fn a_member_that_was_not_restarted_trusts_what_it_read(machines: &Machines) {
    let lab = &machines.lab;
    lab.ok(&["--dir", "next", "init-ca", "--cn", "etcd CA 2"]);
    lab.ok(&["--dir", "next", "issue", "--profile", "client", "newcomer"]);
    let file = "pki/hosts/etcdtwo/ca.pem";
    let before = lab.read(file);
    lab.write(file, [before.clone(), lab.read("next/ca.pem")].concat());
    let (code, seen) = endpoints_seen_from_the_master(machines, "newcomer");
    lab.write(file, before);
    assert_eq!(code, 1, "{seen:?}");
    for name in MEMBERS {
        let endpoint = format!("{}:2379", machines.network.address(name));
        let seen = seen.iter().find(|seen| seen.endpoint == endpoint).unwrap();
        let rule =
            if name == "etcdtwo" { "endpoint-stale-trust" } else { "endpoint-refuses-client" };
        assert_eq!((seen.client.as_str(), &seen.rules[..]), ("refused", &[rule.to_owned()][..]));
    }
}

/// A certificate is issued again, and stays in its folder until somebody copies it. etcd reads it
/// without a restart.
pub(super) fn what_was_not_copied_to_its_host_is_reported(machines: &Machines) {
    let folder = machines.lab.path("pki/hosts/etcdtwo");
    let one_for_both = folder.join("member.pem").exists();
    let file = if one_for_both { "member" } else { "server" };
    for name in [format!("{file}.pem"), format!("{file}-key.pem")] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    let address = machines.network.address("etcdtwo");
    let mut outdated = vec![format!("{address}:2379")];
    outdated.extend(one_for_both.then(|| format!("{address}:2380")));
    every_endpoint_is_verified_from_the_master(machines, &outdated);
    machines.copy_bundle("etcdtwo");
    every_endpoint_is_verified_from_the_master(machines, &[]);
}
