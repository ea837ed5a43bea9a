//! For each of Go's demands a chain that violates it, and nothing else.

use pki_core::{Purpose, Signer};

use super::chains::{Case, Pool, pkcs8, planted};
use super::kinds::{Fields, list, put, serial_at, tlv};
use super::shapes::certify;
use crate::der::{Body, Node};
use crate::foreign::ca_params;

/// How a demand is violated.
pub(crate) struct Sample {
    /// The name of the demand.
    pub(crate) demand: &'static str,
    pub(crate) make: Make,
}

/// The fields of certificates to change, or a chain of another kind.
pub(crate) enum Make {
    Leaf(fn(&mut Fields)),
    Root(fn(&mut Fields)),
    Both(fn(&mut Fields), fn(&mut Fields)),
    Chain(fn(&Pool) -> Case),
}

impl Sample {
    pub(crate) fn case(&self, pool: &Pool) -> Case {
        self.make.case(pool)
    }
}

impl Make {
    pub(crate) fn case(&self, pool: &Pool) -> Case {
        match self {
            Self::Leaf(change) => planted(pool, &[&same, change], Purpose::Peer),
            Self::Root(change) => planted(pool, &[change, &same], Purpose::Peer),
            Self::Both(root, leaf) => planted(pool, &[root, leaf], Purpose::Peer),
            Self::Chain(make) => make(pool),
        }
    }
}

const fn leaf(demand: &'static str, change: fn(&mut Fields)) -> Sample {
    Sample { demand, make: Make::Leaf(change) }
}

const fn root(demand: &'static str, change: fn(&mut Fields)) -> Sample {
    Sample { demand, make: Make::Root(change) }
}

pub(super) const LARGE_OID: &[u8] = &[0x2a, 0x88, 0x80, 0x80, 0x80, 0x00];
pub(super) const CN: &[u8] = &[0x55, 4, 3];
pub(super) const SAN: &[u8] = &[0x55, 0x1d, 17];
pub(super) const CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];

