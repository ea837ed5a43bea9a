//! Every rule has an example that violates it, and the same example without the fault.
//!
//! To add an example, write a function that plants the fault in the file of the rule's group below, and add a row
//! to `EXAMPLES` there. `INSTA_UPDATE=always cargo test -p pki-core --test core rules::` then writes the message
//! of the finding to `snapshots/`; read it.

mod boundaries;
mod ca;
mod chain;
mod client_config;
mod client_files;
mod clients;
mod cluster;
mod config;
mod constraints;
mod crls;
mod endpoint;
mod files;
mod form;
mod go;
pub(crate) mod hosts;
mod keys;
mod many;
mod names;
mod path;
mod peers;
mod pem;
mod policies;
mod remarks;
pub(crate) mod revocation;
mod servers;
mod survivors;
mod trust;
mod usages;
mod validity;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pki_core::{Finding, Purpose};

use self::chain::Chain;
use self::hosts::Hosts;

/// One rule, and how to violate it.
struct Example {
    rule: &'static str,
    world: World,
}

/// An input without faults, and the fault to plant in it.
enum World {
    /// A leaf certificate under its CA.
    Chain(Purpose, fn(&mut Chain)),
    /// The folders of all hosts of a lab.
    Hosts(fn(&mut Hosts)),
    /// Anything else: returns the findings with and without the fault.
    Other(fn(Fault) -> Vec<Finding>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    Absent,
    Planted,
}

impl Example {
    const fn chain(rule: &'static str, purpose: Purpose, plant: fn(&mut Chain)) -> Self {
        Self { rule, world: World::Chain(purpose, plant) }
    }

    const fn hosts(rule: &'static str, plant: fn(&mut Hosts)) -> Self {
        Self { rule, world: World::Hosts(plant) }
    }

    const fn other(rule: &'static str, found: fn(Fault) -> Vec<Finding>) -> Self {
        Self { rule, world: World::Other(found) }
    }

    fn findings(&self, fault: Fault) -> Vec<Finding> {
        match self.world {
            World::Chain(purpose, plant) => {
                let mut chain = Chain::new(purpose);
                if fault == Fault::Planted {
                    plant(&mut chain);
                }
                chain.findings()
            }
            World::Hosts(plant) => {
                let mut hosts = Hosts::new();
                if fault == Fault::Planted {
                    plant(&mut hosts);
                }
                hosts.findings()
            }
            World::Other(found) => found(fault),
        }
    }
}

/// The examples, in the order of the rules.
fn examples() -> impl Iterator<Item = &'static Example> {
    [
        validity::EXAMPLES,
        ca::EXAMPLES,
        constraints::EXAMPLES,
        policies::EXAMPLES,
        form::EXAMPLES,
        keys::EXAMPLES,
        usages::EXAMPLES,
        names::EXAMPLES,
        path::EXAMPLES,
        go::EXAMPLES,
        revocation::EXAMPLES,
        files::EXAMPLES,
        pem::EXAMPLES,
        trust::EXAMPLES,
        servers::EXAMPLES,
        peers::EXAMPLES,
        clients::EXAMPLES,
        client_files::EXAMPLES,
        client_config::EXAMPLES,
        remarks::EXAMPLES,
        config::EXAMPLES,
        crls::EXAMPLES,
        cluster::EXAMPLES,
        endpoint::EXAMPLES,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn every_rule_has_an_example_and_every_example_a_rule() {
    let rules: BTreeSet<&str> = pki_core::rules().map(|rule| rule.id).collect();
    assert_eq!(rules.len(), pki_core::rules().count(), "a rule occurs twice in the table");
    let with_example: BTreeSet<&str> = examples().map(|example| example.rule).collect();
    let lacking: Vec<_> = rules.difference(&with_example).collect();
    assert!(lacking.is_empty(), "rules without an example in tests/core/rules/: {lacking:?}");
    let unknown: Vec<_> = with_example.difference(&rules).collect();
    assert!(unknown.is_empty(), "examples of rules that do not exist: {unknown:?}");
}

#[test]
fn without_the_fault_nothing_is_found() {
    for example in examples() {
        let found = example.findings(Fault::Absent);
        assert!(found.is_empty(), "{}: {found:#?}", example.rule);
    }
}

#[test]
fn with_the_fault_the_rule_says_so_in_these_words() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("rules/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    let _bound = settings.bind_to_scope();
    for example in examples() {
        let found = example.findings(Fault::Planted);
        let ids_found = ids(&found);
        assert!(ids_found.contains(&example.rule), "{}: only {ids_found:?}", example.rule);
        let (of_the_rule, others): (Vec<&Finding>, Vec<&Finding>) =
            found.iter().partition(|finding| finding.rule.id == example.rule);
        let mut text: String = of_the_rule.into_iter().map(message).collect();
        if !others.is_empty() {
            let _ = writeln!(text, "found too: {}", ids(others).join(", "));
        }
        insta::assert_snapshot!(example.rule, text);
    }
}

fn message(finding: &Finding) -> String {
    let rule = finding.rule;
    let mut text = String::new();
    let _ = write!(
        text,
        "{finding}\n  impact: {}\n  remedy: {}\n  source: {}\n",
        rule.impact, rule.remedy, rule.citation
    );
    steady(&text)
}

/// Replaces key identifiers and serial numbers, which differ in each run.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let run =
            rest[start..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len() - start);
        let (before, from) = rest.split_at(start);
        let (digits, after) = from.split_at(run);
        steady.push_str(before);
        steady.push_str(if run >= 32 { "[HEX]" } else { digits });
        rest = after;
    }
    steady + rest
}

/// The ids of findings.
fn ids<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<&'static str> {
    findings.into_iter().map(|finding| finding.rule.id).collect()
}
