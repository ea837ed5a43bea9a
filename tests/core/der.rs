//! DER as a tree that can be changed and signed again, for structures that no encoder would write.

use pki_core::{PrivateKey, Signer};

/// One element.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Node {
    pub(crate) tag: u8,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Body {
    Octets(Vec<u8>),
    Nodes(Vec<Node>),
    /// What follows the tag, its length included.
    Raw(Vec<u8>),
}

impl Node {
    pub(crate) fn octets(tag: u8, octets: impl Into<Vec<u8>>) -> Self {
        Self { tag, body: Body::Octets(octets.into()) }
    }

    pub(crate) fn nodes(tag: u8, nodes: Vec<Self>) -> Self {
        Self { tag, body: Body::Nodes(nodes) }
    }

    /// Parses `der` as one element.
    pub(crate) fn read(der: &[u8]) -> Self {
        let mut nodes = read_all(der);
        assert_eq!(nodes.len(), 1);
        nodes.remove(0)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let contents = match &self.body {
            Body::Octets(octets) => octets.clone(),
            Body::Nodes(nodes) => nodes.iter().flat_map(Self::write).collect(),
            Body::Raw(raw) => return [&[self.tag], raw.as_slice()].concat(),
        };
        [header(self.tag, contents.len()), contents].concat()
    }

    /// Writes the element with a length in one octet more than it needs.
    pub(crate) fn lengthen(&mut self) {
        let der = self.write();
        let (long, rest) = match der[1] {
            short @ ..0x80 => (vec![0x81, short], &der[2..]),
            long => {
                let octets = usize::from(long & 0x7f);
                ([&[long + 1, 0], &der[2..2 + octets]].concat(), &der[2 + octets..])
            }
        };
        self.body = Body::Raw([long.as_slice(), rest].concat());
    }

    /// The children of a constructed element.
    pub(crate) fn inner(&mut self) -> &mut Vec<Self> {
        match &mut self.body {
            Body::Nodes(nodes) => nodes,
            _ => panic!("tag {:#x} holds no elements", self.tag),
        }
    }

    /// The contents of a primitive element.
    pub(crate) fn content(&mut self) -> &mut Vec<u8> {
        match &mut self.body {
            Body::Octets(octets) => octets,
            _ => panic!("tag {:#x} holds elements", self.tag),
        }
    }
}

fn header(tag: u8, length: usize) -> Vec<u8> {
    let octets = length.to_be_bytes();
    match length {
        0..0x80 => vec![tag, octets[7]],
        0x80..0x100 => vec![tag, 0x81, octets[7]],
        0x100..0x1_0000 => vec![tag, 0x82, octets[6], octets[7]],
        _ => vec![tag, 0x83, octets[5], octets[6], octets[7]],
    }
}

fn read_all(mut der: &[u8]) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let [tag, first, rest @ ..] = der {
        let (length, rest) = match *first {
            short @ ..0x80 => (usize::from(short), rest),
            long => {
                let (length, rest) = rest.split_at(usize::from(long & 0x7f));
                (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
            }
        };
        let (contents, rest) = rest.split_at(length);
        nodes.push(match tag & 0x20 {
            0 => Node::octets(*tag, contents),
            _ => Node::nodes(*tag, read_all(contents)),
        });
        der = rest;
    }
    nodes
}

/// Changes the to-be-signed fields of a certificate or CRL, and signs it again with `key`.
pub(crate) fn forge(der: &[u8], key: &PrivateKey, change: impl FnOnce(&mut Vec<Node>)) -> Vec<u8> {
    let mut whole = Node::read(der);
    let parts = whole.inner();
    change(parts[0].inner());
    let signature = key.sign(&parts[0].write()).unwrap();
    parts[2] = Node::octets(0x03, [&[0], signature.as_slice()].concat());
    whole.write()
}

/// The octets of a certificate that are signed, and the signature.
pub(crate) fn signed_part(der: &[u8]) -> (&[u8], &[u8]) {
    let (_, whole) = first_element(der);
    let tbs = first_element(whole).0;
    let algorithm = first_element(&whole[tbs..]).0;
    // The signature is a BIT STRING, which starts with the number of unused bits: none.
    (&whole[..tbs], &first_element(&whole[tbs + algorithm..]).1[1..])
}

/// The length of the first element with its header, and its contents.
fn first_element(der: &[u8]) -> (usize, &[u8]) {
    let (header, length) = match der[1] {
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        0x81 => (3, usize::from(der[2])),
        short => (2, usize::from(short)),
    };
    (header + length, &der[header..header + length])
}

/// The list of extensions in the to-be-signed fields.
pub(crate) fn extensions(fields: &mut [Node]) -> &mut Vec<Node> {
    // [3] in a certificate; [0] in a CRL, where it is the last field.
    let outer = fields.iter_mut().rfind(|field| matches!(field.tag, 0xa0 | 0xa3)).unwrap();
    outer.inner()[0].inner()
}

fn is_named(extension: &Node, oid: &[u8]) -> bool {
    let Body::Nodes(parts) = &extension.body else {
        return false;
    };
    parts.first().is_some_and(|part| part.body == Body::Octets(oid.to_vec()))
}

/// Adds an extension, or replaces the one with the same OID (the DER contents).
pub(crate) fn put(fields: &mut [Node], oid: &[u8], critical: bool, value: &[u8]) {
    let mut extension = vec![Node::octets(0x06, oid)];
    if critical {
        extension.push(Node::octets(0x01, [0xff]));
    }
    extension.push(Node::octets(0x04, value));
    let extension = Node::nodes(0x30, extension);
    let all = extensions(fields);
    match all.iter_mut().find(|node| is_named(node, oid)) {
        Some(place) => *place = extension,
        None => all.push(extension),
    }
}

/// The value of an extension.
pub(crate) fn value(fields: &mut [Node], oid: &[u8]) -> Option<Vec<u8>> {
    let found = extensions(fields).iter_mut().find(|node| is_named(node, oid))?;
    Some(found.inner().last_mut()?.content().clone())
}

/// Removes an extension.
pub(crate) fn remove(fields: &mut [Node], oid: &[u8]) {
    extensions(fields).retain(|node| !is_named(node, oid));
}

/// The OIDs of extensions (RFC 5280 section 4.2) as DER contents.
pub(crate) mod oid {
    pub(crate) const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 14];
    pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
    pub(crate) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
    pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
    pub(crate) const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
    pub(crate) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
    pub(crate) const POLICIES: &[u8] = &[0x55, 0x1d, 32];
    pub(crate) const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 35];
    pub(crate) const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
    pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
}
