//! Faults in the members' peer certificates. The streams that the other side opened hide a fault in one
//! direction, until a member needs a snapshot or the whole cluster restarts.

use time::Duration;

use super::Sight::{Ends, Healthy, Isolated, NeverBoots, Own, Rejects, Says};
use super::forge::peer_names;
use super::sight::{answers, health, healthy, said};
use super::{Cluster, Fault, Forged, both, faults, host_file};
use crate::machines::network::MEMBERS;
use crate::machines::{Machines, Program};

const FILE: &str = "etcdthree/peer.pem";

const USAGE: &str = "x509: certificate specifies an incompatible key usage";
const BAD: &str = "remote error: tls: bad certificate";
const NOT_IN_TIME: &str = "x509: certificate has expired or is not yet valid";
const UNKNOWN: &str = "x509: certificate signed by unknown authority";
const NOT_ON_THE_LIST: &str = "client certificate authentication failed";

fn peer(machines: &Machines, name: &str, fault: impl FnOnce(Forged) -> Forged) {
    fault(Forged::peer(machines, name)).write(host_file(name, "peer"));
}

fn third(machines: &Machines, fault: impl FnOnce(Forged) -> Forged) {
    peer(machines, "etcdthree", fault);
}

/// Lets the third member fall behind the oldest entry in the others' logs, so that it needs a snapshot.
/// The leader sends a snapshot over a separate connection.
pub(super) fn lag(machines: &mut Machines) {
    healthy(machines);
    machines.stop_member("etcdthree");
    for number in 0..30 {
        machines.wait("a write while one member is away", |machines| {
            let run =
                machines.etcdctl(&["--command-timeout=2s", "put", "lag", &number.to_string()]);
            if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
        });
    }
    // A member that starts knows only the log after its last snapshot.
    for name in ["etcdone", "etcdtwo"] {
        machines.stop_member(name);
    }
    for name in MEMBERS {
        machines.start_member(name);
    }
    for name in ["etcdone", "etcdtwo"] {
        machines.wait("two members are healthy", |machines| answers(machines, name));
    }
}

fn the_snapshot_never_arrives(machines: &mut Machines) {
    lag(machines);
    machines.wait("the leader fails to send a snapshot again and again", |machines| {
        let log = said(machines, "etcdone") + &said(machines, "etcdtwo");
        let failed = log.lines().filter(|line| line.contains("snap") && line.contains("x509"));
        let failed: Vec<_> = failed.collect();
        if failed.len() >= 3 { Ok(()) } else { Err(format!("{failed:#?}")) }
    });
    assert_ne!(health(machines, "etcdthree").code, 0, "etcdthree is healthy");
}

