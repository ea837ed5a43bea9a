//! Chains that are put together in ways that no field shows: several certificates of one CA, names
//! against constraints, hosts against names, path lengths, and moments against validities.

use std::fmt::Write as _;

use pki_core::{PrivateKey, Purpose};
use rcgen::CertificateParams;
use time::{Duration, OffsetDateTime};

use super::chains::{Case, Line, Pool, leaf, pkcs8};
use super::judge::Question;
use super::kinds::{Fields, constraints, put, remove, serial_at, subject_alt_names, tlv};
use super::tree;
use crate::der::Node;
use crate::differential::judges::HOST;
use crate::differential::random::Random;
use crate::foreign::{ca_params, self_signed, signed};
use crate::lab::NOW;

/// What can be wrong with a CA, and a change that makes it so.
struct Defect(&'static str, fn(&mut Fields));

/// Another certificate of the CA must be taken then.
const DEFECTS: [Defect; 20] = [
    Defect("nothing", |_| {}),
    Defect("nothing", |_| {}),
    Defect("nothing", |_| {}),
    Defect("expired", |fields| validity(fields, 1, "260101000000Z")),
    Defect("not yet valid", |fields| validity(fields, 0, "280101000000Z")),
    Defect("no CA", |fields| put(fields, BASIC_CONSTRAINTS, &[0xff], &tlv(0x30, &[]))),
    Defect("no basicConstraints", |fields| remove(fields, BASIC_CONSTRAINTS)),
    Defect("path length 0", |fields| {
        put(fields, BASIC_CONSTRAINTS, &[0xff], &[0x30, 6, 1, 1, 0xff, 2, 1, 0]);
    }),
    Defect("no keyCertSign", |fields| put(fields, KEY_USAGE, &[0xff], &[3, 2, 1, 2])),
    Defect("no keyUsage", |fields| remove(fields, KEY_USAGE)),
    Defect("for code signing", |fields| {
        put(fields, USAGES, &[], &tlv(0x30, &tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 3, 3])));
    }),
    Defect("for servers", |fields| {
        put(fields, USAGES, &[], &tlv(0x30, &tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 3, 1])));
    }),
    Defect("excludes the host", |fields| constrain(fields, 0xa1, b"host.example.com")),
    Defect("permits others", |fields| constrain(fields, 0xa0, b"other.org")),
    Defect("permits the host", |fields| constrain(fields, 0xa0, b"example.com")),
    Defect("unknown and critical", |fields| put(fields, &[0x2a, 3, 4], &[0xff], &[5, 0])),
    Defect("of version 1", |fields| version(fields, None)),
    Defect("of version 1, written out", |fields| version(fields, Some(0))),
    Defect("of version 2", |fields| version(fields, Some(1))),
    Defect("names of its own", |fields| {
        put(fields, &[0x55, 0x1d, 17], &[], &tlv(0x30, &tlv(0x82, b"ca.example.com")));
    }),
];

const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const USAGES: &[u8] = &[0x55, 0x1d, 37];

fn validity(fields: &mut Fields, which: usize, text: &str) {
    let at = serial_at(fields) + 3;
    fields[at].inner()[which] = Node::octets(0x17, text);
}

/// An older version, which has no extensions.
fn version(fields: &mut Fields, number: Option<u8>) {
    fields.retain(|field| !matches!(field.tag, 0xa0 | 0xa3));
    let written = number.map(|number| Node::nodes(0xa0, vec![Node::octets(0x02, [number])]));
    fields.splice(0..0, written);
}

fn constrain(fields: &mut Fields, tag: u8, domain: &[u8]) {
    let subtrees = tlv(tag, &tlv(0x30, &tlv(0x82, domain)));
    put(fields, &[0x55, 0x1d, 30], &[0xff], &tlv(0x30, &subtrees));
}

/// A name and a key in a place of the path.
struct Authority<'a> {
    name: String,
    key: &'a PrivateKey,
}

