//! Both verdicts on many chains.

use std::collections::BTreeMap;

use pki_core::{Finding, Purpose, Report, Severity};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::chains::{Case, Pool, changed};
use super::classes::{STRICTER, TRUSTED};
use super::judge::{self, Verdict};
use super::{crowds, full, policies, rare_keys, shapes, signatures, twins};
use crate::differential::judges::{base64, to_base64};
use crate::differential::random::Random;

/// How many chains CI compares; the long form compares more.
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
#[ignore = "takes long: ETCDPKI_GO_CHAINS=20000 cargo test -p pki-core --test core go::compare -- --ignored"]
#[expect(clippy::disallowed_methods, reason = "how many chains, and which")]
fn what_go_refuses_we_refuse_of_many() {
    let number = |name, otherwise: usize| {
        std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
    };
    let seed = number("ETCDPKI_GO_SEED", 2);
    compare(u64::try_from(seed).unwrap(), number("ETCDPKI_GO_CHAINS", 20_000));
}

/// Every octet of three certificates, signed again; CI checks some.
#[test]
fn what_go_refuses_of_another_octet_we_refuse() {
    compare_octets(97);
}

#[test]
#[ignore = "takes long: cargo test -p pki-core --test core go::compare -- --ignored"]
fn what_go_refuses_of_every_other_octet_we_refuse() {
    compare_octets(1);
}

fn compare_octets(step: usize) {
    let numbers = (0..full::OCTETS).step_by(step);
    compare_cases(3, numbers, |pool, random, number| full::with_octet(pool, number, random));
}

/// A chain of a kind that its number decides.
fn case(pool: &Pool, random: &mut Random, number: usize) -> Case {
    match number % 20 {
        0 => shapes::web(pool, random),
        1 if number % 80 == 1 => crowds::crowd(pool, random),
        1 if number % 80 == 21 => crowds::large(pool, random),
        1 if number % 80 == 41 => crowds::with_stranger(pool, random, number / 80),
        1 if number % 320 == 61 => crowds::many_names(pool, random),
        1 => twins::graph(pool, random),
        2 => twins::deep(pool, random),
        3 => twins::alone(pool, random),
        4 | 5 => shapes::names_below_constraints(pool, random),
        6 => shapes::hosts(pool, random),
        7 if number % 40 == 7 => shapes::path_lengths(pool, random),
        7 => shapes::moments(pool, random),
        8 if number % 40 == 8 => signatures::signatures(pool, random),
        8 => rare_keys::rare(pool, random),
        9 => policies::along_a_path(pool, random),
        10..13 => full::edited(pool, random),
        // In turn, so that each kind of change has its share.
        place => changed(pool, random, number / 20 * 7 + place, 1 + number % 3),
    }
}

/// The result of the comparison.
#[derive(Default)]
struct Outcome {
    /// What Go rejects and we accept, by Go's words.
    wrong: BTreeMap<String, Vec<String>>,
    /// How often each rule rejected what Go accepts, and one of the chains.
    stricter: BTreeMap<&'static str, (usize, String)>,
    /// Findings that quote Go about a chain that Go accepts.
    contradicted: BTreeMap<&'static str, String>,
    /// Rejected by both, accepted by Go only, by us only, by both.
    verdicts: [usize; 4],
}

impl Outcome {
    fn add(&mut self, case: &Case, go: &Verdict) {
        let report = case.question.report();
        let accepted = report.as_ref().is_ok_and(Report::is_ok);
        self.verdicts[usize::from(accepted) * 2 + usize::from(go.accepts)] += 1;
        match report {
            _ if accepted == go.accepts => {}
            Err(what) => self.is_stricter(what, case),
            Ok(_) if accepted => {
                let words = format!("{} {}", go.stage, go.error);
                self.wrong.entry(words).or_default().push(case.story.clone());
            }
            Ok(_) if case.question.roots.contains(&case.question.leaf) => {
                self.is_stricter(TRUSTED, case);
            }
            Ok(report) => {
                // What Go does not see, it does not judge.
                let finds = |id| report.findings().any(|found| found.rule.id == id);
                let is_unseen = finds("go-unseen");
                // rustls' type of host names drops a dot at the end. Go compares a malformed name that ends with one with
                // the host as it is.
                let drops_dot = case.question.host.iter().any(|host| host.ends_with('.'));
                let is_matched = drops_dot && finds("san-dns-form");
                for found in report.findings().filter(|found| found.severity == Severity::Error) {
                    let id = found.rule.id;
                    if is_unseen && id != "go-unseen" || is_matched && id == "host-mismatch" {
                        continue;
                    }
                    self.is_stricter(found.rule.id, case);
                    if case.is_whole() && is_about_go(found, case) {
                        let story =
                            format!("{} {}: {}", found.rule.impact, found.evidence, case.story);
                        self.contradicted.insert(found.rule.id, story);
                    }
                }
            }
        }
    }

