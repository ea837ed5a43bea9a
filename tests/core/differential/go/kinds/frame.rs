//! Version, serial number, algorithm, validity, unique identifiers, and the frame of extensions.

use super::{Fields, OIDS, list, serial_at};
use crate::der::{Body, Node};
use crate::differential::go::chains::Pool;
use crate::differential::random::Random;

/// Around 2027-01-01 12:00:00, the moment that is asked about, and at the ends of what times can say.
const TIMES: [(u8, &str); 54] = [
    (0x17, "270101120000Z"),
    (0x17, "270101115959Z"),
    (0x17, "270101120001Z"),
    (0x17, "2701011200Z"),
    (0x17, "2701011201Z"),
    (0x17, "2701011159Z"),
    (0x17, "270101130000+0100"),
    (0x17, "270101110000-0100"),
    (0x17, "270101120000+0100"),
    (0x17, "270101120000-0100"),
    (0x17, "2701011300+0100"),
    (0x17, "270101120000+0000"),
    (0x17, "270101120000-0000"),
    (0x17, "270102120000+2400"),
    (0x17, "270101120000+0060"),
    (0x17, "000101000000Z"),
    (0x17, "491231235959Z"),
    (0x17, "500101000000Z"),
    (0x17, "690101000000Z"),
    (0x17, "700101000000Z"),
    (0x17, "270132120000Z"),
    (0x17, "270229120000Z"),
    (0x17, "280229120000Z"),
    (0x17, "271301120000Z"),
    (0x17, "270101240000Z"),
    (0x17, "270101126000Z"),
    (0x17, "270101120060Z"),
    (0x17, "270101120000.5Z"),
    (0x17, "270101120000"),
    (0x17, ""),
    (0x18, "20270101120000Z"),
    (0x18, "20270101130000+0100"),
    (0x18, "20510101120000Z"),
    (0x18, "20510101120000.5Z"),
    (0x18, "205101011200Z"),
    (0x18, "20510101120000"),
    (0x18, "99991231235959Z"),
    (0x18, "00000101000000Z"),
    (0x18, "00010101000000Z"),
    (0x18, "19500101000000Z"),
    (0x18, "20500229000000Z"),
    (0x0c, "270101120000Z"),
    (0x17, "20270101120000Z"),
    (0x17, "270101120000z"),
    (0x17, " 70101120000Z"),
    (0x17, "+70101120000Z"),
    (0x17, "2701O1120000Z"),
    (0x17, "270101120000Z0"),
    (0x17, "2701011200+0000"),
    (0x18, "2051010112Z"),
    (0x18, "20510101120000+0000"),
    (0x18, "20510101120000.0Z"),
    (0x18, "20510101120000,5Z"),
    (0x18, "205101011200000Z"),
];

pub(super) fn validity(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let at = serial_at(fields) + 3;
    let (tag, text) = random.one_of(&TIMES);
    let which = random.below(2);
    if random.below(8) == 0 {
        fields[at].inner().push(Node::octets(tag, text));
        return format!("a third time {text}");
    }
    fields[at].inner()[which] = Node::octets(tag, text);
    format!("{} {tag:#x} {text}", ["notBefore", "notAfter"][which])
}

pub(super) fn version(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let without_extensions = random.flag();
    if without_extensions {
        fields.retain(|field| field.tag != 0xa3);
    }
    let what = match random.below(9) {
        0 | 1 if serial_at(fields) == 1 => {
            fields.remove(0);
            "absent".to_owned()
        }
        2 if serial_at(fields) == 1 => {
            fields[0].inner().push(Node::octets(0x02, [2]));
            "twice".to_owned()
        }
        _ => {
            let values: [&[u8]; 8] = [&[0], &[1], &[2], &[3], &[0x7f], &[0xff], &[0, 2], &[]];
            let version = random.one_of(&values);
            if serial_at(fields) == 1 {
                fields[0] = Node::nodes(0xa0, vec![Node::octets(0x02, version)]);
            }
            format!("{version:02x?}")
        }
    };
    format!("{what}{}", if without_extensions { " and no extensions" } else { "" })
}

