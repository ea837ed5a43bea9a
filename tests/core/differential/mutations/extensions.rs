//! Changes to the extensions of a certificate.

use super::{Fields, SUBJECT};
use crate::der::{Node, extensions, oid, put, remove, value};
use crate::differential::chains::Keys;
use crate::differential::judges::HOST;
use crate::differential::random::Random;

pub(super) fn basic_constraints(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let value: &[u8] = random.one_of(&[
        &[0x30, 0x00][..],
        &[0x30, 0x03, 0x01, 0x01, 0xff],
        &[0x30, 0x03, 0x01, 0x01, 0x00],
        &[0x30, 0x03, 0x01, 0x01, 0x01],
        &[0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00],
        &[0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x01],
        &[0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x05],
        &[0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0xff],
        &[0x30, 0x07, 0x01, 0x01, 0xff, 0x02, 0x02, 0x00, 0x00],
        &[0x30, 0x03, 0x02, 0x01, 0x00],
        &[0x30, 0x08, 0x01, 0x01, 0xff, 0x02, 0x03, 0x01, 0x00, 0x00],
        &[],
    ]);
    put(fields, oid::BASIC_CONSTRAINTS, random.below(4) != 0, value);
    format!("{value:02x?}")
}

pub(super) fn key_usage(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let bits = u8::try_from(random.below(256)).unwrap();
    let unused = u8::try_from(bits.trailing_zeros().min(7)).unwrap();
    let value = match random.below(6) {
        0 => vec![0x03, 0x01, 0x00],
        1 => vec![0x03, 0x02, 0x07, 0x00],
        2 => vec![0x04, 0x01, bits],
        _ => vec![0x03, 0x02, unused, bits],
    };
    put(fields, oid::KEY_USAGE, random.flag(), &value);
    format!("{value:02x?}")
}

pub(super) fn extended_key_usage(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    const USAGES: [&[u8]; 5] = [
        &[0x2b, 6, 1, 5, 5, 7, 3, 1],
        &[0x2b, 6, 1, 5, 5, 7, 3, 2],
        &[0x2b, 6, 1, 5, 5, 7, 3, 4],
        &[0x55, 0x1d, 0x25, 0],
        &[0x2a, 3, 4],
    ];
    let count = random.below(3);
    let usages = (0..count).map(|_| Node::octets(0x06, random.one_of(&USAGES))).collect();
    let value = Node::nodes(0x30, usages).write();
    put(fields, oid::EXTENDED_KEY_USAGE, random.flag(), &value);
    format!("{value:02x?}")
}

pub(super) fn subject_alt_name(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let texts: [(u8, &[u8]); 26] = [
        (0x82, HOST.as_bytes()),
        (0x82, b"HOST.EXAMPLE.COM"),
        (0x82, b"*.example.com"),
        (0x82, b"*.com"),
        (0x82, b"h*.example.com"),
        (0x82, b"host.*.com"),
        (0x82, b"*"),
        (0x82, b"host.example.com."),
        (0x82, b".example.com"),
        (0x82, b"host..example.com"),
        (0x82, b"under_score.example.com"),
        (0x82, b"-host.example.com"),
        (0x82, b"host.example.com\0.evil.org"),
        (0x82, b"192.0.2.1"),
        (0x82, b"xn--mnchen-3ya.de"),
        (0x82, "münchen.de".as_bytes()),
        (0x82, b""),
        (0x87, &[192, 0, 2, 1]),
        (0x87, &[192, 0, 2]),
        (0x87, &[0; 16]),
        (0x87, &[192, 0, 2, 0, 255, 255, 255, 0]),
        (0x81, b"user@example.com"),
        (0x81, b"two@ats@example.com"),
        (0x86, b"https://host.example.com/"),
        (0x86, b"no scheme"),
        (0x88, &[0x2a, 3, 4]),
    ];
    let mut names: Vec<Node> = (0..random.below(3))
        .map(|_| random.one_of(&texts))
        .map(|(t, v)| Node::octets(t, v))
        .collect();
    if random.flag() {
        names.push(Node::octets(0x82, HOST));
    }
    let value = Node::nodes(0x30, names).write();
    put(fields, oid::SUBJECT_ALT_NAME, random.below(4) == 0, &value);
    String::from_utf8_lossy(&value).escape_debug().to_string()
}

pub(super) fn authority_key_id(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let good = value(fields, oid::AUTHORITY_KEY_ID);
    let (what, critical, value) = match random.below(4) {
        0 => ("empty", false, vec![0x30, 0x00]),
        1 => ("another", false, [&[0x30, 0x16, 0x80, 0x14][..], &[7; 20]].concat()),
        2 => ("critical", true, good.unwrap_or_else(|| vec![0x30, 0x00])),
        _ => {
            remove(fields, oid::AUTHORITY_KEY_ID);
            return "gone".to_owned();
        }
    };
    put(fields, oid::AUTHORITY_KEY_ID, critical, &value);
    what.to_owned()
}

