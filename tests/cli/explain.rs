//! `explain`, and docs/rules.md, which is made of the same table.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::lab::Lab;
use crate::peers;

fn rules() -> Vec<Value> {
    let document = Lab::new().ok(&["explain", "--format", "json"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    document["rules"].as_array().unwrap().clone()
}

/// What docs/rules.md should say.
fn page(rules: &[Value]) -> String {
    let mut page = "\
# The rules

What `etcdpki verify` reports and `etcdpki issue` obeys. `etcdpki explain RULE` says the same of one rule. An error breaks the
cluster now, or is a hole in it; a warning breaks later or elsewhere; an information is worth knowing. `--policy rfc5280` keeps
the rules of RFC 5280 alone, every one an error.

| rule | severity | demanded by |
|---|---|---|
"
    .to_owned();
    let of = |rule: &Value, field: &str| rule[field].as_str().unwrap().to_owned();
    for rule in rules {
        let (id, severity, source) = (of(rule, "rule"), of(rule, "severity"), of(rule, "source"));
        let _ = writeln!(page, "| [{id}](#{id}) | {severity} | {source} |");
    }
    for rule in rules {
        let _ = write!(
            page,
            "\n## {}\n{}\n\n* **Mend**: {}\n* **See**: {}\n",
            of(rule, "rule"),
            of(rule, "impact"),
            of(rule, "remedy"),
            of(rule, "citation"),
        );
    }
    page
}

#[test]
fn docs_rules_md_is_in_step_with_the_table() {
    let (path, wanted) = (peers::root().join("docs/rules.md"), page(&rules()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/rules.md is not what the table says; make it anew: \
         UPDATE_DOCS=1 cargo test -p pki-cli --test cli explain"
    );
}

#[test]
fn one_rule_is_explained() {
    let text = Lab::new().ok(&["explain", "peer-eku-both"]);
    insta::assert_snapshot!("explain", text);
}

#[test]
fn all_rules_are_listed_a_line_each() {
    let text = Lab::new().ok(&["explain"]);
    let rules = rules();
    assert_eq!(text.lines().count(), rules.len());
    let mut columns = BTreeSet::new();
    for (line, rule) in text.lines().zip(&rules) {
        let words: Vec<&str> = line.split_whitespace().take(2).collect();
        assert_eq!(words, [rule["rule"].as_str().unwrap(), rule["severity"].as_str().unwrap()]);
        let impact = rule["impact"].as_str().unwrap();
        assert!(line.ends_with(impact), "{line}");
        columns.insert(line.len() - impact.len());
    }
    assert_eq!(columns.len(), 1, "{text}");
}

#[test]
fn a_rule_that_does_not_exist_is_refused_with_the_nearest() {
    for (id, hint) in [
        ("peer_eku_both", "did you mean \"peer-eku-both\"?"),
        ("something-else-entirely", "run `etcdpki explain` to list all rules"),
    ] {
        let run = Lab::new().run(&["explain", id]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains(&format!("rule {id:?}: unknown rule")), "{run:?}");
        assert!(run.stderr.contains(hint), "{run:?}");
    }
}
