//! Faults in a member's server certificate.

use time::Duration;

use super::Sight::{ClientFails, Healthy, LocalClientFails, NoGateway, Own, Rejects};
use super::sight::client_as;
use super::{Cluster, Fault, Forged, both, faults, host_file};
use crate::machines::Machines;

const FILE: &str = "etcdone/server.pem";

const UNKNOWN: &str = "x509: certificate signed by unknown authority";
const NOT_IN_TIME: &str = "x509: certificate has expired or is not yet valid";
const NO_ADDRESS: &str =
    "x509: cannot validate certificate for {one} because it doesn't contain any IP SANs";

fn server(machines: &Machines, fault: impl FnOnce(Forged) -> Forged) {
    fault(Forged::server(machines, "etcdone")).write(host_file("etcdone", "server"));
}

fn names(machines: &Machines, names: &str) {
    let address = machines.network.address("etcdone");
    let names = names.replace("ADDRESS", &address);
    server(machines, |forged| forged.with("subjectAltName", &names));
}

/// A port of 127.0.0.1 that only this test process uses.
fn local_port() -> u32 {
    20_000 + std::process::id() % 10_000
}

/// Makes the member also listen on 127.0.0.1, as its unit does outside of the tests.
fn listen_locally(machines: &Machines) {
    let unit = host_file("etcdone", "etcd.service");
    let text = String::from_utf8(machines.lab.read(&unit)).unwrap();
    let local = format!("https://127.0.0.1:{}", local_port());
    machines.lab.write(unit, text.replace("https://127.0.0.1:2379", &local));
}

/// Whether etcd accepts a client certificate that was signed with the server's key.
fn rogue(machines: &mut Machines) -> Result<(), String> {
    let client = Forged::client(machines).issued_by(host_file("etcdone", "server"));
    client.write("masterone/etc/rogue");
    let chain = [
        machines.lab.read("masterone/etc/rogue.pem"),
        machines.lab.read(host_file("etcdone", "server.pem")),
    ];
    machines.lab.write("masterone/etc/rogue.pem", chain.concat());
    client_as(machines, "rogue")
}

