//! Compares pki-core with OpenSSL and Python's cryptography on several thousand chains that code modified.
//!
//! pki-core accepts nothing that both of the others reject. If it differs from one of them, the tables below
//! list the class of the difference, and docs/verification.md explains it. Any other difference fails the
//! test.

mod arrangements;
mod chains;
mod classes;
pub(crate) mod go;
mod judges;
mod mutations;
mod random;
mod revocation;
mod walk;

use std::collections::BTreeMap;

use self::chains::{Chain, Draft, Keys};
use self::classes::{CA_WITHOUT_KEY_USAGE, Judge, class};
use self::judges::Refusal;
use self::mutations::CHANGES;
use self::random::Random;

/// Chains with one or two changed fields, with another arrangement, and with a flipped bit.
const ONE_FIELD: usize = 1900;
const TWO_FIELDS: usize = 500;
const REARRANGED: usize = 200;
const FLIPPED: usize = 700;

#[test]
fn we_accept_nothing_that_both_refuse_and_every_difference_has_its_class() {
    let chains = chains();
    assert!(chains.len() >= 3000);
    let python = judges::python(&chains);
    let openssl = judges::on_two_threads(&chains, judges::openssl);
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut verdicts = [0_usize; 4];
    for ((chain, openssl), python) in chains.iter().zip(openssl).zip(python) {
        let ours = judges::ours(chain);
        verdicts[usize::from(ours.is_none()) * 2
            + usize::from(openssl.is_none() || python.is_none())] += 1;
        let classes_of = |theirs: &Refusal, judge| class(judge, &ours, theirs);
        let reasons = [classes_of(&openssl, Judge::Openssl), classes_of(&python, Judge::Python)];
        let excepted = reasons.iter().all(Option::is_some)
            && reasons.iter().flatten().any(|class| class == CA_WITHOUT_KEY_USAGE);
        if ours.is_none() && openssl.is_some() && python.is_some() && !excepted {
            wrong.push(format!("accepted: {}: {openssl:?}, {python:?}", chain.story));
        }
        for (judge, theirs) in [(Judge::Openssl, openssl), (Judge::Python, python)] {
            if ours.is_none() == theirs.is_none() {
                continue;
            }
            match class(judge, &ours, &theirs) {
                Some(class) => *classes.entry(format!("{judge:?} {class}")).or_default() += 1,
                None => wrong
                    .push(format!("{judge:?}: ours {ours:?}, theirs {theirs:?}: {}", chain.story)),
            }
        }
    }
    conclude(&classes, verdicts, &wrong);
}

/// The result of a comparison: how often each class occurred, and how many cases were rejected by pki-core and
/// another, rejected only by pki-core, accepted only by pki-core, and accepted by all.
#[expect(clippy::disallowed_macros, reason = "--nocapture shows the counts")]
fn conclude(classes: &BTreeMap<String, usize>, verdicts: [usize; 4], wrong: &[String]) {
    for (class, count) in classes {
        println!("{count:5}  {class}");
    }
    println!("{verdicts:?}");
    assert!(wrong.is_empty(), "{} wrong verdicts:\n{}", wrong.len(), wrong.join("\n"));
    // A test in which everything is rejected, or everything accepted, proves nothing.
    assert!(verdicts[3] > 300 && verdicts[0] > 300, "{verdicts:?}");
}

#[test]
fn every_class_is_explained_in_the_docs() {
    let docs = include_str!("../../docs/verification.md");
    for class in classes::names().chain(revocation::classes::names()) {
        assert!(docs.contains(&format!("`{class}`")), "docs/verification.md lacks `{class}`");
    }
}

fn chains() -> Vec<Chain> {
    let keys = Keys::new();
    let mut random = Random(5280);
    let mut chains = Vec::new();
    for number in 0..ONE_FIELD + TWO_FIELDS {
        let mut draft = Draft::new(&keys, random.below(3));
        for _ in 0..=usize::from(number >= ONE_FIELD) {
            let place = random.below(draft.places());
            // Round-robin, so that each field is changed equally often.
            draft.changes[place].push(CHANGES[(number + random.below(2)) % CHANGES.len()]);
        }
        chains.push(draft.sign(&mut random));
    }
    for _ in 0..REARRANGED {
        let cas = random.below(9);
        let chain = Draft::new(&keys, cas).sign(&mut random);
        chains.push(arrangements::rearrange(chain, &keys, &mut random));
    }
    for _ in 0..FLIPPED {
        let cas = random.below(2);
        let chain = Draft::new(&keys, cas).sign(&mut random);
        chains.push(arrangements::flip(chain, &mut random));
    }
    chains
}
