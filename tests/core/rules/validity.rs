//! Examples of the rules about validity periods.

use pki_core::{Finding, Purpose, SigningConfig};
use time::Duration;

use super::chain::{Chain, key};
use super::{Example, Fault};
use crate::der::Node;
use crate::lab::{Ca, NOW, moment};

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("validity-order", Purpose::Peer, ends_before_it_begins),
    Example::chain("validity-form", Purpose::Peer, in_the_long_form_before_2050),
    Example::chain("leaf-expired", Purpose::Peer, ended_a_second_ago),
    Example::chain("leaf-not-yet-valid", Purpose::Peer, begins_in_a_second),
    Example::chain("ca-time", Purpose::Peer, ca_has_ended),
    Example::chain("leaf-outlives-ca", Purpose::Peer, outlives_its_ca),
    Example::chain("leaf-ends-with-ca", Purpose::Peer, ends_with_its_ca),
    Example::chain("ca-expiring", Purpose::Peer, ca_ends_in_two_months),
    Example::other("not-backdated", issued_without_a_backdate),
    Example::chain("leaf-expiring", Purpose::Peer, ends_within_the_time_that_was_asked),
];

fn ends_before_it_begins(chain: &mut Chain) {
    chain.leaf.not_after = chain.leaf.not_before - Duration::seconds(1);
}

fn in_the_long_form_before_2050(chain: &mut Chain) {
    chain.alter = |signed| {
        // The second time in the fifth field.
        signed.forge_leaf(|fields| {
            let not_after = &mut fields[4].inner()[1];
            let long = [b"20", not_after.content().as_slice()].concat();
            *not_after = Node::octets(0x18, long);
        });
    };
}

fn ended_a_second_ago(chain: &mut Chain) {
    chain.leaf.not_after = NOW - Duration::seconds(1);
}

fn begins_in_a_second(chain: &mut Chain) {
    chain.leaf.not_before = NOW + Duration::seconds(1);
}

fn ca_has_ended(chain: &mut Chain) {
    chain.ca.not_after = NOW - Duration::seconds(1);
}

fn outlives_its_ca(chain: &mut Chain) {
    chain.ca.not_after = chain.leaf.not_after - Duration::seconds(1);
}

fn ends_with_its_ca(chain: &mut Chain) {
    chain.ca.not_after = chain.leaf.not_after;
}

fn ca_ends_in_two_months(chain: &mut Chain) {
    chain.ca.not_before = NOW - Duration::days(3590);
    chain.ca.not_after = NOW + Duration::days(60);
    chain.leaf.not_after = NOW + Duration::days(30);
}

fn issued_without_a_backdate(fault: Fault) -> Vec<Finding> {
    let ca = Ca::new();
    let config = SigningConfig::etcd();
    let mut profile = config.profile("peer").unwrap().clone();
    if fault == Fault::Planted {
        profile.backdate = Duration::ZERO;
    }
    let request = Ca::request("etcdone", &[], &key());
    ca.authority.draft(&request, &profile, &moment()).unwrap().findings().to_vec()
}

fn ends_within_the_time_that_was_asked(chain: &mut Chain) {
    chain.options.expires_within = Some(Duration::days(366));
}
