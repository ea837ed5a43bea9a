//! When a certificate is good.

use pki_core::Purpose;
use time::Duration;

use super::Example;
use super::chain::Chain;
use crate::lab::NOW;

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("validity-order", Purpose::Peer, ends_before_it_begins),
    Example::chain("leaf-expired", Purpose::Peer, ended_a_second_ago),
    Example::chain("leaf-not-yet-valid", Purpose::Peer, begins_in_a_second),
    Example::chain("ca-time", Purpose::Peer, ca_has_ended),
    Example::chain("leaf-outlives-ca", Purpose::Peer, outlives_its_ca),
    Example::chain("leaf-expiring", Purpose::Peer, ends_within_the_time_that_was_asked),
];

fn ends_before_it_begins(chain: &mut Chain) {
    chain.leaf.not_after = chain.leaf.not_before - Duration::seconds(1);
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

fn ends_within_the_time_that_was_asked(chain: &mut Chain) {
    chain.question.expires_within = Some(Duration::days(366));
}
