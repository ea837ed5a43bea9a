//! docs/faults.md says what the tests see.

use std::fmt::Write as _;
use std::fs;

use super::{Fault, TABLES};
use crate::lab::Lab;
use crate::peers;

const HEAD: &str = "\
# Faults, and what is seen of them

Each of these faults is planted, one at a time, in a healthy cluster that etcdpki made. The tests start etcd 3.4 and etcd 3.5.1
with it, see what stands in the third column, and see `etcdpki verify -f cluster.yaml` name it by the [rule](rules.md) in the fourth.
Without a fault nothing of it is seen, and `verify` finds nothing.

Where every member is healthy the cluster hides the fault, and `verify` is what tells of it.

The table is that of `tests/cli/faults/` in words, and a test keeps it in step. Clients are etcdctl 3.5.1, for that of 3.4 tells no
more than that its time is over.
";

/// What docs/faults.md should say.
fn page() -> String {
    let mut page = HEAD.to_owned();
    for (about, table) in TABLES {
        write!(page, "\n## {about}\n").unwrap();
        page += "| fault | what is wrong | what is seen | rule |\n|---|---|---|---|\n";
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
    // The addresses of examples/lab.
    let places = [("{one}", "61"), ("{two}", "62"), ("{three}", "63"), ("{source}", "63")];
    places
        .iter()
        .fold(seen, |seen, (place, number)| seen.replace(place, &format!("192.168.29.{number}")))
}

#[test]
fn docs_faults_md_is_in_step_with_the_table() {
    let (path, wanted) = (peers::root().join("docs/faults.md"), page());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/faults.md is not what the table says; make it anew: \
         UPDATE_DOCS=1 cargo test -p pki-cli --test cli faults::documentation"
    );
}

/// A typing error in a rule's name would send readers nowhere.
#[test]
fn every_rule_of_the_table_is_explained() {
    for (name, fault) in TABLES.into_iter().flat_map(|(_, table)| table) {
        let explained = Lab::new().ok(&["explain", fault.rule]);
        assert!(explained.contains(fault.rule), "{name}: {explained}");
    }
}
