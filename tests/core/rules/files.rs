//! The files of a host.

use pki_core::{Certificate, Purpose};

use super::Example;
use super::chain::Chain;
use super::hosts::Hosts;

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("key-mismatch", Purpose::Peer, the_key_is_another),
    Example::hosts("file-missing", |hosts| hosts.remove("etcdone/server.pem")),
    Example::hosts("file-mode", |hosts| hosts.file("etcdone/peer-key.pem").mode = 0o644),
    Example::hosts("manifest-drift", another_name),
];

fn the_key_is_another(chain: &mut Chain) {
    chain.question.key = Some(pki_core::Signer::public_key(&chain.ca_key).clone());
}

/// Nobody dials the name, so that nothing but the manifest objects.
fn another_name(hosts: &mut Hosts) {
    let certificate: Certificate = hosts.ca.issue("client", "backup", &[]);
    let key = super::chain::key();
    hosts.write_pair("masterone/apiserver-etcd-client", &certificate, &key);
}
