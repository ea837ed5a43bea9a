//! Examples of the rules about configuration that etcd rejects or ignores, or that the files do not decide.

use pki_core::{Finding, Manifest};

use super::hosts::{Hosts, MANIFEST};
use super::{Example, Fault};
use crate::lab::Ca;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("cfg-malformed", |hosts| hosts.append(CONF, "  - \"\n")),
    Example::hosts("cfg-yaml-unknown-key", |hosts| {
        hosts.append(CONF, "  crl-file: \"/etc/etcd/crl.der\"\n");
    }),
    Example::other("cfg-unknown-variable", |fault| {
        in_the_unit(fault, "Environment=ETCD_PEER_CERT_ALLOWED_HOSTNAMES=etcd-peer.lab\n")
    }),
    Example::other("cfg-option-unused", |fault| {
        in_the_unit(fault, "Environment=ETCD_WARNING_APPLY_DURATION=1s\n")
    }),
    Example::other("cfg-unreadable", |fault| {
        in_the_unit(fault, "Environment=ETCD_WAL_DIR=/wal/%H\n")
    }),
    Example::other("file-unseen", |fault| {
        in_the_unit(fault, "EnvironmentFile=-/etc/default/etcd\n")
    }),
    Example::hosts("cfg-env-flag-clash", an_option_in_two_places),
];

const CONF: &str = "etcdone/etcd.conf.yaml";

fn an_option_in_two_places(hosts: &mut Hosts) {
    let unit = "Environment=ETCD_CLIENT_CRL_FILE=/etc/etcd/crl.der\nExecStart=";
    hosts.edit("etcdone/etcd.service", "ExecStart=", unit);
}

/// The unit of an etcd that is configured through its environment, with one more line.
fn in_the_unit(fault: Fault, line: &str) -> Vec<Finding> {
    let manifest = format!("{MANIFEST}etcd_version: \"3.5.1\"\n");
    let mut hosts = Hosts::of(Ca::new(), Manifest::from_yaml(manifest.as_bytes()).unwrap());
    if fault == Fault::Planted {
        hosts.edit("etcdone/etcd.service", "ExecStart=", &format!("{line}ExecStart="));
    }
    hosts.findings()
}
