//! What a certificate may be used for.

use pki_core::{ExtendedKeyUsage, Purpose};
use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};

use super::Example;
use super::chain::Chain;
use crate::foreign::extended_key_usages;

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("srv-eku-server", Purpose::Server, for_clients_alone),
    Example::chain("cli-eku", Purpose::Client, for_servers_alone),
    Example::chain("peer-eku-both", Purpose::Peer, for_servers_alone),
    Example::chain("srv-eku-client", Purpose::Server, for_servers_alone),
    Example::chain("cli-has-serverauth", Purpose::Client, for_both),
    Example::chain("eku-any", Purpose::Peer, for_everything),
    Example::chain("leaf-ku", Purpose::Peer, |chain| {
        chain.leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    }),
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

fn for_everything(chain: &mut Chain) {
    chain.leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
}
