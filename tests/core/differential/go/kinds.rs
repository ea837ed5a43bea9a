//! The kinds of changes: every field of a certificate and every extension, in the forms that readers
//! disagree about.

pub(crate) mod constraints;
mod extensions;
mod frame;
mod keys;
mod names;
pub(crate) mod subject_alt_names;

use super::chains::Pool;
use crate::der::{Body, Node};
use crate::differential::random::Random;

/// A kind of change to the fields of a to-be-signed certificate; it says what it did.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) make: fn(&mut Fields, &Pool, &mut Random) -> String,
}

pub(crate) type Fields = Vec<Node>;

pub(crate) static KINDS: &[Kind] = &[
    Kind { name: "subject", make: names::subject },
    Kind { name: "subject", make: names::subject },
    Kind { name: "subject", make: names::subject },
    Kind { name: "attribute", make: names::attribute },
    Kind { name: "shape of the subject", make: names::shape },
    Kind { name: "issuer", make: names::issuer },
    Kind { name: "validity", make: frame::validity },
    Kind { name: "validity", make: frame::validity },
    Kind { name: "version", make: frame::version },
    Kind { name: "serial", make: frame::serial },
    Kind { name: "algorithm", make: frame::algorithm },
    Kind { name: "unique id", make: frame::unique_id },
    Kind { name: "extension", make: frame::extension },
    Kind { name: "list of extensions", make: frame::extensions },
    Kind { name: "key", make: keys::key },
    Kind { name: "key", make: keys::key },
    Kind { name: "rsa", make: keys::rsa },
    Kind { name: "dsa", make: keys::dsa },
    Kind { name: "names", make: subject_alt_names::names },
    Kind { name: "names", make: subject_alt_names::names },
    Kind { name: "names", make: subject_alt_names::names },
    Kind { name: "uris", make: subject_alt_names::uris },
    Kind { name: "uris", make: subject_alt_names::uris },
    Kind { name: "constraints", make: constraints::random },
    Kind { name: "constraints", make: constraints::random },
    Kind { name: "constraints", make: constraints::random },
    Kind { name: "constraints", make: constraints::shape },
    Kind { name: "keyUsage", make: extensions::key_usage },
    Kind { name: "basicConstraints", make: extensions::basic_constraints },
    Kind { name: "basicConstraints", make: extensions::basic_constraints },
    Kind { name: "extKeyUsage", make: extensions::extended_key_usage },
    Kind { name: "identifiers", make: extensions::key_identifiers },
    Kind { name: "policies", make: extensions::policies },
    Kind { name: "policies", make: extensions::policies },
    Kind { name: "policy demands", make: extensions::policy_demands },
    Kind { name: "policy demands", make: extensions::policy_demands },
    Kind { name: "distribution points", make: extensions::distribution_points },
    Kind { name: "access", make: extensions::access },
    Kind { name: "unknown", make: extensions::unknown },
];

/// Where the serial number stands: an older certificate may have no version before it.
pub(crate) fn serial_at(fields: &Fields) -> usize {
    usize::from(fields.first().is_some_and(|field| field.tag == 0xa0))
}

/// Puts an extension in, or in place of the one with this OID; a list that is gone stays so.
pub(crate) fn put(fields: &mut Fields, oid: &[u8], critical: &[u8], value: &[u8]) {
    let mut parts = vec![Node::octets(0x06, oid)];
    if !critical.is_empty() {
        parts.push(Node::octets(0x01, critical));
    }
    parts.push(Node::octets(0x04, value));
    let extension = Node::nodes(0x30, parts);
    let Some(list) = list(fields) else { return };
    match list.iter_mut().find(|node| is_named(node, oid)) {
        Some(place) => *place = extension,
        None => list.push(extension),
    }
}

pub(crate) fn remove(fields: &mut Fields, oid: &[u8]) {
    if let Some(list) = list(fields) {
        list.retain(|node| !is_named(node, oid));
    }
}

pub(crate) fn list(fields: &mut Fields) -> Option<&mut Vec<Node>> {
    let tagged = fields.iter_mut().rfind(|field| field.tag == 0xa3)?;
    let Body::Nodes(inner) = &mut tagged.body else { return None };
    match &mut inner.first_mut()?.body {
        Body::Nodes(list) => Some(list),
        Body::Octets(_) | Body::Raw(_) => None,
    }
}

fn is_named(extension: &Node, oid: &[u8]) -> bool {
    let Body::Nodes(parts) = &extension.body else { return false };
    parts.first().is_some_and(|part| part.body == Body::Octets(oid.to_vec()))
}

/// Critical or not, sometimes written as DER does not.
fn critical(random: &mut Random) -> &'static [u8] {
    match random.below(12) {
        0 => &[0x01],
        1 => &[0x00],
        2..6 => &[0xff],
        _ => &[],
    }
}

/// An element with these contents.
pub(crate) fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    Node::octets(tag, contents).write()
}

/// Contents of OIDs: usual, made from a UUID, at the limits of 31 bits, and no OIDs at all.
const OIDS: [&[u8]; 9] = [
    &[0x2a, 3, 4],
    &[0x55, 0x1d, 0x20, 0],
    &[
        0x69, 0x83, 0xa9, 0xc2, 0xd3, 0x98, 0xcf, 0x8a, 0xd1, 0xe4, 0xb7, 0x9d, 0x86, 0xb0, 0xc1,
        0x96, 0xaa, 0xe5, 0x82, 0x0b,
    ],
    &[0x2a, 0x87, 0xff, 0xff, 0xff, 0x7f],
    &[0x2a, 0x88, 0x80, 0x80, 0x80, 0x00],
    &[0x2a, 0x80, 0x01],
    &[0x2a, 0x81],
    &[0x88, 0x37, 0x01],
    &[],
];
