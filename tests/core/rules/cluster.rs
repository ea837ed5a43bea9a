//! Examples of the rules about all certificates of a cluster together.

use pki_core::{Finding, KeyAlgorithm, KeyFormat, Manifest};
use rcgen::SanType;
use time::Duration;

use super::hosts::{Hosts, MANIFEST};
use super::{Example, Fault};
use crate::lab::{Ca, NOW};

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
    Example::other("ca-limits-leaves", a_ca_with_little_more_than_a_year),
];

/// Certificates for a year are renewed 30 days before they expire, 5 days too late.
fn a_ca_with_little_more_than_a_year(fault: Fault) -> Vec<Finding> {
    let expiry = Duration::days(if fault == Fault::Planted { 390 } else { 400 });
    let ca = Ca::with(KeyAlgorithm::EcdsaP256, |request| request.expiry = expiry);
    Hosts::of(ca, Manifest::from_yaml(MANIFEST.as_bytes()).unwrap()).findings()
}

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
