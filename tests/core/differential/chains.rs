//! Chains that start out valid and are then changed: the contents, the order, and the signers.

use std::fmt::Write as _;

use pki_core::{ExtendedKeyUsage, KeyAlgorithm, PrivateKey, Signer};
use rcgen::{CertificateParams, KeyUsagePurpose, SanType};

use super::judges::HOST;
use super::mutations;
use super::random::Random;
use crate::der::{Node, forge};
use crate::foreign::{ca_params, extended_key_usages, params, self_signed, signed};

/// The input for all verifiers.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) anchors: Vec<Vec<u8>>,
    pub(super) between: Vec<Vec<u8>>,
    pub(super) leaf: Vec<u8>,
    /// What was changed.
    pub(super) story: String,
}

/// Generating keys is slow, and the choice of key does not change any result.
pub(super) struct Keys {
    /// The keys of the root, of the CAs below it in order, and of the leaf.
    pub(super) chain: Vec<PrivateKey>,
    pub(super) stranger: PrivateKey,
    /// Subject public keys of other types.
    pub(super) others: Vec<Vec<u8>>,
}

impl Keys {
    pub(super) fn new() -> Self {
        let p256 = || PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let kinds = [
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::EcdsaP521,
            KeyAlgorithm::Ed25519,
            KeyAlgorithm::Rsa(2048),
        ];
        let spki = |kind| PrivateKey::generate(kind).unwrap().public_key().spki().to_vec();
        Self {
            chain: (0..10).map(|_| p256()).collect(),
            stranger: p256(),
            others: kinds.into_iter().map(spki).collect(),
        }
    }
}

/// A path before it is signed, starting with the root: the fields of each certificate.
pub(super) struct Draft<'a> {
    pub(super) keys: &'a Keys,
    /// The DER of each certificate without a change.
    good: Vec<Vec<u8>>,
    /// The last one is the leaf certificate.
    pub(super) changes: Vec<Vec<mutations::Change>>,
}

impl<'a> Draft<'a> {
    /// A path with this number of CAs between root and leaf.
    pub(super) fn new(keys: &'a Keys, cas: usize) -> Self {
        let root = ca_params("root", &keys.chain[0]);
        let mut issuer = self_signed(&root, &keys.chain[0]);
        let mut good = vec![issuer.der().to_vec()];
        for place in 1..=cas {
            let mut ca = ca_params(&format!("ca {place}"), &keys.chain[place]);
            ca.use_authority_key_identifier_extension = true;
            issuer = signed(&ca, &keys.chain[place], &issuer, &keys.chain[place - 1]);
            good.push(issuer.der().to_vec());
        }
        let leaf = leaf(&keys.chain[cas + 1]);
        good.push(signed(&leaf, &keys.chain[cas + 1], &issuer, &keys.chain[cas]).der().to_vec());
        Self { keys, changes: good.iter().map(|_| Vec::new()).collect(), good }
    }

    pub(super) fn places(&self) -> usize {
        self.good.len()
    }

    /// Signs each certificate with the key of the one above.
    pub(super) fn sign(self, random: &mut Random) -> Chain {
        let mut story = String::new();
        let mut ders: Vec<Vec<u8>> = Vec::new();
        let last = self.good.len() - 1;
        for (place, (good, changes)) in self.good.iter().zip(&self.changes).enumerate() {
            let key = &self.keys.chain[place.saturating_sub(1)];
            ders.push(forge(good, key, |fields: &mut Vec<Node>| {
                for change in changes {
                    let what = change.apply(fields, self.keys, random);
                    let who = if place == last { "leaf".to_owned() } else { format!("ca {place}") };
                    // Writing to a String cannot fail.
                    let _ = write!(story, "{who}: {} {what}; ", change.name);
                }
            }));
        }
        let leaf = ders.pop().unwrap();
        let between = ders.split_off(1);
        Chain { anchors: ders, between, leaf, story }
    }
}

fn leaf(key: &PrivateKey) -> CertificateParams {
    let mut leaf = params("host", key);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.subject_alt_names =
        vec![SanType::DnsName(HOST.try_into().unwrap()), SanType::IpAddress([192, 0, 2, 1].into())];
    leaf.extended_key_usages =
        extended_key_usages(&[ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()]);
    leaf
}
