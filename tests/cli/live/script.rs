//! Runs examples/lab/netns.sh as a reader would.

use std::process::Command;

use crate::lab::{Lab, Run};
use crate::machines::network::namespaces;
use crate::members::take_turn;
use crate::peers;
use crate::process::finish;

/// The name of the lab of this process. The tests of one process take turns.
fn name() -> String {
    format!("etcdpki-test-{}-script", std::process::id())
}

fn netns(lab: &Lab, action: &str) -> Run {
    let mut script = Command::new(peers::root().join("examples/lab/netns.sh"));
    script
        .args([action, env!("CARGO_BIN_EXE_etcdpki")])
        .env("LAB", name())
        .env("LAB_DIR", lab.path("lab"))
        .env("ETCD", peers::program("etcd").get_program())
        .env("ETCDCTL", peers::program("etcdctl").get_program());
    finish(&mut script)
}

fn left_behind(lab: &Lab) -> Vec<String> {
    let mut names = namespaces();
    names.retain(|namespace| namespace.starts_with(&name()));
    names.extend(lab.path("lab").exists().then(|| "files".to_owned()));
    names
}

/// Stops the lab even if a test fails.
struct Down<'lab>(&'lab Lab);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        if rustix::process::geteuid().is_root() {
            drop(netns(self.0, "down"));
        }
    }
}

#[test]
fn the_script_shows_the_lab_and_leaves_nothing_behind() {
    let _turn = take_turn();
    let lab = Lab::new();
    let _down = Down(&lab);
    let run = netns(&lab, "run");
    if rustix::process::geteuid().is_root() {
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(run.stdout.matches("is healthy").count(), 3, "{run:?}");
        assert!(run.stdout.contains("OK\nlab\nlives\n"), "{run:?}");
        assert!(run.stdout.contains("without a certificate\nrefused\n"), "{run:?}");
    } else {
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains("need root"), "{run:?}");
    }
    assert_eq!(left_behind(&lab), Vec::<String>::new());
}

#[test]
fn the_script_leaves_the_lab_up_until_it_is_taken_down() {
    let _turn = take_turn();
    let lab = Lab::new();
    let _down = Down(&lab);
    let up = netns(&lab, "up");
    if !rustix::process::geteuid().is_root() {
        assert_eq!(up.code, 1, "{up:?}");
        return;
    }
    assert_eq!(up.code, 0, "{up:?}");
    assert_eq!(left_behind(&lab).len(), 7, "five hosts, a bridge, files");
    let again = netns(&lab, "up");
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.stderr.contains("stop it first"), "{again:?}");
    assert_eq!(left_behind(&lab).len(), 7, "the running lab keeps running");
    let down = netns(&lab, "down");
    assert_eq!(down.code, 0, "{down:?}");
    assert_eq!(left_behind(&lab), Vec::<String>::new());
}
