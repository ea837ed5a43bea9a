//! All certificates of a cluster together, judged by the audit.

use super::Row;
use crate::report::{Rule, Severity, Source};

pub(crate) static CA_KEY_ON_NODE: Rule = Rule {
    id: "ca-key-on-node",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "Whoever takes this host can mint any certificate of the cluster.",
    remedy: "Remove it from the host and make a new CA: the key counts as leaked.",
    citation: "least privilege",
};

pub(crate) static WORKER_CREDENTIAL: Rule = Rule {
    id: "worker-holds-credential",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "A worker that is taken can read and write the whole state of the cluster.",
    remedy: "Remove the folder; workers never talk to etcd.",
    citation: "least privilege",
};

pub(crate) static SHARED_KEY: Rule = Rule {
    id: "shared-key",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "Whoever steals the one file has the other's identity too: a master's file makes a member.",
    remedy: "Issue each certificate with a key of its own: etcdpki apply.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

pub(crate) static SERIAL_DUP: Rule = Rule {
    id: "serial-dup",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "Revoking the one revokes the other, for etcd matches CRLs by serial number alone.",
    remedy: "Issue one of the two anew.",
    citation: "RFC 5280 section 4.1.2.2; measured on etcd 3.4, 3.5, 3.6",
};

pub(super) static ROWS: &[Row] = &[
    Row::whole(&CA_KEY_ON_NODE),
    Row::whole(&WORKER_CREDENTIAL),
    Row::whole(&SHARED_KEY),
    Row::whole(&SERIAL_DUP),
];
