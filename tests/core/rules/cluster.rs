//! Examples of the rules about all certificates of a cluster together.

use pki_core::KeyFormat;
use rcgen::SanType;
use time::Duration;

use super::Example;
use super::hosts::Hosts;
use crate::lab::NOW;

pub(super) const EXAMPLES: &[Example] = &[
    Example::hosts("ca-key-on-node", the_cas_key_beside_it),
    Example::hosts("worker-holds-credential", |hosts| {
        hosts.copy("etcdone/peer-key.pem", "workerone/peer-key.pem");
    }),
    Example::hosts("shared-key", one_pair_on_two_members),
    Example::hosts("serial-dup", two_certificates_with_one_number),
    Example::hosts("san-foreign-node", |hosts| {
        hosts.reissue("etcdone/server", |params| {
            params.subject_alt_names.push(SanType::IpAddress([192, 168, 29, 62].into()));
        });
    }),
    Example::hosts("expire-together", all_end_in_ten_days),
];

fn the_cas_key_beside_it(hosts: &mut Hosts) {
    let key = hosts.ca.key.to_pem(KeyFormat::Pkcs8).unwrap();
    hosts.write("etcdtwo/ca-key.pem", 0o600, key.as_bytes());
}

/// As in labs that use cfssl.
fn one_pair_on_two_members(hosts: &mut Hosts) {
    hosts.copy("etcdone/peer.pem", "etcdtwo/peer.pem");
    hosts.copy("etcdone/peer-key.pem", "etcdtwo/peer-key.pem");
}

fn two_certificates_with_one_number(hosts: &mut Hosts) {
    for pair in ["etcdone/server", "etcdtwo/server"] {
        hosts.reissue(pair, |params| params.serial_number = Some(vec![42; 20].into()));
    }
}

fn all_end_in_ten_days(hosts: &mut Hosts) {
    for host in ["etcdone", "etcdtwo", "etcdthree"] {
        for pair in ["server", "peer"] {
            hosts.reissue(&format!("{host}/{pair}"), |params| {
                params.not_before = NOW - Duration::days(355);
                params.not_after = NOW + Duration::days(10);
            });
        }
    }
}
