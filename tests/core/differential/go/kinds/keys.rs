//! Subject public keys. A key that is put in place of the leaf's own cannot sign a handshake.

use pki_core::Signer;

use super::{Fields, OIDS, serial_at, tlv};
use crate::der::{Body, Node};
use crate::differential::go::chains::Pool;
use crate::differential::random::Random;

const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const CURVES: [&[u8]; 6] = [
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
    &[0x2b, 0x81, 4, 0, 0x21],
    &[0x2b, 0x81, 4, 0, 0x22],
    &[0x2b, 0x81, 4, 0, 0x23],
    &[0x2b, 0x81, 4, 0, 0x0a],
    &[0x2a, 3],
];

fn key_node(fields: &mut Fields) -> &mut Node {
    let at = serial_at(fields) + 5;
    &mut fields[at]
}

fn spki(algorithm: Vec<Node>, bits: &[u8]) -> Node {
    let bits = Node::octets(0x03, [&[0], bits].concat());
    Node::nodes(0x30, vec![Node::nodes(0x30, algorithm), bits])
}

pub(super) fn key(fields: &mut Fields, pool: &Pool, random: &mut Random) -> String {
    let oid = |octets: &[u8]| Node::octets(0x06, octets);
    let node = key_node(fields);
    match random.below(12) {
        0 => {
            // A point, or a number, that is a little different.
            let Body::Octets(bits) = &mut node.inner()[1].body else { return String::new() };
            let at = 1 + random.below(bits.len() - 1);
            bits[at] ^= 1 << random.below(8);
            "one bit".to_owned()
        }
        1 => {
            let Body::Octets(bits) = &mut node.inner()[1].body else { return String::new() };
            bits.pop();
            "short".to_owned()
        }
        2 => {
            let Body::Octets(bits) = &mut node.inner()[1].body else { return String::new() };
            bits.extend([0x05, 0x00]);
            "long".to_owned()
        }
        3 => {
            let curve = random.one_of(&CURVES);
            *node = spki(vec![oid(EC), oid(curve)], &[&[4], &[7; 64][..]].concat());
            format!("a curve {curve:02x?}")
        }
        4 => {
            let Body::Octets(bits) = &mut node.inner()[1].body else { return String::new() };
            bits[0] = random.one_of(&[1, 4, 7, 8]);
            "unused bits".to_owned()
        }
        5 => {
            let length = random.one_of(&[0, 31, 32, 33, 64]);
            let parameters = random.flag().then(|| Node::octets(0x05, []));
            let algorithm = [oid(&[0x2b, 0x65, 0x70])].into_iter().chain(parameters).collect();
            *node = spki(algorithm, &vec![0x0a; length]);
            format!("ed25519 of {length} octets")
        }
        6 => {
            let other: &[u8] = random.one_of(&[
                &[0x2b, 0x65, 0x6e][..],
                &[0x2b, 0x65, 0x71],
                &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1],
                &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10],
                &[0x2b, 0x81, 4, 1, 12],
                &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17],
            ]);
            let length = random.one_of(&[32, 57, 1312]);
            *node = spki(vec![oid(other)], &vec![9; length]);
            format!("algorithm {other:02x?}")
        }
        7 => {
            node.inner()[0].inner()[0] = oid(random.one_of(&OIDS));
            "another algorithm".to_owned()
        }
        8 => {
            node.inner()[0].inner().push(Node::octets(0x05, []));
            "NULL behind its parameters".to_owned()
        }
        9 => {
            node.inner()[0].inner().truncate(1);
            "no parameters".to_owned()
        }
        10 => {
            let Body::Octets(bits) = &mut node.inner()[1].body else { return String::new() };
            // Compressed, hybrid, at infinity.
            if bits.len() == 66 {
                match random.below(3) {
                    0 => {
                        bits.truncate(34);
                        bits[1] = 2;
                    }
                    1 => bits[1] = 6 | bits[65] & 1,
                    _ => *bits = vec![0, 0],
                }
            }
            "in another form".to_owned()
        }
        _ => {
            let other = &pool.others[random.below(pool.others.len())];
            *node = Node::read(&other.public_key().spki());
            "of another kind".to_owned()
        }
    }
}

/// A DSA key, whose numbers Go reads, although no TLS uses it.
pub(super) fn dsa(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    const NUMBERS: [&[u8]; 7] =
        [&[0x17], &[0x0b], &[0x04], &[0x00], &[0x80], &[0x00, 0x01], &[0x00, 0xc5, 1, 1]];
    // Mostly positive.
    let mut number = || {
        let number = if random.below(4) == 0 { random.one_of(&NUMBERS) } else { NUMBERS[0] };
        tlv(0x02, number)
    };
    let [p, q, g, y] = [number(), number(), number(), number()];
    let what = format!("DSA {p:02x?} {q:02x?} {g:02x?} {y:02x?}");
    let parameters = match random.below(8) {
        0 => vec![],
        1 => vec![Node::octets(0x05, [])],
        2 => vec![Node::read(&tlv(0x30, &[p, q].concat()))],
        3 => vec![Node::read(&tlv(0x30, &[p, q, g, tlv(0x05, &[])].concat()))],
        _ => vec![Node::read(&tlv(0x30, &[p, q, g].concat()))],
    };
    let key = if random.below(8) == 0 { [y, vec![5, 0]].concat() } else { y };
    let algorithm = [Node::octets(0x06, DSA)].into_iter().chain(parameters).collect();
    *key_node(fields) = spki(algorithm, &key);
    what
}

pub(super) fn rsa(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let octets = random.one_of(&[64, 128, 255, 256, 512, 1024, 1025, 1152]);
    let mut modulus = vec![0xc5; octets];
    modulus.insert(0, 0);
    match random.below(8) {
        0 => modulus = vec![0],
        1 => modulus[0] = 0x80,
        2 => modulus.insert(0, 0),
        3 => *modulus.last_mut().unwrap() = 0xc4,
        _ => {}
    }
    let exponents: [&[u8]; 11] = [
        &[1, 0, 1],
        &[1, 0, 1],
        &[3],
        &[0],
        &[1],
        &[2],
        &[0xff],
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[1, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0, 1],
    ];
    let exponent = random.one_of(&exponents);
    let numbers = [tlv(0x02, &modulus), tlv(0x02, exponent)].concat();
    let key = tlv(random.one_of(&[0x30, 0x30, 0x30, 0x31]), &numbers);
    let parameters = match random.below(6) {
        0 => vec![],
        1 => vec![Node::octets(0x06, [0x2a, 3])],
        2 => vec![Node::octets(0x05, []), Node::octets(0x05, [])],
        _ => vec![Node::octets(0x05, [])],
    };
    let algorithm = [Node::octets(0x06, RSA)].into_iter().chain(parameters).collect();
    *key_node(fields) = spki(algorithm, &key);
    format!("{octets} octets, exponent {exponent:02x?}")
}
