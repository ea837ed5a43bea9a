//! Examples of the rules about CA certificates.

use pki_core::{Finding, Purpose};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};

use super::chain::Chain;
use super::{Example, Fault};
use crate::der::{oid, put};
use crate::foreign::{ca_params, resigned, self_signed};

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("ca-bc", Purpose::Peer, |chain| chain.ca.is_ca = IsCa::ExplicitNoCa),
    Example::chain("ca-keycertsign", Purpose::Peer, cannot_sign_certificates),
    Example::chain("ca-bc-noncritical", Purpose::Peer, constraints_not_critical),
    Example::chain("ca-no-ku", Purpose::Peer, |chain| chain.ca.key_usages.clear()),
    Example::chain("ca-no-crlsign", Purpose::Peer, |chain| {
        chain.ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    }),
    Example::other("ca-pathlen", a_ca_below_one_that_allows_none),
    Example::chain("dn-bytes", Purpose::Peer, the_cas_name_in_capitals),
    Example::chain("aki-ski", Purpose::Peer, trusts_a_ca_with_another_identifier),
    Example::chain("aki-missing", Purpose::Peer, names_no_key_of_its_issuer),
    Example::chain("ski-missing", Purpose::Peer, |chain| chain.ca.is_ca = IsCa::NoCa),
    Example::chain("leaf-is-ca", Purpose::Peer, leaf_is_a_ca),
    Example::chain("ca-subject-empty", Purpose::Any, a_ca_without_a_name),
    Example::chain("ca-pathlen-form", Purpose::Peer, a_leaf_with_a_path_length),
    Example::chain("ca-eku-nesting", Purpose::Peer, a_ca_only_for_clients),
];

fn cannot_sign_certificates(chain: &mut Chain) {
    chain.ca.key_usages = vec![KeyUsagePurpose::CrlSign];
}

/// The encoder marks them critical, so this changes `critical TRUE` to `FALSE` in its output.
fn constraints_not_critical(chain: &mut Chain) {
    chain.alter = |signed| {
        let basic_constraints = |critical| [0x06, 3, 0x55, 0x1d, 0x13, 0x01, 1, critical];
        let (from, to) = (basic_constraints(0xff), basic_constraints(0));
        signed.anchors[0] = resigned(&signed.anchors[0], &signed.ca_key, &from, &to);
    };
}

fn a_ca_below_one_that_allows_none(fault: Fault) -> Vec<Finding> {
    let mut chain = Chain::new(Purpose::Peer);
    let allowed = u8::from(fault == Fault::Absent);
    chain.ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(allowed));
    chain.put_between();
    chain.findings()
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

fn a_ca_without_a_name(chain: &mut Chain) {
    chain.ca.distinguished_name = rcgen::DistinguishedName::new();
}

fn a_leaf_with_a_path_length(chain: &mut Chain) {
    chain.alter = |signed| {
        // cA is FALSE by default; pathLenConstraint is 0.
        let value = [0x30, 0x03, 0x02, 0x01, 0x00];
        signed.forge_leaf(|fields| put(fields, oid::BASIC_CONSTRAINTS, true, &value));
    };
}

fn a_ca_only_for_clients(chain: &mut Chain) {
    chain.ca.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
}
