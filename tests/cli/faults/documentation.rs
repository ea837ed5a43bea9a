//! docs/faults.md lists what the tests observe.

use std::fmt::Write as _;
use std::fs;

use super::{Fault, TABLES};
use crate::lab::Lab;
use crate::peers;

const HEAD: &str = "\
# Faults and their symptoms

The tests plant each of these faults, one at a time, in a healthy cluster that etcdpki created. They start etcd 3.4 and etcd 3.5.1 with
it, check that the symptom in the third column occurs, and check that `etcdpki verify -f cluster.yaml` reports the [rule](rules.md) in
the fourth. Without a fault, there are no symptoms and `verify` finds nothing.

Where the symptom is \"every member is healthy\", the cluster hides the fault and only `verify` reports it.

This table is generated from `tests/cli/faults/`, and a test keeps it up to date. The client is etcdctl 3.5.1, because etcdctl 3.4
reports only that a timeout expired.
";

/// The expected contents of docs/faults.md.
fn page() -> String {
    let mut page = HEAD.to_owned();
    for (about, table) in TABLES {
        write!(page, "\n## {about}\n").unwrap();
        page += "| fault | what is wrong | symptom | rule |\n|---|---|---|---|\n";
        for (name, fault) in table {
            let (name, seen, rule) = (name.replace('_', "-"), seen(fault), fault.rule);
            writeln!(page, "| {name} | {} | {seen} | [{rule}](rules.md#{rule}) |", fault.what)
                .unwrap();
        }
    }
    page
}

fn seen(fault: &Fault) -> String {
    let [old, new] = fault.seen.map(|sights| {
        let sights: Vec<String> = sights.iter().map(ToString::to_string).collect();
        sights.join("; ")
    });
    let seen = if old == new { old } else { format!("3.4: {old}. 3.5.1: {new}") };
    // The addresses in examples/lab.
    let places = [("{one}", "61"), ("{two}", "62"), ("{three}", "63"), ("{source}", "63")];
    places
        .iter()
        .fold(seen, |seen, (place, number)| seen.replace(place, &format!("192.168.29.{number}")))
}

#[test]
fn docs_faults_md_is_in_step_with_the_table() {
    let (path, expected) = (peers::root().join("docs/faults.md"), page());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/faults.md differs from the table; regenerate it: \
         UPDATE_DOCS=1 cargo test -p pki-cli --test cli faults::documentation"
    );
}

/// A typing error in a rule's id would be a dead link.
#[test]
fn every_rule_of_the_table_is_explained() {
    for (name, fault) in TABLES.into_iter().flat_map(|(_, table)| table) {
        let explained = Lab::new().ok(&["explain", fault.rule]);
        assert!(explained.contains(fault.rule), "{name}: {explained}");
    }
}
