//! `explain`, and docs/rules.md, which is generated from the same table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::lab::{Lab, Run};
use crate::peers;

fn rules() -> Vec<Value> {
    let document = Lab::new().ok(&["explain", "--format", "json"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    document["rules"].as_array().unwrap().clone()
}

/// The expected contents of docs/rules.md.
fn page(rules: &[Value]) -> String {
    let mut page = "\
# The rules

These are the rules that `etcdpki verify` and `etcdpki issue` apply. `etcdpki explain RULE` shows the same text for one rule. An error
means that something in the cluster fails now, or that it has a security hole. A warning means that something will fail later, or in other
programs. An info is good to know. With `--policy rfc5280`, only the rules of RFC 5280 apply, and every finding is an error, except
`nc-wildcard`, because RFC 5280 does not define it.

| rule | severity | required by |
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
            "\n## {}\n{}\n\n* **Fix**: {}\n* **See**: {}\n",
            of(rule, "rule"),
            of(rule, "impact"),
            of(rule, "remedy"),
            of(rule, "citation"),
        );
    }
    page
}

/// The programs besides etcdpki that a remedy may tell an operator to run: those of etcd, of OpenSSL, and those that
/// a Linux host with systemd has.
const PROGRAMS: [&str; 18] = [
    "cat",
    "chmod",
    "chown",
    "cp",
    "etcd",
    "etcdctl",
    "hostname",
    "journalctl",
    "mv",
    "openssl",
    "rm",
    "scp",
    "sed",
    "shred",
    "ssh",
    "systemctl",
    "timedatectl",
    "umask",
];

/// What stands in backquotes in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The commands of a shell line.
fn commands(line: &str) -> impl Iterator<Item = Vec<&str>> {
    let line = line.trim_start_matches('(').trim_end_matches(')');
    line.split("&&").flat_map(|part| part.split(';')).map(|part| part.split_whitespace().collect())
}

/// Whether this is a line of a configuration file or of an environment file: `NAME: VALUE` or `NAME=VALUE`.
fn is_setting(quoted: &str) -> bool {
    let is_name = |name: &str| {
        let name = name.trim_matches('"');
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '_')
    };
    let parts = quoted.split_once(": ").or_else(|| quoted.split_once('='));
    parts.is_some_and(|(name, value)| is_name(name) && !value.is_empty())
}

/// The subcommands of etcdpki with their help.
struct Help<'a> {
    lab: &'a Lab,
    pages: BTreeMap<String, Run>,
}

impl Help<'_> {
    /// Checks that etcdpki has a subcommand, and that it has these options.
    fn knows(&mut self, subcommand: &str, words: &[&str]) -> Result<(), String> {
        let page = self.pages.entry(subcommand.to_owned());
        let help = page.or_insert_with(|| self.lab.run(&[subcommand, "--help"]));
        if help.code != 0 {
            return Err(format!("there is no command {subcommand}"));
        }
        let options = words.iter().filter(|word| word.starts_with('-') && word.len() > 1);
        let is_known = |option: &&&str| {
            let mut words = help.stdout.split([' ', ',', '\n', '<', '|', '>']);
            words.any(|word| word == **option)
        };
        match options.clone().find(|option| !is_known(option)) {
            Some(option) => Err(format!("{subcommand} has no option {option}")),
            None => Ok(()),
        }
    }

    /// Checks one command of a remedy.
    fn check(&mut self, command: &[&str]) -> Result<(), String> {
        match command {
            ["etcdpki", subcommand, options @ ..] => self.knows(subcommand, options),
            // An option without a command belongs to the command that the remedy names before it.
            [option] if option.starts_with("--") => self.knows("issue", &[option]),
            _ => Ok(()),
        }
    }
}

#[test]
fn every_command_that_a_remedy_names_exists() {
    let lab = Lab::new();
    let mut help = Help { lab: &lab, pages: BTreeMap::new() };
    let mut faults = Vec::new();
    for rule in rules() {
        let (id, remedy) = (rule["rule"].as_str().unwrap(), rule["remedy"].as_str().unwrap());
        for line in quoted(remedy) {
            for command in commands(line) {
                let found = help.check(&command);
                faults.extend(found.err().map(|fault| format!("{id}: {line:?}: {fault}")));
            }
        }
        // What only a command can do.
        let needed = [
            ("enew the CA", "`etcdpki renew --ca`"),
            ("enew the certificate", "`etcdpki renew FILE`"),
            ("new key.", "--rekey"),
            ("rotation", "`etcdpki rotate-ca "),
        ];
        for (words, command) in needed {
            if remedy.contains(words) && !remedy.contains(command) {
                faults.push(format!("{id}: {remedy:?} does not name {command}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_remedy_names_a_command_to_run_or_a_setting_to_write() {
    let is_command = |line: &str| {
        commands(line).all(|command| match command[..] {
            [program, _, ..] => program == "etcdpki" || PROGRAMS.contains(&program),
            _ => false,
        })
    };
    let lacking: Vec<String> = rules()
        .iter()
        .map(|rule| (rule["rule"].as_str().unwrap(), rule["remedy"].as_str().unwrap()))
        .filter(|(_, remedy)| !quoted(remedy).any(|line| is_command(line) || is_setting(line)))
        .map(|(id, remedy)| format!("{id}: {remedy}"))
        .collect();
    assert!(lacking.is_empty(), "{lacking:#?}");
}

#[test]
fn docs_rules_md_is_in_step_with_the_table() {
    let (path, expected) = (peers::root().join("docs/rules.md"), page(&rules()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/rules.md differs from the table; regenerate it: \
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

#[test]
fn the_words_of_a_log_line_lead_to_rules() {
    let ids = |words: &[&str]| -> Vec<String> {
        let text = Lab::new().ok(&[&["explain", "--format", "json"], words].concat());
        let document: Value = serde_json::from_str(&text).unwrap();
        let rules = document["rules"].as_array().unwrap().iter();
        rules.map(|rule| rule["rule"].as_str().unwrap().to_owned()).collect()
    };
    let behind = ids(&["remote error: tls: bad certificate"]);
    assert_eq!(behind[..2], ["leaf-expired", "path-unknown-authority"]);
    for rule in ["trust-wrong-ca", "cli-eku", "peer-eku-both", "endpoint-stale-trust"] {
        assert!(behind.contains(&rule.to_owned()), "{rule}: {behind:?}");
    }
    // With or without quotes, as etcd logs it in JSON.
    assert_eq!(ids(&["tls:", "bad", "certificate"]), behind);
    let line = r#"{"level":"warn","msg":"rejected connection","error":"remote error: tls: bad certificate"}"#;
    assert_eq!(ids(&[line])[0], "leaf-expired");
    let run = Lab::new().run(&["explain", "zzzz qqqq"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
}