faults! {
    peer_without_client_auth: Fault {
        what: "A peer certificate lacks clientAuth, so its member cannot connect to others",
        cluster: Cluster::Three,
        plant: |machines| third(machines, |forged| forged.with("extendedKeyUsage", "serverAuth")),
        seen: both(&[Healthy, Rejects("etcdone", USAGE), Says("etcdthree", BAD)]),
        rule: "peer-eku-both",
        file: FILE,
    },
    peer_without_server_auth: Fault {
        what: "A peer certificate lacks serverAuth, so others cannot connect to its member",
        cluster: Cluster::Three,
        plant: |machines| third(machines, |forged| forged.with("extendedKeyUsage", "clientAuth")),
        seen: both(&[Healthy, Says("etcdone", USAGE), Rejects("etcdthree", BAD)]),
        rule: "peer-eku-both",
        file: FILE,
    },
    peers_with_one_direction_each: Fault {
        what: "One peer certificate lacks clientAuth and another serverAuth",
        cluster: Cluster::Three,
        plant: |machines| {
            peer(machines, "etcdtwo", |forged| forged.with("extendedKeyUsage", "serverAuth"));
            third(machines, |forged| forged.with("extendedKeyUsage", "clientAuth"));
        },
        seen: both(&[Healthy, Rejects("etcdone", USAGE), Says("etcdone", USAGE)]),
        rule: "peer-eku-both",
        file: FILE,
    },
    peer_that_needs_a_snapshot: Fault {
        what: "A peer certificate lacks serverAuth, and its member has fallen so far behind that it needs a snapshot",
        cluster: Cluster::Three,
        plant: |machines| third(machines, |forged| forged.with("extendedKeyUsage", "clientAuth")),
        seen: both(&[
            Healthy,
            Own("the snapshot never arrives, and etcdthree never recovers", the_snapshot_never_arrives),
        ]),
        rule: "peer-eku-both",
        file: FILE,
    },
    peers_without_client_auth: Fault {
        what: "All peer certificates lack clientAuth",
        cluster: Cluster::Three,
        plant: |machines| {
            for name in MEMBERS {
                peer(machines, name, |forged| forged.with("extendedKeyUsage", "serverAuth"));
            }
        },
        seen: both(&[Rejects("etcdone", USAGE), NeverBoots]),
        rule: "peer-eku-both",
        file: FILE,
    },
    peers_without_server_auth: Fault {
        what: "All peer certificates lack serverAuth",
        cluster: Cluster::Three,
        plant: |machines| {
            for name in MEMBERS {
                peer(machines, name, |forged| forged.with("extendedKeyUsage", "clientAuth"));
            }
        },
        seen: both(&[Rejects("etcdone", BAD), NeverBoots]),
        rule: "peer-eku-both",
        file: FILE,
    },
    peer_with_the_address_of_another: Fault {
        what: "A peer certificate has the address of another member",
        cluster: Cluster::Three,
        plant: |machines| {
            let two = machines.network.address("etcdtwo");
            let names = format!("DNS:etcd-peer.lab,DNS:etcdthree,IP:{two}");
            third(machines, |forged| forged.with("subjectAltName", &names));
        },
        seen: both(&[
            Rejects("etcdone", r#"tls: "{source}" does not match any of DNSNames"#),
            Isolated("etcdthree"),
        ]),
        rule: "peer-san-dial",
        file: FILE,
    },
    peer_with_a_name_that_nobody_resolves: Fault {
        what: "A peer certificate has a DNS name that the other members cannot resolve, and no address",
        cluster: Cluster::Three,
        plant: |machines| {
            third(machines, |forged| forged.with("subjectAltName", "DNS:etcd-peer.lab"));
        },
        seen: both(&[
            Rejects("etcdone", r#"tls: "{source}" does not match any of DNSNames ["etcd-peer.lab"]"#),
            Isolated("etcdthree"),
        ]),
        rule: "peer-san-source",
        file: FILE,
    },
    peer_with_only_a_wildcard: Fault {
        what: "A peer certificate has only a wildcard name, and the addresses have no PTR records",
        cluster: Cluster::Three,
        plant: |machines| {
            third(machines, |forged| forged.with("subjectAltName", "DNS:*.lab"));
        },
        seen: both(&[
            Rejects("etcdone", r#"tls: "{source}" does not match any of DNSNames ["*.lab"]"#),
            Isolated("etcdthree"),
        ]),
        rule: "peer-san-wildcard-only",
        file: FILE,
    },
    peer_that_is_not_on_the_list: Fault {
        what: "A peer certificate lacks the name that peer-cert-allowed-hostname requires",
        cluster: Cluster::Three,
        plant: |machines| {
            let names = peer_names(machines, &machines.network.address("etcdthree"));
            let names = names.replace("DNS:etcd-peer.lab,", "");
            third(machines, |forged| forged.with("subjectAltName", &names));
        },
        seen: both(&[Rejects("etcdone", NOT_ON_THE_LIST), Isolated("etcdthree")]),
        rule: "peer-allow-hostname",
        file: FILE,
    },
    peer_with_common_name_only: Fault {
        what: "A peer certificate has a common name but no subjectAltName",
        cluster: Cluster::Three,
        plant: |machines| third(machines, |forged| forged.without("subjectAltName")),
        seen: both(&[Rejects("etcdone", NOT_ON_THE_LIST), Isolated("etcdthree")]),
        rule: "san-none-cn-only",
        file: FILE,
    },
    peer_expired: Fault {
        what: "A peer certificate has expired",
        cluster: Cluster::Three,
        plant: |machines| {
            third(machines, |forged| forged.good(-Duration::days(9), -Duration::days(1)));
        },
        seen: both(&[Rejects("etcdone", NOT_IN_TIME), Isolated("etcdthree")]),
        rule: "leaf-expired",
        file: FILE,
    },
    peer_of_another_ca: Fault {
        what: "A peer certificate is from another CA",
        cluster: Cluster::Three,
        plant: |machines| {
            Forged::another_ca(machines).named("another CA").write("another");
            third(machines, |forged| forged.issued_by("another"));
        },
        seen: both(&[Rejects("etcdone", UNKNOWN), Isolated("etcdthree")]),
        rule: "path-unknown-authority",
        file: FILE,
    },
    peer_that_trusts_another_ca: Fault {
        what: "A member trusts a different CA than the others",
        cluster: Cluster::Three,
        plant: |machines| {
            Forged::another_ca(machines).named("another CA").write("another");
            machines.lab.write(host_file("etcdthree", "ca.pem"), machines.lab.read("another.pem"));
        },
        seen: both(&[Rejects("etcdthree", UNKNOWN), Isolated("etcdthree")]),
        rule: "trust-wrong-ca",
        file: "etcdthree/ca.pem",
    },
    peer_with_another_key: Fault {
        what: "A peer's key belongs to another certificate",
        cluster: Cluster::Three,
        plant: |machines| {
            let key = machines.lab.read(host_file("etcdthree", "server-key.pem"));
            machines.lab.write(host_file("etcdthree", "peer-key.pem"), key);
        },
        seen: both(&[Ends("etcdthree", "tls: private key does not match public key")]),
        rule: "key-mismatch",
        file: FILE,
    },
}

/// The control for `peer_that_needs_a_snapshot`.
#[test]
fn a_healthy_peer_gets_its_snapshot() {
    for program in Program::ALL {
        let mut machines = super::healthy(program, Cluster::Three);
        machines.start_members();
        lag(&mut machines);
        machines.wait("the member catches up", |machines| answers(machines, "etcdthree"));
        let log = said(&machines, "etcdthree");
        let applied = match program {
            Program::V3_4 => "finished applying incoming snapshot",
            Program::V3_5_1 => "applied snapshot",
        };
        assert!(log.contains(applied), "{program:?}: {log}");
    }
}
