//! Chains whose verdict follows from how they are made, as in BetterTLS: a path of good certificates exists or
//! does not, a name is within the constraints or is not. Go agrees with the construction, and so do we.

use std::fmt::Write as _;

use pki_core::{Policy, PrivateKey, Purpose};

use super::chains::{Case, Pool, leaf, pkcs8, planted};
use super::compare::to_json;
use super::judge::{self, Question};
use super::kinds::{Fields, put, remove, serial_at, tlv};
use super::tree;
use crate::der::Node;
use crate::differential::judges::HOST;
use crate::differential::random::Random;
use crate::foreign::{ca_params, self_signed, signed};
use crate::lab::NOW;

const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const NAMES: &[u8] = &[0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
const USAGES: &[u8] = &[0x55, 0x1d, 37];

/// What makes a certificate of a CA useless for any path.
const DEFECTS: [fn(&mut Fields); 8] = [
    |fields| time(fields, 1, "260101000000Z"),
    |fields| time(fields, 0, "280101000000Z"),
    |fields| put(fields, BASIC_CONSTRAINTS, &[0xff], &tlv(0x30, &[])),
    |fields| remove(fields, BASIC_CONSTRAINTS),
    |fields| put(fields, KEY_USAGE, &[0xff], &[3, 2, 1, 2]),
    |fields| put(fields, USAGES, &[], &tlv(0x30, &tlv(0x06, &[0x2b, 6, 1, 5, 5, 7, 3, 3]))),
    |fields| {
        let permitted = tlv(0xa0, &tlv(0x30, &tlv(0x82, b"other.org")));
        put(fields, CONSTRAINTS, &[0xff], &tlv(0x30, &permitted));
    },
    |fields| put(fields, &[0x2a, 3, 4], &[0xff], &[5, 0]),
];

fn time(fields: &mut Fields, which: usize, text: &str) {
    let at = serial_at(fields) + 3;
    fields[at].inner()[which] = Node::octets(0x17, text);
}

/// A graph of CAs that certify each other, circles included, and whether good certificates lead from the leaf's
/// issuer to a trusted root.
fn graph(pool: &Pool, random: &mut Random) -> (Case, bool) {
    const CAS: [&str; 4] = ["ca 0", "ca 1", "ca 2", "ca 3"];
    let mut good = [[false; CAS.len()]; CAS.len()];
    let mut intermediates = Vec::new();
    let mut story = String::new();
    for subject in 0..CAS.len() {
        for issuer in (0..CAS.len()).filter(|issuer| *issuer != subject) {
            if random.below(5) > 1 {
                continue;
            }
            let defect = random.below(DEFECTS.len() * 2);
            let plant = DEFECTS.get(defect).copied();
            // The name of the issuer, and another key.
            let is_forged = plant.is_none() && random.below(6) == 0;
            let signer = if is_forged { &pool.usual[5] } else { &pool.usual[issuer] };
            let certificate = certify(
                ca_params(CAS[subject], &pool.usual[subject]),
                &pool.usual[subject],
                (CAS[issuer], &pool.usual[issuer]),
                signer,
                plant.unwrap_or(|_| {}),
            );
            good[issuer][subject] |= plant.is_none() && !is_forged;
            let _ = write!(story, "{issuer}->{subject} {defect} {is_forged}; ");
            let at = random.below(intermediates.len() + 1);
            intermediates.insert(at, certificate);
        }
    }
    let trusted = random.below(CAS.len());
    let first = random.below(CAS.len());
    let mut reached = [false; CAS.len()];
    let mut waiting = vec![first];
    while let Some(ca) = waiting.pop() {
        if !std::mem::replace(&mut reached[ca], true) {
            waiting.extend((0..CAS.len()).filter(|issuer| good[*issuer][ca]));
        }
    }
    let key = &pool.usual[4];
    let above = (CAS[first], &pool.usual[first]);
    let question = Question {
        leaf: certify(leaf(key), key, above, above.1, |_| {}),
        intermediates,
        roots: vec![
            self_signed(&ca_params(CAS[trusted], &pool.usual[trusted]), &pool.usual[trusted])
                .der()
                .to_vec(),
        ],
        host: Some(HOST.to_owned()),
        purpose: Purpose::Server,
        at: NOW,
    };
    let story = format!("{story}leaf of {first}, {trusted} is trusted");
    (Case { question, story, key: pkcs8(key), has_one_path: false }, reached[trusted])
}

fn certify(
    mut params: rcgen::CertificateParams,
    key: &PrivateKey,
    issuer: (&str, &PrivateKey),
    signer: &PrivateKey,
    plant: fn(&mut Fields),
) -> Vec<u8> {
    let by = self_signed(&ca_params(issuer.0, issuer.1), issuer.1);
    params.use_authority_key_identifier_extension = true;
    let mut certificate = Node::read(signed(&params, key, &by, issuer.1).der());
    plant(certificate.inner()[0].inner());
    tree::sign(&certificate, signer)
}

/// Everybody agrees with what the construction says, under both policies.
#[track_caller]
fn check(cases: &[(Case, bool)]) {
    let requests: Vec<_> = cases.iter().map(|(case, _)| to_json(case)).collect();
    let mut wrong = Vec::new();
    for ((case, expected), go) in cases.iter().zip(judge::ask(&requests)) {
        let ours = [Policy::Etcd, Policy::Rfc5280].map(|policy| case.question.refusal(policy));
        if go.accepts != *expected || ours.iter().any(|ours| ours.is_none() != *expected) {
            wrong.push(format!("{expected}: {}: we {ours:?}, Go {go:?}", case.story));
        }
    }
    let accepted = cases.iter().filter(|(_, expected)| *expected).count();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(accepted * 10 > cases.len() && accepted * 10 < cases.len() * 9, "{accepted} accepted");
}

#[test]
fn a_path_is_found_exactly_if_good_certificates_lead_to_a_trusted_ca() {
    let pool = Pool::shared();
    let mut random = Random(2020);
    let cases: Vec<_> = (0..400).map(|_| graph(pool, &mut random)).collect();
    check(&cases);
}

/// A base of one kind, and whether the leaf's name of that kind is in it.
#[derive(Clone, Copy)]
struct Base(u8, &'static [u8], bool);

/// Constraints on two kinds of names, permitted and excluded, on the root or on the CA below it.
#[test]
fn names_are_accepted_exactly_if_they_are_permitted_and_not_excluded() {
    const DNS: [Option<Base>; 3] =
        [None, Some(Base(0x82, b"example.com", true)), Some(Base(0x82, b"other.org", false))];
    const IP: [Option<Base>; 3] = [
        None,
        Some(Base(0x87, &[192, 0, 2, 0, 255, 255, 255, 0], true)),
        Some(Base(0x87, &[10, 0, 0, 0, 255, 0, 0, 0], false)),
    ];
    let names: [(u8, &[u8]); 2] = [(0x82, b"host.example.com"), (0x87, &[192, 0, 2, 1])];
    let pool = Pool::shared();
    let mut cases = Vec::new();
    let numbers = 0..3 * 3 * 3 * 3 * 3 * 2;
    for number in numbers {
        let mut rest = number;
        let mut choose = |count: usize| {
            let choice = rest % count;
            rest /= count;
            choice
        };
        let permitted = [DNS[choose(3)], IP[choose(3)]];
        let excluded = [DNS[choose(3)], IP[choose(3)]];
        let carried = match choose(3) {
            0 => &names[..1],
            1 => &names[1..],
            _ => &names[..],
        };
        let on_root = choose(2) == 0;
        let subtrees = |bases: &[Option<Base>]| -> Vec<u8> {
            bases
                .iter()
                .flatten()
                .flat_map(|Base(tag, base, _)| tlv(0x30, &tlv(*tag, base)))
                .collect()
        };
        let mut lists = Vec::new();
        for (tag, bases) in [(0xa0, &permitted), (0xa1, &excluded)] {
            if bases.iter().any(Option::is_some) {
                lists.extend(tlv(tag, &subtrees(bases)));
            }
        }
        let constrain = |fields: &mut Fields| {
            if !lists.is_empty() {
                put(fields, CONSTRAINTS, &[0xff], &tlv(0x30, &lists));
            }
        };
        let leaf = |fields: &mut Fields| {
            let names: Vec<u8> = carried.iter().flat_map(|(tag, name)| tlv(*tag, name)).collect();
            put(fields, NAMES, &[], &tlv(0x30, &names));
        };
        let same = |_: &mut Fields| {};
        let mut case = if on_root {
            planted(pool, &[&constrain, &same, &leaf], Purpose::Client)
        } else {
            planted(pool, &[&same, &constrain, &leaf], Purpose::Client)
        };
        case.story = format!("{number}");
        let is_within = |(tag, _): &(u8, &[u8])| {
            let of_kind = |bases: &[Option<Base>; 2]| bases[usize::from(*tag == 0x87)];
            of_kind(&permitted).is_none_or(|Base(.., within)| within)
                && !of_kind(&excluded).is_some_and(|Base(.., within)| within)
        };
        cases.push((case, carried.iter().all(is_within)));
    }
    check(&cases);
}
