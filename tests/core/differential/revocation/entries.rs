//! Changes to the list of a CRL and its entries (RFC 5280 sections 5.1.2.6 and 5.3).

use super::changes::{Fields, UNKNOWN, algorithm};
use super::lists::Draft;
use crate::der::Node;
use crate::differential::random::Random;

/// `SEQUENCE { OID, BOOLEAN DEFAULT FALSE, OCTET STRING }`
fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Node {
    let mut parts = vec![Node::octets(0x06, oid)];
    if critical {
        parts.push(Node::octets(0x01, [0xff]));
    }
    parts.push(Node::octets(0x04, value));
    Node::nodes(0x30, parts)
}

/// The position of revokedCertificates.
fn entries(fields: &Fields) -> Option<usize> {
    (algorithm(fields) + 2..fields.len()).find(|place| fields[*place].tag == 0x30)
}

/// One of the entries, most often that of the subject.
fn one_entry<'f>(
    fields: &'f mut Fields,
    draft: &Draft<'_>,
    random: &mut Random,
) -> Option<(&'static str, &'f mut Vec<Node>)> {
    let place = entries(fields)?;
    let all = fields[place].inner();
    let wanted = Node::octets(0x02, draft.subject.serial.as_bytes());
    let own = all.iter_mut().position(|entry| entry.inner().first() == Some(&wanted));
    let (whose, at) = match own {
        Some(at) if random.below(3) > 0 => ("of the subject", at),
        _ if all.is_empty() => return None,
        _ => ("of one", random.below(all.len())),
    };
    Some((whose, all[at].inner()))
}

pub(super) fn list(fields: &mut Fields, draft: &Draft<'_>, random: &mut Random) -> String {
    let Some(place) = entries(fields) else { return "gone already".to_owned() };
    let what = match random.below(7) {
        0 => {
            fields[place].inner().reverse();
            "in the other order"
        }
        1 => {
            let all = fields[place].inner();
            all.extend(all.clone());
            "twice"
        }
        2 => {
            fields[place].inner().clear();
            "empty"
        }
        3 => {
            fields.remove(place);
            "gone"
        }
        4 => {
            let all = fields.remove(place);
            fields.push(all);
            "behind the extensions"
        }
        5 => {
            fields[place].tag = 0x31;
            "a SET"
        }
        _ => {
            let serial = draft.subject.serial.as_bytes();
            let entry = [Node::octets(0x02, serial), Node::octets(0x17, "270101100000Z")].to_vec();
            fields.insert(place + 1, Node::nodes(0x30, vec![Node::nodes(0x30, entry)]));
            "and a second that has the subject"
        }
    };
    what.to_owned()
}

pub(super) fn entry(fields: &mut Fields, draft: &Draft<'_>, random: &mut Random) -> String {
    let Some((whose, parts)) = one_entry(fields, draft, random) else {
        return "of none".to_owned();
    };
    if parts.len() < 2 {
        return "cut already".to_owned();
    }
    let time = |text: &str| Node::octets(0x17, text);
    match random.below(9) {
        0 => parts.truncate(1),
        1 => parts[1] = Node::octets(0x18, "20270101100000Z"),
        2 => parts[1] = time("2701011000Z"),
        3 => parts[1] = time("991301000000Z"),
        4 => parts[1] = time("300101000000Z"),
        5 => parts[1] = Node::octets(0x18, "20510101120000Z"),
        6 => parts.push(Node::octets(0x05, [])),
        7 => parts.push(time("270101100000Z")),
        _ => parts.swap(0, 1),
    }
    format!("{whose}: {:02x?}", parts.get(1).map(Node::write))
}

