//! The other extensions.

use super::{Fields, OIDS, critical, put, remove, tlv};
use crate::differential::go::chains::Pool;
use crate::differential::random::Random;

pub(super) fn key_usage(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let bits = u8::try_from(random.below(256)).unwrap();
    let unused = u8::try_from(bits.trailing_zeros().min(7)).unwrap();
    let value = match random.below(12) {
        0 => vec![3, 1, 0],
        1 => vec![3, 2, 7, 0],
        2 => vec![3, 2, 0, bits],
        3 => vec![3, 2, 8, bits],
        4 => vec![3, 0],
        5 => vec![4, 1, bits],
        6 => vec![3, 3, 7, bits, 0x80],
        7 => vec![3, 4, 0, bits, 0x80, 1],
        8 => vec![3, 2, unused, bits, 5, 0],
        9 => vec![3, 0x81, 2, unused, bits],
        10 => {
            remove(fields, &[0x55, 0x1d, 15]);
            return "gone".to_owned();
        }
        _ => vec![3, 2, unused, bits],
    };
    put(fields, &[0x55, 0x1d, 15], critical(random), &value);
    format!("{value:02x?}")
}

pub(super) fn basic_constraints(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let ca: &[u8] = &[1, 1, 0xff];
    let values: [Vec<u8>; 20] = [
        tlv(0x30, &[]),
        tlv(0x30, ca),
        tlv(0x30, &[1, 1, 0]),
        tlv(0x30, &[1, 1, 1]),
        tlv(0x30, &[1, 2, 0xff, 0xff]),
        tlv(0x30, &[1, 0]),
        tlv(0x30, &[ca, &[2, 1, 0]].concat()),
        tlv(0x30, &[ca, &[2, 1, 0]].concat()),
        tlv(0x30, &[ca, &[2, 1, 1]].concat()),
        tlv(0x30, &[ca, &[2, 1, 0x7f]].concat()),
        tlv(0x30, &[ca, &[2, 1, 0xff]].concat()),
        tlv(0x30, &[ca, &[2, 2, 0, 0]].concat()),
        tlv(0x30, &[ca, &[2, 0]].concat()),
        tlv(0x30, &[ca, &[2, 4, 1, 0, 0, 0]].concat()),
        tlv(0x30, &[ca, &[2, 8, 0x7f, 255, 255, 255, 255, 255, 255, 255]].concat()),
        tlv(0x30, &[ca, &[2, 9, 0, 255, 255, 255, 255, 255, 255, 255, 255]].concat()),
        tlv(0x30, &[ca, &[0x0a, 1, 0]].concat()),
        tlv(0x30, &[ca, &[2, 1, 0, 5, 0]].concat()),
        tlv(0x30, &[2, 1, 0]),
        [tlv(0x30, ca), vec![5, 0]].concat(),
    ];
    if random.below(10) == 0 {
        remove(fields, &[0x55, 0x1d, 19]);
        return "gone".to_owned();
    }
    let value = random.one_of(&values);
    put(fields, &[0x55, 0x1d, 19], critical(random), &value);
    format!("{value:02x?}")
}

pub(super) fn extended_key_usage(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let usages: [&[u8]; 9] = [
        &[0x2b, 6, 1, 5, 5, 7, 3, 1],
        &[0x2b, 6, 1, 5, 5, 7, 3, 2],
        &[0x2b, 6, 1, 5, 5, 7, 3, 1],
        &[0x2b, 6, 1, 5, 5, 7, 3, 2],
        &[0x2b, 6, 1, 5, 5, 7, 3, 4],
        // The server-gated cryptography of Netscape and of Microsoft.
        &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1],
        &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3],
        &[0x55, 0x1d, 0x25, 0],
        &[0x2a, 3, 4],
    ];
    let mut oids: Vec<u8> =
        (0..random.below(4)).flat_map(|_| tlv(0x06, random.one_of(&usages))).collect();
    match random.below(6) {
        0 => oids.extend(tlv(0x06, random.one_of(&OIDS))),
        1 => oids.extend(tlv(random.one_of(&[0x02, 0x0d, 0x30]), &[1])),
        _ => {}
    }
    let value = tlv(random.one_of(&[0x30, 0x30, 0x30, 0x30, 0x31]), &oids);
    put(fields, &[0x55, 0x1d, 37], critical(random), &value);
    format!("{value:02x?}")
}

