//! Examples of the rules about the CRLs that members enforce.

use pki_core::{Authority, Bundles, FileKind, Finding, Manifest};

use super::hosts::{Hosts, MANIFEST};
use super::revocation::revoked;
use super::{Example, Fault};
use crate::foreign::{self, crl};
use crate::lab::Ca;

pub(super) const EXAMPLES: &[Example] = &[
    Example::other("crl-format", |fault| with_crl("3.6", fault, in_pem)),
    Example::other("crl-issuer", |fault| with_crl("3.5", fault, |_| crl(&Ca::new(), Vec::new()))),
    Example::other("crl-ca-serial", |fault| {
        with_crl("3.5", fault, |hosts| {
            let serial = hosts.ca.certificate().serial.as_bytes().to_vec();
            crl(&hosts.ca, vec![revoked(&serial)])
        })
    }),
    Example::other("crl-serial-clash", |fault| with_crl("3.5", fault, by_another_ca)),
    Example::other("crl-http-urls", |fault| {
        with_http_urls(if fault == Fault::Planted { "3.5.21" } else { "3.5.32" })
    }),
    Example::other("crl-peer-no-evict", |fault| {
        with_crl("3.5", fault, |hosts| {
            let serial = hosts.certificate("etcdtwo/peer").serial.as_bytes().to_vec();
            crl(&hosts.ca, vec![revoked(&serial)])
        })
    }),
];

/// An empty CRL in PEM.
pub(super) fn in_pem(hosts: &mut Hosts) -> Vec<u8> {
    let text = pem_rfc7468::encode_string("X509 CRL", pem_rfc7468::LineEnding::LF, &none(hosts));
    text.unwrap().into_bytes()
}

fn none(hosts: &mut Hosts) -> Vec<u8> {
    crl(&hosts.ca, Vec::new())
}

/// A lab whose first member enforces crl.der on both ports. This needs the unit, because the configuration file
/// has no key for CRLs.
pub(super) fn enforcing(version: &str) -> Hosts {
    let of = |version: &str| {
        let text = format!("etcd_version: \"{version}\"\n{MANIFEST}");
        Manifest::from_yaml(text.as_bytes()).unwrap()
    };
    let mut hosts = Hosts::of(Ca::new(), of(version));
    // An older etcd is configured through the environment in its unit.
    let older = of("3.5.1");
    let unit = Bundles::new(&older, pki_core::InitialStates::default())
        .generated("etcdone")
        .into_iter()
        .find(|file| file.kind == FileKind::EtcdUnit)
        .unwrap();
    let both = "Environment=ETCD_CLIENT_CRL_FILE=/etc/etcd/crl.der\n\
        Environment=ETCD_PEER_CRL_FILE=/etc/etcd/crl.der\nExecStart=";
    let unit = unit.contents.replace("ExecStart=", both);
    hosts.write("etcdone/etcd.service", 0o644, unit);
    hosts
}

/// The findings with an empty CRL, or with this one if the fault is planted.
pub(super) fn with_crl(
    version: &str,
    fault: Fault,
    made: fn(&mut Hosts) -> Vec<u8>,
) -> Vec<Finding> {
    let mut hosts = enforcing(version);
    let made = if fault == Fault::Planted { made } else { none };
    let bytes = made(&mut hosts);
    hosts.write("etcdone/crl.der", 0o644, bytes);
    hosts.findings()
}

/// The findings about a member that enforces an empty CRL and has a port of its own for HTTP.
pub(super) fn with_http_urls(version: &str) -> Vec<Finding> {
    let mut hosts = enforcing(version);
    let none = none(&mut hosts);
    hosts.write("etcdone/crl.der", 0o644, none);
    let urls = "Environment=ETCD_LISTEN_CLIENT_HTTP_URLS=https://192.168.29.61:2382\nExecStart=";
    hosts.edit("etcdone/etcd.service", "ExecStart=", urls);
    hosts.findings()
}

fn by_another_ca(hosts: &mut Hosts) -> Vec<u8> {
    let serial = hosts.certificate("masterone/apiserver-etcd-client").serial.as_bytes().to_vec();
    let key = super::chain::key();
    let other = foreign::self_signed(&foreign::ca_params("another CA", &key), &key);
    crl(&Ca { key, authority: Authority::new(other) }, vec![revoked(&serial)])
}
