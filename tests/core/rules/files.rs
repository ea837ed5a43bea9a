//! Examples of the rules about the files of a host.

use super::Example;
use super::chain::dns;
use super::hosts::{Hosts, LIMIT};

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("file-missing", |hosts| hosts.remove("etcdone/server.pem")),
    Example::hosts("file-unreadable", |hosts| hosts.file("etcdone/server-key.pem").mode = 0o000),
    Example::hosts("file-mode", |hosts| hosts.file("etcdone/peer-key.pem").mode = 0o644),
    Example::hosts("file-unread", a_large_file),
    Example::hosts("manifest-drift", another_name),
];

fn a_large_file(hosts: &mut Hosts) {
    hosts.write("etcdone/snapshot.db", 0o600, vec![0; LIMIT + 1]);
}

/// Nobody connects to this name, so only the manifest disagrees.
fn another_name(hosts: &mut Hosts) {
    hosts.reissue("etcdone/server", |params| params.subject_alt_names.push(dns("etcd.lab")));
}
