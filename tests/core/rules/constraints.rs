//! Examples of the rules about name constraints.

use pki_core::{Finding, Policy, Purpose};
use rcgen::{GeneralSubtree, NameConstraints};

use super::chain::{Chain, dns};
use super::{Example, Fault};
use crate::der::{oid, put};

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("ca-name-constraints", Purpose::Peer, |chain| permit(chain, "example.com")),
    Example::other("nc-too-many", too_many),
    Example::chain("nc-form", Purpose::Peer, a_mask_with_a_hole),
    Example::chain("nc-dns-form", Purpose::Peer, |chain| exclude(chain, ".example.com")),
    Example::chain("nc-wildcard", Purpose::Peer, a_wildcard_below_a_constraint),
    Example::chain("nc-leaf", Purpose::Peer, a_leaf_with_constraints),
    Example::chain("nc-beyond-go", Purpose::Peer, directory_names_in_passing),
];

fn constrain(chain: &mut Chain, permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>) {
    chain.ca.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded });
}

fn permit(chain: &mut Chain, name: &str) {
    constrain(chain, vec![GeneralSubtree::DnsName(name.to_owned())], Vec::new());
}

fn exclude(chain: &mut Chain, name: &str) {
    constrain(chain, Vec::new(), vec![GeneralSubtree::DnsName(name.to_owned())]);
}

/// 501 names and 501 constraints, about 250,000 comparisons; or one constraint, which is allowed.
fn too_many(fault: Fault) -> Vec<Finding> {
    let mut chain = Chain::new(Purpose::Peer);
    let names = |kind: &str| (0..501).map(|i| format!("{kind}{i}.example.com")).collect::<Vec<_>>();
    chain.leaf.subject_alt_names = names("host").iter().map(|name| dns(name)).collect();
    let mut excluded = names("bad");
    if fault == Fault::Absent {
        excluded.truncate(1);
    }
    let subtrees = excluded.into_iter().map(GeneralSubtree::DnsName).collect();
    constrain(&mut chain, Vec::new(), subtrees);
    chain.findings()
}

fn a_mask_with_a_hole(chain: &mut Chain) {
    // Excluded: 10.0.0.0 with the mask 255.0.255.0.
    chain.alter = |signed| {
        let value = [0x30, 0x0e, 0xa1, 0x0c, 0x30, 0x0a, 0x87, 0x08, 10, 0, 0, 0, 255, 0, 255, 0];
        signed.forge_ca(|fields| put(fields, oid::NAME_CONSTRAINTS, true, &value));
    };
}

fn a_wildcard_below_a_constraint(chain: &mut Chain) {
    chain.leaf.subject_alt_names = vec![dns("*.example.com")];
    permit(chain, "example.com");
    chain.alter = |signed| signed.policy = Policy::Rfc5280;
}

fn a_leaf_with_constraints(chain: &mut Chain) {
    chain.alter = |signed| {
        // Permitted: the DNS name "x".
        let value = [0x30, 0x07, 0xa0, 0x05, 0x30, 0x03, 0x82, 0x01, b'x'];
        signed.forge_leaf(|fields| put(fields, oid::NAME_CONSTRAINTS, true, &value));
    };
}

/// Not critical, or else Go would reject the constraint itself.
fn directory_names_in_passing(chain: &mut Chain) {
    chain.alter = |signed| {
        // Excluded: the directory name CN=etcdone.
        let name = b"\x30\x12\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x13\x07etcdone";
        let subtree = [&[0x30, 0x16, 0xa4, 0x14], name.as_slice()].concat();
        let value = [&[0x30, 0x1a, 0xa1, 0x18], subtree.as_slice()].concat();
        signed.forge_ca(|fields| put(fields, oid::NAME_CONSTRAINTS, false, &value));
    };
}
