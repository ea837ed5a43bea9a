//! Examples of the rules about certificate policies.

use pki_core::Purpose;

use super::Example;
use super::chain::Chain;
use crate::der::{oid, put};

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("policy-missing", Purpose::Peer, |chain| demanded(chain, false)),
    Example::chain("policy-form", Purpose::Peer, the_same_policy_twice),
    Example::chain("policy-critical", Purpose::Peer, |chain| demanded(chain, true)),
];

/// requireExplicitPolicy is 0.
const AT_ONCE: [u8; 5] = [0x30, 0x03, 0x80, 0x01, 0x00];

fn demanded(chain: &mut Chain, critical: bool) {
    chain.alter = if critical {
        |signed| signed.forge_ca(|fields| put(fields, oid::POLICY_CONSTRAINTS, true, &AT_ONCE))
    } else {
        |signed| signed.forge_ca(|fields| put(fields, oid::POLICY_CONSTRAINTS, false, &AT_ONCE))
    };
}

fn the_same_policy_twice(chain: &mut Chain) {
    chain.alter = |signed| {
        // The policy 1.2.3, twice.
        let value =
            [0x30, 0x0c, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03];
        signed.forge_leaf(|fields| put(fields, oid::POLICIES, false, &value));
    };
}
