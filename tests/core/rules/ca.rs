//! What a CA must be to stand above others.

use pki_core::{Finding, Purpose};
use rcgen::{BasicConstraints, GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints};

use super::chain::Chain;
use super::{Example, Fault};
use crate::foreign::{ca_params, self_signed};

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("ca-bc", Purpose::Peer, |chain| chain.ca.is_ca = IsCa::ExplicitNoCa),
    Example::chain("ca-keycertsign", Purpose::Peer, cannot_sign_certificates),
    Example::other("ca-pathlen", a_ca_below_one_that_allows_none),
    Example::chain("ca-name-constraints", Purpose::Peer, another_domain_is_permitted),
    Example::chain("dn-bytes", Purpose::Peer, the_cas_name_in_capitals),
    Example::chain("aki-ski", Purpose::Peer, trusts_a_ca_with_another_identifier),
    Example::chain("aki-missing", Purpose::Peer, names_no_key_of_its_issuer),
    Example::chain("ski-missing", Purpose::Peer, |chain| chain.ca.is_ca = IsCa::NoCa),
    Example::chain("leaf-is-ca", Purpose::Peer, leaf_is_a_ca),
];

fn cannot_sign_certificates(chain: &mut Chain) {
    chain.ca.key_usages = vec![KeyUsagePurpose::CrlSign];
}

fn a_ca_below_one_that_allows_none(fault: Fault) -> Vec<Finding> {
    let mut chain = Chain::new(Purpose::Peer);
    let allowed = u8::from(fault == Fault::Absent);
    chain.ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(allowed));
    chain.put_between();
    chain.findings()
}

fn another_domain_is_permitted(chain: &mut Chain) {
    chain.ca.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
        excluded_subtrees: Vec::new(),
    });
}

fn the_cas_name_in_capitals(chain: &mut Chain) {
    chain.alter = |signed| {
        let renamed = ca_params("ETCD CA", &signed.ca_key);
        signed.anchors = vec![self_signed(&renamed, &signed.ca_key)];
    };
}

fn trusts_a_ca_with_another_identifier(chain: &mut Chain) {
    chain.alter = |signed| {
        let mut renewed = ca_params("etcd CA", &signed.ca_key);
        renewed.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(vec![7; 20]);
        signed.anchors = vec![self_signed(&renewed, &signed.ca_key)];
    };
}

fn names_no_key_of_its_issuer(chain: &mut Chain) {
    chain.leaf.use_authority_key_identifier_extension = false;
}

fn leaf_is_a_ca(chain: &mut Chain) {
    chain.leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}
