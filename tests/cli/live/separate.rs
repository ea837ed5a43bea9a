//! Separate CAs for servers, peers and clients on a running cluster: each port accepts only the certificates that are
//! meant for it.

use super::{CLIENT, Port, request, the_master_writes_and_reads, wait_until_healthy};
use crate::machines::https::{Answer, ask};
use crate::machines::network::{MASTER, MEMBERS};
use crate::machines::{Machines, Program};

const UNKNOWN: &str = "x509: certificate signed by unknown authority";

#[test]
fn etcd_3_4_lives_with_separate_cas() {
    lives_with_separate_cas(Program::V3_4, "3.4");
}

#[test]
fn etcd_3_5_1_lives_with_separate_cas() {
    lives_with_separate_cas(Program::V3_5_1, "3.5.1");
}

fn lives_with_separate_cas(program: Program, version: &str) {
    let more = format!("etcd_version: \"{version}\"\ncrl: true\ncas: {{}}\n");
    let mut machines = Machines::start(program, &more);
    assert!(
        !machines.network.is_loopback(),
        "members on loopback need one certificate for both ports: run as root, for network namespaces"
    );
    // Under one CA, a client certificate without names opens the peer port (see the tests of the lab).
    machines.lab.write("nameless.json", super::NAMELESS_CONFIG);
    let nameless = ["--config", "nameless.json", "--profile", "nameless-client", "nameless"];
    machines.lab.ok(&[&["--dir", "pki/client-ca", "issue"], &nameless[..]].concat());

    wait_until_healthy(&mut machines);
    the_master_writes_and_reads(&machines);
    let [one, ..] = MEMBERS;
    let (server, peer) = (format!("{one}/etc/server"), format!("{one}/etc/peer"));
    for (certificate, port, reason) in [
        (CLIENT, Port::Client, ""),
        ("nameless", Port::Client, ""),
        // The gateway is a client of its own member with this certificate.
        (&*server, Port::Client, ""),
        (&*peer, Port::Client, UNKNOWN),
        (&*peer, Port::Peer, ""),
        ("nameless", Port::Peer, UNKNOWN),
        (CLIENT, Port::Peer, UNKNOWN),
        (&*server, Port::Peer, UNKNOWN),
    ] {
        meets(&mut machines, certificate, port, reason);
    }

    // Each CA revokes its own.
    machines.lab.ok(&["--dir", "pki/client-ca", "revoke", "nameless.pem"]);
    for end in [".pem", "-key.pem"] {
        machines.lab.write(format!("stolen{end}"), machines.lab.read(format!("{peer}{end}")));
    }
    machines.lab.ok(&["--dir", "pki/peer-ca", "revoke", "stolen.pem"]);
    machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    for member in MEMBERS {
        machines.copy_bundle(member);
    }
    meets(&mut machines, "nameless", Port::Client, " revoked");
    meets(&mut machines, "stolen", Port::Peer, " revoked");
    meets(&mut machines, &peer, Port::Peer, "");
    meets(&mut machines, CLIENT, Port::Client, "");
    the_master_writes_and_reads(&machines);
}

/// What the members answer to a certificate: data, or nothing and this reason in their logs.
fn meets(machines: &mut Machines, certificate: &str, port: Port, reason: &str) {
    let (from, ca) = match port {
        Port::Client => (MASTER, "pki/server-ca/ca.pem"),
        Port::Peer => (MEMBERS[0], "pki/peer-ca/ca.pem"),
    };
    let requests = MEMBERS.map(|name| request(machines, name, Some(certificate), port));
    let answers = ask(&machines.network, from, &machines.lab.path(ca), &requests);
    for (name, answer) in MEMBERS.iter().zip(answers) {
        let Answer { status, local, .. } = &answer;
        if reason.is_empty() {
            assert_eq!(*status, Some(200), "{certificate}: {answer:?}");
            continue;
        }
        assert_eq!(*status, None, "{certificate}: {answer:?}");
        let dialler = format!("{local}\"");
        let told = machines.wait("the member logs the reason for the rejection", |machines| {
            let mut rejections = machines.rejections(name).into_iter();
            rejections.find(|line| line.contains(&dialler)).ok_or_else(|| format!("{answer:?}"))
        });
        assert!(told.contains(reason), "{certificate}: {reason:?} is not in {told}");
    }
}
