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
    Example::chain("nc-unknown-kind", Purpose::Peer, directory_names),
    Example::other("nc-self-issued", a_renewed_ca_with_names),
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

fn directory_names(chain: &mut Chain) {
    let name = chain.leaf.distinguished_name.clone();
    constrain(chain, vec![GeneralSubtree::DirectoryName(name)], Vec::new());
}

fn a_renewed_ca_with_names(fault: Fault) -> Vec<Finding> {
    let mut chain = Chain::new(Purpose::Peer);
    permit(&mut chain, "etcdone");
    let name = chain.ca.distinguished_name.clone();
    let renewed = chain.put_between();
    renewed.distinguished_name = name;
    if fault == Fault::Planted {
        renewed.subject_alt_names = vec![dns("ca.example.com")];
    }
    chain.findings()
}
