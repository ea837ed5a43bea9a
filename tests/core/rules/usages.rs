//! Examples of the rules about key usages.

use pki_core::{ExtendedKeyUsage, Purpose};
use rcgen::KeyUsagePurpose;

use super::Example;
use super::chain::Chain;
use crate::der::{oid, put};
use crate::foreign::extended_key_usages;

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("srv-eku-server", Purpose::Server, only_for_clients),
    Example::chain("cli-eku", Purpose::Client, only_for_servers),
    Example::chain("peer-eku-both", Purpose::Peer, only_for_servers),
    Example::chain("srv-eku-client", Purpose::Server, only_for_servers),
    Example::chain("cli-has-serverauth", Purpose::Client, for_both),
    Example::chain("eku-any", Purpose::Peer, |chain| {
        chain.leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::Any];
    }),
    Example::chain("leaf-ku", Purpose::Peer, |chain| {
        chain.leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    }),
    Example::chain("ku-empty", Purpose::Peer, for_nothing),
    Example::chain("ku-certsign-leaf", Purpose::Peer, signs_certificates),
    Example::chain("eku-form", Purpose::Any, for_no_purpose),
];

fn only_for_clients(chain: &mut Chain) {
    chain.leaf.extended_key_usages = extended_key_usages(&[ExtendedKeyUsage::client_auth()]);
}

fn only_for_servers(chain: &mut Chain) {
    chain.leaf.extended_key_usages = extended_key_usages(&[ExtendedKeyUsage::server_auth()]);
}

fn for_both(chain: &mut Chain) {
    chain.leaf.extended_key_usages =
        extended_key_usages(&[ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()]);
}

fn for_nothing(chain: &mut Chain) {
    chain.alter = |signed| {
        // A BIT STRING with one bit that is not set.
        signed.forge_leaf(|fields| put(fields, oid::KEY_USAGE, true, &[0x03, 0x02, 0x07, 0x00]));
    };
}

fn signs_certificates(chain: &mut Chain) {
    chain.leaf.key_usages.push(KeyUsagePurpose::KeyCertSign);
}

fn for_no_purpose(chain: &mut Chain) {
    chain.alter = |signed| {
        signed.forge_leaf(|fields| put(fields, oid::EXTENDED_KEY_USAGE, false, &[0x30, 0x00]));
    };
}
