//! Paths with several certificates for each name and key: CAs that were renewed, rekeyed, cross-certified or
//! replaced, in any order, with every list of trusted certificates that somebody could have made of them.

use std::fmt::Write as _;

use pki_core::{PrivateKey, Purpose};

use super::chains::{Case, Pool, leaf, pkcs8};
use super::judge::Question;
use super::kinds::{Fields, put, remove, serial_at, tlv};
use super::tree;
use crate::der::Node;
use crate::differential::judges::HOST;
use crate::differential::random::Random;
use crate::foreign::{ca_params, self_signed, signed};
use crate::lab::NOW;

/// A name with a key.
#[derive(Clone, Copy)]
struct Entity<'a> {
    name: &'static str,
    key: &'a PrivateKey,
}

/// Any CA may have certified any other, several times, and each of those certificates may be trusted.
pub(crate) fn graph(pool: &Pool, random: &mut Random) -> Case {
    const NAMES: [&str; 3] = ["ca a", "ca b", "ca c"];
    let mut story = String::new();
    let count = 2 + random.below(3);
    // Two entities may have one name with two keys, or one key with two names.
    let entities: Vec<Entity<'_>> = (0..count)
        .map(|_| Entity { name: random.one_of(&NAMES), key: &pool.usual[random.below(3)] })
        .collect();
    let mut cas: Vec<Vec<u8>> = Vec::new();
    for _ in 0..count + random.below(4) {
        let (subject, issuer) = (random.below(count), random.below(count));
        let (der, what) = certify_ca(entities[subject], entities[issuer], random);
        let _ = write!(story, "{issuer} certifies {subject}{what}; ");
        cas.push(der);
    }
    let issuer = entities[random.below(count)];
    let key = &pool.usual[4];
    let (leaf, what) = certify(leaf(key), key, issuer, random, &LEAF_CHANGES);
    let _ = write!(story, "leaf{what}; ");
    let mut roots = Vec::new();
    for _ in 0..=random.below(3) {
        roots.push(random.one_of(&cas));
    }
    let mut intermediates = cas;
    match random.below(8) {
        // What is trusted is not always sent.
        0 => intermediates.retain(|ca| !roots.contains(ca)),
        1 => intermediates.reverse(),
        2 => intermediates.extend(roots.clone()),
        3 => intermediates.push(leaf.clone()),
        4 => {
            story += "the leaf is trusted; ";
            roots.push(leaf.clone());
        }
        _ => {}
    }
    case(leaf, intermediates, roots, key, &story, random)
}

/// A certificate that signed itself, trusted or not, CA or not.
pub(crate) fn alone(pool: &Pool, random: &mut Random) -> Case {
    let key = &pool.usual[4];
    let mut params = leaf(key);
    if random.below(3) == 0 {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    let own = Entity { name: "host", key };
    let (leaf, what) = certify(params, key, own, random, &LEAF_CHANGES);
    let (renewed, _) = certify(ca_params("host", key), key, own, random, &CA_CHANGES);
    let (other, _) = certify_ca(
        Entity { name: "other", key: &pool.usual[0] },
        Entity { name: "other", key: &pool.usual[0] },
        random,
    );
    let roots = match random.below(4) {
        0 => vec![other],
        1 => vec![renewed],
        2 => vec![other, leaf.clone()],
        _ => vec![leaf.clone()],
    };
    case(leaf, Vec::new(), roots, key, &format!("signed by itself{what}; "), random)
}

/// A long line of CAs, each with its own key or one of a few.
pub(crate) fn deep(pool: &Pool, random: &mut Random) -> Case {
    const NAMES: [&str; 13] = [
        "ca 0", "ca 1", "ca 2", "ca 3", "ca 4", "ca 5", "ca 6", "ca 7", "ca 8", "ca 9", "ca 10",
        "ca 11", "ca 12",
    ];
    let depth = 4 + random.below(NAMES.len() - 4);
    let few = 1 + random.below(4);
    let entities: Vec<Entity<'_>> =
        (0..depth).map(|at| Entity { name: NAMES[at], key: &pool.usual[at % few] }).collect();
    let mut cas: Vec<Vec<u8>> = Vec::new();
    let mut story = format!("{depth} CAs with {few} keys; ");
    let changed = random.below(depth * 2);
    for at in 0..depth {
        let issuer = entities[at.saturating_sub(1)];
        if at == changed {
            let (der, what) = certify_ca(entities[at], issuer, random);
            let _ = write!(story, "{at}{what}; ");
            cas.push(der);
        } else {
            let params = ca_params(entities[at].name, entities[at].key);
            cas.push(certify(params, entities[at].key, issuer, random, &[NOTHING]).0);
        }
    }
    let key = &pool.usual[4];
    let (leaf, _) = certify(leaf(key), key, entities[depth - 1], random, &[NOTHING]);
    let roots = vec![cas.remove(0)];
    if random.flag() {
        cas.reverse();
    }
    case(leaf, cas, roots, key, &story, random)
}

fn case(
    leaf: Vec<u8>,
    intermediates: Vec<Vec<u8>>,
    roots: Vec<Vec<u8>>,
    key: &PrivateKey,
    story: &str,
    random: &mut Random,
) -> Case {
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer, Purpose::Any]);
    let host = matches!(purpose, Purpose::Server).then(|| HOST.to_owned());
    let question = Question { leaf, intermediates, roots, host, purpose, at: NOW };
    Case { question, story: format!("{purpose:?}: {story}"), key: pkcs8(key), has_one_path: false }
}