/// Several roots and several certificates of each CA, most with a defect.
pub(crate) fn web(pool: &Pool, random: &mut Random) -> Case {
    let mut story = String::new();
    let cas = random.below(3);
    let authorities: Vec<Authority<'_>> = (0..=cas)
        .map(|place| Authority { name: format!("ca {place}"), key: &pool.usual[place] })
        .collect();
    let mut layers: Vec<Vec<Vec<u8>>> = Vec::new();
    for (place, authority) in authorities.iter().enumerate() {
        let mut layer = Vec::new();
        for _ in 0..=random.below(3) {
            // Sometimes by a key that nobody knows under this name, or signed by itself.
            let stranger = random.below(8) == 0;
            let key = if stranger { &pool.usual[5] } else { authority.key };
            let issuer = match place {
                0 => authority,
                _ if random.below(8) == 0 => authority,
                _ => &authorities[place - 1],
            };
            let issuer_key = if place == 0 { key } else { issuer.key };
            let Defect(defect, plant) = DEFECTS[random.below(DEFECTS.len())];
            let _ = write!(
                story,
                "{place}: {defect}{}; ",
                if stranger { " of a stranger" } else { "" }
            );
            let params = ca_params(&authority.name, key);
            layer.push(certify(&params, key, &issuer.name, issuer_key, plant));
        }
        layers.push(layer);
    }
    let last = &authorities[cas];
    let key = &pool.usual[4];
    let leaf = certify(&leaf(key), key, &last.name, last.key, |_| {});
    let mut roots = layers.remove(0);
    let mut intermediates: Vec<Vec<u8>> = layers.into_iter().flatten().collect();
    match random.below(8) {
        0 => intermediates.extend(roots.clone()),
        1 => roots.extend(intermediates.last().cloned()),
        2 => intermediates.reverse(),
        // A leaf that is trusted itself is another question.
        3 => roots.extend(intermediates.first().cloned()),
        _ => {}
    }
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer, Purpose::Any]);
    let host = matches!(purpose, Purpose::Server).then(|| HOST.to_owned());
    let question = Question { leaf, intermediates, roots, host, purpose, at: NOW };
    Case { question, story, key: pkcs8(key), has_one_path: false }
}

pub(crate) fn certify(
    params: &CertificateParams,
    key: &PrivateKey,
    issuer: &str,
    issuer_key: &PrivateKey,
    plant: impl Fn(&mut Fields),
) -> Vec<u8> {
    let issuer = self_signed(&ca_params(issuer, issuer_key), issuer_key);
    let mut params = params.clone();
    params.use_authority_key_identifier_extension = true;
    let mut certificate = Node::read(signed(&params, key, &issuer, issuer_key).der());
    plant(certificate.inner()[0].inner());
    tree::sign(&certificate, issuer_key)
}

/// A chain of usual keys whose certificates, root first, are changed.
fn straight(
    pool: &Pool,
    count: usize,
    purpose: Purpose,
    mut change: impl FnMut(usize, &mut Fields),
) -> Case {
    let mut line = Line::new(pool.usual[..count].iter().collect());
    for place in 0..count {
        let mut certificate = line.next();
        change(place, certificate.inner()[0].inner());
        line.push(certificate);
    }
    line.case(purpose, String::new(), NOW)
}

/// Names of a leaf, and sometimes of a CA, below constraints of one or two CAs.
pub(crate) fn names_below_constraints(pool: &Pool, random: &mut Random) -> Case {
    let mut story = String::new();
    let count = 2 + random.below(2);
    let purpose = random.one_of(&[Purpose::Client, Purpose::Any]);
    let mut case = straight(pool, count, purpose, |place, fields| {
        if place + 1 < count {
            let _ = write!(story, "{place}: {}; ", constraints::random(fields, pool, random));
        }
        if place + 1 == count || random.below(4) == 0 {
            let _ = write!(story, "{place}: {}; ", subject_alt_names::names(fields, pool, random));
        }
    });
    case.story = story;
    case
}

