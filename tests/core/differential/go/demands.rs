//! Each of Go's demands against Go, OpenSSL and ourselves, and the table of them in docs/verification.md.

use std::fmt::Write as _;

use pki_core::{GoDemand, go_demands};

use super::chains::Pool;
use super::compare::to_json;
use super::documentation;
use super::judge::{self, Verdict};
use super::samples::{SAMPLES, Sample};
use crate::differential::chains::Chain;
use crate::differential::judges::{HOST, openssl_verify};

fn sample(demand: &GoDemand) -> &'static Sample {
    let found = SAMPLES.iter().find(|sample| sample.demand == demand.name);
    found.unwrap_or_else(|| panic!("tests/core/differential/go/samples.rs lacks {}", demand.name))
}

/// True for words with … in place of anything.
fn says(verdict: &Verdict, words: &str) -> bool {
    let mut rest = verdict.error.as_str();
    words.split('…').all(|part| match rest.split_once(part.trim()) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

#[test]
fn go_says_of_each_demand_what_the_table_quotes_and_we_report_its_rule() {
    let pool = Pool::shared();
    let demands: Vec<&GoDemand> = go_demands().collect();
    assert_eq!(demands.len(), SAMPLES.len(), "a sample without a demand");
    let cases: Vec<_> = demands.iter().map(|demand| sample(demand).case(pool)).collect();
    let requests: Vec<_> = cases.iter().map(to_json).collect();
    let mut wrong = String::new();
    for ((demand, case), go) in demands.iter().zip(&cases).zip(judge::ask(&requests)) {
        let ours = case.question.ours().unwrap_or_default();
        if !ours.split(' ').any(|rule| rule == demand.rule.id) {
            let _ = writeln!(wrong, "{}: we report {ours:?}", demand.name);
        }
        // What only older versions refuse the tests for those versions look at.
        let quoted =
            says(&go, demand.words) || (go.accepts && demand.versions.starts_with("before"));
        if !quoted {
            let _ = writeln!(wrong, "{}: Go says {go:?}", demand.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The lines of the table in docs/verification.md, the last column by OpenSSL as it is installed.
fn table() -> String {
    let pool = Pool::shared();
    let folder = tempfile::tempdir().unwrap();
    let mut table = "\
| rule | Go rejects | it says | Go versions | RFC 5280 | OpenSSL 3.0 |
|---|---|---|---|---|---|
"
    .to_owned();
    for demand in go_demands() {
        let question = sample(demand).case(pool).question;
        let chain = Chain {
            anchors: question.roots,
            between: question.intermediates,
            leaf: question.leaf,
            story: String::new(),
        };
        let host = ["-verify_hostname", HOST];
        let refusal = openssl_verify(folder.path(), &chain, |command| {
            command.args(question.host.iter().flat_map(|_| host));
        });
        let GoDemand { rule, refused, words, versions, rfc5280, .. } = demand;
        let openssl = if refusal.is_some() { "rejects" } else { "accepts" };
        let _ = writeln!(
            table,
            "| `{}` | {refused} | `{words}` | {versions} | {rfc5280} | {openssl} |",
            rule.id
        );
    }
    table
}

#[test]
fn docs_verification_md_has_the_table() {
    documentation::assert_has("the demands of Go", &table());
}

/// Shows which versions say what, for the table: a person reads it.
#[test]
#[ignore = "set ETCDPKI_GO_TOOLCHAINS to the GOROOTs of other Go versions, separated by colons"]
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "it is shown with --nocapture"
)]
fn versions() {
    let pool = Pool::shared();
    let roots = std::env::var("ETCDPKI_GO_TOOLCHAINS").unwrap();
    let cases: Vec<_> = go_demands().map(|demand| sample(demand).case(pool)).collect();
    let requests: Vec<_> = cases.iter().map(to_json).collect();
    for root in roots.split(':') {
        let verdicts = judge::ask_toolchain(std::path::Path::new(root), &requests);
        println!("== {root}");
        for (demand, go) in go_demands().zip(verdicts) {
            let expected = says(&go, demand.words);
            let mark = if go.accepts {
                "accepts"
            } else if expected {
                "as quoted"
            } else {
                &go.error
            };
            println!("{:22} {:50} {mark}", demand.name, demand.versions);
        }
    }
}
