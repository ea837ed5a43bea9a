//! Words that no text for users contains, because readers of a review misread them or had to read them twice.

use std::fmt::Write as _;
use std::path::Path;

use crate::lab::Lab;
use crate::structure::sources;

/// A word or phrase, and what to write instead.
const WORDS: &[(&str, &str)] = &[
    ("mend", "fix"),
    ("of none", "of no, or say which ones"),
    ("wanted", "required, expected"),
    ("is no certificate", "is not a certificate"),
    (" alone", "only, which cannot mean `leave it`"),
    ("looked at", "checked"),
    ("is to say", "must say"),
    ("as it were", "leave it out"),
    ("anew", "again"),
    ("all the same", "still, although"),
    ("looks at", "checks, reads, connects to"),
    ("became of", "the result, the state"),
    ("somebody else", "another process, another user"),
];

/// What contains such a word and is right: quotations of Go, other words, `there is no`.
const ALLOWED: &[&str] = &["but wanted to match", "amend", "recommend", "there is no "];

/// Every line of the text that contains such a word.
fn misread(name: &str, text: &str) -> String {
    let mut found = String::new();
    for (number, line) in text.lines().enumerate() {
        let line =
            ALLOWED.iter().fold(line.to_lowercase(), |line, allowed| line.replace(allowed, ""));
        for (word, instead) in WORDS.iter().filter(|(word, _)| line.contains(word)) {
            let _ = writeln!(found, "{name}:{}: {word:?}: write {instead}: {line}", number + 1);
        }
    }
    found
}

fn assert_plain(name: &str, text: &str) {
    let found = misread(name, text);
    assert!(found.is_empty(), "{found}");
}

#[test]
fn rules_and_documentation_use_plain_words() {
    for rule in pki_core::rules() {
        assert_plain(rule.id, &format!("{}\n{}", rule.impact, rule.remedy));
    }
    for demand in pki_core::go_demands() {
        assert_plain(demand.name, &format!("{}\n{}", demand.refused, demand.rfc5280));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    for page in pages.chain([root.join("README.md")]) {
        assert_plain(&page.display().to_string(), &std::fs::read_to_string(&page).unwrap());
    }
}

#[test]
fn the_help_of_every_command_uses_plain_words() {
    let lab = Lab::new();
    let overview = lab.ok(&["--help"]);
    assert_plain("--help", &overview);
    let names = overview.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let names: Vec<&str> = names
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.contains(&"verify"), "{names:?}");
    for name in names {
        assert_plain(name, &lab.ok(&[name, "--help"]));
    }
}

/// Readers of the code misread the same words, and most messages never appear in the help or the documentation.
#[test]
fn comments_and_messages_of_the_sources_use_plain_words() {
    let mut found = String::new();
    for (path, source) in sources(&["pki-core/src", "pki-cli/src"]) {
        let prose: Vec<String> = source.lines().map(prose).collect();
        found += &misread(&path.display().to_string(), &prose.join("\n"));
    }
    assert!(found.is_empty(), "{found}");
}

/// The strings of tests are data, so only their comments are read.
#[test]
fn comments_of_the_tests_use_plain_words() {
    let mut found = String::new();
    for (path, source) in sources(&["tests"]) {
        let comment = |line: &str| line.trim_start().strip_prefix("//").unwrap_or("").to_owned();
        let comments: Vec<String> = source.lines().map(comment).collect();
        found += &misread(&path.display().to_string(), &comments.join("\n"));
    }
    assert!(found.is_empty(), "{found}");
}

/// The comment or the string literals in a line of Rust, without the code.
fn prose(line: &str) -> String {
    match line.trim_start().strip_prefix("//") {
        Some(comment) => comment.to_owned(),
        // A line within a long literal has no quotes, so it is read as a whole.
        None if line.contains(' ') && !line.contains('"') && line.ends_with('\\') => {
            line.to_owned()
        }
        None => line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join("\n"),
    }
}
