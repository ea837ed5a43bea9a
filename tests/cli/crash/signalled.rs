//! INT, TERM and HUP at any time: the run undoes or completes what it started, and its exit code says so.
//!
//! Each command gets a few signals by default; `ETCDPKI_SIGNALS=200` sends that many to each.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::files::tree::Tree;
use crate::lab::Run;

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// The number of signals for each command.
fn rounds() -> u32 {
    std::env::var("ETCDPKI_SIGNALS").map_or(12, |rounds| rounds.parse().unwrap())
}

/// Runs a command, sends it a signal after some time, and returns whether the signal ended it.
fn signalled(lab: &Lab, args: &[&str], signal: Signal, after: Duration) -> bool {
    let mut command = lab.command(args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(after);
    // Nobody has waited for the process, so its process id is still valid.
    kill_process(Pid::from_child(&child), signal).unwrap();
    let number = signal.as_raw();
    let output = child.wait_with_output().unwrap();
    // Before the program has installed its handlers, the signal itself ends it.
    if output.status.signal() == Some(number) {
        return true;
    }
    let run = Run::from(output);
    assert!([0, 128 + number].contains(&run.code), "{args:?}: {run:?}");
    run.code != 0
}

/// Sends signals at many points of a command's run, each time in a lab from `prepare`.
fn all_along(args: &[&str], prepare: impl Fn() -> Lab, check: impl Fn(&Lab, bool)) {
    let whole = {
        let lab = prepare();
        let start = Instant::now();
        lab.ok(args);
        start.elapsed()
    };
    let rounds = rounds();
    let mut ended = 0;
    for round in 0..rounds {
        let lab = prepare();
        let signal = SIGNALS[round as usize % SIGNALS.len()];
        let was_ended = signalled(&lab, args, signal, whole * round / rounds);
        ended += u32::from(was_ended);
        let strays = Tree::of(lab.folder());
        assert_eq!(strays.strays(), Vec::<&Path>::new(), "round {round}");
        check(&lab, was_ended);
    }
    assert!(ended > 0, "none of {rounds} signals hit a running process");
}

/// The key files of a lab, by name.
fn key_files(lab: &Lab) -> Vec<String> {
    let names = Tree::of(lab.folder());
    let names = names.names().map(|name| name.display().to_string());
    names.filter(|name| name.ends_with("-key.pem")).collect()
}

fn pair_of(lab: &Lab, base: &str) {
    let leaf = certificate(&lab.read(format!("{base}.pem")));
    let key = PrivateKey::from_pem(&lab.read(format!("{base}-key.pem"))).unwrap();
    assert_eq!(leaf.public_key, *key.public_key(), "{base}");
    assert!(inventory(lab).contains(&leaf.der().to_vec()), "{base} is not in the inventory");
}

#[test]
fn issue_that_gets_a_signal_leaves_no_key_beside_the_named_one() {
    let issue = ["issue", "--profile", "client", "api", "--out", "out"];
    all_along(
        &issue,
        || Lab::with_ca(&[]),
        |lab, was_ended| {
            if key_files(lab).contains(&"out/api-key.pem".to_owned()) {
                pair_of(lab, "out/api");
            } else {
                assert!(was_ended);
                assert_eq!(key_files(lab), ["pki/ca-key.pem"]);
                assert!(!lab.path("out/api.pem").exists());
            }
        },
    );
}

#[test]
fn issue_force_that_gets_a_signal_leaves_the_old_pair_or_the_new_one() {
    let prepare = || {
        let lab = Lab::with_ca(&[]);
        lab.ok(&["issue", "--profile", "client", "api"]);
        lab
    };
    let issue = ["issue", "--profile", "client", "api", "--force"];
    all_along(&issue, prepare, |lab, _| {
        pair_of(lab, "api");
        assert_eq!(key_files(lab), ["api-key.pem", "pki/ca-key.pem"]);
    });
}

/// What is in the CRL's file is in the inventory, and no file is half a CRL.
#[test]
fn crl_that_gets_a_signal_writes_a_recorded_crl_or_nothing() {
    let prepare = || {
        let lab = Lab::with_ca(&[]);
        lab.ok(&["crl", "--out", "crl.pem"]);
        lab
    };
    all_along(&["crl", "--out", "crl.pem"], prepare, |lab, was_ended| {
        let numbers = crate::inventory::sqlite(lab, "pki/inventory.db", "SELECT pem FROM crls");
        let written = String::from_utf8(lab.read("crl.pem")).unwrap();
        assert!(numbers.contains(written.trim()), "not recorded: {written}");
        let run = lab.run(&["crl", "--check", "--out", "crl.pem"]);
        // A CRL that is recorded and was not written costs a number.
        assert!(run.code == 0 || was_ended, "{run:?}");
    });
}

#[test]
fn init_ca_that_gets_a_signal_leaves_a_ca_or_nothing() {
    all_along(&["init-ca"], Lab::new, |lab, was_ended| {
        let made = ["pki/ca.pem", "pki/ca-key.pem"].map(|file| lab.path(file).exists());
        assert_eq!(made[0], made[1]);
        assert!(made[0] || was_ended);
        let again = lab.run(&["init-ca"]);
        assert_eq!(again.code, if made[0] { 3 } else { 0 }, "{again:?}");
    });
}

/// The key is the old file or the new one, and never lost.
#[test]
fn passwd_that_gets_a_signal_leaves_the_old_key_or_the_new_one() {
    let prepare = || {
        let lab = Lab::with_ca(&[]);
        lab.write("passphrase", "a passphrase");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(lab.path("passphrase"), mode).unwrap();
        lab
    };
    all_along(&["passwd", "--new-passphrase", "file:passphrase"], prepare, |lab, _| {
        let issue = ["issue", "--profile", "client", "api"];
        lab.ok(&[&issue[..], &["--ca-passphrase", "file:passphrase"]].concat());
        assert_eq!(key_files(lab), ["api-key.pem", "pki/ca-key.pem"]);
    });
}

/// A lab with the same files.
fn copy_of(lab: &Lab) -> Lab {
    let new = Lab::new();
    let mut copy = std::process::Command::new("cp");
    copy.arg("-a").arg(lab.path(".")).arg(new.path("."));
    assert!(copy.status().unwrap().success());
    new
}

/// A command, what is run before it, and the file that it does not replace when it runs again.
struct Writer {
    before: &'static [&'static [&'static str]],
    args: &'static [&'static str],
    creates: Option<&'static str>,
}

const ISSUE: &[&str] = &["issue", "--profile", "client", "api"];
const APPLY: &[&str] = &["apply", "-f", "cluster.yaml"];

const fn writer(
    before: &'static [&'static [&'static str]],
    args: &'static [&'static str],
    creates: Option<&'static str>,
) -> Writer {
    Writer { before, args, creates }
}

const WRITERS: [Writer; 9] = [
    writer(&[&["init-ca"], ISSUE], &["revoke", "api.pem"], None),
    writer(&[&["init-ca"]], &["backup", "copy.db"], Some("copy.db")),
    writer(&[&["init-ca"], ISSUE], &["certdb", "export", "certs.db"], Some("certs.db")),
    writer(
        &[&["init-ca"], ISSUE, &["certdb", "export", "certs.db"]],
        &["certdb", "import", "certs.db"],
        None,
    ),
    writer(&[&["init-ca"], ISSUE], &["check", "--rebuild", "--scan", "."], None),
    writer(
        &[&["init-ca", "--dir", "old"]],
        &["import-ca", "--cert", "old/ca.pem", "--key", "old/ca-key.pem"],
        Some("pki/ca-key.pem"),
    ),
    writer(&[APPLY], &["renew", "--ca"], None),
    writer(&[APPLY], &["rotate-ca", "begin", "-f", "cluster.yaml"], None),
    writer(
        &[APPLY],
        &["adopt", "--dir", "new", "-f", "new.yaml", "pki/hosts/etcdone", "pki/hosts/etcdtwo"],
        Some("new.yaml"),
    ),
];

#[test]
fn every_other_command_that_gets_a_signal_leaves_nothing_temporary_and_works_again() {
    for Writer { before, args, creates } in WRITERS {
        let origin = Lab::new();
        origin.write("cluster.yaml", manifest(false));
        for step in before {
            origin.ok(step);
        }
        all_along(
            args,
            || copy_of(&origin),
            |lab, _| {
                let is_there = creates.is_some_and(|file| lab.path(file).exists());
                let again = lab.run(args);
                assert!(again.code == 0 || is_there, "{args:?}: {again:?}");
                if lab.path("pki/hosts").exists() {
                    check_pairs_and_inventory(lab);
                }
            },
        );
    }
}

#[test]
fn export_that_gets_a_signal_leaves_an_archive_or_nothing() {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest(false));
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    all_along(
        &["export", "etcdone"],
        || copy_of(&lab),
        |lab, was_ended| {
            let archive = lab.path("etcdone.tar.gz");
            assert!(archive.exists() || was_ended);
            if archive.exists() {
                let list =
                    std::process::Command::new("tar").arg("-tzf").arg(&archive).output().unwrap();
                assert!(list.status.success(), "{list:?}");
            }
        },
    );
}