pub(super) fn serial(fields: &mut Fields, draft: &Draft<'_>, random: &mut Random) -> String {
    let Some((whose, parts)) = one_entry(fields, draft, random) else {
        return "of none".to_owned();
    };
    let Some(number) = parts.iter_mut().find(|part| part.tag == 0x02) else {
        return "changed already".to_owned();
    };
    let good = number.content().clone();
    let (what, tag, octets) = match random.below(9) {
        0 => ("with a leading zero", 0x02, [&[0], good.as_slice()].concat()),
        1 => ("with many leading zeros", 0x02, [&[0; 30], good.as_slice()].concat()),
        2 => ("negative", 0x02, [&[0xff], good.as_slice()].concat()),
        3 => ("negative by its first bit", 0x02, {
            let mut octets = good.clone();
            octets.iter_mut().take(1).for_each(|octet| *octet |= 0x80);
            octets
        }),
        4 => ("too long", 0x02, [&[1; 21], good.as_slice()].concat()),
        5 => ("empty", 0x02, Vec::new()),
        6 => ("ENUMERATED", 0x0a, good),
        7 => ("[2]", 0x82, good),
        _ => ("zero", 0x02, vec![0]),
    };
    *number = Node::octets(tag, octets);
    format!("{whose} {what}")
}

/// `GeneralNames` with the name of a CA.
fn certificate_issuer(name: &[u8]) -> Vec<u8> {
    Node::nodes(0x30, vec![Node::nodes(0xa4, vec![Node::read(name)])]).write()
}

pub(super) fn entry_extension(
    fields: &mut Fields,
    draft: &Draft<'_>,
    random: &mut Random,
) -> String {
    const REASON: &[u8] = &[0x55, 0x1d, 21];
    let Some((whose, parts)) = one_entry(fields, draft, random) else {
        return "of none".to_owned();
    };
    let critical = random.flag();
    let reason = |code: u8| extension(REASON, critical, &[0x0a, 0x01, code]);
    let date = |value: &[u8]| extension(&[0x55, 0x1d, 24], critical, value);
    let of = |name: &[u8]| extension(&[0x55, 0x1d, 29], critical, &certificate_issuer(name));
    let code = u8::try_from(random.below(12)).unwrap();
    let (what, value) = match random.below(12) {
        0 | 1 => (format!("reasonCode {code}"), vec![reason(code)]),
        2 => ("reasonCode removeFromCRL".to_owned(), vec![reason(8)]),
        3 => ("reasonCode unreadable".to_owned(), vec![extension(REASON, critical, &[0x05, 0])]),
        4 => (
            "invalidityDate".to_owned(),
            vec![date(&[&[0x18, 15][..], b"20261231120000Z"].concat())],
        ),
        5 => ("invalidityDate unreadable".to_owned(), vec![date(b"text")]),
        6 => ("certificateIssuer this CA".to_owned(), vec![of(draft.ca.subject.der())]),
        7 => ("certificateIssuer another".to_owned(), vec![of(draft.subject.subject.der())]),
        8 => ("unknown".to_owned(), vec![extension(UNKNOWN, critical, &[0x05, 0])]),
        9 => ("reasonCode twice".to_owned(), vec![reason(1), reason(8)]),
        10 => ("none in a list".to_owned(), Vec::new()),
        _ => {
            // Values that a parser may treat as absent.
            let mut unknown = extension(UNKNOWN, true, &[0x05, 0]);
            let what = match random.below(4) {
                0 => {
                    *unknown.inner()[1].content() = vec![1];
                    "unknown, its TRUE not in DER"
                }
                1 => {
                    *unknown.inner()[1].content() = vec![0xff, 0xff];
                    "unknown, its BOOLEAN of two octets"
                }
                2 => {
                    unknown.inner().swap(1, 2);
                    "unknown, critical behind its value"
                }
                _ => {
                    unknown.inner()[2].tag = 0x0c;
                    "unknown, its value a string"
                }
            };
            (what.to_owned(), vec![unknown])
        }
    };
    let tag = random.one_of(&[0x30, 0x30, 0x30, 0x30, 0x31, 0xa0]);
    parts.push(Node::nodes(tag, value));
    format!("{whose}: {what}, critical {critical}, in {tag:#x}")
}
