//! Name constraints of every kind, in every form.

use super::{Fields, critical, put, subject_alt_names, tlv};
use crate::differential::go::chains::Pool;
use crate::differential::random::Random;

const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];

pub(super) const DOMAINS: &[&str] = &[
    "example.com",
    "EXAMPLE.com",
    "host.example.com",
    "a.host.example.com",
    ".example.com",
    "*.example.com",
    "com",
    "other.org",
    "ost.example.com",
    "localhost",
    "td.example.com",
    "exa_mple.com",
    "-example.com",
    "192.0.2.1",
    "192.0.2.0/24",
    "[::1]",
    "example.com:80",
    "https://host.example.com",
    "user@example.com",
    "\"a b\"@example.com",
    "user@",
    "@example.com",
    "",
    ".",
    "..example.com",
    "example..com",
    "example.com.",
    ".example.com.",
    "exa mple.com",
    "example.com\0",
    "exämple.com",
    "*",
];

const NETWORKS: &[&[u8]] = &[
    &[192, 0, 2, 0, 255, 255, 255, 0],
    &[192, 0, 2, 1, 255, 255, 255, 255],
    &[192, 0, 2, 1, 255, 255, 255, 0],
    &[10, 0, 0, 0, 255, 0, 0, 0],
    &[0; 8],
    &[10, 0, 0, 0, 255, 0, 255, 0],
    &[10, 0, 0, 1],
    &[10, 0, 0, 0, 255, 0, 0, 0, 255],
    &[0; 32],
    &[
        0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0,
    ],
    &[
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 0, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 0,
    ],
    &[],
];

/// A constraint of any kind.
fn base(random: &mut Random) -> Vec<u8> {
    match random.below(14) {
        0..4 => tlv(0x82, random.one_of(DOMAINS).as_bytes()),
        4..6 => tlv(0x81, random.one_of(DOMAINS).as_bytes()),
        6..8 => tlv(0x86, random.one_of(DOMAINS).as_bytes()),
        8..10 => tlv(0x87, random.one_of(NETWORKS)),
        10 => tlv(0x82, random.one_of(subject_alt_names::DNS).as_bytes()),
        11 => {
            let name = |text: &[u8]| {
                tlv(
                    0x30,
                    &tlv(0x31, &tlv(0x30, &[tlv(0x06, &[0x55, 4, 3]), tlv(0x13, text)].concat())),
                )
            };
            random.one_of(&[
                tlv(0xa4, &name(b"host")),
                tlv(0xa4, &name(b"other")),
                tlv(0xa4, &tlv(0x30, &[])),
            ])
        }
        12 => random.one_of(&[
            tlv(0x88, &[0x2a, 3]),
            tlv(0xa0, &[tlv(0x06, &[0x2a, 3]), tlv(0xa0, &tlv(0x0c, b"x"))].concat()),
            tlv(0xa3, &tlv(0x30, &[])),
            tlv(0xa5, &tlv(0xa1, &tlv(0x0c, b"x"))),
            tlv(0x89, b"x"),
        ]),
        _ => tlv(random.one_of(&[0xa2, 0xa7, 0x16, 0x42]), b"example.com"),
    }
}

fn subtree(random: &mut Random) -> Vec<u8> {
    let mut subtree = base(random);
    match random.below(24) {
        0 => subtree.extend(tlv(0x80, &[0])),
        1 => subtree.extend(tlv(0x80, &[1])),
        2 => subtree.extend(tlv(0x81, &[9])),
        _ => {}
    }
    tlv(0x30, &subtree)
}

pub(crate) fn random(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let mut lists = Vec::new();
    for tag in [0xa0, 0xa1] {
        if random.flag() {
            let subtrees: Vec<u8> = (0..=random.below(2)).flat_map(|_| subtree(random)).collect();
            lists.extend(tlv(tag, &subtrees));
        }
    }
    if lists.is_empty() {
        lists = tlv(0xa0, &tlv(0x30, &tlv(0x82, b"example.com")));
    }
    write(fields, &tlv(0x30, &lists), random)
}

/// Something other than a list of subtrees, or something beside it.
pub(super) fn shape(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let good = tlv(0x30, &tlv(0x82, b"example.com"));
    let value = match random.below(12) {
        0 => tlv(0x30, &[]),
        1 => tlv(0x30, &tlv(0xa0, &[])),
        2 => tlv(0x30, &[tlv(0xa0, &[]), tlv(0xa1, &[])].concat()),
        3 => tlv(0x30, &[tlv(0xa1, &good), tlv(0xa0, &good)].concat()),
        4 => tlv(0x30, &[tlv(0xa0, &good), tlv(0xa0, &good)].concat()),
        5 => tlv(0x30, &[tlv(0xa0, &good), tlv(0xa2, &good)].concat()),
        6 => tlv(0x30, &tlv(0x80, &good)),
        7 => [tlv(0x30, &tlv(0xa1, &good)), vec![5, 0]].concat(),
        8 => tlv(0x31, &tlv(0xa0, &good)),
        9 => tlv(0x30, &tlv(0xa0, &tlv(0x31, &tlv(0x82, b"example.com")))),
        10 => tlv(0x30, &tlv(0xa0, &tlv(0x30, &[]))),
        _ => tlv(0x30, &tlv(0xa0, b"\x30\x81\x0d\x82\x0bexample.com")),
    };
    write(fields, &value, random)
}

fn write(fields: &mut Fields, value: &[u8], random: &mut Random) -> String {
    put(fields, NAME_CONSTRAINTS, critical(random), value);
    value.escape_ascii().to_string()
}