pub(crate) static SAMPLES: &[Sample] = &[
    leaf("frame", |fields| {
        let list = list(fields).unwrap();
        let Body::Nodes(parts) = &mut list[0].body else { panic!("an extension that is none") };
        let value = parts.last_mut().unwrap();
        let octets = value.content().clone();
        let length = u8::try_from(octets.len()).unwrap();
        value.body = Body::Raw([&[0x81, length], octets.as_slice()].concat());
    }),
    leaf("algorithm-oid", |fields| {
        let key = serial_at(fields) + 5;
        let algorithm = vec![Node::octets(0x06, LARGE_OID)];
        fields[key].inner()[0] = Node::nodes(0x30, algorithm);
    }),
    leaf("extension-oid", |fields| put(fields, LARGE_OID, &[], &[5, 0])),
    Sample { demand: "extensions-unseen", make: Make::Chain(extensions_unseen) },
    leaf("name-form", |fields| {
        let value = Node {
            tag: 0x31,
            body: Body::Raw(b"\x81\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x".to_vec()),
        };
        let at = serial_at(fields) + 4;
        fields[at] = Node::nodes(0x30, vec![value]);
    }),
    leaf("attribute-type", |fields| common_name(fields, LARGE_OID, 0x0c, b"x")),
    leaf("printable-string", |fields| common_name(fields, CN, 0x13, b"etcd_1")),
    leaf("utf8-string", |fields| common_name(fields, CN, 0x0c, b"\xff")),
    leaf("ia5-string", |fields| common_name(fields, CN, 0x16, b"\xff")),
    leaf("numeric-string", |fields| common_name(fields, CN, 0x12, b"1a")),
    leaf("bmp-string", |fields| common_name(fields, CN, 0x1e, b"\xd8\0\xd8\0")),
    leaf("string-type", |fields| common_name(fields, CN, 0x1c, b"\0\0\0a")),
    leaf("time", |fields| {
        let validity = serial_at(fields) + 3;
        fields[validity].inner()[1] = Node::octets(0x18, *b"20510101120000.5Z");
    }),
    leaf("rsa-parameters", |fields| rsa(fields, vec![], &[1, 0, 1])),
    leaf("rsa-form", |fields| rsa(fields, vec![Node::octets(5, [])], &[1, 0, 0, 0, 0, 0, 0, 0, 1])),
    leaf("rsa-zero", |fields| rsa(fields, vec![Node::octets(5, [])], &[0])),
    leaf("curve-point", |fields| {
        let key = serial_at(fields) + 5;
        *fields[key].inner()[1].content().last_mut().unwrap() ^= 1;
    }),
    leaf("ed25519-size", |fields| ed25519(fields, vec![], 31)),
    leaf("ed25519-parameters", |fields| ed25519(fields, vec![Node::octets(5, [])], 32)),
    leaf("key-usage", |fields| put(fields, &[0x55, 0x1d, 15], &[0xff], &[3, 0x81, 2, 7, 0x80])),
    root("basic-constraints", |fields| {
        put(fields, &[0x55, 0x1d, 19], &[0xff], &[0x30, 7, 1, 1, 0xff, 2, 2, 0, 0]);
    }),
    leaf("authority-key-id", |fields| {
        put(fields, &[0x55, 0x1d, 35], &[], b"\x30\x04\x80\x81\x01\x07");
    }),
    leaf("subject-key-id", |fields| put(fields, &[0x55, 0x1d, 14], &[], b"\x04\x81\x01\x07")),
    root("critical", |fields| put(fields, &[0x55, 0x1d, 14], &[0xff], &tlv(0x04, &[7; 20]))),
    leaf("extended-key-usage", |fields| {
        let usages = [&[0x2b, 6, 1, 5, 5, 7, 3, 1][..], &[0x2b, 6, 1, 5, 5, 7, 3, 2], LARGE_OID];
        let usages: Vec<u8> = usages.iter().flat_map(|oid| tlv(0x06, oid)).collect();
        put(fields, &[0x55, 0x1d, 37], &[], &tlv(0x30, &usages));
    }),
    leaf("policies", |fields| policies(fields, &[&[0x2a, 0x80, 0x01]])),
    leaf("policy-twice", |fields| policies(fields, &[&[0x2a, 3], &[0x2a, 3]])),
    root("policy-extensions", |fields| {
        put(fields, &[0x55, 0x1d, 36], &[], &[0x30, 4, 0x80, 0x81, 1, 0]);
    }),
    leaf("distribution-points", |fields| {
        let relative = tlv(0x30, &[tlv(0x06, CN), tlv(0x0c, b"x")].concat());
        let point = tlv(0x30, &tlv(0xa0, &tlv(0xa1, &relative)));
        put(fields, &[0x55, 0x1d, 31], &[], &tlv(0x30, &point));
    }),
    leaf("authority-info", |fields| {
        let access = tlv(0x30, &[tlv(0x06, LARGE_OID), tlv(0x86, b"http://x/")].concat());
        put(fields, &[0x2b, 6, 1, 5, 5, 7, 1, 1], &[], &tlv(0x30, &access));
    }),
    leaf("san-form", |fields| put(fields, SAN, &[], b"\x30\x06\x82\x81\x03foo")),
    leaf("san-ascii", |fields| names(fields, &[], &[tlv(0x82, "münchen.de".as_bytes())])),
    leaf("ip-length", |fields| names(fields, &[], &[tlv(0x87, &[192, 0, 2])])),
    leaf("ip-mapped", |fields| {
        let address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];
        names(fields, &[], &[tlv(0x87, &address)]);
    }),
    root("san-critical", |fields| names(fields, &[0xff], &[tlv(0x88, &[0x2a, 3])])),
    Sample { demand: "san-constructed", make: Make::Chain(constructed) },
    leaf("uri-syntax", |fields| {
        names(fields, &[], &[tlv(0x86, b"https://host.example.com:port/")]);
    }),
    leaf("uri-domain", |fields| names(fields, &[], &[tlv(0x86, b"https://host.example.com./")])),
    root("constraints-form", |fields| {
        put(fields, CONSTRAINTS, &[0xff], b"\x30\x08\xa1\x06\x30\x04\x82\x81\x01x");
    }),
    root("constraint-domain", |fields| excluded(fields, &[0xff], 0x82, b"other.org.")),
    root("constraint-network", |fields| {
        excluded(fields, &[0xff], 0x87, &[10, 0, 0, 0, 255, 0, 255, 0]);
    }),
    root("constraint-mapped", |fields| {
        let network = [[0; 10].as_slice(), &[0xff, 0xff, 10, 0, 0, 0], &[0xff; 16]].concat();
        excluded(fields, &[0xff], 0x87, &network);
    }),
    root("constraint-kind", |fields| excluded(fields, &[0xff], 0x88, &[0x2a, 3])),
    Sample {
        demand: "uri-without-host",
        make: Make::Both(
            |fields| excluded(fields, &[0xff], 0x82, b"other.org"),
            |fields| {
                names(fields, &[], &[tlv(0x82, b"host.example.com"), tlv(0x86, b"urn:uuid:1")]);
            },
        ),
    },
    Sample {
        demand: "email-subdomain",
        make: Make::Both(
            |fields| excluded(fields, &[0xff], 0x81, b"other.org"),
            |fields| names(fields, &[], &[tlv(0x81, b"user@mail.other.org")]),
        ),
    },
    Sample {
        demand: "uri-subdomain",
        make: Make::Both(
            |fields| excluded(fields, &[0xff], 0x86, b"other.org"),
            |fields| names(fields, &[], &[tlv(0x86, b"spiffe://td.other.org/x")]),
        ),
    },
    Sample { demand: "self-issued-outside", make: Make::Chain(self_issued_outside) },
    Sample { demand: "policy-required", make: Make::Chain(policy_required) },
    Sample { demand: "policy-any-mapped", make: Make::Chain(any_policy_mapped) },
    Sample { demand: "path-length", make: Make::Chain(path_length) },
    Sample { demand: "issuer-again", make: Make::Chain(issuer_again) },
    Sample { demand: "fraction", make: Make::Chain(fraction) },
    Sample { demand: "candidates", make: Make::Chain(candidates) },
    Sample { demand: "rsa-size", make: Make::Chain(rsa_size) },
    Sample { demand: "message-size", make: Make::Leaf(many_names) },
    Sample { demand: "unused", make: Make::Chain(unused) },
];

