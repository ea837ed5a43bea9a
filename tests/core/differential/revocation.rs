//! Compares pki-core with OpenSSL and Python's cryptography on more than a thousand CRLs that code modified.
//!
//! pki-core rejects what OpenSSL reports as revoked, and never silently uses a CRL that neither of the others can
//! use. docs/verification.md explains the class of every other difference, as for chains.

mod changes;
pub(super) mod classes;
mod entries;
mod extensions;
mod go;
mod lists;
mod verdicts;

use std::collections::BTreeMap;

use pki_core::Policy;

use self::changes::CHANGES;
use self::classes::{class, is_beside_the_crl, is_not_whole};
use self::lists::{Case, Draft, disturb};
use super::chains::Keys;
use super::classes::Judge;
use super::judges::on_two_threads;
use super::random::Random;

/// CRLs with one or two changed fields, damaged ones, and other arrangements.
const ONE_FIELD: usize = 1150;
const TWO_FIELDS: usize = 200;
const DISTURBED: usize = 300;

#[test]
fn what_openssl_finds_revoked_we_refuse_and_every_difference_has_its_class() {
    let cases = cases();
    assert!(cases.len() >= 1500);
    let python = verdicts::python(&cases);
    let openssl = on_two_threads(&cases, verdicts::openssl);
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut verdicts = [0_usize; 4];
    for ((case, openssl), python) in cases.iter().zip(openssl).zip(python) {
        for policy in [Policy::Etcd, Policy::Rfc5280] {
            let ours = verdicts::ours(case, policy);
            let accepted = ours.refusal.is_none();
            verdicts[usize::from(accepted) * 2 + usize::from(openssl.is_none())] += 1;
            let context = format!("{policy:?}: {}: {ours:?}, {openssl:?}, {python:?}", case.story);
            let class_of = |judge, theirs| class(judge, &ours, theirs, &case.story);
            let by_openssl = class_of(Judge::Openssl, &openssl);
            let excused = policy == Policy::Rfc5280 && is_not_whole(by_openssl, &case.story);
            if accepted && !excused && openssl.as_deref() == Some("certificate revoked") {
                wrong.push(format!("revoked and accepted: {context}"));
            }
            let in_silence = accepted && ours.about_crls.is_empty();
            if in_silence && openssl.is_some() && python.is_some() && !is_beside_the_crl(by_openssl)
            {
                wrong.push(format!("accepted in silence: {context}"));
            }
            for (judge, theirs) in [(Judge::Openssl, &openssl), (Judge::Python, &python)] {
                if accepted == theirs.is_none() {
                    continue;
                }
                match class_of(judge, theirs) {
                    Some(class) => *classes.entry(format!("{judge:?} {class}")).or_default() += 1,
                    None => wrong.push(format!("{judge:?}: no class: {context}")),
                }
            }
        }
    }
    super::conclude(&classes, verdicts, &wrong);
}

fn cases() -> Vec<Case> {
    let keys = Keys::new();
    let mut random = Random(6960);
    let mut cases = Vec::new();
    for number in 0..ONE_FIELD + TWO_FIELDS {
        let mut draft = Draft::new(&keys, &mut random);
        for _ in 0..=usize::from(number >= ONE_FIELD) {
            // Round-robin, so that each field is changed equally often.
            let change = CHANGES[(number + random.below(2)) % CHANGES.len()];
            draft.apply(change, &mut random);
        }
        cases.push(draft.sign());
    }
    for _ in 0..DISTURBED {
        let draft = Draft::new(&keys, &mut random);
        cases.push(disturb(draft, &mut random));
    }
    cases
}
