//! Chains whose certificates have every extension, with edits inside the values of the extensions.

use std::fmt::Write as _;

use pki_core::Purpose;

use super::chains::{Case, Line, Pool};
use super::kinds::{Fields, list, put, tlv};
use super::tree;
use crate::der::{Body, Node};
use crate::differential::random::Random;
use crate::lab::NOW;

/// A path in which one or two certificates are edited.
pub(crate) fn edited(pool: &Pool, random: &mut Random) -> Case {
    let count = 2 + random.below(2);
    let edits = 1 + random.below(2);
    let edited: Vec<usize> = (0..edits).map(|_| random.below(count)).collect();
    let mut line = Line::new(pool.usual[..count].iter().collect());
    let mut story = String::new();
    for place in 0..count {
        let mut certificate = line.next();
        add_all(certificate.inner()[0].inner(), place + 1 == count);
        for _ in edited.iter().filter(|edited| **edited == place) {
            let what = match random.below(4) {
                0 => octet(certificate.inner()[0].inner(), random),
                1 => length(certificate.inner()[0].inner(), random),
                _ => {
                    tree::deepen(&mut certificate);
                    tree::edit(&mut certificate, random)
                }
            };
            let _ = write!(story, "{place}/{} {what}; ", count - 1);
            if !is_plain(&mut certificate) {
                break;
            }
        }
        line.push(certificate);
    }
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer, Purpose::Any]);
    line.case(purpose, story, NOW)
}

/// The same path without an edit.
pub(crate) fn untouched(pool: &Pool, purpose: Purpose) -> Case {
    let mut line = Line::new(pool.usual[..3].iter().collect());
    for place in 0..3 {
        let mut certificate = line.next();
        add_all(certificate.inner()[0].inner(), place == 2);
        line.push(certificate);
    }
    line.case(purpose, String::new(), NOW)
}

/// The same path, in which one octet of the to-be-signed part of one certificate is another: each octet of each
/// certificate in turn, in each of several ways. The number of such paths is close to [`OCTETS`].
pub(crate) fn with_octet(pool: &Pool, number: usize, random: &mut Random) -> Case {
    let ways: [fn(u8) -> u8; 6] = [
        |octet| octet ^ 1,
        |octet| octet ^ 0x20,
        |octet| octet ^ 0x80,
        |octet| octet.wrapping_add(1),
        |_| 0,
        |_| 0xff,
    ];
    let (place, way, number) =
        (number % 3, &ways[number / 3 % ways.len()], number / 3 / ways.len());
    let mut line = Line::new(pool.usual[..3].iter().collect());
    let mut story = String::new();
    for at in 0..3 {
        let mut certificate = line.next();
        add_all(certificate.inner()[0].inner(), at == 2);
        line.push(certificate);
        if at == place {
            let key = &pool.usual[at.saturating_sub(1)];
            line.replace_last(|der| {
                let mut parts = Node::read(der);
                let mut tbs = parts.inner()[0].write();
                let octet = number % tbs.len();
                story = format!("{place}/2 octet {octet} {:02x}", tbs[octet]);
                tbs[octet] = way(tbs[octet]);
                tree::sign_octets(&tbs, &parts.inner()[1].write(), key)
            });
        }
    }
    line.case(random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer]), story, NOW)
}

/// Three certificates of at most 1,500 octets, six ways.
pub(crate) const OCTETS: usize = 3 * 6 * 1500;

/// False after an edit of the tree, in which an extension may be no extension any more.
fn is_plain(certificate: &mut Node) -> bool {
    let is_octets =
        |part: Option<&Node>| part.is_some_and(|part| matches!(part.body, Body::Octets(_)));
    let Some(list) = list(certificate.inner()[0].inner()) else { return false };
    !list.is_empty()
        && list.iter().all(|extension| match &extension.body {
            Body::Nodes(parts) => is_octets(parts.first()) && is_octets(parts.last()),
            Body::Octets(_) | Body::Raw(_) => false,
        })
}

fn add_all(fields: &mut Fields, is_leaf: bool) {
    let extensions = if is_leaf { of_leaf() } else { of_ca() };
    for (number, value) in extensions {
        put(fields, &[0x55, 0x1d, number], &[], &value);
    }
    let http = |text: &[u8]| tlv(0x86, text);
    let access = |method: u8, location: Vec<u8>| {
        tlv(0x30, &[tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 0x30, method]), location].concat())
    };
    let both = [access(1, http(b"http://ocsp.example.com/")), access(2, http(b"http://x/ca"))];
    put(fields, &[0x2b, 6, 1, 5, 5, 7, 1, 1], &[], &tlv(0x30, &both.concat()));
    // TLS feature status_request is not here: a server that does not staple cannot use it.
    put(fields, &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 13], &[], &tlv(0x16, b"a comment"));
}

fn policy(oid: &[u8]) -> Vec<u8> {
    let cps = [tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 2, 1]), tlv(0x16, b"https://x/cps")].concat();
    let notice = tlv(0x30, &tlv(0x0c, b"a notice"));
    let notice = [tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 2, 2]), notice].concat();
    let qualifiers = tlv(0x30, &[tlv(0x30, &cps), tlv(0x30, &notice)].concat());
    tlv(0x30, &[tlv(0x06, oid), qualifiers].concat())
}

