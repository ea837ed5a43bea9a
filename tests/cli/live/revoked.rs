//! Revocation on a running cluster: `crl: true`, `revoke`, `apply`, and the new file on the members, without a restart.

use super::{
    Port, ca, peer_certificate, refused, request, the_master_writes_and_reads, wait_until_healthy,
};
use crate::machines::https::ask;
use crate::machines::network::{MASTER, MEMBERS};
use crate::machines::{Machines, Program};

/// What etcd logs, in every version, before and after the serial number.
const REVOKED: [&str; 2] = ["certificate serial ", " revoked"];

#[test]
fn etcd_3_4_refuses_a_revoked_client_and_serves_the_others() {
    a_revoked_client_is_refused(Program::V3_4, "etcd_version: \"3.4\"\n");
}

#[test]
fn etcd_3_5_1_refuses_a_revoked_client_and_serves_the_others() {
    a_revoked_client_is_refused(Program::V3_5_1, "etcd_version: \"3.5.1\"\n");
}

/// The CRL is that of the CA which issues, and not of the root above it.
#[test]
fn etcd_3_4_under_an_intermediate_ca_refuses_a_revoked_client() {
    let more = "etcd_version: \"3.4\"\ncrl: true\n";
    let machines = Machines::start_with(Program::V3_4, more, crate::lab::Lab::make_intermediate_ca);
    revoked_while_it_runs(machines);
}

/// Members read one CRL, that of the new CA, and still trust the old one, which revoked the client.
#[test]
fn etcd_3_5_1_refuses_in_a_rotation_what_the_old_ca_revoked() {
    let mut machines = Machines::start(Program::V3_5_1, "etcd_version: \"3.5.1\"\ncrl: true\n");
    for client in ["leaver", "stayer"] {
        machines.lab.ok(&["issue", "--profile", "client", client]);
    }
    wait_until_healthy(&mut machines);
    machines.lab.ok(&["revoke", "leaver.pem", "-f", "cluster.yaml"]);
    machines.lab.ok(&["rotate-ca", "begin", "-f", "cluster.yaml"]);
    for host in MEMBERS.into_iter().chain([MASTER]) {
        machines.copy_bundle(host);
    }
    for member in MEMBERS {
        machines.stop_member(member);
        machines.start_member(member);
        wait_until_healthy(&mut machines);
    }
    refused(&mut machines, MASTER, Some("leaver"), Port::Client, REVOKED[1]);

    machines.lab.ok(&["rotate-ca", "reissue", "-f", "cluster.yaml", "--restarted", "all"]);
    for host in MEMBERS.into_iter().chain([MASTER]) {
        machines.copy_bundle(host);
    }
    wait_until_healthy(&mut machines);
    the_master_writes_and_reads(&machines);
    refused(&mut machines, MASTER, Some("leaver"), Port::Client, REVOKED[1]);
    served(&machines, "stayer", Port::Client, MASTER);
}

fn a_revoked_client_is_refused(program: Program, version: &str) {
    revoked_while_it_runs(Machines::start(program, &format!("{version}crl: true\n")));
}

fn revoked_while_it_runs(mut machines: Machines) {
    for client in ["leaver", "stayer"] {
        machines.lab.ok(&["issue", "--profile", "client", client, "--chain"]);
    }
    wait_until_healthy(&mut machines);
    the_master_writes_and_reads(&machines);
    for client in ["leaver", "stayer"] {
        served(&machines, client, Port::Client, MASTER);
    }

    machines.lab.ok(&["revoke", "leaver.pem", "--reason", "keyCompromise"]);
    // The file decides, and nothing else: the members still have the old one.
    served(&machines, "leaver", Port::Client, MASTER);
    deliver(&machines);
    refused(&mut machines, MASTER, Some("leaver"), Port::Client, REVOKED[0]);
    refused(&mut machines, MASTER, Some("leaver"), Port::Client, REVOKED[1]);
    served(&machines, "stayer", Port::Client, MASTER);
    wait_until_healthy(&mut machines);
    the_master_writes_and_reads(&machines);

    // A member whose certificate is revoked gets a new one with the CRL, and the old one opens nothing.
    let [gone, other, _] = MEMBERS;
    let certificate = peer_certificate(&machines, gone);
    for end in [".pem", "-key.pem"] {
        machines
            .lab
            .write(format!("stolen{end}"), machines.lab.read(format!("{certificate}{end}")));
    }
    machines.lab.ok(&["revoke", "stolen.pem"]);
    machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    // The others first: until its own new certificate arrives, the member cannot open connections.
    for member in MEMBERS.into_iter().filter(|member| *member != gone) {
        machines.copy_bundle(member);
    }
    let certificate = peer_certificate(&machines, gone);
    let requests = [request(&machines, other, Some(&certificate), Port::Peer)];
    let answer = &ask(&machines.network, gone, &ca(&machines), &requests)[0];
    assert_eq!(answer.status, None, "{answer:?}");
    machines.copy_bundle(gone);
    refused(&mut machines, gone, Some("stolen"), Port::Peer, REVOKED[1]);
    served(&machines, &certificate, Port::Peer, gone);
    let peer = peer_certificate(&machines, other);
    served(&machines, &peer, Port::Peer, other);
    wait_until_healthy(&mut machines);
}

/// Only the CRL: `apply` would replace nothing else.
fn deliver(machines: &Machines) {
    let plan = machines.lab.run(&["plan", "-f", "cluster.yaml"]).stdout;
    let steps = plan.lines().filter(|line| line.starts_with("  "));
    let written = steps.filter(|line| !line.trim_start().starts_with("keep"));
    assert!(written.clone().all(|line| line.ends_with("/crl.der")), "{plan}");
    assert_eq!(written.count(), MEMBERS.len(), "{plan}");
    machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    for member in MEMBERS {
        machines.copy_bundle(member);
    }
}

fn served(machines: &Machines, certificate: &str, port: Port, from: &str) {
    let requests = MEMBERS.map(|name| request(machines, name, Some(certificate), port));
    for answer in ask(&machines.network, from, &ca(machines), &requests) {
        assert_eq!(answer.status, Some(200), "{certificate}: {answer:?}");
    }
}