pub(super) fn same(_: &mut Fields) {}

pub(super) fn common_name(fields: &mut Fields, oid: &[u8], tag: u8, value: &[u8]) {
    let attribute = vec![Node::octets(0x06, oid), Node::octets(tag, value)];
    let at = serial_at(fields) + 4;
    let set = Node::nodes(0x31, vec![Node::nodes(0x30, attribute)]);
    fields[at] = Node::nodes(0x30, vec![set]);
}

fn spki(fields: &mut Fields, oid: &[u8], parameters: Vec<Node>, bits: &[u8]) {
    let at = serial_at(fields) + 5;
    let algorithm = [Node::octets(0x06, oid)].into_iter().chain(parameters).collect();
    let bits = Node::octets(0x03, [&[0], bits].concat());
    fields[at] = Node::nodes(0x30, vec![Node::nodes(0x30, algorithm), bits]);
}

pub(super) fn rsa(fields: &mut Fields, parameters: Vec<Node>, exponent: &[u8]) {
    rsa_of(fields, 256, parameters, exponent);
}

/// A key whose modulus has so many octets.
pub(super) fn rsa_of(fields: &mut Fields, octets: usize, parameters: Vec<Node>, exponent: &[u8]) {
    let modulus = [vec![0], vec![0xc5; octets]].concat();
    let key = tlv(0x30, &[tlv(0x02, &modulus), tlv(0x02, exponent)].concat());
    spki(fields, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], parameters, &key);
}

pub(super) fn ed25519(fields: &mut Fields, parameters: Vec<Node>, length: usize) {
    spki(fields, &[0x2b, 0x65, 0x70], parameters, &vec![0x0a; length]);
}

pub(super) fn policies(fields: &mut Fields, oids: &[&[u8]]) {
    let policies: Vec<u8> = oids.iter().flat_map(|oid| tlv(0x30, &tlv(0x06, oid))).collect();
    put(fields, &[0x55, 0x1d, 32], &[], &tlv(0x30, &policies));
}

pub(super) fn names(fields: &mut Fields, critical: &[u8], names: &[Vec<u8>]) {
    put(fields, SAN, critical, &tlv(0x30, &names.concat()));
}

pub(super) fn excluded(fields: &mut Fields, critical: &[u8], tag: u8, base: &[u8]) {
    let subtrees = tlv(0xa1, &tlv(0x30, &tlv(tag, base)));
    put(fields, CONSTRAINTS, critical, &tlv(0x30, &subtrees));
}

fn extensions_unseen(pool: &Pool) -> Case {
    let change = |fields: &mut Fields| {
        let at = serial_at(fields) + 6;
        fields.insert(at, Node::nodes(0xa1, vec![Node::octets(0x03, [0, 7])]));
    };
    planted(pool, &[&same, &change], Purpose::Server)
}

fn constructed(pool: &Pool) -> Case {
    let host = tlv(0xa2, &tlv(0x16, b"host.example.com"));
    let change = |fields: &mut Fields| names(fields, &[], std::slice::from_ref(&host));
    planted(pool, &[&same, &change], Purpose::Server)
}