faults! {
    server_without_client_auth: Fault {
        what: "The server certificate lacks clientAuth, as in many tutorials",
        cluster: Cluster::One,
        plant: |machines| server(machines, |forged| forged.with("extendedKeyUsage", "serverAuth")),
        seen: both(&[
            Healthy,
            Rejects("etcdone", "x509: certificate specifies an incompatible key usage"),
            NoGateway("etcdone"),
        ]),
        rule: "srv-eku-client",
        file: FILE,
    },
    server_without_server_auth: Fault {
        what: "The server uses a client certificate, which lacks serverAuth",
        cluster: Cluster::One,
        plant: |machines| server(machines, |forged| forged.with("extendedKeyUsage", "clientAuth")),
        seen: both(&[ClientFails("x509: certificate specifies an incompatible key usage")]),
        rule: "srv-eku-server",
        file: FILE,
    },
    server_without_its_address: Fault {
        what: "The server certificate lacks the address that clients connect to",
        cluster: Cluster::One,
        plant: |machines| names(machines, "DNS:etcdone,DNS:localhost,IP:127.0.0.1"),
        seen: both(&[ClientFails("x509: certificate is valid for 127.0.0.1, not {one}")]),
        rule: "srv-san-advertise",
        file: FILE,
    },
    server_without_loopback: Fault {
        what: "The server certificate lacks localhost and 127.0.0.1",
        cluster: Cluster::One,
        plant: |machines| {
            names(machines, "DNS:etcdone,DNS:etcdone.example.com,IP:ADDRESS");
            listen_locally(machines);
        },
        seen: both(&[
            Healthy,
            LocalClientFails(local_port, "x509: certificate is valid for {one}, not 127.0.0.1"),
        ]),
        rule: "srv-san-loopback",
        file: FILE,
    },
    server_address_as_dns_name: Fault {
        what: "The server's addresses are encoded as DNS names",
        cluster: Cluster::One,
        plant: |machines| names(machines, "DNS:etcdone,DNS:localhost,DNS:127.0.0.1,DNS:ADDRESS"),
        seen: both(&[ClientFails(NO_ADDRESS)]),
        rule: "san-ip-as-dns",
        file: FILE,
    },
    server_with_common_name_only: Fault {
        what: "The server certificate has a common name but no subjectAltName",
        cluster: Cluster::One,
        plant: |machines| server(machines, |forged| forged.without("subjectAltName")),
        seen: both(&[ClientFails(NO_ADDRESS)]),
        rule: "san-none-cn-only",
        file: FILE,
    },
    server_expired: Fault {
        what: "The server certificate has expired",
        cluster: Cluster::One,
        plant: |machines| {
            server(machines, |forged| forged.good(-Duration::days(9), -Duration::days(1)));
        },
        seen: both(&[ClientFails(NOT_IN_TIME), Rejects("etcdone", NOT_IN_TIME)]),
        rule: "leaf-expired",
        file: FILE,
    },
    server_not_yet_valid: Fault {
        what: "The server certificate is not yet valid, because a clock is wrong",
        cluster: Cluster::One,
        plant: |machines| {
            server(machines, |forged| forged.good(Duration::days(1), Duration::days(9)));
        },
        seen: both(&[ClientFails(NOT_IN_TIME), Rejects("etcdone", NOT_IN_TIME)]),
        rule: "leaf-not-yet-valid",
        file: FILE,
    },
    server_of_another_ca: Fault {
        what: "The server certificate is from another CA",
        cluster: Cluster::One,
        plant: |machines| {
            Forged::another_ca(machines).named("another CA").write("another");
            server(machines, |forged| forged.issued_by("another"));
        },
        seen: both(&[ClientFails(UNKNOWN), Rejects("etcdone", UNKNOWN)]),
        rule: "path-unknown-authority",
        file: FILE,
    },
    server_of_a_recreated_ca: Fault {
        what: "The CA was recreated under its old name, and the server certificate is still from the old CA",
        cluster: Cluster::One,
        plant: |machines| {
            Forged::another_ca(machines).write("another");
            server(machines, |forged| forged.issued_by("another"));
        },
        seen: both(&[ClientFails("x509: ECDSA verification failure")]),
        rule: "path-signature",
        file: FILE,
    },
    server_is_a_ca: Fault {
        what: "The server certificate says CA:TRUE, so its key can issue client certificates",
        cluster: Cluster::One,
        plant: |machines| {
            server(machines, |forged| {
                forged
                    .with("basicConstraints", "critical,CA:TRUE")
                    .with("keyUsage", "critical,digitalSignature,keyCertSign")
            });
            // The CA must permit it: etcdpki's CA has a path length of 0.
            super::authority::reissued(machines, |ca| ca);
        },
        seen: both(&[
            Healthy,
            Own("etcd accepts a client that the server's key signed", |machines| {
                assert_eq!(rogue(machines), Ok(()));
            }),
        ]),
        rule: "leaf-is-ca",
        file: FILE,
    },
    server_with_unknown_critical_extension: Fault {
        what: "The server certificate has a critical extension that Go does not know",
        cluster: Cluster::One,
        plant: |machines| server(machines, |forged| forged.with("1.3.6.1.4.1.55555.1", "critical,DER:0500")),
        seen: both(&[
            ClientFails("x509: unhandled critical extension"),
            Rejects("etcdone", "x509: unhandled critical extension"),
        ]),
        rule: "ext-unknown-critical",
        file: FILE,
    },
    server_on_p224: Fault {
        what: "The server's key is on the curve P-224",
        cluster: Cluster::One,
        plant: |machines| server(machines, |forged| forged.on_curve("P-224")),
        seen: [
            &[Rejects("etcdone", "tls: unsupported certificate curve (P-224)")],
            &[Healthy],
        ],
        rule: "key-curve",
        file: FILE,
    },
    server_on_secp256k1: Fault {
        what: "The server's key is on the curve secp256k1",
        cluster: Cluster::One,
        plant: |machines| server(machines, |forged| forged.on_curve("secp256k1")),
        seen: both(&[super::Sight::Ends("etcdone", "x509: unsupported elliptic curve")]),
        rule: "key-curve",
        file: FILE,
    },
    server_signed_with_sha1: Fault {
        what: "The server certificate is signed with SHA-1",
        cluster: Cluster::One,
        plant: |machines| server(machines, |forged| forged.digested_by("sha1")),
        seen: [
            &[Rejects("etcdone", "x509: cannot verify signature: insecure algorithm ECDSA-SHA1")],
            &[Healthy],
        ],
        rule: "sig-weak",
        file: FILE,
    },
}

/// The control for `server_is_a_ca`.
#[test]
fn the_key_of_a_leaf_mints_no_clients() {
    for program in crate::machines::Program::ALL {
        let mut machines = super::healthy(program, Cluster::One);
        machines.start_members();
        super::sight::healthy(&mut machines);
        assert!(rogue(&mut machines).is_err());
        let reason = "parent certificate cannot sign this kind of certificate";
        Rejects("etcdone", reason).look(&mut machines);
    }
}
