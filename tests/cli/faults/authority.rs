//! Faults in the CA, and in the chain between it and the leaf certificates.

use time::Duration;

use super::Sight::{ClientFails, Rejects};
use super::{Cluster, Fault, Forged, both, faults, host_file};
use crate::machines::Machines;
use crate::machines::network::MASTER;

const FILE: &str = "etcdone/server.pem";

const UNKNOWN: &str = "x509: certificate signed by unknown authority";
const CANNOT_SIGN: &str = "parent certificate cannot sign this kind of certificate";
const NOT_IN_TIME: &str = "x509: certificate has expired or is not yet valid";
const USAGE: &str = "x509: certificate specifies an incompatible key usage";

/// Reissues the CA certificate for the same key, with a fault, wherever it is trusted.
pub(super) fn reissued(machines: &Machines, fault: impl FnOnce(Forged) -> Forged) {
    fault(Forged::ca(machines)).write("pki/ca");
    let ca = machines.lab.read("pki/ca.pem");
    for host in machines.members().into_iter().chain([MASTER]) {
        machines.lab.write(host_file(host, "ca.pem"), &ca);
    }
}

/// Issues a server certificate below an intermediate CA.
pub(super) fn intermediate(machines: &Machines) {
    Forged::intermediate(machines).write("between");
    Forged::server(machines, "etcdone").issued_by("between").write(host_file("etcdone", "server"));
}

/// Appends the intermediate to the server's certificate.
fn append_intermediate(machines: &Machines) {
    let file = host_file("etcdone", "server.pem");
    let chain = [machines.lab.read(&file), machines.lab.read("between.pem")];
    machines.lab.write(file, chain.concat());
}

faults! {
    ca_without_cert_sign: Fault {
        what: "The CA's key usage lacks keyCertSign",
        cluster: Cluster::One,
        plant: |machines| reissued(machines, |ca| ca.with("keyUsage", "critical,cRLSign")),
        seen: both(&[ClientFails(CANNOT_SIGN), Rejects("etcdone", CANNOT_SIGN)]),
        rule: "ca-keycertsign",
        file: FILE,
    },
    ca_that_says_ca_false: Fault {
        what: "The CA certificate says CA:FALSE",
        cluster: Cluster::One,
        plant: |machines| reissued(machines, |ca| ca.with("basicConstraints", "critical,CA:FALSE")),
        seen: both(&[ClientFails(CANNOT_SIGN), Rejects("etcdone", CANNOT_SIGN)]),
        rule: "ca-bc",
        file: FILE,
    },
    ca_expired: Fault {
        what: "The CA has expired, but the certificates that it signed have not",
        cluster: Cluster::One,
        plant: |machines| {
            reissued(machines, |ca| ca.good(-Duration::days(9), -Duration::days(1)));
        },
        seen: both(&[ClientFails(NOT_IN_TIME), Rejects("etcdone", NOT_IN_TIME)]),
        rule: "ca-time",
        file: FILE,
    },
    ca_for_servers_only: Fault {
        what: "The CA's extended key usage is only serverAuth, so client certificates are invalid",
        cluster: Cluster::One,
        plant: |machines| reissued(machines, |ca| ca.with("extendedKeyUsage", "serverAuth")),
        seen: both(&[Rejects("etcdone", USAGE), ClientFails("bad certificate")]),
        rule: "ca-eku-nesting",
        file: "masterone/apiserver-etcd-client.pem",
    },
    ca_in_another_string_type: Fault {
        what: "The CA was recreated with its name in another string type",
        cluster: Cluster::One,
        plant: |machines| reissued(machines, Forged::in_utf8),
        seen: both(&[ClientFails(UNKNOWN), Rejects("etcdone", UNKNOWN)]),
        rule: "dn-bytes",
        file: FILE,
    },
    ca_in_another_case: Fault {
        what: "The CA was recreated with its name in capitals",
        cluster: Cluster::One,
        plant: |machines| reissued(machines, |ca| ca.named("ETCD CA")),
        seen: both(&[ClientFails(UNKNOWN), Rejects("etcdone", UNKNOWN)]),
        rule: "dn-bytes",
        file: FILE,
    },
    ca_that_does_not_permit_the_address: Fault {
        what: "The CA is constrained to other addresses",
        cluster: Cluster::One,
        plant: |machines| {
            let other = "critical,permitted;IP:10.0.0.0/255.0.0.0";
            reissued(machines, |ca| ca.with("nameConstraints", other));
        },
        seen: both(&[
            ClientFails("is not permitted by any constraint"),
            Rejects("etcdone", "is not permitted by any constraint"),
        ]),
        rule: "ca-name-constraints",
        file: FILE,
    },
    chain_without_intermediate: Fault {
        what: "The server's file lacks the intermediate CA",
        cluster: Cluster::One,
        plant: |machines| {
            reissued(machines, |ca| ca);
            intermediate(machines);
        },
        seen: both(&[ClientFails(UNKNOWN), Rejects("etcdone", UNKNOWN)]),
        rule: "path-unknown-authority",
        file: FILE,
    },
    chain_too_long: Fault {
        what: "An intermediate CA is below a CA whose path length is 0",
        cluster: Cluster::One,
        plant: |machines| {
            intermediate(machines);
            append_intermediate(machines);
        },
        seen: both(&[
            ClientFails("x509: too many intermediates for path length constraint"),
            Rejects("etcdone", "x509: too many intermediates for path length constraint"),
        ]),
        rule: "ca-pathlen",
        file: FILE,
    },
}
