//! Faults in the API server's client certificate and in the files next to it.

use time::Duration;

use super::Sight::{ClientFails, Own, Rejects};
use super::forge::run;
use super::{Cluster, Fault, Forged, both, configuration, faults, host_file};
use crate::machines::Machines;
use crate::machines::https::{Request, ask};
use crate::machines::network::MASTER;
use crate::peers;

const FILE: &str = "masterone/apiserver-etcd-client.pem";
const KEY: &str = "pki/hosts/masterone/apiserver-etcd-client-key.pem";

const BAD: &str = "remote error: tls: bad certificate";
const UNKNOWN: &str = "x509: certificate signed by unknown authority";

fn client(machines: &Machines, fault: impl FnOnce(Forged) -> Forged) {
    fault(Forged::client(machines)).write(host_file(MASTER, "apiserver-etcd-client"));
}

/// Requests the list of members from a member's peer port with the API server's certificate.
fn ask_the_peer_port(machines: &mut Machines) {
    super::sight::healthy(machines);
    let etc = machines.lab.path(MASTER).join("etc");
    let file = |end: &str| etc.join(format!("apiserver-etcd-client{end}"));
    let url = format!("https://{}:2380/members", machines.network.address("etcdone"));
    let request = Request { url, certificate: Some((file(".pem"), file("-key.pem"))), body: None };
    let answer = &ask(&machines.network, MASTER, &etc.join("ca.pem"), &[request])[0];
    assert_eq!(answer.status, Some(200), "{answer:?}");
    assert!(answer.text.contains("etcdone"), "{answer:?}");
}

faults! {
    client_without_client_auth: Fault {
        what: "The client certificate lacks clientAuth",
        cluster: Cluster::One,
        plant: |machines| client(machines, |forged| forged.with("extendedKeyUsage", "serverAuth")),
        seen: both(&[
            ClientFails(BAD),
            Rejects("etcdone", "x509: certificate specifies an incompatible key usage"),
        ]),
        rule: "cli-eku",
        file: FILE,
    },
    client_expired: Fault {
        what: "The client certificate has expired",
        cluster: Cluster::One,
        plant: |machines| {
            client(machines, |forged| forged.good(-Duration::days(9), -Duration::days(1)));
        },
        seen: both(&[
            ClientFails(BAD),
            Rejects("etcdone", "x509: certificate has expired or is not yet valid"),
        ]),
        rule: "leaf-expired",
        file: FILE,
    },
    client_of_another_ca: Fault {
        what: "The client certificate is from another CA",
        cluster: Cluster::One,
        plant: |machines| {
            Forged::another_ca(machines).named("another CA").write("another");
            client(machines, |forged| forged.issued_by("another"));
        },
        seen: both(&[ClientFails(BAD), Rejects("etcdone", UNKNOWN)]),
        rule: "path-unknown-authority",
        file: FILE,
    },
    client_without_certificate: Fault {
        what: "The client certificate is missing",
        cluster: Cluster::One,
        plant: |machines| {
            std::fs::remove_file(machines.lab.path("pki/hosts").join(FILE)).unwrap();
        },
        seen: both(&[ClientFails("apiserver-etcd-client.pem: no such file or directory")]),
        rule: "file-missing",
        file: FILE,
    },
    client_with_another_key: Fault {
        what: "The client's key belongs to another certificate",
        cluster: Cluster::One,
        plant: |machines| {
            let key = machines.lab.read(host_file("etcdone", "server-key.pem"));
            machines.lab.write(KEY, key);
        },
        seen: both(&[ClientFails("tls: private key does not match public key")]),
        rule: "key-mismatch",
        file: FILE,
    },
    client_with_encrypted_key: Fault {
        what: "The client's key is encrypted",
        cluster: Cluster::One,
        plant: |machines| {
            let mut openssl = peers::program("openssl");
            let key = machines.lab.path(KEY);
            let made = key.with_extension("made");
            openssl.args(["pkey", "-aes256", "-passout", "pass:secret", "-in"]).arg(&key);
            run(openssl.arg("-out").arg(&made));
            std::fs::rename(made, key).unwrap();
        },
        seen: both(&[ClientFails("tls: failed to parse private key")]),
        rule: "key-encrypted",
        file: "masterone/apiserver-etcd-client-key.pem",
    },
    client_that_trusts_another_ca: Fault {
        what: "The API server trusts another CA",
        cluster: Cluster::One,
        plant: |machines| {
            Forged::another_ca(machines).named("another CA").write("another");
            machines.lab.write(host_file(MASTER, "ca.pem"), machines.lab.read("another.pem"));
        },
        seen: both(&[ClientFails(UNKNOWN)]),
        rule: "trust-wrong-ca",
        file: "masterone/ca.pem",
    },
    client_without_a_name: Fault {
        what: "The client certificate has no subjectAltName, as issued by kubeadm, and no option restricts the names of peers",
        cluster: Cluster::One,
        plant: |machines| {
            client(machines, |forged| forged.without("subjectAltName"));
            configuration::unset(machines, "etcdone", "ETCD_PEER_CERT_ALLOWED_HOSTNAME");
        },
        seen: both(&[
            Own("etcd's peer port answers the client as if it were a member", ask_the_peer_port),
        ]),
        rule: "peer-port-open-to-clients",
        file: FILE,
    },
}
