//! Subjects: types of strings, what they hold, types of attributes, and shapes of names.

use super::{Fields, OIDS, serial_at, subject_alt_names, tlv};
use crate::der::{Body, Node};
use crate::differential::go::chains::Pool;
use crate::differential::random::Random;

/// Of every type that a value could have, those that no name has among them.
const TYPES: [u8; 30] = [
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x09, 0x0a, 0x0c, 0x0c, 0x0d, 0x12, 0x12, 0x13, 0x13,
    0x13, 0x14, 0x15, 0x16, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1e, 0x30, 0x80,
];

const VALUES: [&[u8]; 34] = [
    b"etcdone",
    b"a_b",
    b"a@b",
    b"a*b",
    b"a&b",
    b"a?b",
    b"a;b",
    b"A b'()+,-./:=",
    b"",
    b" ",
    b"123 4",
    b"12x",
    b"\0",
    b"\x01",
    b"\x07\xff",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xfc",
    "ü€𐍈".as_bytes(),
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\0a\0b",
    b"\0a\0\0",
    b"\xd8\0\xd8\0",
    b"\xff\xfe",
    b"\xfd\xd0",
    b"\0\0\0a",
    b"270101120000Z",
    b"20270101120000Z",
    b"2701011200Z",
    b"\x06\x55\x1d",
    b"\x00\xaa",
    &[b'x'; 67],
];

fn subject_node(fields: &mut Fields) -> &mut Node {
    let at = serial_at(fields) + 4;
    &mut fields[at]
}

fn one(oid: &[u8], tag: u8, value: &[u8]) -> Node {
    Node::nodes(
        0x30,
        vec![Node::octets(0x06, oid), Node { tag, body: Body::Octets(value.to_vec()) }],
    )
}

pub(super) fn subject(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let (tag, value) = (random.one_of(&TYPES), random.one_of(&VALUES));
    let common_name = one(&[0x55, 4, 3], tag, value);
    *subject_node(fields) = Node::nodes(0x30, vec![Node::nodes(0x31, vec![common_name])]);
    format!("{tag:#04x} {}", value.escape_ascii())
}

pub(super) fn attribute(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    const EMAIL: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
    let usual: [&[u8]; 5] = [
        EMAIL,
        &[0x55, 4, 10],
        &[0x55, 4, 6],
        &[0x55, 4, 5],
        &[9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
    ];
    let oid = if random.flag() { random.one_of(&usual) } else { random.one_of(&OIDS) };
    let tag = random.one_of(&[0x0c, 0x13, 0x16]);
    let email = random.one_of(subject_alt_names::EMAILS);
    let value = if oid == EMAIL { email.as_bytes() } else { b"more" };
    let more = Node::nodes(0x31, vec![one(oid, tag, value)]);
    if let Body::Nodes(names) = &mut subject_node(fields).body {
        names.push(more);
    }
    format!("{oid:02x?}")
}

pub(super) fn shape(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let value = |text: &[u8]| one(&[0x55, 4, 3], 0x0c, text);
    let (what, name) = match random.below(9) {
        0 => ("empty", Node::nodes(0x30, vec![])),
        1 => ("an empty set", Node::nodes(0x30, vec![Node::nodes(0x31, vec![])])),
        2 => (
            "two in a set",
            Node::nodes(0x30, vec![Node::nodes(0x31, vec![value(b"a"), value(b"b")])]),
        ),
        3 => {
            let sets = [&b"a"[..], b"a"].map(|text| Node::nodes(0x31, vec![value(text)]));
            ("twice", Node::nodes(0x30, sets.into()))
        }
        4 => {
            let lone = Node::nodes(0x30, vec![Node::octets(0x06, [0x55, 4, 3])]);
            ("no value", Node::nodes(0x30, vec![Node::nodes(0x31, vec![lone])]))
        }
        5 => {
            let three = Node::nodes(
                0x30,
                vec![
                    Node::octets(0x06, [0x55, 4, 3]),
                    Node::octets(0x0c, *b"a"),
                    Node::octets(0x0c, *b"b"),
                ],
            );
            ("two values", Node::nodes(0x30, vec![Node::nodes(0x31, vec![three])]))
        }
        6 => {
            ("a sequence for a set", Node::nodes(0x30, vec![Node::nodes(0x30, vec![value(b"a")])]))
        }
        7 => {
            ("a set for a sequence", Node::nodes(0x31, vec![Node::nodes(0x31, vec![value(b"a")])]))
        }
        _ => {
            let long = Node { tag: 0x0c, body: Body::Raw([&[0x81, 7], &b"etcdone"[..]].concat()) };
            let attribute = Node::nodes(0x30, vec![Node::octets(0x06, [0x55, 4, 3]), long]);
            ("a long length", Node::nodes(0x30, vec![Node::nodes(0x31, vec![attribute])]))
        }
    };
    *subject_node(fields) = name;
    what.to_owned()
}

/// Another issuer than the one above is called; `follow_names` puts most of them right again.
pub(super) fn issuer(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let at = serial_at(fields) + 2;
    fields[at] = Node::read(&tlv(0x30, &[]));
    let _ = random.flag();
    "empty, and put right".to_owned()
}
