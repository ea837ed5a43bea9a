//! Changes to every field of a certificate, harmful or harmless.

use pki_core::Signer;

use super::chains::Keys;
use super::judges::HOST;
use super::random::Random;
use crate::der::{Node, extensions, oid, put, remove, value};

type Fields = Vec<Node>;

/// A kind of change to the fields of one certificate. It returns a description.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) name: &'static str,
    make: fn(&mut Fields, &Keys, &mut Random) -> String,
}

impl Change {
    pub(super) fn apply(&self, fields: &mut Fields, keys: &Keys, random: &mut Random) -> String {
        (self.make)(fields, keys, random)
    }
}

/// The positions of the fields in a TBSCertificate.
const SERIAL: usize = 1;
const ALGORITHM: usize = 2;
const ISSUER: usize = 3;
const VALIDITY: usize = 4;
const SUBJECT: usize = 5;
const KEY: usize = 6;

pub(super) const CHANGES: &[Change] = &[
    Change { name: "version", make: version },
    Change { name: "serial", make: serial },
    Change { name: "inner algorithm", make: inner_algorithm },
    Change { name: "issuer", make: |fields, _, random| name(&mut fields[ISSUER], random) },
    Change { name: "validity", make: validity },
    Change { name: "validity", make: validity },
    Change { name: "subject", make: |fields, _, random| name(&mut fields[SUBJECT], random) },
    Change { name: "key", make: key },
    Change { name: "unique id", make: unique_id },
    Change { name: "basicConstraints", make: basic_constraints },
    Change { name: "basicConstraints", make: basic_constraints },
    Change { name: "keyUsage", make: key_usage },
    Change { name: "extKeyUsage", make: extended_key_usage },
    Change { name: "subjectAltName", make: subject_alt_name },
    Change { name: "subjectAltName", make: subject_alt_name },
    Change { name: "authorityKeyIdentifier", make: authority_key_id },
    Change { name: "subjectKeyIdentifier", make: subject_key_id },
    Change { name: "unknown extension", make: unknown_extension },
    Change { name: "authorityInfoAccess", make: authority_info_access },
    Change { name: "policies", make: policies },
    Change { name: "nameConstraints", make: name_constraints },
    Change { name: "nameConstraints", make: name_constraints },
    Change { name: "order of extensions", make: order_of_extensions },
    Change { name: "extension twice", make: extension_twice },
    Change { name: "extension gone", make: extension_gone },
    Change { name: "criticality", make: criticality },
];

/// Adds a critical anyPolicy, which changes nothing but that webpki cannot read the certificate.
pub(super) const CRITICAL_POLICY: Change = Change {
    name: "critical policy",
    make: |fields, _, _| {
        let any_policy = [0x30, 0x08, 0x30, 0x06, 0x06, 0x04, 0x55, 0x1d, 0x20, 0x00];
        put(fields, oid::POLICIES, true, &any_policy);
        String::new()
    },
};

fn version(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let version = random.one_of(&[0, 1, 3, 0x7f]);
    *fields[0].inner()[0].content() = vec![version];
    format!("{version}")
}

fn serial(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let octets: &[u8] = random.one_of(&[
        &[0][..],
        &[0xff],
        &[0x80; 20],
        &[0x11; 20],
        &[0x11; 21],
        &[0x11; 40],
        &[1],
        &[0, 1],
    ]);
    *fields[SERIAL].content() = octets.to_vec();
    format!("{} octets from {:#x}", octets.len(), octets[0])
}

fn inner_algorithm(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    if random.flag() {
        fields[ALGORITHM].inner().push(Node::octets(0x05, []));
        return "with NULL".to_owned();
    }
    *fields[ALGORITHM].inner()[0].content().last_mut().unwrap() = 3;
    "SHA-384".to_owned()
}

/// `SEQUENCE { SET { SEQUENCE { OID, string } } }`
fn name(name: &mut Node, random: &mut Random) -> String {
    match random.below(4) {
        _ if name.inner().is_empty() => "empty already".to_owned(),
        0 => {
            name.inner().clear();
            "empty".to_owned()
        }
        1 => {
            name.inner()[0].inner()[0].inner()[1].tag = 0x0c;
            "UTF8String".to_owned()
        }
        2 => {
            name.inner()[0].inner()[0].inner()[1].content().make_ascii_uppercase();
            "upper case".to_owned()
        }
        _ => {
            name.inner()[0].inner()[0].inner()[1].content().push(b'x');
            "other".to_owned()
        }
    }
}

/// Tags and texts around 2027-01-01 12:00:00, the time of verification.
pub(super) const TIMES: &[(u8, &str)] = &[
    (0x17, "270101120000Z"),
    (0x17, "270101115959Z"),
    (0x17, "270101120001Z"),
    (0x17, "000101000000Z"),
    (0x17, "491231235959Z"),
    (0x17, "500101000000Z"),
    (0x17, "2701011200Z"),
    (0x17, "270101130000+0100"),
    (0x17, "270132120000Z"),
    (0x18, "20270101120000Z"),
    (0x18, "20300101120000Z"),
    (0x18, "20510101120000Z"),
    (0x18, "20510101120000.5Z"),
    (0x18, "99991231235959Z"),
    (0x18, "205101011200Z"),
    (0x18, "19000101000000Z"),
];

fn validity(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let (tag, text) = random.one_of(TIMES);
    let which = random.below(2);
    fields[VALIDITY].inner()[which] = Node::octets(tag, text);
    format!("{} {text}", ["notBefore", "notAfter"][which])
}

fn key(fields: &mut Fields, keys: &Keys, random: &mut Random) -> String {
    match random.below(4) {
        0 => {
            fields[KEY] = Node::read(&keys.stranger.public_key().spki());
            "of a stranger".to_owned()
        }
        1 => {
            let point = fields[KEY].inner()[1].content();
            let at = 2 + random.below(point.len() - 2);
            point[at] ^= 1;
            "off the curve".to_owned()
        }
        _ => {
            fields[KEY] = Node::read(&random.one_of(&keys.others));
            "of another kind".to_owned()
        }
    }
}

fn unique_id(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let tag = random.one_of(&[0x81, 0x82]);
    fields.insert(7, Node::octets(tag, [0x00, 0x2a]));
    String::new()
}

fn basic_constraints(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn key_usage(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn extended_key_usage(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn subject_alt_name(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn authority_key_id(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn subject_key_id(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn unknown_extension(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let critical = random.flag();
    put(fields, &[0x2b, 6, 1, 4, 1, 0x82, 0xda, 0x4b, 9], critical, &[0x05, 0x00]);
    format!("critical {critical}")
}

fn authority_info_access(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn policies(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn name_constraints(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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

fn order_of_extensions(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let all = extensions(fields);
    let (one, other) = (random.below(all.len()), random.below(all.len()));
    all.swap(one, other);
    String::new()
}

fn extension_twice(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let all = extensions(fields);
    let again = random.one_of(all);
    all.push(again);
    String::new()
}

fn extension_gone(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
    let all = extensions(fields);
    let mut gone = all.remove(random.below(all.len()));
    format!("{:?}", gone.inner()[0].content())
}

fn criticality(fields: &mut Fields, _: &Keys, random: &mut Random) -> String {
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