/// What is done to a certificate, and how.
struct Change(&'static str, fn(&mut Fields));

const NOTHING: Change = Change("", |_| {});

/// Names in other octets, identifiers of others, and times that are over.
const CA_CHANGES: [Change; 18] = [
    NOTHING,
    NOTHING,
    NOTHING,
    NOTHING,
    Change(", expired", |fields| time(fields, 1, "260101000000Z")),
    Change(", not yet valid", |fields| time(fields, 0, "280101000000Z")),
    Change(", its subject in UTF8String", |fields| subject_type(fields, 4, 0x0c)),
    Change(", its issuer in UTF8String", |fields| subject_type(fields, 2, 0x0c)),
    Change(", its issuer in upper case", |fields| upper(fields, 2)),
    Change(", its subject in upper case", |fields| upper(fields, 4)),
    Change(", without identifiers", |fields| {
        remove(fields, AUTHORITY_KEY_ID);
        remove(fields, SUBJECT_KEY_ID);
    }),
    Change(", another authority key identifier", |fields| {
        put(fields, AUTHORITY_KEY_ID, &[], &tlv(0x30, &tlv(0x80, &[7; 20])));
    }),
    Change(", another subject key identifier", |fields| {
        put(fields, SUBJECT_KEY_ID, &[], &tlv(0x04, &[7; 20]));
    }),
    Change(", the issuer's name and serial of another", |fields| {
        let name = tlv(0xa1, &tlv(0xa4, &tlv(0x30, &[])));
        put(fields, AUTHORITY_KEY_ID, &[], &tlv(0x30, &[name, tlv(0x82, &[1])].concat()));
    }),
    Change(", serial 1", |fields| {
        let at = serial_at(fields);
        fields[at] = Node::octets(0x02, [1]);
    }),
    Change(", path length 0", |fields| {
        put(fields, BASIC_CONSTRAINTS, &[0xff], &[0x30, 6, 1, 1, 0xff, 2, 1, 0]);
    }),
    Change(", path length 1", |fields| {
        put(fields, BASIC_CONSTRAINTS, &[0xff], &[0x30, 6, 1, 1, 0xff, 2, 1, 1]);
    }),
    Change(", no CA", |fields| put(fields, BASIC_CONSTRAINTS, &[0xff], &tlv(0x30, &[]))),
];

const LEAF_CHANGES: [Change; 8] = [
    NOTHING,
    NOTHING,
    NOTHING,
    Change(", its issuer in UTF8String", |fields| subject_type(fields, 2, 0x0c)),
    Change(", its issuer in upper case", |fields| upper(fields, 2)),
    Change(", without identifiers", |fields| remove(fields, AUTHORITY_KEY_ID)),
    Change(", another authority key identifier", |fields| {
        put(fields, AUTHORITY_KEY_ID, &[], &tlv(0x30, &tlv(0x80, &[7; 20])));
    }),
    Change(", expired", |fields| time(fields, 1, "260101000000Z")),
];

const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 14];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 35];

fn time(fields: &mut Fields, which: usize, text: &str) {
    let at = serial_at(fields) + 3;
    fields[at].inner()[which] = Node::octets(0x17, text);
}

/// The value of the common name that stands so far behind the serial number.
fn common_name(fields: &mut Fields, behind: usize) -> &mut Node {
    let at = serial_at(fields) + behind;
    &mut fields[at].inner()[0].inner()[0].inner()[1]
}

fn subject_type(fields: &mut Fields, behind: usize, tag: u8) {
    common_name(fields, behind).tag = tag;
}

fn upper(fields: &mut Fields, behind: usize) {
    common_name(fields, behind).content().make_ascii_uppercase();
}

fn certify_ca(subject: Entity<'_>, issuer: Entity<'_>, random: &mut Random) -> (Vec<u8>, String) {
    certify(ca_params(subject.name, subject.key), subject.key, issuer, random, &CA_CHANGES)
}

fn certify(
    mut params: rcgen::CertificateParams,
    key: &PrivateKey,
    issuer: Entity<'_>,
    random: &mut Random,
    changes: &[Change],
) -> (Vec<u8>, String) {
    let by = self_signed(&ca_params(issuer.name, issuer.key), issuer.key);
    params.use_authority_key_identifier_extension = true;
    let mut certificate = Node::read(signed(&params, key, &by, issuer.key).der());
    let Change(what, make) = &changes[random.below(changes.len())];
    make(certificate.inner()[0].inner());
    (tree::sign(&certificate, issuer.key), (*what).to_owned())
}
