//! Examples of the rules about server certificates.

use pki_core::{Finding, Manifest};
use rcgen::SanType;

use super::hosts::Hosts;
use super::{Example, Fault};
use crate::lab::Ca;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("srv-san-advertise", |hosts| without(hosts, [192, 168, 29, 61])),
    Example::hosts("srv-san-loopback", |hosts| without(hosts, [127, 0, 0, 1])),
    Example::other("srv-not-in-own-trust", another_ca_for_clients),
];

fn without(hosts: &mut Hosts, address: [u8; 4]) {
    hosts.reissue("etcdone/server", |params| {
        params.subject_alt_names.retain(|name| *name != SanType::IpAddress(address.into()));
    });
}

/// A member without clients, so that nobody else is rejected.
fn another_ca_for_clients(fault: Fault) -> Vec<Finding> {
    let manifest = "cluster: lab\netcd: [ { name: etcdone, ip: 192.168.29.61 } ]\n";
    let mut hosts = Hosts::of(Ca::new(), Manifest::from_yaml(manifest.as_bytes()).unwrap());
    let other = Ca::new();
    let mut ca = hosts.file("etcdone/ca.pem").contents.clone();
    if fault == Fault::Planted {
        ca = other.certificate().to_pem().unwrap().into_bytes();
    }
    hosts.write("etcdone/clients-ca.pem", 0o644, ca);
    let conf = "client-cert-auth: true\n  trusted-ca-file: \"/etc/etcd/clients-ca.pem\"";
    let old = "trusted-ca-file: \"/etc/etcd/ca.pem\"\n  client-cert-auth: true\npeer";
    hosts.edit("etcdone/etcd.conf.yaml", old, &format!("{conf}\npeer"));
    hosts.findings()
}
