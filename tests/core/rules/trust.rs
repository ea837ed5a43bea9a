//! Examples of the rules about trust files.

use pki_core::{Certificate, KeyAlgorithm, KeyFormat, Subject};

use super::Example;
use super::chain::key;
use super::hosts::Hosts;
use crate::foreign::{ca_params, signed};
use crate::lab::Ca;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("trust-empty", |hosts| hosts.file("etcdone/ca.pem").contents.clear()),
    Example::hosts("trust-foreign-block", a_key_in_the_trust_file),
    Example::hosts("trust-not-ca", |hosts| hosts.copy("etcdone/peer.pem", "etcdone/ca.pem")),
    Example::hosts("trust-wrong-ca", |hosts| hosts.write("etcdone/ca.pem", 0o644, ca("etcd CA"))),
    Example::hosts("trust-extra-ca", |hosts| hosts.append("etcdone/ca.pem", ca("old etcd CA"))),
    Example::hosts("trust-intermediate-anchor", an_intermediate_beside_its_root),
    Example::hosts("ca-same-dn-other-key", |hosts| hosts.append("etcdone/ca.pem", ca("etcd CA"))),
    Example::hosts("ca-shared-with-k8s", |hosts| hosts.append("etcdone/ca.pem", ca("kubernetes"))),
];

/// Another CA, in PEM.
fn ca(cn: &str) -> String {
    let subject = Subject::from_common_name(cn).unwrap();
    let ca = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.subject = subject);
    ca.certificate().to_pem().unwrap()
}

fn a_key_in_the_trust_file(hosts: &mut Hosts) {
    let key = key().to_pem(KeyFormat::Pkcs8).unwrap();
    hosts.append("etcdone/ca.pem", key.as_bytes());
    hosts.file("etcdone/ca.pem").mode = 0o600;
}

fn an_intermediate_beside_its_root(hosts: &mut Hosts) {
    let key = key();
    let params = ca_params("etcd CA 2", &key);
    let between: Certificate = signed(&params, &key, hosts.ca.certificate(), &hosts.ca.key);
    hosts.append("etcdone/ca.pem", between.to_pem().unwrap());
}
