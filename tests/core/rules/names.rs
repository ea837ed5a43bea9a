//! Examples of the rules about the names in a leaf certificate.

use pki_core::Purpose;
use rcgen::SanType;

use super::Example;
use super::chain::{Chain, dns};
use crate::der::{Node, oid, put, value};

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("host-mismatch", Purpose::Server, another_host_is_dialled),
    Example::chain("san-none-cn-only", Purpose::Server, no_names),
    Example::chain("san-ip-as-dns", Purpose::Server, |chain| add(chain, "192.168.29.61")),
    Example::chain("san-dns-form", Purpose::Server, |chain| add(chain, "etcdone.example.com.")),
    Example::chain("san-underscore", Purpose::Server, |chain| add(chain, "etcd_one.example.com")),
    Example::chain("san-form", Purpose::Server, a_network_among_the_names),
    Example::chain("san-not-critical", Purpose::Server, neither_subject_nor_critical_names),
    Example::chain("peer-port-open-to-clients", Purpose::Client, no_names),
    Example::chain("peer-san-wildcard-only", Purpose::Peer, only_a_wildcard),
];

fn another_host_is_dialled(chain: &mut Chain) {
    chain.options.hosts = vec!["192.168.29.62".try_into().unwrap()];
}

fn no_names(chain: &mut Chain) {
    chain.leaf.subject_alt_names.clear();
}

fn add(chain: &mut Chain, name: &str) {
    chain.leaf.subject_alt_names.push(dns(name));
}

fn a_network_among_the_names(chain: &mut Chain) {
    chain.alter = |signed| {
        signed.forge_leaf(|fields| {
            let mut names = Node::read(&value(fields, oid::SUBJECT_ALT_NAME).unwrap());
            names.inner().push(Node::octets(0x87, [192, 168, 29, 0, 255, 255, 255, 0]));
            put(fields, oid::SUBJECT_ALT_NAME, false, &names.write());
        });
    };
}

fn neither_subject_nor_critical_names(chain: &mut Chain) {
    chain.alter = |signed| signed.forge_leaf(|fields| fields[5].inner().clear());
}

fn only_a_wildcard(chain: &mut Chain) {
    chain.leaf.subject_alt_names =
        vec![dns("*.example.com"), dns("localhost"), SanType::IpAddress([127, 0, 0, 1].into())];
}