pub(super) fn key_identifiers(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let which = random.one_of(&[14, 35]);
    if random.below(6) == 0 {
        remove(fields, &[0x55, 0x1d, which]);
        return format!("{which} gone");
    }
    let values: [Vec<u8>; 14] = [
        tlv(0x30, &tlv(0x80, &[7; 20])),
        tlv(0x30, &tlv(0xa0, &tlv(0x04, &[7; 20]))),
        tlv(0x30, &[]),
        tlv(0x30, &tlv(0x82, &[7])),
        tlv(0x30, &[tlv(0xa1, &tlv(0x82, b"x")), tlv(0x82, &[1])].concat()),
        tlv(0x30, b"\x80\x81\x02\x07\x07"),
        tlv(0x30, b"\x80\x05\x07"),
        tlv(0x31, &tlv(0x80, &[7; 20])),
        tlv(0x04, &[7; 20]),
        tlv(0x04, &[]),
        tlv(0x04, &[7; 300]),
        [tlv(0x04, &[7]), vec![5, 0]].concat(),
        vec![4, 0x81, 1, 7],
        tlv(0x24, &tlv(0x04, &[7])),
    ];
    let value = random.one_of(&values);
    put(fields, &[0x55, 0x1d, which], critical(random), &value);
    format!("{which} {value:02x?}")
}

const POLICY_OIDS: [&[u8]; 4] = [&[0x2a, 3], &[0x2a, 4], &[0x55, 0x1d, 0x20, 0], &[0x2a, 3]];

pub(super) fn policies(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let mut policies = Vec::new();
    for _ in 0..random.below(3) {
        let oid =
            if random.below(5) == 0 { random.one_of(&OIDS) } else { random.one_of(&POLICY_OIDS) };
        let mut policy = tlv(0x06, oid);
        if random.below(4) == 0 {
            let cps = [tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 2, 1]), tlv(0x16, b"https://x/")].concat();
            policy.extend(tlv(0x30, &tlv(0x30, &cps)));
        }
        policies.extend(tlv(random.one_of(&[0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x31]), &policy));
    }
    let value = tlv(0x30, &policies);
    put(fields, &[0x55, 0x1d, 32], critical(random), &value);
    format!("{value:02x?}")
}

pub(super) fn policy_demands(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let pair = |from: &[u8], to: &[u8]| tlv(0x30, &[tlv(0x06, from), tlv(0x06, to)].concat());
    let any: &[u8] = &[0x55, 0x1d, 0x20, 0];
    let values: [(u8, Vec<u8>); 22] = [
        (36, tlv(0x30, &[0x80, 1, 0])),
        (36, tlv(0x30, &[0x80, 1, 0])),
        (36, tlv(0x30, &[0x80, 1, 1])),
        (36, tlv(0x30, &[0x80, 1, 5])),
        (36, tlv(0x30, &[0x80, 1, 0xff])),
        (36, tlv(0x30, &[0x81, 1, 0])),
        (36, tlv(0x30, &[0x80, 1, 0, 0x81, 1, 0])),
        (36, tlv(0x30, &[0x81, 1, 0, 0x80, 1, 0])),
        (36, tlv(0x30, &[0x80, 2, 0, 0])),
        (36, tlv(0x30, &[0x80, 0])),
        (36, tlv(0x30, &[0xa0, 3, 2, 1, 0])),
        (36, tlv(0x30, &[0x80, 9, 0, 255, 255, 255, 255, 255, 255, 255, 255])),
        (36, tlv(0x30, &[])),
        (33, tlv(0x30, &pair(&[0x2a, 3], &[0x2a, 4]))),
        (33, tlv(0x30, &pair(any, &[0x2a, 4]))),
        (33, tlv(0x30, &pair(&[0x2a, 3], any))),
        (33, tlv(0x30, &pair(&[0x2a, 3], &[]))),
        (33, tlv(0x30, &[])),
        (54, vec![2, 1, 0]),
        (54, vec![2, 1, 1]),
        (54, vec![2, 2, 0, 0]),
        (54, vec![2, 1, 0xff]),
    ];
    let (which, value) = random.one_of(&values);
    put(fields, &[0x55, 0x1d, which], critical(random), &value);
    format!("{which} {value:02x?}")
}

