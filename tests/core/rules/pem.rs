//! Examples of the rules about certificate and key files.

use pki_core::{Authority, Finding, KeyAlgorithm, Subject};
use time::Duration;

use super::chain::key;
use super::hosts::Hosts;
use super::{Example, Fault};
use crate::foreign::{ca_params, signed};
use crate::lab::Ca;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("pem-empty", |hosts| hosts.file("etcdone/server.pem").contents.clear()),
    Example::hosts("pem-der", certificate_in_der),
    Example::hosts("pem-label", |hosts| {
        hosts.edit("etcdone/server.pem", " CERTIFICATE-", " TRUSTED CERTIFICATE-");
    }),
    Example::hosts("pem-damaged", |hosts| {
        hosts.edit("etcdone/server.pem", "-----END CERTIFICATE-----\n", "");
    }),
    Example::hosts("pem-swapped", |hosts| {
        hosts.copy("etcdone/server-key.pem", "etcdone/server.pem");
        hosts.file("etcdone/server.pem").mode = 0o600;
    }),
    Example::hosts("key-encrypted", |hosts| {
        hosts.edit("etcdone/server-key.pem", " PRIVATE KEY-", " ENCRYPTED PRIVATE KEY-");
    }),
    Example::other("chain-order", |fault| {
        below_an_intermediate(fault, |leaf, between| [between, leaf].concat())
    }),
    Example::other("chain-missing-intermediate", |fault| {
        below_an_intermediate(fault, |leaf, _| leaf.to_owned())
    }),
];

fn certificate_in_der(hosts: &mut Hosts) {
    let pem = hosts.file("etcdone/server.pem").contents.clone();
    hosts.file("etcdone/server.pem").contents = pem_rfc7468::decode_vec(&pem).unwrap().1;
}

/// A cluster whose CA is below a root, and only the root is trusted. Each file therefore contains the leaf
/// certificate and the CA. With the fault, one file contains what `written` returns for the two.
fn below_an_intermediate(fault: Fault, written: fn(&str, &str) -> String) -> Vec<Finding> {
    let root = Ca::with(KeyAlgorithm::EcdsaP256, |request| {
        request.subject = Subject::from_common_name("root").unwrap();
        request.path_len = Some(1);
    });
    let key = key();
    let mut between = ca_params("etcd CA", &key);
    between.use_authority_key_identifier_extension = true;
    between.not_after -= Duration::DAY;
    let between = signed(&between, &key, root.certificate(), &root.key);
    let pem = between.to_pem().unwrap();
    let ca = Ca { key, authority: Authority::new(between) };
    let mut hosts = Hosts::below(ca, std::slice::from_ref(root.certificate()));
    if fault == Fault::Planted {
        let leaf = hosts.certificate("etcdone/peer").to_pem().unwrap();
        hosts.write("etcdone/peer.pem", 0o644, written(&leaf, &pem));
    }
    hosts.findings()
}
