//! Examples of the rules about the path from a leaf certificate to an anchor.

use pki_core::{Finding, Purpose};

use super::chain::Chain;
use super::form::{P256, by_openssl, worse};
use super::{Example, Fault};
use crate::foreign::{ca_params, self_signed};

pub(super) const EXAMPLES: &[Example] = &[
    Example::chain("path-unknown-authority", Purpose::Peer, another_ca_is_trusted),
    Example::chain("path-signature", Purpose::Peer, a_ca_that_was_made_again_is_trusted),
    Example::other("path-too-deep", deeper_than_was_asked_for),
    // Not weak like SHA-1, but not an algorithm that webpki knows.
    Example::other("path-rejected", |fault| by_openssl(P256, worse(fault, "-sha224", "-sha256"))),
];

fn another_ca_is_trusted(chain: &mut Chain) {
    chain.alter = |signed| {
        let key = super::chain::key();
        signed.anchors = vec![self_signed(&ca_params("another CA", &key), &key)];
    };
}

fn a_ca_that_was_made_again_is_trusted(chain: &mut Chain) {
    chain.alter = |signed| {
        let key = super::chain::key();
        signed.anchors = vec![self_signed(&ca_params("etcd CA", &key), &key)];
    };
}

fn deeper_than_was_asked_for(fault: Fault) -> Vec<Finding> {
    let mut chain = Chain::new(Purpose::Peer);
    chain.put_between();
    let (mut signed, options) = chain.sign();
    signed.max_depth = Some(usize::from(fault == Fault::Absent));
    signed.findings(&options)
}
