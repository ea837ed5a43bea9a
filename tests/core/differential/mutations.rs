//! Changes to every field of a certificate, harmful or harmless.

mod extensions;

use pki_core::Signer;

use super::chains::Keys;
use super::random::Random;
use crate::der::{Node, oid, put};

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
    Change { name: "basicConstraints", make: extensions::basic_constraints },
    Change { name: "basicConstraints", make: extensions::basic_constraints },
    Change { name: "keyUsage", make: extensions::key_usage },
    Change { name: "extKeyUsage", make: extensions::extended_key_usage },
    Change { name: "subjectAltName", make: extensions::subject_alt_name },
    Change { name: "subjectAltName", make: extensions::subject_alt_name },
    Change { name: "authorityKeyIdentifier", make: extensions::authority_key_id },
    Change { name: "subjectKeyIdentifier", make: extensions::subject_key_id },
    Change { name: "unknown extension", make: extensions::unknown_extension },
    Change { name: "authorityInfoAccess", make: extensions::authority_info_access },
    Change { name: "policies", make: extensions::policies },
    Change { name: "nameConstraints", make: extensions::name_constraints },
    Change { name: "nameConstraints", make: extensions::name_constraints },
    Change { name: "order of extensions", make: extensions::order_of_extensions },
    Change { name: "extension twice", make: extensions::extension_twice },
    Change { name: "extension gone", make: extensions::extension_gone },
    Change { name: "criticality", make: extensions::criticality },
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