pub(super) fn distribution_points(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let uri = tlv(0x86, b"http://x/crl");
    let names = |names: &[u8]| tlv(0xa0, &tlv(0xa0, names));
    let relative = tlv(0x30, &[tlv(0x06, &[0x55, 4, 3]), tlv(0x0c, b"x")].concat());
    let points: [Vec<u8>; 14] = [
        names(&uri),
        names(&[uri.clone(), uri.clone()].concat()),
        names(&tlv(0xa4, &tlv(0x30, &[]))),
        names(&[]),
        names(b"\x86\x81\x03htt"),
        names(b"\x86\x09htt"),
        tlv(0xa0, &tlv(0xa1, &relative)),
        tlv(0xa0, &[]),
        tlv(0x80, &uri),
        tlv(0x81, &[1, 2]),
        [names(&uri), tlv(0x81, &[1, 2])].concat(),
        [names(&uri), tlv(0xa2, &tlv(0xa4, &tlv(0x30, &[])))].concat(),
        tlv(0xa2, &tlv(0xa4, &tlv(0x30, &[]))),
        vec![],
    ];
    let point = random.one_of(&points);
    let which = random.one_of(&[31, 31, 31, 46]);
    let value = match random.below(12) {
        0 => tlv(0x31, &tlv(0x30, &point)),
        1 => tlv(0x30, &tlv(0x31, &point)),
        2 => tlv(0x30, &[]),
        _ => tlv(0x30, &tlv(0x30, &point)),
    };
    put(fields, &[0x55, 0x1d, which], critical(random), &value);
    format!("{which} {value:02x?}")
}

pub(super) fn access(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let methods: [&[u8]; 3] =
        [&[0x2b, 6, 1, 5, 5, 7, 0x30, 1], &[0x2b, 6, 1, 5, 5, 7, 0x30, 2], &[0x2a, 3]];
    let method = if random.below(4) == 0 { random.one_of(&OIDS) } else { random.one_of(&methods) };
    let locations: [Vec<u8>; 8] = [
        tlv(0x86, b"http://x/"),
        tlv(0x86, b"\xff"),
        tlv(0x82, b"x"),
        tlv(0xa4, &tlv(0x30, &[])),
        b"\x86\x81\x02hi".to_vec(),
        b"\x86\x09hi".to_vec(),
        vec![],
        tlv(0xa6, &tlv(0x16, b"x")),
    ];
    let location = random.one_of(&locations);
    let description =
        [tlv(random.one_of(&[0x06, 0x06, 0x06, 0x06, 0x0c]), method), location].concat();
    let value = match random.below(12) {
        0 => tlv(0x31, &tlv(0x30, &description)),
        1 => tlv(0x30, &tlv(0x31, &description)),
        2 => tlv(0x30, &[]),
        3 => b"text".to_vec(),
        _ => tlv(0x30, &tlv(0x30, &description)),
    };
    let which = random.one_of(&[1, 1, 1, 11]);
    put(fields, &[0x2b, 6, 1, 5, 5, 7, 1, which], critical(random), &value);
    format!("{which} {value:02x?}")
}

pub(super) fn unknown(fields: &mut Fields, _: &Pool, random: &mut Random) -> String {
    let known: [&[u8]; 8] = [
        &[0x55, 0x1d, 99],
        &[0x55, 0x1d, 16],
        &[0x55, 0x1d, 18],
        &[0x55, 0x1d, 9],
        &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 13],
        &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 1],
        &[0x2b, 6, 1, 5, 5, 7, 1, 24],
        &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2],
    ];
    let oid = if random.flag() { random.one_of(&known) } else { random.one_of(&OIDS) };
    let values: [&[u8]; 6] =
        [&[5, 0], &[], b"text", &[3, 2, 5, 0xa0], &[0x30, 0x80, 0, 0], &[0x30, 3, 2, 1, 5]];
    let value = random.one_of(&values);
    put(fields, oid, critical(random), value);
    format!("{oid:02x?} {value:02x?}")
}