    fn is_stricter(&mut self, rule: &'static str, case: &Case) {
        self.stricter.entry(rule).or_insert((0, case.story.clone())).0 += 1;
    }

    #[expect(clippy::disallowed_macros, reason = "the counts are shown with --nocapture")]
    fn conclude(&self, count: usize) {
        println!("rejected by both, Go accepts, we accept, accepted by both: {:?}", self.verdicts);
        for (rule, (count, story)) in &self.stricter {
            println!("{count:5}  {rule}: {story}");
        }
        let shown =
            self.wrong.iter().map(|(words, all)| format!("{} {words}: {}", all.len(), all[0]));
        let shown: Vec<String> = shown.collect();
        assert!(shown.is_empty(), "Go rejects and we accept:\n{}", shown.join("\n"));
        assert!(self.contradicted.is_empty(), "Go contradicts:\n{:#?}", self.contradicted);
        let known = |rule: &&str| STRICTER.iter().any(|class| class.rule == *rule);
        let unknown: Vec<_> = self.stricter.keys().filter(|rule| !known(rule)).collect();
        assert!(unknown.is_empty(), "stricter than Go without a reason in classes.rs: {unknown:?}");
        // A test in which nothing is accepted, or nothing rejected, shows nothing.
        assert!(
            self.verdicts[3] * 20 > count && self.verdicts[0] * 20 > count,
            "{:?}",
            self.verdicts
        );
    }
}

/// True for a finding that says what Go of today does with this certificate when it is used as it was here.
fn is_about_go(found: &Finding, case: &Case) -> bool {
    let text = format!("{} {}", found.rule.impact, found.evidence);
    let quotes = text.contains("x509:") || text.contains("tls:");
    let rejects = ["etcd and the API server reject", "etcd and its clients reject", "etcd rejects"];
    let about_hosts =
        ["when a host name is checked", "use SANs instead", "certificate is valid for"]
            .iter()
            .any(|words| text.contains(words));
    // rustls' type of host names drops a dot at the end, so Go was asked about another host.
    let host_differs = case.question.host.as_deref().is_none_or(|host| host.ends_with('.'));
    let about_others = text.contains("before 1.2") || host_differs && about_hosts;
    (quotes || rejects.iter().any(|words| text.contains(words))) && !about_others
}

#[test]
fn without_an_edit_the_chains_with_every_extension_are_accepted() {
    let pool = Pool::shared();
    let purposes = [Purpose::Server, Purpose::Client, Purpose::Peer, Purpose::Any];
    let cases = purposes.map(|purpose| full::untouched(pool, purpose));
    let requests: Vec<Value> = cases.iter().map(to_json).collect();
    for (case, go) in cases.iter().zip(judge::ask(&requests)) {
        assert_eq!((case.question.ours(), go.error.as_str()), (None, ""));
    }
}

fn compare(seed: u64, count: usize) {
    compare_cases(seed, 0..count, case);
}

fn compare_cases(
    seed: u64,
    numbers: impl Iterator<Item = usize>,
    make: fn(&Pool, &mut Random, usize) -> Case,
) {
    const BATCH: usize = 5000;
    let pool = Pool::shared();
    let mut random = Random(seed);
    let mut outcome = Outcome::default();
    let numbers: Vec<usize> = numbers.collect();
    let count = numbers.len();
    for batch in numbers.chunks(BATCH) {
        let cases: Vec<Case> =
            batch.iter().map(|number| make(pool, &mut random, *number)).collect();
        let requests: Vec<Value> = cases.iter().map(to_json).collect();
        for (case, go) in cases.iter().zip(judge::ask(&requests)) {
            outcome.add(case, &go);
        }
    }
    outcome.conclude(count);
}
