//! DER as a tree down to the values of extensions and keys, and edits of it that no field asks for.

use pki_core::{PrivateKey, Signer};

use crate::der::{Body, Node};
use crate::differential::random::Random;

/// Reads the values of extensions as elements too, where all octets of one are such.
pub(crate) fn deepen(node: &mut Node) {
    match &mut node.body {
        Body::Nodes(nodes) => nodes.iter_mut().for_each(deepen),
        Body::Octets(octets) if node.tag == 0x04 => {
            if let Some(mut nodes) = read_all(octets) {
                nodes.iter_mut().for_each(deepen);
                node.body = Body::Nodes(nodes);
            }
        }
        Body::Octets(_) | Body::Raw(_) => {}
    }
}

/// Nothing where the octets are not elements one behind the other.
fn read_all(mut der: &[u8]) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while let [_, length, ..] = der {
        let (header, length) = match *length {
            short @ ..=0x7f => (2, usize::from(short)),
            0x81 => (3, usize::from(*der.get(2)?)),
            0x82 => (4, usize::from(*der.get(2)?) << 8 | usize::from(*der.get(3)?)),
            _ => return None,
        };
        let whole = der.get(..header + length)?;
        if whole[0] & 0x20 != 0 {
            read_all(&whole[header..])?;
        }
        nodes.push(Node::read(whole));
        der = &der[whole.len()..];
    }
    (der.is_empty() && !nodes.is_empty()).then_some(nodes)
}

/// The certificate under a signature by `key`.
pub(crate) fn sign(certificate: &Node, key: &PrivateKey) -> Vec<u8> {
    let Body::Nodes(parts) = &certificate.body else { return certificate.write() };
    let [tbs, algorithm, _] = &parts[..] else { return certificate.write() };
    sign_octets(&tbs.write(), &algorithm.write(), key)
}

pub(crate) fn sign_octets(tbs: &[u8], algorithm: &[u8], key: &PrivateKey) -> Vec<u8> {
    let signature = key.sign(tbs).unwrap();
    let signature = Node::octets(0x03, [&[0], signature.as_slice()].concat()).write();
    Node::octets(0x30, [tbs, algorithm, &signature].concat()).write()
}

/// Other octets in one or two places of the to-be-signed part, signed again.
pub(crate) fn disturb(der: &[u8], key: &PrivateKey, random: &mut Random) -> Vec<u8> {
    let Some(mut whole) = read_all(der) else { return der.to_vec() };
    let Body::Nodes(parts) = &mut whole[0].body else { return der.to_vec() };
    let [tbs, algorithm, _] = &parts[..] else { return der.to_vec() };
    let mut tbs = tbs.write();
    for _ in 0..=random.below(2) {
        let at = random.below(tbs.len());
        tbs[at] = match random.below(3) {
            0 => tbs[at] ^ 1 << random.below(8),
            1 => tbs[at].wrapping_add(1),
            _ => u8::try_from(random.below(256)).unwrap(),
        };
    }
    sign_octets(&tbs, &algorithm.write(), key)
}

/// One edit somewhere in the to-be-signed part; it says what it did.
pub(crate) fn edit(certificate: &mut Node, random: &mut Random) -> String {
    let tbs = &mut certificate.inner()[0];
    let count = count(tbs);
    let donor = nth(tbs, 1 + random.below(count - 1)).clone();
    let at = 1 + random.below(count - 1);
    let edit = random.below(11);
    let parent = parent_of(tbs, at);
    let (parent, place) = parent.unwrap();
    let tag = parent[place].tag;
    let what = match edit {
        0 => {
            parent.remove(place);
            "gone"
        }
        1 => {
            let again = parent[place].clone();
            parent.insert(place, again);
            "twice"
        }
        2 => {
            let other = random.below(parent.len());
            parent.swap(place, other);
            "swapped with a sibling"
        }
        3 => {
            parent[place].tag = random.one_of(&TAGS);
            "of another tag"
        }
        4 => {
            parent[place].tag ^= 0x20;
            "constructed or not"
        }
        5 => {
            parent[place] = Node::octets(tag, []);
            "empty"
        }
        6 => {
            parent[place] = donor;
            "another element"
        }
        7 => {
            let more = random.one_of(&[
                Node::octets(0x05, []),
                Node::octets(0x02, [0]),
                Node::octets(0x0c, *b"more"),
            ]);
            parent.insert(place + 1, more);
            "with another element behind it"
        }
        8 => {
            let written = parent[place].write();
            let header = header(&written);
            let body = [&[0x80], &written[header..], &[0, 0]].concat();
            parent[place] = Node { tag: tag | 0x20, body: Body::Raw(body) };
            "of an indefinite length"
        }
        9 => {
            let halves = parent[place].write();
            let halves = halves[header(&halves)..].to_vec();
            let (left, right) = halves.split_at(halves.len() / 2);
            let strings = [left, right].map(|half| Node::octets(tag & 0x1f, half));
            parent[place] = Node::nodes(tag | 0x20, strings.into());
            "in two strings"
        }
        _ => {
            parent[place] = long_length(&parent[place], random);
            "of a longer length"
        }
    };
    format!("element {at} (tag {tag:02x}) {what}")
}

const TAGS: [u8; 22] = [
    0x1f, 0xbf, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x1e, 0x30,
    0x31, 0x80, 0x82, 0x86, 0xa0, 0xa1,
];

/// The same element with a length that is longer than it need be. Written as octets of its parent:
/// the tag takes the place of a node's, and the rest that of its contents.
fn long_length(node: &Node, random: &mut Random) -> Node {
    let written = node.write();
    let header = header(&written);
    let contents = &written[header..];
    let octets = contents.len().to_be_bytes();
    let padded = random.one_of(&[1, 2, 3, 4]).max(header - 1);
    let length = [&[0x80 | u8::try_from(padded).unwrap()], &octets[8 - padded..]].concat();
    Node { tag: written[0], body: Body::Raw([length.as_slice(), contents].concat()) }
}

/// The length of the tag and the length of an element.
fn header(written: &[u8]) -> usize {
    match written[1] {
        ..0x80 => 2,
        long => 2 + usize::from(long & 0x7f),
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.body {
        Body::Nodes(nodes) => nodes.iter().map(count).sum(),
        Body::Octets(_) | Body::Raw(_) => 0,
    }
}

/// The element of this number, the outermost being 0, in the order in which they are written.
fn nth(node: &Node, number: usize) -> &Node {
    if number == 0 {
        return node;
    }
    let mut left = number - 1;
    let Body::Nodes(nodes) = &node.body else { panic!("no such element") };
    for inner in nodes {
        let inside = count(inner);
        if left < inside {
            return nth(inner, left);
        }
        left -= inside;
    }
    panic!("no such element")
}

/// The siblings of the element of this number, and its place among them.
fn parent_of(node: &mut Node, number: usize) -> Option<(&mut Vec<Node>, usize)> {
    let Body::Nodes(nodes) = &mut node.body else { return None };
    let mut left = number.checked_sub(1)?;
    let mut found = None;
    for (place, inner) in nodes.iter().enumerate() {
        let inside = count(inner);
        if left < inside {
            found = Some((place, left));
            break;
        }
        left -= inside;
    }
    match found? {
        (place, 0) => Some((nodes, place)),
        (place, left) => parent_of(&mut nodes[place], left),
    }
}
