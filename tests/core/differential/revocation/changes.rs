//! Changes to every field of a CRL (RFC 5280 section 5), harmful or harmless.

use super::lists::Draft;
use super::{entries, extensions};
use crate::der::Node;
use crate::differential::mutations::TIMES;
use crate::differential::random::Random;

pub(super) type Fields = Vec<Node>;

/// A kind of change to the fields of a CRL. It returns a description.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) name: &'static str,
    make: fn(&mut Fields, &Draft<'_>, &mut Random) -> String,
}

impl Change {
    pub(super) fn apply(
        &self,
        fields: &mut Fields,
        draft: &Draft<'_>,
        random: &mut Random,
    ) -> String {
        (self.make)(fields, draft, random)
    }
}

pub(super) const CHANGES: &[Change] = &[
    Change { name: "version", make: version },
    Change { name: "inner algorithm", make: inner_algorithm },
    Change { name: "issuer", make: issuer },
    Change { name: "issuer", make: issuer },
    Change { name: "time", make: time },
    Change { name: "time", make: time },
    Change { name: "list", make: entries::list },
    Change { name: "entry", make: entries::entry },
    Change { name: "entry", make: entries::entry },
    Change { name: "serial", make: entries::serial },
    Change { name: "serial", make: entries::serial },
    Change { name: "entry extension", make: entries::entry_extension },
    Change { name: "entry extension", make: entries::entry_extension },
    Change { name: "entry extension", make: entries::entry_extension },
    Change { name: "authorityKeyIdentifier", make: extensions::authority_key_id },
    Change { name: "authorityKeyIdentifier", make: extensions::authority_key_id },
    Change { name: "cRLNumber", make: extensions::number },
    Change { name: "issuingDistributionPoint", make: extensions::distribution_point },
    Change { name: "issuingDistributionPoint", make: extensions::distribution_point },
    Change { name: "issuingDistributionPoint", make: extensions::distribution_point },
    Change { name: "other extension", make: extensions::other },
    Change { name: "extensions", make: extensions::form },
];

/// An extension that no verifier knows.
pub(super) const UNKNOWN: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0xda, 0x4b, 9];

/// The position of signature: after the version, if there is one.
pub(super) fn algorithm(fields: &Fields) -> usize {
    usize::from(fields[0].tag == 0x02)
}

fn version(fields: &mut Fields, _: &Draft<'_>, random: &mut Random) -> String {
    let version = random.one_of(&[None, Some(0), Some(2), Some(0x7f), Some(0xff)]);
    if algorithm(fields) == 1 {
        match version {
            Some(version) => *fields[0].content() = vec![version],
            None => drop(fields.remove(0)),
        }
    }
    format!("{version:?}")
}

fn inner_algorithm(fields: &mut Fields, _: &Draft<'_>, random: &mut Random) -> String {
    let at = algorithm(fields);
    if random.flag() {
        fields[at].inner().push(Node::octets(0x05, []));
        return "with NULL".to_owned();
    }
    *fields[at].inner()[0].content().last_mut().unwrap() = 3;
    "SHA-384".to_owned()
}

fn issuer(fields: &mut Fields, _: &Draft<'_>, random: &mut Random) -> String {
    let at = algorithm(fields) + 1;
    let relative = fields[at].inner();
    let Some(first) = relative.first_mut() else { return "empty already".to_owned() };
    let value = &mut first.inner()[0].inner()[1];
    let tag = value.tag;
    let text = value.content().clone();
    let wide = |width: usize| -> Vec<u8> {
        text.iter().flat_map(|octet| [vec![0; width - 1], vec![*octet]].concat()).collect()
    };
    let (what, tag, text) = match random.below(12) {
        0 => ("UTF8String", 0x0c, text.clone()),
        1 => ("TeletexString", 0x14, text.clone()),
        2 => ("BMPString", 0x1e, wide(2)),
        3 => ("UniversalString", 0x1c, wide(4)),
        4 => ("IA5String", 0x16, text.clone()),
        5 => ("VisibleString", 0x1a, text.clone()),
        6 => ("upper case", tag, text.to_ascii_uppercase()),
        7 => ("blanks", tag, [b"  ", text.as_slice(), b" "].concat()),
        8 => ("other", tag, [text.as_slice(), b"x"].concat()),
        9 => ("an OCTET STRING", 0x04, text.clone()),
        10 => {
            let again = relative[0].clone();
            relative.push(again);
            return "longer".to_owned();
        }
        _ => {
            relative.clear();
            return "empty".to_owned();
        }
    };
    *value = Node::octets(tag, text);
    what.to_owned()
}

fn time(fields: &mut Fields, _: &Draft<'_>, random: &mut Random) -> String {
    /// Values that are not times.
    const OTHERS: &[(u8, &str)] = &[(0x04, "270102120000Z"), (0x97, "270102120000Z")];
    let this_update = algorithm(fields) + 2;
    let there = fields.get(this_update + 1).is_some_and(|next| matches!(next.tag, 0x17 | 0x18));
    if there && random.below(6) == 0 {
        fields.remove(this_update + 1);
        return "nextUpdate gone".to_owned();
    }
    let which = usize::from(there && random.below(3) > 0);
    let (tag, text) = random.one_of(&[TIMES, OTHERS].concat());
    fields[this_update + which] = Node::octets(tag, text);
    format!("{} {tag:#x} {text}", ["thisUpdate", "nextUpdate"][which])
}