pub(super) fn subject_key_id(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let good = value(fields, oid::SUBJECT_KEY_ID);
    let (what, critical, value) = match random.below(4) {
        0 => ("empty", false, vec![0x04, 0x00]),
        1 => ("another", false, [&[0x04, 0x14][..], &[7; 20]].concat()),
        2 => ("critical", true, good.unwrap_or_else(|| vec![0x04, 0x01, 0x01])),
        _ => {
            remove(fields, oid::SUBJECT_KEY_ID);
            return "gone".to_owned();
        }
    };
    put(fields, oid::SUBJECT_KEY_ID, critical, &value);
    what.to_owned()
}

pub(super) fn unknown_extension(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let critical = random.flag();
    put(fields, &[0x2b, 6, 1, 4, 1, 0x82, 0xda, 0x4b, 9], critical, &[0x05, 0x00]);
    format!("critical {critical}")
}

pub(super) fn authority_info_access(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    // caIssuers with a DNS name; text instead of DER; no access description.
    let good = [
        &[0x30, 0x1a, 0x30, 0x18, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 0x30, 2, 0x82, 0x0c][..],
        b"192.0.2.1/ca",
    ]
    .concat();
    let value = random.one_of(&[good.as_slice(), b"text", &[0x30, 0x00]]).to_vec();
    let critical = random.below(3) == 0;
    put(fields, &[0x2b, 6, 1, 5, 5, 7, 1, 1], critical, &value);
    format!("critical {critical}, {} octets", value.len())
}

pub(super) fn policies(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let critical = random.flag();
    let (oid, value): (&[u8], &[u8]) = random.one_of(&[
        (oid::POLICIES, &[0x30, 0x06, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03][..]),
        (oid::POLICIES, &[0x30, 0x08, 0x30, 0x06, 0x06, 0x04, 0x55, 0x1d, 0x20, 0x00]),
        (oid::POLICIES, &[0x30, 0x00]),
        (oid::POLICY_CONSTRAINTS, &[0x30, 0x03, 0x80, 0x01, 0x00]),
        (oid::POLICY_CONSTRAINTS, &[0x30, 0x03, 0x80, 0x01, 0x05]),
        (oid::POLICY_CONSTRAINTS, &[0x30, 0x03, 0x81, 0x01, 0x00]),
        (oid::POLICY_CONSTRAINTS, &[0x30, 0x00]),
        (&[0x55, 0x1d, 54], &[0x02, 0x01, 0x00]),
        (
            &[0x55, 0x1d, 33],
            &[0x30, 0x0a, 0x30, 0x08, 0x06, 0x02, 0x2a, 0x03, 0x06, 0x02, 0x2a, 0x04],
        ),
    ]);
    put(fields, oid, critical, value);
    format!("{oid:?} critical {critical} {value:02x?}")
}

pub(super) fn name_constraints(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let directory = Node::nodes(0xa4, vec![fields[SUBJECT].clone()]);
    let bases: Vec<Node> = [
        (0x82, &b"example.com"[..]),
        (0x82, b"host.example.com"),
        (0x82, b".example.com"),
        (0x82, b"*.example.com"),
        (0x82, b"other.org"),
        (0x82, b""),
        (0x87, &[192, 0, 2, 0, 255, 255, 255, 0]),
        (0x87, &[10, 0, 0, 0, 255, 0, 0, 0]),
        (0x87, &[10, 0, 0, 0, 255, 0, 255, 0]),
        (0x87, &[10, 0, 0, 1]),
        (0x81, b"example.com"),
        (0x81, b"two@ats@example.com"),
        (0x86, b"example.com"),
        (0x88, &[0x2a, 3, 4]),
    ]
    .into_iter()
    .map(|(tag, base)| Node::octets(tag, base))
    .chain([directory])
    .collect();
    let mut lists = Vec::new();
    for tag in [0xa0, 0xa1] {
        if random.flag() {
            let mut subtrees = Vec::new();
            for _ in 0..random.below(3) {
                let mut subtree = vec![random.one_of(&bases)];
                if random.below(8) == 0 {
                    subtree.push(Node::octets(random.one_of(&[0x80, 0x81]), [1]));
                }
                subtrees.push(Node::nodes(0x30, subtree));
            }
            lists.push(Node::nodes(tag, subtrees));
        }
    }
    let value = Node::nodes(0x30, lists).write();
    put(fields, oid::NAME_CONSTRAINTS, random.below(4) != 0, &value);
    String::from_utf8_lossy(&value).escape_debug().to_string()
}

pub(super) fn order_of_extensions(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let all = extensions(fields);
    let (one, other) = (random.below(all.len()), random.below(all.len()));
    all.swap(one, other);
    String::new()
}

pub(super) fn extension_twice(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let all = extensions(fields);
    let again = random.one_of(all);
    all.push(again);
    String::new()
}

pub(super) fn extension_gone(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let all = extensions(fields);
    let mut gone = all.remove(random.below(all.len()));
    format!("{:?}", gone.inner()[0].content())
}

pub(super) fn criticality(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let all = extensions(fields);
    let at = random.below(all.len());
    let parts = all[at].inner();
    if parts.len() == 3 {
        parts.remove(1);
    } else {
        parts.insert(1, Node::octets(0x01, [0xff]));
    }
    format!("{:?}", parts[0].content())
}
