//! What Go demands: one of the demands of each rule. The others are beside Go's own verdict in
//! `differential/go`.

use pki_core::{Finding, Purpose};

use super::{Example, Fault};
use crate::differential::go::chains::{Pool, planted};
use crate::differential::go::samples::SAMPLES;

pub(super) const EXAMPLES: &[Example] = &[
    Example::other("go-der", |fault| found(fault, "extension-oid")),
    Example::other("go-name", |fault| found(fault, "printable-string")),
    Example::other("go-time", |fault| found(fault, "time")),
    Example::other("go-key", |fault| found(fault, "curve-point")),
    Example::other("go-extension", |fault| found(fault, "critical")),
    Example::other("go-san", |fault| found(fault, "ip-mapped")),
    Example::other("go-unseen", |fault| found(fault, "extensions-unseen")),
    Example::other("go-uri", |fault| found(fault, "uri-syntax")),
    Example::other("go-constraint-form", |fault| found(fault, "constraint-domain")),
    Example::other("go-constraint-names", |fault| found(fault, "uri-without-host")),
    Example::other("nc-self-issued", |fault| found(fault, "self-issued-outside")),
    Example::other("go-policy", |fault| found(fault, "policy-required")),
    Example::other("go-path", |fault| found(fault, "path-length")),
    Example::other("go-handshake", |fault| found(fault, "message-size")),
    Example::other("go-unused", |fault| found(fault, "unused")),
];

fn found(fault: Fault, demand: &str) -> Vec<Finding> {
    let pool = Pool::shared();
    let case = match fault {
        Fault::Planted => {
            let sample = SAMPLES.iter().find(|sample| sample.demand == demand).unwrap();
            sample.case(pool)
        }
        Fault::Absent => planted(pool, &[&|_| {}, &|_| {}], Purpose::Peer),
    };
    case.question.report().unwrap().findings().cloned().collect()
}