pub(super) fn serial(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let values: [&[u8]; 10] = [
        &[0],
        &[1],
        &[0xff],
        &[0x80; 20],
        &[0x11; 20],
        &[0x11; 21],
        &[0x11; 300],
        &[0, 1],
        &[0xff, 0x80],
        &[],
    ];
    let octets = random.one_of(&values);
    let at = serial_at(fields);
    fields[at] = Node::octets(0x02, octets);
    format!("{} octets", octets.len())
}

/// The algorithm inside, where Go wants the octets of the one outside.
pub(super) fn algorithm(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let at = serial_at(fields) + 1;
    let parts = fields[at].inner();
    match random.below(4) {
        0 => parts.push(Node::octets(0x05, [])),
        1 => {
            parts.truncate(1);
        }
        2 => parts[0] = Node::octets(0x06, random.one_of(&OIDS)),
        _ => *parts[0].content().last_mut().unwrap() ^= 1,
    }
    String::new()
}

pub(super) fn unique_id(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let at = serial_at(fields) + 6;
    let tag = random.one_of(&[0x81, 0x82, 0xa1, 0xa2, 0x84]);
    let body: &[u8] = random.one_of(&[&[0x00, 0x2a][..], &[0x00], &[]]);
    let node = if tag & 0x20 == 0 {
        Node::octets(tag, body)
    } else {
        Node::nodes(tag, vec![Node::octets(0x03, body)])
    };
    fields.insert(at, node);
    format!("{tag:#x}")
}

/// OID, criticality and value of one extension.
pub(super) fn extension(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let Some(list) = list(fields).filter(|list| !list.is_empty()) else { return String::new() };
    let place = random.below(list.len());
    let Body::Nodes(parts) = &mut list[place].body else { return String::new() };
    match random.below(8) {
        0 => parts[0] = Node::octets(0x06, random.one_of(&OIDS)),
        1 => parts.insert(
            1,
            Node::octets(0x01, random.one_of(&[&[0x00][..], &[0x01], &[0xff], &[], &[0xff, 0xff]])),
        ),
        2 => parts.push(Node::octets(0x05, [])),
        3 => {
            parts.pop();
        }
        4 => parts.last_mut().unwrap().tag = random.one_of(&[0x03, 0x24, 0x30]),
        5 => {
            // Something behind the value.
            if let Body::Octets(octets) = &mut parts.last_mut().unwrap().body {
                octets.extend([0x05, 0x00]);
            }
        }
        6 => {
            if let Body::Octets(octets) = &mut parts.last_mut().unwrap().body {
                octets.truncate(octets.len() / 2);
            }
        }
        _ => *parts.last_mut().unwrap() = Node::octets(0x04, []),
    }
    format!("number {place}")
}

pub(super) fn extensions(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let at = fields.iter().rposition(|field| field.tag == 0xa3);
    let Some(at) = at else { return String::new() };
    let what = match random.below(8) {
        0 => {
            let again = fields[at].clone();
            fields.push(again);
            "twice"
        }
        1 => {
            fields.remove(at);
            "gone"
        }
        2 => {
            fields[at] = Node::nodes(0xa3, vec![Node::nodes(0x30, vec![])]);
            "empty"
        }
        3 => {
            fields[at].inner().push(Node::octets(0x05, []));
            "with NULL behind it"
        }
        4 => {
            fields[at].inner()[0].inner().reverse();
            "reversed"
        }
        5 => {
            let list = fields[at].inner()[0].inner();
            let again = list[random.below(list.len())].clone();
            list.push(again);
            "one of them twice"
        }
        6 => {
            let list = fields[at].inner()[0].inner();
            let gone = random.below(list.len());
            list.remove(gone);
            "one of them gone"
        }
        _ => {
            fields.push(Node::octets(0x05, []));
            "NULL behind them"
        }
    };
    what.to_owned()
}
