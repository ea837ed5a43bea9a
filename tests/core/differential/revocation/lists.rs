//! CRLs that start out valid, with or without an entry for the certificate; other arrangements, and damage.

use std::fmt::Write as _;

use pki_core::{Certificate, PrivateKey};

use super::changes::Change;
use crate::der::{Node, extensions, forge, oid, put};
use crate::differential::chains::{self, Chain, Keys};
use crate::differential::random::Random;
use crate::foreign::{ca_params, crl_by, self_signed};
use crate::rules::revocation::revoked;

/// The input for all verifiers.
pub(super) struct Case {
    pub(super) chain: Chain,
    pub(super) crls: Vec<Vec<u8>>,
    /// True if the CAs also have CRLs.
    pub(super) all: bool,
    /// What was changed.
    pub(super) story: String,
}

/// A chain with the CRL of one of its CAs, before it is signed.
pub(super) struct Draft<'a> {
    keys: &'a Keys,
    chain: Chain,
    /// The CA, its key, and the certificate that its CRL covers: the leaf, or the CA below it.
    pub(super) ca: Certificate,
    key: &'a PrivateKey,
    pub(super) subject: Certificate,
    /// The CRL without a change.
    good: Vec<u8>,
    /// The CRL of the other CA in the path, if it has one.
    others: Vec<Vec<u8>>,
    changed: Vec<Node>,
    story: String,
}

impl<'a> Draft<'a> {
    pub(super) fn new(keys: &'a Keys, random: &mut Random) -> Self {
        let cas = random.below(2);
        let mut chain = chains::Draft::new(keys, cas).sign(random);
        let mut story = String::new();
        if random.below(4) == 0 {
            story += &distribution_points(&mut chain, &keys.chain[cas], random);
        }
        let read = |der: &[u8]| Certificate::from_der(der).unwrap();
        let leaf = read(&chain.leaf);
        let root = read(&chain.anchors[0]);
        let none = |ca: &Certificate, key| crl_by(ca, key, vec![revoked(&[0x2a])]);
        let (ca, key, subject, others) = match chain.between.first().map(|ca| read(ca)) {
            Some(ca) if random.below(4) == 0 => {
                story += "of the root: ";
                (root, &keys.chain[0], ca.clone(), vec![none(&ca, &keys.chain[1])])
            }
            Some(ca) => (ca, &keys.chain[1], leaf, vec![none(&root, &keys.chain[0])]),
            None => (root, &keys.chain[0], leaf, Vec::new()),
        };
        let mut entries = vec![revoked(&[0x2a]), revoked(&[0x2b, 0x2c])];
        if random.flag() {
            story += "listed: ";
            entries.insert(random.below(3), revoked(subject.serial.as_bytes()));
        }
        let good = crl_by(&ca, key, entries);
        let changed = Node::read(&good).inner()[0].inner().clone();
        Self { keys, chain, ca, key, subject, good, others, changed, story }
    }

    pub(super) fn apply(&mut self, change: Change, random: &mut Random) {
        let mut fields = std::mem::take(&mut self.changed);
        let what = change.apply(&mut fields, self, random);
        self.changed = fields;
        // Writing to a String cannot fail.
        let _ = write!(self.story, "{} {what}; ", change.name);
    }

    pub(super) fn sign(self) -> Case {
        let crl = forge(&self.good, self.key, |fields| fields.clone_from(&self.changed));
        self.with(vec![crl])
    }

    fn with(self, mut crls: Vec<Vec<u8>>) -> Case {
        let all = !self.others.is_empty();
        crls.extend(self.others);
        Case { chain: self.chain, crls, all, story: self.story }
    }

    /// A CRL with or without an entry for the subject.
    fn other(&self, listed: bool, key: &PrivateKey) -> Vec<u8> {
        let serial = if listed { self.subject.serial.as_bytes() } else { &[0x2d] };
        crl_by(&self.ca, key, vec![revoked(serial)])
    }
}

/// Section 4.2.1.13, for the leaf certificate: one point, some reasons, another issuer.
fn distribution_points(chain: &mut Chain, ca: &PrivateKey, random: &mut Random) -> String {
    let uri = Node::octets(0x86, "http://a/");
    let name = Node::nodes(0xa0, vec![Node::nodes(0xa0, vec![uri.clone()])]);
    let reasons = Node::octets(0x81, [0x06, 0x40]);
    let cn = Node::nodes(0x30, vec![Node::octets(0x06, [0x55, 4, 3]), Node::octets(0x0c, "x")]);
    let other = Node::nodes(0x30, vec![Node::nodes(0x31, vec![cn])]);
    let issuer = Node::nodes(0xa2, vec![Node::nodes(0xa4, vec![other])]);
    let (what, fields) = random.one_of(&[
        ("at a place", vec![name.clone()]),
        ("for some reasons", vec![name.clone(), reasons.clone()]),
        ("with a cRLIssuer", vec![name.clone(), issuer.clone()]),
        ("for some reasons with a cRLIssuer", vec![name, reasons, issuer]),
    ]);
    let value = Node::nodes(0x30, vec![Node::nodes(0x30, fields)]).write();
    chain.leaf = forge(&chain.leaf, ca, |fields| {
        put(fields, &[0x55, 0x1d, 31], false, &value);
    });
    format!("{what}: ")
}

