//! Examples of the rules about live endpoints.
//!
//! Only a server has these faults: tests/cli/etcd/connect.rs and tests/cli/live.rs test each of them with a real
//! server, and the same endpoint without the fault. This file only records the messages.

use pki_core::{EndpointFault, Finding, Policy};

use super::{Example, Fault};

pub(super) const EXAMPLES: &[Example] = &[
    Example::other("endpoint-plain-http", |fault| found(fault, EndpointFault::PlainHttp)),
    Example::other("endpoint-handshake", |fault| found(fault, EndpointFault::Handshake)),
    Example::other("endpoint-refuses-client", |fault| found(fault, EndpointFault::RefusesClient)),
    Example::other("endpoint-open", |fault| found(fault, EndpointFault::Open)),
    Example::other("endpoint-serves-other", |fault| found(fault, EndpointFault::ServesOther)),
    Example::other("endpoint-stale-trust", |fault| found(fault, EndpointFault::StaleTrust)),
];

fn found(fault: Fault, seen: EndpointFault) -> Vec<Finding> {
    let seen = (fault == Fault::Planted).then_some(seen);
    let evidence = "what was seen on the wire".to_owned();
    seen.and_then(|seen| seen.finding(Policy::Etcd, "192.168.29.61:2379", evidence))
        .into_iter()
        .collect()
}
