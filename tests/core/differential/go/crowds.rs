//! Many certificates that can be the issuer of another by their names, and messages of many octets.

use pki_core::{PrivateKey, Purpose};

use super::chains::{Case, Pool, changed, leaf, pkcs8, planted};
use super::judge::Question;
use super::kinds::{Fields, put, remove, serial_at, tlv};
use super::shapes::certify;
use super::tree;
use crate::der::Node;
use crate::differential::judges::HOST;
use crate::differential::random::Random;
use crate::foreign::ca_params;
use crate::lab::NOW;

/// What is different in each certificate of a crowd.
struct Member(&'static str, fn(&mut Fields));

const MEMBERS: [Member; 6] = [
    Member("the same", |_| {}),
    Member("expired", |fields| {
        let at = serial_at(fields) + 3;
        fields[at].inner()[1] = Node::octets(0x17, "260101000000Z");
    }),
    Member("with names", |fields| {
        put(fields, SAN, &[], &tlv(0x30, &tlv(0x82, b"ca.example.com")));
    }),
    Member("no CAs", |fields| put(fields, &[0x55, 0x1d, 19], &[0xff], &tlv(0x30, &[]))),
    Member("without keyCertSign", |fields| {
        put(fields, &[0x55, 0x1d, 15], &[0xff], &[3, 2, 1, 2]);
    }),
    Member("without identifiers", |fields| {
        remove(fields, &[0x55, 0x1d, 14]);
        remove(fields, AUTHORITY_KEY_ID);
    }),
];

const SAN: &[u8] = &[0x55, 0x1d, 17];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 35];

/// A path from the leaf to a root, and many other certificates of the root or of the CA between.
pub(crate) fn crowd(pool: &Pool, random: &mut Random) -> Case {
    let [root, ca, stranger, key] = [0, 1, 5, 4].map(|at| &pool.usual[at]);
    let make = |name: &str, key, issuer: &str, by: &PrivateKey, plant| {
        certify(&ca_params(name, key), key, issuer, by, plant)
    };
    let count = random.one_of(&[3, 30, 97, 98, 99, 100, 101, 120]);
    let Member(what, plant) = &MEMBERS[random.below(MEMBERS.len())];
    let by_stranger = random.flag();
    let of_root = random.flag();
    let (name, own) = if of_root { ("root", root) } else { ("ca", ca) };
    let member_key = if by_stranger { stranger } else { own };
    let signer = if of_root { member_key } else { root };
    let crowd: Vec<Vec<u8>> =
        (0..count).map(|_| make(name, member_key, "root", signer, *plant)).collect();
    let mut roots = vec![make("root", root, "root", root, |_| {})];
    let mut intermediates = vec![make("ca", ca, "root", root, |_| {})];
    let trusted = of_root && random.flag();
    let list = if trusted { &mut roots } else { &mut intermediates };
    match random.below(3) {
        0 => list.extend(crowd),
        1 => drop(list.splice(0..0, crowd)),
        _ => {
            let middle = crowd.len() / 2;
            let at = list.len();
            list.extend(crowd);
            list.swap(at - 1, middle);
        }
    }
    let without_id: fn(&mut Fields) = |fields| remove(fields, AUTHORITY_KEY_ID);
    let is_named = random.flag();
    let plant = if is_named { |_: &mut Fields| {} } else { without_id };
    let leaf = certify(&leaf(key), key, "ca", ca, plant);
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer]);
    let story = format!(
        "{purpose:?}: {count} of {name} {what}, by a stranger {by_stranger}, trusted {trusted}, named {is_named}"
    );
    case(leaf, intermediates, roots, key, purpose, story)
}