/// Faults outside the fields of a CRL.
pub(super) fn disturb(mut draft: Draft<'_>, random: &mut Random) -> Case {
    let mut crl = draft.good.clone();
    let (keys, key) = (draft.keys, draft.key);
    let stale =
        |crl: &[u8]| forge(crl, key, |fields| fields[4] = Node::octets(0x17, "261231120000Z"));
    let (what, crls) = match random.below(16) {
        0 => ("signed by a stranger", vec![forge(&crl, &keys.stranger, |_| {})]),
        1 => {
            crl.truncate(random.below(crl.len()));
            ("cut off", vec![crl])
        }
        2 => {
            crl.extend(random.one_of(&[&[0][..], &[0x30, 0x00], &[0xff; 9]]));
            ("with something behind it", vec![crl])
        }
        3 => ("and one that lists it", vec![crl, draft.other(true, key)]),
        4 => ("and one that does not list it", vec![crl, draft.other(false, key)]),
        5 => ("and a stale one that lists it", vec![crl, stale(&draft.other(true, key))]),
        6 => ("stale, and one in date", vec![stale(&crl), draft.other(false, key)]),
        7 => ("and one by a sibling", vec![crl, draft.other(true, &keys.stranger)]),
        8 => ("by a sibling alone", vec![draft.other(random.flag(), &keys.stranger)]),
        9 => {
            let name = format!("sibling {}", random.below(2));
            let sibling = self_signed(&ca_params(&name, &keys.stranger), &keys.stranger);
            let serial = draft.subject.serial.as_bytes();
            let foreign = crl_by(&sibling, &keys.stranger, vec![revoked(serial)]);
            if random.flag() {
                ("of another CA", vec![foreign])
            } else {
                ("and one of another CA", vec![foreign, crl])
            }
        }
        10 => {
            let mut whole = Node::read(&crl);
            *whole.inner()[1].inner()[0].content().last_mut().unwrap() = 3;
            ("outer algorithm SHA-384", vec![whole.write()])
        }
        11 => {
            let mut whole = Node::read(&crl);
            *whole.inner()[2].content().first_mut().unwrap() = 1;
            ("unused bits in the signature", vec![whole.write()])
        }
        12 => {
            let mut whole = Node::read(&crl);
            whole.inner().push(Node::octets(0x05, []));
            ("something behind the signature", vec![whole.write()])
        }
        13 => {
            let delta = forge(&draft.other(true, key), key, |fields| {
                put(fields, &[0x55, 0x1d, 27], true, &[0x02, 0x01, 0x01]);
                put(fields, oid::CRL_NUMBER, false, &[0x02, 0x01, 0x02]);
            });
            ("and a delta that lists it", vec![crl, delta])
        }
        14 => {
            let Chain { anchors, between, .. } = &mut draft.chain;
            let ca = between.first_mut().unwrap_or(&mut anchors[0]);
            *ca = forge(ca, &keys.chain[0], |fields| {
                // only keyCertSign
                put(fields, oid::KEY_USAGE, true, &[0x03, 0x02, 0x02, 0x04]);
            });
            ("a CA without cRLSign", vec![crl])
        }
        _ => {
            let bit = random.below(crl.len() * 8);
            let name = draft.ca.subject.der();
            let at = crl.windows(name.len()).position(|octets| octets == name).unwrap();
            // The length before it can change its position.
            let what = if bit / 8 < at + name.len() { "issuer " } else { "" };
            crl[bit / 8] ^= 1 << (bit % 8);
            let _ = write!(draft.story, "{what}bit {bit} ");
            ("flipped", vec![crl])
        }
    };
    draft.story += what;
    draft.with(crls)
}

/// The list of extensions, if it exists and is not empty.
pub(super) fn all_extensions(fields: &mut [Node]) -> Option<&mut Vec<Node>> {
    let there = fields.iter().any(|field| field.tag == 0xa0);
    there.then(|| extensions(fields)).filter(|all| !all.is_empty())
}
