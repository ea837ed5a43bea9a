//! Examples of the rules about connections between members.

use rcgen::{DnType, DnValue, SanType};

use super::Example;
use super::chain::dns;
use super::hosts::Hosts;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("peer-san-dial", without_its_address),
    Example::hosts("peer-san-source", the_address_of_nobody),
    Example::hosts("peer-san-dns-only", without_its_address),
    Example::hosts("peer-allow-cn", a_common_name_that_one_has_not),
    Example::hosts("peer-allow-hostname", without_the_name_of_all_peers),
    Example::hosts("peer-allow-both", two_allow_lists),
    Example::hosts("peer-pairs", dials_another_address),
];

const CONF: &str = "etcdone/etcd.conf.yaml";

fn is_address(name: &SanType) -> bool {
    matches!(name, SanType::IpAddress(_))
}

/// The host name stays.
fn without_its_address(hosts: &mut Hosts) {
    hosts.reissue("etcdone/peer", |params| {
        params.subject_alt_names.retain(|name| !is_address(name));
    });
}

fn the_address_of_nobody(hosts: &mut Hosts) {
    hosts.reissue("etcdone/peer", |params| {
        params.subject_alt_names =
            vec![SanType::IpAddress([192, 168, 29, 99].into()), dns("etcd-peer.lab")];
    });
}

/// A list, which etcd before 3.5.15 would read as one name.
fn a_common_name_that_one_has_not(hosts: &mut Hosts) {
    let list = "allowed-cn: [\"etcdone\", \"etcdtwo\", \"etcdthree\"]";
    for host in ["etcdone", "etcdtwo", "etcdthree"] {
        let conf = format!("{host}/etcd.conf.yaml");
        hosts.edit(&conf, "allowed-hostname: [\"etcd-peer.lab\"]", list);
    }
    hosts.reissue("etcdtwo/peer", |params| {
        let name = DnValue::PrintableString("somebody".try_into().unwrap());
        params.distinguished_name.push(DnType::CommonName, name);
    });
}

fn without_the_name_of_all_peers(hosts: &mut Hosts) {
    hosts.reissue("etcdone/peer", |params| {
        params.subject_alt_names.retain(|name| *name != dns("etcd-peer.lab"));
    });
}

fn two_allow_lists(hosts: &mut Hosts) {
    hosts.append(CONF, "  allowed-cn: [\"etcdone\", \"etcdtwo\", \"etcdthree\"]\n");
}

fn dials_another_address(hosts: &mut Hosts) {
    let (from, to) = ("etcdtwo=https://192.168.29.62:2380", "etcdtwo=https://10.0.0.62:2380");
    hosts.edit(CONF, from, to);
}
