//! A member's server certificate.

use time::Duration;

use super::Sight::{ClientFails, Healthy, NoGateway, Own, Rejects, Says};
use super::{Cluster, Fault, Forged, Verify, both, faults, host_file};
use crate::machines::Machines;

fn server(machines: &Machines, fault: impl FnOnce(Forged) -> Forged) {
    fault(Forged::server(machines, "etcdone")).write(host_file("etcdone", "server"));
}

faults! {
    server_without_client_auth: Fault {
        what: "The server certificate lacks clientAuth, as tutorials issue it",
        cluster: Cluster::One,
        plant: |machines| server(machines, |forged| forged.with("extendedKeyUsage", "serverAuth")),
        seen: both(&[
            Healthy,
            Rejects("etcdone", "x509: certificate specifies an incompatible key usage"),
            NoGateway("etcdone"),
        ]),
        rule: "srv-eku-client",
        file: "etcdone/server.pem",
        verify: Verify::Cluster,
    },
}
