//! `--ignore`, `--warn-as-error`.

use std::fmt::Write as _;

use serde_json::Value;

use super::{mixed, redacted};
use crate::lab::Lab;

const SOON: [&str; 4] = ["verify", "certs/good.pem", "--expires-within", "400d"];
const IGNORE: [&str; 2] = ["--ignore", "leaf-expiring=replaced next week, OPS-12"];

fn findings(lab: &Lab, args: &[&str], code: i32) -> Value {
    let run = lab.run(&[args, &["--format", "json"]].concat());
    assert_eq!(run.code, code, "{args:?}: {run:?}");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    document["files"][0]["findings"].clone()
}

#[test]
fn a_warning_counts_as_an_error_where_that_is_asked_for() {
    let lab = mixed();
    assert_eq!(findings(&lab, &SOON, 0)[0]["severity"], "warning");
    let strict = [&SOON[..], &["--warn-as-error"]].concat();
    assert_eq!(findings(&lab, &strict, 1)[0]["severity"], "error");
}

#[test]
fn an_ignored_finding_is_shown_and_does_not_count() {
    let lab = mixed();
    let args = [&SOON[..], &IGNORE, &["--warn-as-error"]].concat();
    let found = findings(&lab, &args, 0);
    assert_eq!(found[0]["rule"], "leaf-expiring");
    assert_eq!(found[0]["ignored"], "replaced next week, OPS-12");
    // Errors as well, and only those of the rule.
    let wrong = ["verify", "certs/good.pem", "--host", "elsewhere", "--purpose", "client"];
    let both = findings(&lab, &wrong, 1);
    assert_eq!(
        (&both[0]["rule"], &both[1]["severity"]),
        (&"host-mismatch".into(), &"warning".into())
    );
    let ignored = [&wrong[..], &["--ignore", "host-mismatch=a proxy stands before it"]].concat();
    findings(&lab, &ignored, 0);
    findings(&lab, &[&ignored[..], &["--warn-as-error"]].concat(), 1);
    insta::assert_snapshot!("ignored", redacted(&lab, &lab.run(&args)));
}

#[test]
fn ignoring_needs_a_rule_and_a_reason() {
    let lab = mixed();
    let mut page = String::new();
    for ignored in ["leaf-expirng=soon", "leaf-expiring", "leaf-expiring= ", "=why", "nothing=why"]
    {
        let run = lab.run(&["verify", "certs/good.pem", "--ignore", ignored]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{ignored}: {run:?}");
        let _ = writeln!(page, "--ignore {ignored:?}\n{}", run.stderr);
    }
    insta::assert_snapshot!("ignore_refused", page);
}
