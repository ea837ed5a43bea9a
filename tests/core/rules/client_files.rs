//! Examples of the rules about the client certificates of a cluster.

use rcgen::SanType;

use super::Example;
use super::hosts::Hosts;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("cli-san-matches-host", the_address_of_its_host),
    Example::hosts("cli-sentinel-metrics", |hosts| {
        hosts.append(CONF, "listen-metrics-urls: https://192.168.29.61:2381\n");
    }),
    Example::hosts("cli-shared-key", the_key_of_a_member),
];

const CONF: &str = "etcdone/etcd.conf.yaml";
const CLIENT: &str = "masterone/apiserver-etcd-client";

fn the_address_of_its_host(hosts: &mut Hosts) {
    hosts.reissue(CLIENT, |params| {
        params.subject_alt_names.push(SanType::IpAddress([192, 168, 29, 51].into()));
    });
}

/// As in labs that use one certificate for everything.
fn the_key_of_a_member(hosts: &mut Hosts) {
    hosts.copy("etcdone/peer-key.pem", &format!("{CLIENT}-key.pem"));
    hosts.reissue(CLIENT, |_| {});
}
