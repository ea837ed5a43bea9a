//! What a certificate may be used for.

use pki_core::{ExtendedKeyUsage, Purpose};

use super::Example;
use super::chain::Chain;
use crate::foreign::extended_key_usages;

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("srv-eku-server", Purpose::Server, for_clients_alone),
    Example::chain("cli-eku", Purpose::Client, for_servers_alone),
    Example::chain("peer-eku-both", Purpose::Peer, for_servers_alone),
    Example::chain("srv-eku-client", Purpose::Server, for_servers_alone),
    Example::chain("cli-has-serverauth", Purpose::Client, for_both),
];

fn for_clients_alone(chain: &mut Chain) {
    chain.leaf.extended_key_usages = extended_key_usages(&[ExtendedKeyUsage::client_auth()]);
}

fn for_servers_alone(chain: &mut Chain) {
    chain.leaf.extended_key_usages = extended_key_usages(&[ExtendedKeyUsage::server_auth()]);
}

fn for_both(chain: &mut Chain) {
    chain.leaf.extended_key_usages =
        extended_key_usages(&[ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()]);
}
