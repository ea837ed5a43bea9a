//! Faults in etcd's configuration, which is the environment in its unit here.

use super::Sight::{ClientFails, Ends, Healthy, NeverBoots, NoGateway, Own, Rejects};
use super::sight::{READY, client_as, said};
use super::{Cluster, Fault, both, faults, host_file};
use crate::machines::Machines;
use crate::machines::https::{Request, ask};
use crate::machines::network::{MASTER, MEMBERS};

const UNIT: &str = "etcdone/etcd.service";

/// Sets a variable, or replaces its value.
pub(super) fn set(machines: &Machines, member: &str, variable: &str, value: &str) {
    unset(machines, member, variable);
    edit(machines, member, |unit| {
        let line = format!("Environment={variable}={value}\nExecStart=");
        unit.replace("ExecStart=", &line)
    });
}

pub(super) fn unset(machines: &Machines, member: &str, variable: &str) {
    let start = format!("Environment={variable}=");
    edit(machines, member, |unit| {
        unit.split_inclusive('\n').filter(|line| !line.starts_with(&start)).collect()
    });
}

fn edit(machines: &Machines, member: &str, change: impl FnOnce(&str) -> String) {
    let file = host_file(member, "etcd.service");
    let unit = String::from_utf8(machines.lab.read(&file)).unwrap();
    machines.lab.write(file, change(&unit));
}

fn revocation_list(machines: &Machines) {
    let file = "/proc/self/cwd/etc/revoked.crl";
    set(machines, "etcdone", "ETCD_CLIENT_CRL_FILE", file);
}

/// The client sees that its connection is closed, in one way or another.
fn cut_off(machines: &mut Machines) {
    machines.wait("the member serves clients", |machines| {
        let serves = said(machines, "etcdone").contains(READY);
        if serves { Ok(()) } else { Err("it does not".to_owned()) }
    });
    let run = client_as(machines, "apiserver-etcd-client");
    assert!(run.as_ref().is_err_and(|run| !run.contains("bad certificate")), "{run:?}");
}

fn anybody_reads(machines: &mut Machines) {
    super::sight::healthy(machines);
    let url = format!("https://{}:2379/v3/kv/range", machines.network.address("etcdone"));
    let request = Request { url, certificate: None, body: Some(r#"{"key": "a2V5"}"#) };
    let ca = machines.lab.path(MASTER).join("etc/ca.pem");
    let answer = &ask(&machines.network, MASTER, &ca, &[request])[0];
    assert_eq!(answer.status, Some(200), "{answer:?}");
}

faults! {
    configured_without_a_certificate: Fault {
        what: "The configuration has no server certificate for an https URL",
        cluster: Cluster::One,
        plant: |machines| {
            unset(machines, "etcdone", "ETCD_CERT_FILE");
            unset(machines, "etcdone", "ETCD_KEY_FILE");
        },
        seen: both(&[Ends("etcdone", "TLS key/cert (--cert-file, --key-file) must be provided")]),
        rule: "cfg-cert-missing",
        file: UNIT,
    },
    configured_without_client_authentication: Fault {
        what: "The configuration does not require client certificates",
        cluster: Cluster::One,
        plant: |machines| {
            unset(machines, "etcdone", "ETCD_CLIENT_CERT_AUTH");
            unset(machines, "etcdone", "ETCD_TRUSTED_CA_FILE");
        },
        seen: both(&[Own("anyone who can reach the port can read everything", anybody_reads)]),
        rule: "cfg-auth-off",
        file: UNIT,
    },
    configured_with_the_ciphers_of_rsa: Fault {
        what: "The cipher suites are for RSA, but the server's key is ECDSA",
        cluster: Cluster::One,
        plant: |machines| {
            let suite = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
            set(machines, "etcdone", "ETCD_CIPHER_SUITES", suite);
        },
        seen: both(&[
            ClientFails("remote error: tls: handshake failure"),
            Rejects("etcdone", "tls: no cipher suite supported by both client and server"),
        ]),
        rule: "cfg-cipher-vs-key",
        file: UNIT,
    },
    configured_with_a_list_of_clients: Fault {
        what: "Clients are restricted to a host name, which also applies to the gateway",
        cluster: Cluster::One,
        plant: |machines| {
            let name = "apiserver-etcd-client.invalid";
            set(machines, "etcdone", "ETCD_CLIENT_CERT_ALLOWED_HOSTNAME", name);
        },
        seen: both(&[
            Healthy,
            NoGateway("etcdone"),
        ]),
        rule: "cfg-allowed-hostname-gateway",
        file: UNIT,
    },
    configured_with_two_lists_of_peers: Fault {
        what: "Peers are restricted to a common name and to a host name",
        cluster: Cluster::One,
        plant: |machines| set(machines, "etcdone", "ETCD_PEER_CERT_ALLOWED_CN", "etcdone"),
        seen: both(&[Ends("etcdone", "AllowedCN and AllowedHostname are mutually exclusive")]),
        rule: "peer-allow-both",
        file: UNIT,
    },
    revocation_list_missing: Fault {
        what: "The CRL for clients is configured but missing",
        cluster: Cluster::One,
        plant: |machines| revocation_list(machines),
        seen: both(&[
            Own("etcd closes client connections without an error", cut_off),
            Rejects("etcdone", "revoked.crl: no such file or directory"),
        ]),
        rule: "file-missing",
        file: "etcdone/revoked.crl",
    },
    revocation_list_empty: Fault {
        what: "The CRL for clients is an empty file",
        cluster: Cluster::One,
        plant: |machines| {
            revocation_list(machines);
            machines.lab.write(host_file("etcdone", "revoked.crl"), "");
        },
        seen: both(&[
            Own("etcd closes client connections without an error", cut_off),
            Rejects("etcdone", "asn1: syntax error: sequence truncated"),
        ]),
        rule: "crl-format",
        file: "etcdone/revoked.crl",
    },
    configured_without_the_cas_of_peers: Fault {
        what: "The configuration has no trust file for peers, so etcd trusts the system's CAs",
        cluster: Cluster::Three,
        plant: |machines| {
            for member in MEMBERS {
                unset(machines, member, "ETCD_PEER_TRUSTED_CA_FILE");
            }
        },
        seen: both(&[NeverBoots]),
        rule: "cfg-ca-missing",
        file: UNIT,
    },
    configured_with_the_common_name_of_one_peer: Fault {
        what: "Peers are restricted to the common name of one of them",
        cluster: Cluster::Three,
        plant: |machines| {
            for member in MEMBERS {
                unset(machines, member, "ETCD_PEER_CERT_ALLOWED_HOSTNAME");
                set(machines, member, "ETCD_PEER_CERT_ALLOWED_CN", "etcdone");
            }
        },
        seen: both(&[Rejects("etcdone", "client certificate authentication failed"), NeverBoots]),
        rule: "peer-allow-cn",
        file: "etcdtwo/peer.pem",
    },
}
