//! All certificates of a cluster together.

use pki_core::KeyFormat;

use super::Example;
use super::hosts::Hosts;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("ca-key-on-node", the_cas_key_beside_it),
    Example::hosts("worker-holds-credential", |hosts| {
        hosts.copy("etcdone/peer-key.pem", "workerone/peer-key.pem");
    }),
    Example::hosts("shared-key", one_pair_on_two_members),
    Example::hosts("serial-dup", one_pair_on_two_members),
];

fn the_cas_key_beside_it(hosts: &mut Hosts) {
    let key = hosts.ca.key.to_pem(KeyFormat::Pkcs8).unwrap();
    hosts.write("etcdtwo/ca-key.pem", 0o600, key.as_bytes());
}

/// As labs with cfssl have it.
fn one_pair_on_two_members(hosts: &mut Hosts) {
    hosts.copy("etcdone/peer.pem", "etcdtwo/peer.pem");
    hosts.copy("etcdone/peer-key.pem", "etcdtwo/peer-key.pem");
}
