//! Bad input is rejected with a reason and a hint, and nothing is written.
//!
//! The rows are inputs that cfssl 1.6.5 fails on or, worse, signs. The messages of each table are one snapshot,
//! because they are part of the product.

mod arguments;
mod authority;
mod ca_json;
mod certificates;
mod config;
mod csr_json;
mod environment;
mod names;
mod openssl;
mod request;

use std::fmt::Write as _;
use std::path::Path;

use crate::files::tree::Tree;
use crate::lab::{Lab, Run};
use crate::peers;

/// Bad inputs, run one after another in the same lab.
struct Table {
    lab: Lab,
    /// The messages, row by row.
    page: String,
    /// The rows that failed. All are reported at once.
    problems: Vec<String>,
    /// The program that runs `etcdpki`, and its options.
    under: &'static [&'static str],
}

impl Table {
    fn new(lab: Lab) -> Self {
        Self { lab, page: String::new(), problems: Vec::new(), under: &[] }
    }

    /// `etcdpki ARGS` exits with this code and a message, and changes nothing.
    fn refused(&mut self, row: &str, code: i32, args: &[&str]) {
        self.check(row, code, args, None);
    }

    /// The same with a file. The message must name it.
    fn refused_file(&mut self, row: &str, code: i32, file: (&str, &[u8]), args: &[&str]) {
        self.lab.write(file.0, file.1);
        self.check(row, code, args, Some(file));
    }

    fn check(&mut self, row: &str, code: i32, args: &[&str], file: Option<(&str, &[u8])>) {
        let before = Tree::of(self.lab.folder());
        let run = self.run(args);
        let changes = before.changes(&Tree::of(self.lab.folder()));
        let mut wrong = |problem: &str| {
            self.problems.push(format!("{row}: {problem}\n  {args:?}\n  {run:?}"));
        };
        if run.code != code {
            wrong(&format!("exit code {code} was wanted"));
        }
        if !run.stdout.is_empty() {
            wrong("a failure has no data to print");
        }
        if !changes.is_empty() {
            wrong(&format!("it left {changes:?}"));
        }
        if !REMEDIES.iter().any(|remedy| run.stderr.contains(remedy)) {
            wrong("the message does not say what to do next");
        }
        if let Some((name, _)) = file.filter(|(name, _)| !run.stderr.contains(name)) {
            wrong(&format!("the message does not name {name}"));
        }
        self.write_down(row, args, file, &run);
    }

    fn run(&self, args: &[&str]) -> Run {
        let Some((program, options)) = self.under.split_first() else {
            return self.lab.run(args);
        };
        let etcdpki = self.lab.command(args);
        let mut command = peers::program(program);
        command.args(options).arg(etcdpki.get_program()).args(args).current_dir(self.lab.folder());
        command.env_remove("ETCDPKI_DIR").output().unwrap().into()
    }

    fn write_down(&mut self, row: &str, args: &[&str], file: Option<(&str, &[u8])>, run: &Run) {
        let command: Vec<String> = args.iter().map(|arg| shell_word(arg)).collect();
        let message = redacted(&run.stderr, self.lab.folder());
        let page = &mut self.page;
        let _ = writeln!(page, "## {row}");
        if let Some((name, contents)) = file
            && let Ok(text) = std::str::from_utf8(contents)
            // The output of OpenSSL differs in each run.
            && !text.contains("-----BEGIN ")
        {
            let printable = !text.is_empty() && !text.chars().any(|c| c.is_control() || c == BOM);
            let text = if printable { text.to_owned() } else { format!("{text:?}") };
            let _ = writeln!(page, "{name}: {text}");
        }
        let _ = writeln!(page, "$ etcdpki {}\nexit {}\n{message}", command.join(" "), run.code);
    }

    /// Compares the messages with the reviewed ones.
    fn snapshot(self, name: &str) {
        snapshot(name, &self.page);
        assert!(self.problems.is_empty(), "{}", self.problems.join("\n"));
    }
}

fn snapshot(name: &str, page: &str) {
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name, page) });
}

const BOM: char = '\u{feff}';

/// The marks of a hint in a message: etcdpki's own, the rules', and clap's.
const REMEDIES: [&str; 7] = [
    "hint: ",
    "fix: ",
    "tip: ",
    "possible values: ",
    "Usage: ",
    "but none was supplied",
    "is not in 0..=255",
];

fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("{word:?}") }
}

/// The message without the parts that change from run to run: folders, key identifiers, current times.
///
/// The times that tests choose are all at midnight, and are kept.
pub(crate) fn redacted(message: &str, folder: &Path) -> String {
    let message = message.replace(&folder.display().to_string(), "<lab>");
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let mut redacted = String::new();
    let mut rest = message.as_str();
    while let Some(start) = rest.find(is_word) {
        let (between, tail) = rest.split_at(start);
        let end = tail.find(|c| !is_word(c)).unwrap_or(tail.len());
        // A colon after a time belongs to the sentence.
        let end = end - usize::from(tail[..end].ends_with("Z:"));
        let (word, tail) = tail.split_at(end);
        redacted.push_str(between);
        redacted.push_str(match word {
            _ if word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit()) => "<key id>",
            _ if is_moment(word) && !word.contains("T00:00:00Z") => "<moment>",
            _ => word,
        });
        rest = tail;
    }
    redacted + rest
}

/// `2027-06-01T12:00:00Z`, optionally with a fraction
fn is_moment(word: &str) -> bool {
    word.len() >= 20
        && word.ends_with('Z')
        && word.as_bytes()[4] == b'-'
        && word.as_bytes()[10] == b'T'
        && word.starts_with(|c: char| c.is_ascii_digit())
}
