//! The progress of long work: only on a terminal, and removed at the end.

use super::*;
use crate::peers;
use crate::process::finish;

const WARNING: &str = "warning: 401 etcd members, but etcd's documentation recommends at most 7\n";

/// A cluster that takes long enough for a line with the progress.
fn fleet() -> Lab {
    let members = (1..=401).map(|n| {
        format!("  - {{ name: member{n}, ip: 10.0.{}.{}, combined: true }}\n", n / 256, n % 256)
    });
    let members: String = members.collect();
    with_manifest(&format!("cluster: lab\nconfiguration: false\netcd:\n{members}"))
}

/// The environment of a process whose clock runs 20 times as fast, so that a fast machine also
/// works long enough to show it.
fn fast_clock() -> String {
    format!("LD_PRELOAD={} FAKETIME='+0 x20'", peers::faketime().display())
}

/// `script` runs the command in a terminal and records its output.
fn on_a_terminal(lab: &Lab, command: &str) -> String {
    let mut script = peers::program("script");
    script.args(["--quiet", "--return", "--command", command, "/dev/null"]);
    let run = finish(script.current_dir(lab.folder()).env("TERM", "xterm"));
    assert_eq!(run.code, 0, "{run:?}");
    run.stdout
}

#[test]
fn a_line_shows_the_progress_and_leaves_nothing_behind() {
    let lab = fleet();
    let etcdpki = env!("CARGO_BIN_EXE_etcdpki");
    let apply = format!("{} '{etcdpki}' apply -f cluster.yaml >steps", fast_clock());
    let screen = on_a_terminal(&lab, &apply);
    assert!(screen.contains("making ") && screen.contains("/401 hosts"), "{screen:?}");
    // The line is cleared at the end.
    let (_, after) = screen.rsplit_once("\u{1b}[2K").unwrap();
    assert_eq!(after, WARNING.replace('\n', "\r\n"), "{screen:?}");
    let steps = String::from_utf8(lab.read("steps")).unwrap();
    assert!(steps.contains(
        "  create   member99/member.pem\n  write    member99/ca.pem\ndone: 402 created, "
    ));
    nothing_to_do(&lab);
}

#[test]
fn who_does_not_watch_gets_no_progress() {
    let run = fleet().run(APPLY);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.stderr, WARNING);
}