fn directory_name(text: &[u8]) -> Vec<u8> {
    let name = [tlv(0x06, &[0x55, 4, 3]), tlv(0x0c, text)].concat();
    tlv(0xa4, &tlv(0x30, &tlv(0x31, &tlv(0x30, &name))))
}

fn distribution_point() -> Vec<u8> {
    let names = [tlv(0x86, b"http://x/crl"), tlv(0x86, b"ldap://x/crl")].concat();
    let full = tlv(0xa0, &tlv(0xa0, &names));
    tlv(0x30, &tlv(0x30, &[full, tlv(0x81, &[1, 6]), tlv(0xa2, &directory_name(b"x"))].concat()))
}

/// The last number of each OID below id-ce, and the value.
fn of_ca() -> Vec<(u8, Vec<u8>)> {
    let subtree = |tag: u8, base: &[u8]| tlv(0x30, &tlv(tag, base));
    let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 12], &[255; 4], &[0; 12]].concat();
    let permitted = [
        subtree(0x82, b"example.com"),
        subtree(0x81, b"example.com"),
        subtree(0x86, b".example.com"),
        subtree(0x87, &[192, 0, 2, 0, 255, 255, 255, 0]),
        subtree(0x87, &v6),
    ];
    let excluded = [
        subtree(0x82, b"secret.example.com"),
        subtree(0x87, &[192, 0, 2, 128, 255, 255, 255, 128]),
    ];
    let constraints = [tlv(0xa0, &permitted.concat()), tlv(0xa1, &excluded.concat())].concat();
    vec![
        (30, tlv(0x30, &constraints)),
        (32, tlv(0x30, &policy(&[0x55, 0x1d, 0x20, 0]))),
        (36, tlv(0x30, &[0x80, 1, 5, 0x81, 1, 4])),
        (54, vec![2, 1, 9]),
        (18, tlv(0x30, &tlv(0x86, b"http://x/"))),
        (31, distribution_point()),
    ]
}

/// The same.
fn of_leaf() -> Vec<(u8, Vec<u8>)> {
    let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1]].concat();
    let other = [tlv(0x06, &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3]), tlv(0xa0, &tlv(0x0c, b"x"))];
    let names = [
        tlv(0x82, b"host.example.com"),
        tlv(0x82, b"*.etcd.example.com"),
        tlv(0x87, &[192, 0, 2, 1]),
        tlv(0x87, &v6),
        tlv(0x86, b"spiffe://td.example.com/x"),
        tlv(0x81, b"user@example.com"),
        directory_name(b"host"),
        tlv(0x88, &[0x2a, 3, 4]),
        tlv(0xa0, &other.concat()),
    ];
    vec![
        (17, tlv(0x30, &names.concat())),
        (32, tlv(0x30, &[policy(&[0x2a, 3]), policy(&[0x2a, 4])].concat())),
        (31, distribution_point()),
        (46, distribution_point()),
        (18, tlv(0x30, &tlv(0x82, b"ca.example.com"))),
    ]
}

/// The value of any extension.
fn any_value<'a>(fields: &'a mut Fields, random: &mut Random) -> (String, &'a mut Vec<u8>) {
    let list = list(fields).expect("add_all made it");
    let at = random.below(list.len());
    let parts = list[at].inner();
    let name = format!("{:02x?}", parts[0].content());
    (name, parts.last_mut().expect("an extension has a value").content())
}

/// Another octet in a value, or one more, or one less.
fn octet(fields: &mut Fields, random: &mut Random) -> String {
    let (name, value) = any_value(fields, random);
    if value.is_empty() {
        return "nothing".to_owned();
    }
    let at = random.below(value.len());
    let what = match random.below(5) {
        0 => {
            value.remove(at);
            "gone"
        }
        1 => {
            value.insert(at, u8::try_from(random.below(256)).unwrap());
            "more"
        }
        2 => {
            value.swap(at, at.saturating_sub(1));
            "swapped"
        }
        3 => {
            value[at] ^= 1 << random.below(8);
            "another"
        }
        _ => {
            value[at] = random.one_of(&[0, 1, 0x20, 0x2a, 0x2e, 0x40, 0x7f, 0x80, 0xff]);
            "another"
        }
    };
    format!("{name} octet {at} {what}")
}

/// The outermost length of a value, or that of its first element, is one more, one less or in another form.
fn length(fields: &mut Fields, random: &mut Random) -> String {
    let (name, value) = any_value(fields, random);
    let at = if random.flag() && value.len() > 4 { 3 } else { 1 };
    let Some(octet) = value.get(at).copied() else { return "nothing".to_owned() };
    let what = match random.below(5) {
        0 => {
            value[at] = octet.wrapping_add(1);
            "one more"
        }
        1 => {
            value[at] = octet.wrapping_sub(1);
            "one less"
        }
        2 => {
            value.insert(at, 0x81);
            "in two octets"
        }
        3 => {
            value[at] = 0x80;
            value.extend([0, 0]);
            "indefinite"
        }
        _ => {
            value.insert(at, 0);
            value.insert(at, 0x82);
            "in three octets"
        }
    };
    format!("{name} length at {at} {what}")
}
