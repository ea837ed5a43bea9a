//! Certificate policies along a whole path: which policies, mapped to what, and who demands one.

use std::fmt::Write as _;

use pki_core::Purpose;

use super::chains::{Case, Line, Pool};
use super::kinds::{Fields, put, tlv};
use crate::differential::random::Random;
use crate::lab::NOW;

const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0];
const OIDS: [&[u8]; 4] = [&[0x2a, 3], &[0x2a, 4], &[0x2a, 5], ANY];

/// Every certificate of a path has policies, and some demand or map them.
pub(crate) fn along_a_path(pool: &Pool, random: &mut Random) -> Case {
    let count = 2 + random.below(4);
    let mut line = Line::new(pool.usual[..count].iter().collect());
    let mut story = String::new();
    for place in 0..count {
        let mut certificate = line.next();
        let fields = certificate.inner()[0].inner();
        let _ = write!(story, "{place}:{}; ", add(fields, place + 1 == count, random));
        if let Some(name) = line.subject().filter(|_| place + 1 < count && random.below(4) == 0) {
            let at = super::kinds::serial_at(fields) + 4;
            fields[at] = name;
            story += "self-issued; ";
        }
        line.push(certificate);
    }
    let purpose = random.one_of(&[Purpose::Peer, Purpose::Client, Purpose::Any]);
    line.case(purpose, story, NOW)
}

fn add(fields: &mut Fields, is_leaf: bool, random: &mut Random) -> String {
    let mut story = String::new();
    if random.below(5) != 0 {
        let mut oids: Vec<&[u8]> = Vec::new();
        for _ in 0..=random.below(3) {
            let oid = random.one_of(&OIDS);
            if !oids.contains(&oid) {
                oids.push(oid);
            }
        }
        let policies: Vec<u8> = oids.iter().flat_map(|oid| tlv(0x30, &tlv(0x06, oid))).collect();
        put(fields, &[0x55, 0x1d, 32], &[], &tlv(0x30, &policies));
        let _ = write!(story, " policies {oids:?}");
    }
    if !is_leaf && random.below(3) == 0 {
        let (from, to) = (random.one_of(&OIDS), random.one_of(&OIDS));
        let pair = tlv(0x30, &[tlv(0x06, from), tlv(0x06, to)].concat());
        put(fields, &[0x55, 0x1d, 33], &[], &tlv(0x30, &pair));
        let _ = write!(story, " {from:?} is {to:?}");
    }
    let number = |random: &mut Random| u8::try_from(random.below(4)).unwrap();
    if random.below(3) == 0 {
        let mut demands = Vec::new();
        if random.below(4) != 0 {
            demands.extend([0x80, 1, number(random)]);
        }
        if random.flag() {
            demands.extend([0x81, 1, number(random)]);
        }
        put(fields, &[0x55, 0x1d, 36], &[], &tlv(0x30, &demands));
        let _ = write!(story, " demands {demands:?}");
    }
    if random.below(4) == 0 {
        let skipped = number(random);
        put(fields, &[0x55, 0x1d, 54], &[], &[2, 1, skipped]);
        let _ = write!(story, " no anyPolicy after {skipped}");
    }
    story
}
