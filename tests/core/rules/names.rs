//! The names that a leaf carries.

use pki_core::Purpose;

use super::Example;
use super::chain::{Chain, dns};

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("host-mismatch", Purpose::Server, another_host_is_dialled),
    Example::chain("san-none-cn-only", Purpose::Server, no_names),
    Example::chain("san-ip-as-dns", Purpose::Server, |chain| add(chain, "192.168.29.61")),
    Example::chain("san-dns-form", Purpose::Server, |chain| add(chain, "etcdone.example.com.")),
    Example::chain("peer-port-open-to-clients", Purpose::Client, no_names),
];

fn another_host_is_dialled(chain: &mut Chain) {
    chain.question.hosts = vec!["192.168.29.62".try_into().unwrap()];
}

fn no_names(chain: &mut Chain) {
    chain.leaf.subject_alt_names.clear();
}

fn add(chain: &mut Chain, name: &str) {
    chain.leaf.subject_alt_names.push(dns(name));
}