#[test]
fn apply_that_gets_a_signal_leaves_whole_hosts() {
    let prepare = || {
        let lab = Lab::with_ca(&[]);
        lab.write("cluster.yaml", manifest(false));
        lab
    };
    all_along(&["apply", "-f", "cluster.yaml"], prepare, |lab, _| {
        check_pairs_and_inventory(lab);
        lab.ok(&["apply", "-f", "cluster.yaml"]);
        check_pairs_and_inventory(lab);
        check_no_strays(lab);
    });
}

/// A new key, in a host's folder and in a file of `issue`.
#[test]
fn renew_that_gets_a_signal_leaves_each_pair_old_or_new() {
    let prepare = || {
        let lab = Lab::with_ca(&[]);
        lab.write("cluster.yaml", manifest(false));
        lab.ok(&["apply", "-f", "cluster.yaml"]);
        lab.ok(&["issue", "--profile", "client", "api"]);
        lab
    };
    let renew = ["renew", "--all", "--before", "1000d", "--rekey"];
    all_along(&renew, prepare, |lab, _| {
        pair_of(lab, "api");
        check_pairs_and_inventory(lab);
        lab.ok(&renew);
        check_pairs_and_inventory(lab);
        check_no_strays(lab);
    });
}

#[test]
fn a_rotation_that_gets_a_signal_goes_on() {
    let prepare = || {
        let lab = Lab::with_ca(&["--expiry", "20y"]);
        lab.write("cluster.yaml", manifest(false));
        lab.ok(&["apply", "-f", "cluster.yaml"]);
        lab.ok(&["rotate-ca", "begin", "-f", "cluster.yaml"]);
        lab
    };
    let reissue = ["rotate-ca", "reissue", "-f", "cluster.yaml", "--restarted", "all"];
    all_along(&reissue, prepare, |lab, _| {
        let status = lab.ok(&["rotate-ca", "status", "-f", "cluster.yaml"]);
        assert!(!status.contains(" cut "), "{status}");
        lab.ok(&reissue);
        lab.ok(&["rotate-ca", "finish", "-f", "cluster.yaml", "--restarted", "all"]);
        check_pairs_and_inventory(lab);
        check_no_strays(lab);
    });
}

/// `nohup etcdpki apply` continues when its terminal is closed.
#[test]
fn a_signal_that_the_parent_process_ignores_stays_ignored() {
    let lab = Lab::with_ca(&[]);
    // It waits for a request on standard input that never comes.
    let script = r#"
        trap '' HUP
        exec 3<&0
        "$1" issue --profile client api --csr - <&3 &
        sleep 0.3
        kill -HUP $!
        sleep 0.3
        kill -TERM $!
        wait $!
    "#;
    let mut shell = crate::peers::program("sh");
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_etcdpki")]).current_dir(lab.folder());
    let mut child = shell.stdin(Stdio::piped()).spawn().unwrap();
    let _request = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15), "HUP is 129");
}