pub(super) fn policy_required(pool: &Pool) -> Case {
    let ca = |fields: &mut Fields| put(fields, &[0x55, 0x1d, 36], &[], &[0x30, 3, 0x80, 1, 0]);
    planted(pool, &[&same, &ca, &same], Purpose::Peer)
}

fn any_policy_mapped(pool: &Pool) -> Case {
    let any: &[u8] = &[0x55, 0x1d, 0x20, 0];
    let ca = |fields: &mut Fields| {
        policies(fields, &[any]);
        let pair = [tlv(0x06, any), tlv(0x06, &[0x2a, 4])].concat();
        put(fields, &[0x55, 0x1d, 33], &[], &tlv(0x30, &tlv(0x30, &pair)));
    };
    planted(pool, &[&same, &ca, &same], Purpose::Peer)
}

/// A root that allows no CA below it, and that CA made again with another key.
pub(super) fn path_length(pool: &Pool) -> Case {
    let root = |fields: &mut Fields| {
        put(fields, &[0x55, 0x1d, 19], &[0xff], &[0x30, 6, 1, 1, 0xff, 2, 1, 0]);
    };
    let renewed = |fields: &mut Fields| common_name(fields, CN, 0x13, b"root");
    planted(pool, &[&root, &renewed, &same], Purpose::Peer)
}

/// A root that permits one domain, and that CA made again with a name outside it.
fn self_issued_outside(pool: &Pool) -> Case {
    let root = |fields: &mut Fields| {
        let subtrees = tlv(0xa0, &tlv(0x30, &tlv(0x82, b"example.com")));
        put(fields, CONSTRAINTS, &[0xff], &tlv(0x30, &subtrees));
    };
    let renewed = |fields: &mut Fields| {
        common_name(fields, CN, 0x13, b"root");
        names(fields, &[], &[tlv(0x82, b"ca.other.org")]);
    };
    planted(pool, &[&root, &renewed, &same], Purpose::Peer)
}

/// A leaf with the name and the key of its CA.
fn issuer_again(pool: &Pool) -> Case {
    let key = Node::read(&pool.usual[0].public_key().spki());
    let leaf = |fields: &mut Fields| {
        common_name(fields, CN, 0x13, b"root");
        let at = serial_at(fields) + 5;
        fields[at] = key.clone();
        super::kinds::remove(fields, SAN);
    };
    planted(pool, &[&same, &leaf], Purpose::Client)
}

/// A leaf that does not name the key of its issuer, and a hundred certificates of other keys before the issuer's.
fn candidates(pool: &Pool) -> Case {
    let (ca, other) = (&pool.usual[1], &pool.usual[5]);
    let anonymous = |fields: &mut Fields| super::kinds::remove(fields, &[0x55, 0x1d, 35]);
    let mut case = planted(pool, &[&same, &same, &anonymous], Purpose::Peer);
    let by_root =
        |key| certify(&ca_params("ca 1", key), key, "root", &pool.usual[0], |_: &mut Fields| {});
    let issuer = by_root(ca);
    case.question.intermediates = (0..100).map(|_| by_root(other)).chain([issuer]).collect();
    case
}

/// A CA with a negative serial number behind a leaf that another one issued.
fn unused(pool: &Pool) -> Case {
    let negative = |fields: &mut Fields| {
        let at = serial_at(fields);
        fields[at] = Node::octets(0x02, [0x80, 1]);
    };
    let stranger = &pool.usual[5];
    let mut case = planted(pool, &[&same, &same], Purpose::Peer);
    let other = certify(&ca_params("other", stranger), stranger, "other", stranger, negative);
    case.question.intermediates.push(other);
    case
}

fn fraction(pool: &Pool) -> Case {
    let leaf = |fields: &mut Fields| {
        let validity = serial_at(fields) + 3;
        fields[validity].inner()[1] = Node::octets(0x17, *b"270101120000Z");
    };
    let mut case = planted(pool, &[&same, &leaf], Purpose::Peer);
    case.question.at += time::Duration::milliseconds(500);
    case
}

/// The size is checked before any signature, so any key can sign the handshake.
pub(super) fn rsa_size(pool: &Pool) -> Case {
    let leaf = |fields: &mut Fields| {
        rsa_of(fields, 1025, vec![Node::octets(5, [])], &[1, 0, 1]);
    };
    let case = planted(pool, &[&same, &leaf], Purpose::Client);
    Case { key: pkcs8(pool.rsa()), ..case }
}

fn many_names(fields: &mut Fields) {
    let host = |number: usize| tlv(0x82, format!("host-{number:05}.example.com").as_bytes());
    names(fields, &[], &(0..11_000).map(host).collect::<Vec<_>>());
}
