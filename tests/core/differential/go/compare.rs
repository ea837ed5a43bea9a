//! Both verdicts on many chains.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::chains::{Case, Pool, changed};
use super::judge;
use crate::differential::judges::{base64, to_base64};
use crate::differential::random::Random;

/// As many chains as CI looks at; the whole form looks at more.
const SAMPLE: usize = 3000;

pub(crate) fn to_json(case: &Case) -> Value {
    let question = &case.question;
    json!({ "chain": {
        "leaf": base64(&question.leaf),
        "intermediates": to_base64(&question.intermediates),
        "roots": to_base64(&question.roots),
        "host": question.host.as_deref().unwrap_or_default(),
        "purpose": format!("{:?}", question.purpose).to_lowercase(),
        "at": question.at.format(&Rfc3339).unwrap(),
        "key": base64(&case.key),
    } })
}

#[test]
fn what_go_refuses_we_refuse() {
    compare(1, SAMPLE);
}

#[test]
#[ignore = "takes long: ETCDPKI_GO_CHAINS=20000 cargo test -p pki-core --test core differential::go -- --ignored"]
#[expect(clippy::disallowed_methods, reason = "how many chains, and which")]
fn what_go_refuses_we_refuse_of_many() {
    let number = |name, otherwise: usize| {
        std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
    };
    let seed = number("ETCDPKI_GO_SEED", 2);
    compare(u64::try_from(seed).unwrap(), number("ETCDPKI_GO_CHAINS", 20_000));
}

#[expect(clippy::disallowed_macros, reason = "the counts are shown with --nocapture")]
fn compare(seed: u64, count: usize) {
    let pool = Pool::shared();
    let mut random = Random(seed);
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut stricter: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut verdicts = [0_usize; 4];
    let mut number = 0;
    while number < count {
        let batch = number..count.min(number + 5000);
        number = batch.end;
        let cases: Vec<Case> =
            batch.map(|number| changed(pool, &mut random, number, 1 + number % 3)).collect();
        let requests: Vec<Value> = cases.iter().map(to_json).collect();
        for (case, go) in cases.iter().zip(judge::ask(&requests)) {
            let ours = case.question.ours();
            verdicts[usize::from(ours.is_none()) * 2 + usize::from(go.accepts)] += 1;
            match ours {
                None if !go.accepts => {
                    let words = format!("{} {}", go.stage, go.error);
                    wrong.entry(words).or_default().push(case.story.clone());
                }
                Some(ours) if go.accepts => {
                    stricter.entry(ours).or_insert((0, case.story.clone())).0 += 1;
                }
                _ => {}
            }
        }
    }
    println!("refused by both, Go accepts, we accept, both accept: {verdicts:?}");
    for (ours, (count, story)) in &stricter {
        println!("{count:5}  {ours}: {story}");
    }
    let shown: Vec<String> = wrong
        .iter()
        .map(|(words, stories)| format!("{} {words}: {}", stories.len(), stories[0]))
        .collect();
    assert!(wrong.is_empty(), "Go refuses and we accept:\n{}", shown.join("\n"));
    // A test in which nothing is accepted, or nothing refused, shows nothing.
    assert!(verdicts[3] * 20 > count && verdicts[0] * 20 > count, "{verdicts:?}");
}