/// Hosts that are dialled, against names.
pub(crate) fn hosts(pool: &Pool, random: &mut Random) -> Case {
    const HOSTS: [&str; 34] = [
        HOST,
        "HOST.example.COM",
        "host.example.com.",
        "a.host.example.com",
        "example.com",
        "other.example.com",
        "_host.example.com",
        "under_score.example.com",
        "-host.example.com",
        "host-.example.com",
        "localhost",
        "a",
        "1",
        "com",
        "*.example.com",
        "xn--mnchen-3ya.de",
        "192.0.2.1",
        "10.0.0.1",
        "0.0.0.0",
        "2001:db8::1",
        "2001:DB8:0:0::1",
        "::ffff:192.0.2.1",
        "::",
        "1.2.3",
        "xn--MNCHEN-3YA.de",
        "a.xn--a.example.com",
        "a.b.com",
        "sub.host.example.com",
        "a.EXAMPLE.com",
        "host.example.123",
        "_srv._tcp.example.com",
        "255.255.255.255",
        "::7f00:1",
        "2001:db8::0.0.0.1",
    ];
    let mut story = String::new();
    let mut case = straight(pool, 2, Purpose::Server, |place, fields| {
        if place == 1 {
            story = subject_alt_names::names(fields, pool, random);
        }
    });
    let host = random.one_of(&HOSTS);
    case.story = format!("{host} against {story}");
    case.question.host = Some(host.to_owned());
    case
}

/// Path lengths above CAs, some of which are self-issued or have the key of the CA above.
pub(crate) fn path_lengths(pool: &Pool, random: &mut Random) -> Case {
    let mut story = String::new();
    let count = 3 + random.below(4);
    let mut line = Line::new(pool.usual[..count].iter().collect());
    for place in 0..count {
        let mut certificate = line.next();
        let fields = certificate.inner()[0].inner();
        if place + 1 < count && random.flag() {
            let length = u8::try_from(random.below(4)).unwrap();
            put(fields, BASIC_CONSTRAINTS, &[0xff], &[0x30, 6, 1, 1, 0xff, 2, 1, length]);
            let _ = write!(story, "{place}: path length {length}; ");
        }
        if let Some(name) = line.subject().filter(|_| place + 1 < count && random.below(3) == 0) {
            let at = serial_at(fields) + 4;
            fields[at] = name;
            let _ = write!(story, "{place}: self-issued; ");
        }
        line.push(certificate);
    }
    line.case(Purpose::Peer, story, NOW)
}

/// Moments around the ends of a validity, to a nanosecond.
pub(crate) fn moments(pool: &Pool, random: &mut Random) -> Case {
    const TIMES: [(u8, &str); 8] = [
        (0x17, "270101120000Z"),
        (0x18, "20270101120000Z"),
        (0x17, "270101130000+0100"),
        (0x17, "2701011200Z"),
        (0x17, "500101000000Z"),
        (0x17, "491231235959Z"),
        (0x18, "99991231235959Z"),
        (0x18, "00010101000000Z"),
    ];
    let mut story = String::new();
    let mut case = straight(pool, 2, Purpose::Peer, |place, fields| {
        let (tag, text) = random.one_of(&TIMES);
        let which = random.below(2);
        let at = serial_at(fields) + 3;
        fields[at].inner()[which] = Node::octets(tag, text);
        let _ = write!(story, "{place}: {which} {text}; ");
    });
    let nanoseconds = random.one_of(&[-1_000_000_000, -1, 0, 1, 999_999_999, 1_000_000_000]);
    let moments = [
        NOW,
        NOW,
        NOW,
        OffsetDateTime::UNIX_EPOCH,
        NOW + Duration::days(365 * 30),
        NOW - Duration::days(365 * 60),
    ];
    case.question.at = random.one_of(&moments) + Duration::nanoseconds(nanoseconds);
    case.story = format!("{story}at {}", case.question.at);
    case
}
