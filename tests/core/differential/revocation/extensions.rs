//! Changes to the extensions of a CRL (RFC 5280 section 5.2).

use super::changes::{Fields, UNKNOWN};
use super::lists::{Draft, all_extensions};
use crate::der::{Node, oid, put, remove};
use crate::differential::random::Random;
use crate::rules::revocation::DISTRIBUTION_POINT;

pub(super) fn authority_key_id(
    fields: &mut Fields,
    draft: &Draft<'_>,
    random: &mut Random,
) -> String {
    if all_extensions(fields).is_none() {
        return "gone already".to_owned();
    }
    let key_id = Node::octets(0x80, draft.ca.public_key.key_id().0);
    let names = |name: &[u8]| Node::nodes(0xa1, vec![Node::nodes(0xa4, vec![Node::read(name)])]);
    let (issuer, number) = (names(draft.ca.issuer.der()), draft.ca.serial.as_bytes());
    let serial = |octets: &[u8]| Node::octets(0x82, octets);
    let (what, critical, parts) = match random.below(10) {
        0 => ("empty", false, vec![]),
        1 => ("of another key", false, vec![Node::octets(0x80, [7; 20])]),
        2 => ("critical", true, vec![key_id]),
        3 => ("certificate alone", false, vec![issuer, serial(number)]),
        4 => ("certificate too", false, vec![key_id, issuer, serial(number)]),
        5 => ("another certificate", false, vec![key_id, issuer, serial(&[7; 9])]),
        6 => {
            let other = names(draft.subject.subject.der());
            ("a certificate of another CA", false, vec![key_id, other, serial(number)])
        }
        7 => ("serial number too", false, vec![key_id, serial(number)]),
        8 => ("something unreadable behind it", false, vec![key_id, Node::octets(0x85, [1])]),
        _ => {
            remove(fields, oid::AUTHORITY_KEY_ID);
            return "gone".to_owned();
        }
    };
    put(fields, oid::AUTHORITY_KEY_ID, critical, &Node::nodes(0x30, parts).write());
    what.to_owned()
}

pub(super) fn number(fields: &mut Fields, _: &Draft<'_>, random: &mut Random) -> String {
    if all_extensions(fields).is_none() {
        return "gone already".to_owned();
    }
    if random.below(8) == 0 {
        remove(fields, oid::CRL_NUMBER);
        return "gone".to_owned();
    }
    let value: Vec<u8> = random.one_of(&[
        vec![0x02, 0x01, 0x00],
        vec![0x02, 0x01, 0xff],
        [&[0x02, 20][..], &[0x11; 20]].concat(),
        [&[0x02, 21][..], &[0x11; 21]].concat(),
        vec![0x02, 0x02, 0x00, 0x01],
        vec![0x02, 0x81, 0x01, 0x01],
        vec![0x02, 0x00],
        vec![0x04, 0x01, 0x01],
        vec![0x02, 0x01, 0x01, 0x00],
        Vec::new(),
    ]);
    let critical = random.below(3) == 0;
    put(fields, oid::CRL_NUMBER, critical, &value);
    format!("{value:02x?}, critical {critical}")
}

pub(super) fn distribution_point(
    fields: &mut Fields,
    draft: &Draft<'_>,
    random: &mut Random,
) -> String {
    let full = |names: Vec<Node>| Node::nodes(0xa0, vec![Node::nodes(0xa0, names)]);
    let uri = |text: &str| Node::octets(0x86, text);
    let directory = Node::nodes(0xa4, vec![Node::read(draft.ca.subject.der())]);
    let cn = Node::nodes(0x30, vec![Node::octets(0x06, [0x55, 4, 3]), Node::octets(0x0c, "x")]);
    let bit = |tag: u8| Node::octets(tag, [0xff]);
    let mut parts = Vec::new();
    match random.below(7) {
        0 => parts.push(full(vec![uri("http://a/")])),
        1 => parts.push(full(vec![uri("http://b/")])),
        2 => parts.push(full(vec![directory])),
        3 => parts.push(Node::nodes(0xa0, vec![Node::nodes(0xa1, vec![cn])])),
        4 => parts.push(random.one_of(&[full(Vec::new()), Node::nodes(0xa0, Vec::new())])),
        _ => {}
    }
    match random.below(12) {
        0 => parts.push(bit(0x81)),
        1 => parts.push(bit(0x82)),
        2 => parts.push(Node::octets(0x83, [0x01, 0xfe])),
        3 => parts.push(Node::octets(0x83, [0x09, 0xfe])),
        4 => parts.push(bit(0x84)),
        5 => parts.push(bit(0x85)),
        6 => parts.extend([bit(0x81), bit(0x82)]),
        7 => parts.push(Node::octets(random.one_of(&[0x81, 0x82, 0x84, 0x85]), [0x01])),
        8 => parts.push(Node::octets(random.one_of(&[0x81, 0x82, 0x84, 0x85]), [0x00])),
        9 => parts.push(Node::octets(random.one_of(&[0x82, 0x86]), [0xff, 0xff])),
        _ => {}
    }
    let mut value = Node::nodes(0x30, parts).write();
    if random.below(12) == 0 {
        value.push(0);
    }
    let critical = random.below(4) > 0;
    if all_extensions(fields).is_some() {
        put(fields, DISTRIBUTION_POINT, critical, &value);
    }
    format!("{value:02x?} critical {critical}")
}

pub(super) fn other(fields: &mut Fields, _: &Draft<'_>, random: &mut Random) -> String {
    let critical = random.flag();
    let (what, oid, value): (_, &[u8], &[u8]) = random.one_of(&[
        ("deltaCRLIndicator", &[0x55, 0x1d, 27][..], &[0x02, 0x01, 0x01][..]),
        ("deltaCRLIndicator of another base", &[0x55, 0x1d, 27], &[0x02, 0x01, 0x07]),
        ("deltaCRLIndicator unreadable", &[0x55, 0x1d, 27], &[0x05, 0x00]),
        ("freshestCRL", &[0x55, 0x1d, 46], &[0x30, 0x00]),
        ("unknown", UNKNOWN, &[0x05, 0x00]),
        ("issuerAltName", &[0x55, 0x1d, 18], &[0x30, 0x03, 0x82, 0x01, b'x']),
        ("authorityInfoAccess", &[0x2b, 6, 1, 5, 5, 7, 1, 1], &[0x30, 0x00]),
        ("basicConstraints", oid::BASIC_CONSTRAINTS, &[0x30, 0x00]),
    ]);
    if all_extensions(fields).is_some() {
        put(fields, oid, critical, value);
    }
    format!("{what}, critical {critical}")
}

pub(super) fn form(fields: &mut Fields, _: &Draft<'_>, random: &mut Random) -> String {
    let Some(all) = all_extensions(fields) else { return "gone already".to_owned() };
    let at = random.below(all.len());
    match random.below(8) {
        0 => all.reverse(),
        1 => all.push(all[at].clone()),
        2 => drop(all.remove(at)),
        3 => fields.retain(|field| field.tag != 0xa0),
        4 => all.clear(),
        5 => all[at].inner().push(Node::octets(0x01, [0xff])),
        6 => {
            let list = fields.last_mut().unwrap();
            list.tag = 0xa1;
            return "in [1]".to_owned();
        }
        _ => {
            let parts = all[at].inner();
            match parts.len() {
                3 => drop(parts.remove(1)),
                _ => parts.insert(1, Node::octets(0x01, [random.one_of(&[0xff, 0x01, 0x00])])),
            }
            return format!("criticality of {at}");
        }
    }
    format!("{:?}", fields.last().map(|list| list.write().len()))
}
