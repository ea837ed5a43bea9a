//! Single faults, each with a test of its own: Go rejects the chain and we report the rule, or Go accepts it and we do too.

mod accepted;
mod keys_and_extensions;
mod names;
mod names_and_constraints;

use std::collections::BTreeMap;

use pki_core::Severity;

use super::chains::Pool;
use super::compare::to_json;
use super::judge::{self, Verdict};
use super::samples::Make;

/// A chain with one fault.
struct Fault {
    /// The name of its test.
    name: &'static str,
    make: Make,
    verdict: Expected,
}

#[derive(Clone, Copy)]
enum Expected {
    /// Go rejects it, and so do we, by this rule.
    Rejected(&'static str),
    /// The same of every Go before this one.
    RejectedBefore(&'static str),
    Accepted,
    /// Go accepts it because it ignores what we report by this rule.
    Ignored(&'static str),
}

/// Go's verdict and ours of each fault of a file, by the name of its test.
type Verdicts = BTreeMap<&'static str, (Verdict, Vec<&'static str>)>;

/// Go is asked once about all faults of a file.
fn ask(faults: &[Fault]) -> Verdicts {
    let pool = Pool::shared();
    let cases: Vec<_> = faults.iter().map(|fault| fault.make.case(pool)).collect();
    let requests: Vec<_> = cases.iter().map(to_json).collect();
    let answers = cases.iter().zip(judge::ask(&requests));
    let answers = answers.map(|(case, go)| {
        let errors = match case.question.report() {
            Ok(report) => {
                let found = report.findings().filter(|found| found.severity == Severity::Error);
                found.map(|found| found.rule.id).collect()
            }
            Err(what) => vec![what],
        };
        (go, errors)
    });
    faults.iter().map(|fault| fault.name).zip(answers).collect()
}

fn check(faults: &[Fault], verdicts: &Verdicts, name: &str) {
    let fault = faults.iter().find(|fault| fault.name == name).unwrap();
    let (go, ours) = &verdicts[name];
    let is_right = match fault.verdict {
        Expected::Rejected(rule) => !go.accepts && ours.contains(&rule),
        Expected::RejectedBefore(rule) => ours.contains(&rule),
        Expected::Ignored(rule) => go.accepts && ours.contains(&rule),
        Expected::Accepted => go.accepts && ours.is_empty(),
    };
    assert!(is_right, "Go {go:?}, we {ours:?}");
}

/// The faults of a file, and a test for each.
macro_rules! faults {
    ($($name:ident: $verdict:expr, $make:expr;)*) => {
        static FAULTS: &[super::Fault] = &[
            $(super::Fault { name: stringify!($name), make: $make, verdict: $verdict }),*
        ];
        static VERDICTS: std::sync::LazyLock<super::Verdicts> =
            std::sync::LazyLock::new(|| super::ask(FAULTS));
        $(#[test] fn $name() { super::check(FAULTS, &VERDICTS, stringify!($name)); })*
    };
}

use faults;