/// A leaf, an intermediate or unrelated certificates behind them have more octets than some verifiers read.
pub(crate) fn large(pool: &Pool, random: &mut Random) -> Case {
    let [root, ca, key] = [0, 1, 4].map(|at| &pool.usual[at]);
    let size = random.one_of(&[16_000, 65_000, 66_000, 131_000, 261_000, 262_500]);
    let large = |fields: &mut Fields, filler: &[u8]| put(fields, &[0x2a, 3, 4], &[], filler);
    let filler = vec![0; size];
    let place = random.below(4);
    let mut certificates: Vec<Vec<u8>> = Vec::new();
    let mut parts = [(ca_params("root", root), root), (ca_params("ca", ca), ca), (leaf(key), key)];
    for (at, (params, own)) in parts.iter_mut().enumerate() {
        let (issuer, by) = [("root", root), ("root", root), ("ca", ca)][at];
        let plain = certify(params, own, issuer, by, |_| {});
        let der = if at == place {
            let mut certificate = Node::read(&plain);
            large(certificate.inner()[0].inner(), &filler);
            tree::sign(&certificate, by)
        } else {
            plain
        };
        certificates.push(der);
    }
    let leaf = certificates.pop().unwrap();
    let mut intermediates = certificates.split_off(1);
    if place == 3 {
        let stranger = certify(&ca_params("stranger", root), root, "stranger", root, |_| {});
        let count = size.div_ceil(stranger.len() + 5);
        intermediates.extend((0..count).map(|_| stranger.clone()));
    }
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer]);
    let story = format!("{purpose:?}: {size} octets in {place}");
    case(leaf, intermediates, certificates, key, purpose, story)
}

/// A leaf with so many names that its certificate is larger than some verifiers read, below constraints that permit them, or
/// all but one.
pub(crate) fn many_names(pool: &Pool, random: &mut Random) -> Case {
    let [root, ca, key] = [0, 1, 4].map(|at| &pool.usual[at]);
    let count = random.one_of(&[200, 501, 2_500, 5_000, 11_000]);
    let last = random.one_of(&[HOST, "*.example.com", "host.example.org", "bad..example.com"]);
    let constraints = random.one_of(&[0, 1, 100, 499]);
    let names = (0..count).map(|number| tlv(0x82, format!("{number:05}.example.com").as_bytes()));
    let mut names: Vec<Vec<u8>> = names.chain([tlv(0x82, last.as_bytes())]).collect();
    if random.flag() {
        names.rotate_right(1);
    }
    let excludes = random.flag();
    let constrained = |fields: &mut Fields| {
        let domain = |number: usize| {
            if excludes { format!("x{number}.org") } else { format!("x{number}.com") }
        };
        let domains =
            (0..constraints).map(domain).chain((!excludes).then(|| "example.com".to_owned()));
        let subtrees: Vec<u8> =
            domains.flat_map(|domain| tlv(0x30, &tlv(0x82, domain.as_bytes()))).collect();
        if !subtrees.is_empty() {
            let kind = if excludes { 0xa1 } else { 0xa0 };
            put(fields, &[0x55, 0x1d, 30], &[0xff], &tlv(0x30, &tlv(kind, &subtrees)));
        }
    };
    let root_der = certify(&ca_params("root", root), root, "root", root, |_: &mut Fields| {});
    let ca_der = certify(&ca_params("ca", ca), ca, "root", root, constrained);
    let leaf = certify(&leaf(key), key, "ca", ca, |fields: &mut Fields| {
        put(fields, &[0x55, 0x1d, 17], &[], &tlv(0x30, &names.concat()));
    });
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer]);
    let story = format!(
        "{purpose:?}: {count} names and {last}, {constraints} constraints, excluded {excludes}"
    );
    case(leaf, vec![ca_der], vec![root_der], key, purpose, story)
}

/// A path, and a certificate beside it of which something is changed.
pub(crate) fn with_stranger(pool: &Pool, random: &mut Random, number: usize) -> Case {
    let purpose = random.one_of(&[Purpose::Server, Purpose::Client, Purpose::Peer]);
    let mut case = planted(pool, &[&|_| {}, &|_| {}, &|_| {}], purpose);
    let stranger = changed(pool, random, number, 1);
    // Whoever signed it, and whatever it is called, nobody asks for it.
    let Question { leaf, intermediates, roots, .. } = stranger.question;
    let mut strangers: Vec<Vec<u8>> = roots;
    strangers.extend(intermediates);
    strangers.push(leaf);
    let list =
        if random.flag() { &mut case.question.roots } else { &mut case.question.intermediates };
    for stranger in strangers {
        let at = random.below(list.len() + 1);
        list.insert(at, stranger);
    }
    case.has_one_path = false;
    case.story = format!("beside it {}", stranger.story);
    case
}

fn case(
    leaf: Vec<u8>,
    intermediates: Vec<Vec<u8>>,
    roots: Vec<Vec<u8>>,
    key: &PrivateKey,
    purpose: Purpose,
    story: String,
) -> Case {
    let host = matches!(purpose, Purpose::Server).then(|| HOST.to_owned());
    let question = Question { leaf, intermediates, roots, host, purpose, at: NOW };
    Case { question, story, key: pkcs8(key), has_one_path: false }
}
