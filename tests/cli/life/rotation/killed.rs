//! SIGKILL at any time in any step: `status` tells the truth, and the next command finishes or goes back.
//! `ETCDPKI_KILLS=200` runs so many; CI runs a few.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::separate::{ALL, Separate};
use super::*;

const STEPS: [&str; 4] = ["begin", "reissue", "finish", "abort"];

fn rounds() -> u32 {
    std::env::var("ETCDPKI_KILLS").map_or(16, |rounds| rounds.parse().unwrap())
}

/// The steps that come before this one, and after it.
const fn around(step: &str) -> (&[&'static str], &[&'static str]) {
    match step.as_bytes() {
        b"begin" => (&[], &["reissue", "finish"]),
        b"reissue" => (&["begin"], &["finish"]),
        _ => (&["begin", "reissue"], &[]),
    }
}

/// A lab in which this step is next.
fn before(step: &str) -> Lab {
    let lab = lab();
    for step in around(step).0 {
        rotated(&lab, step);
    }
    lab
}

/// Starts a step, and kills it after some time.
fn killed(lab: &Lab, args: &[&str], after: Duration) -> bool {
    let mut command = lab.command(&[args, &["--restarted", "all"]].concat());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// What `status` says of each host is what the files say.
fn status_is_true(lab: &Lab) {
    for host in status(lab)["hosts"].as_array().unwrap() {
        let name = host["host"].as_str().unwrap();
        let trusts = cas(lab, &format!("pki/hosts/{name}/ca.pem"));
        let leaf = if name == "masterone" { "apiserver-etcd-client" } else { "peer" };
        let leaf = certificates(lab, &format!("pki/hosts/{name}/{leaf}.pem")).swap_remove(0);
        let issuer = leaf.issuer.common_name().unwrap().to_owned();
        let phase = match (trusts.len(), issuer.as_str()) {
            (1, "etcd CA") => "before",
            (2, "etcd CA") => "begun",
            (2, _) => "reissued",
            _ => "finished",
        };
        assert_eq!(host["phase"], phase, "{host}");
        // What a host holds is accepted by every host, at any time.
        for other in HOSTS {
            let trusted = cas(lab, &format!("pki/hosts/{other}/ca.pem"));
            assert!(trusted.contains(&issuer), "{other} rejects {name}");
        }
    }
}

#[test]
fn a_killed_step_is_finished_or_taken_back() {
    let mut hit = 0;
    for round in 0..rounds() {
        let step = STEPS[round as usize % STEPS.len()];
        let whole = {
            let lab = before(step);
            let start = Instant::now();
            rotated(&lab, step);
            start.elapsed()
        };
        let lab = before(step);
        // From the start to the end, in each step.
        let part = round / u32::try_from(STEPS.len()).unwrap();
        let parts = rounds() / u32::try_from(STEPS.len()).unwrap();
        let args = ["rotate-ca", step, "-f", "cluster.yaml"];
        hit += u32::from(killed(&lab, &args, whole * part / parts.max(1)));
        status_is_true(&lab);
        // Half of them go on, the others back, as far as there is a way back.
        let goes_on = round % 8 < 4 || step == "finish";
        if goes_on && step != "abort" {
            rotated(&lab, step);
            for step in around(step).1 {
                status_is_true(&lab);
                rotated(&lab, step);
            }
            every_host(&lab, &["etcd CA G2"], "etcd CA G2");
        } else {
            for _ in 0..2 {
                rotated(&lab, "abort");
                status_is_true(&lab);
            }
            every_host(&lab, &["etcd CA"], "etcd CA");
        }
        everybody_agrees(&lab);
        lab.ok(&["issue", "--profile", "client", "backup"]);
    }
    assert!(hit > 0, "no kill hit a running process");
}

#[test]
fn a_killed_step_of_one_of_three_cas_is_finished_or_taken_back() {
    let mut hit = 0;
    for round in 0..rounds() / 2 {
        let separate = &ALL[round as usize % ALL.len()];
        let turn = round / u32::try_from(ALL.len()).unwrap();
        let step = STEPS[turn as usize % STEPS.len()];
        let before = || {
            let lab = separate::lab();
            for step in around(step).0 {
                separate.rotated(&lab, step);
            }
            lab
        };
        let lab = before();
        let start = Instant::now();
        separate.rotated(&lab, step);
        let whole = start.elapsed();
        let lab = before();
        // Anywhere in the step, in an order that a few rounds cover too.
        hit += u32::from(killed(&lab, &separate.args(step), whole * (1 + round * 5 % 8) / 8));
        separate.is_accepted(&lab);
        goes_on_or_back(&lab, separate, step, round % 8 < 4);
        everybody_agrees(&lab);
    }
    assert!(hit > 0, "no kill hit a running process");
}

fn goes_on_or_back(lab: &Lab, separate: &Separate, step: &'static str, goes_on: bool) {
    if step == "finish" || (goes_on && step != "abort") {
        for step in [&[step][..], around(step).1].concat() {
            separate.rotated(lab, step);
            separate.is_accepted(lab);
        }
        separate.hosts(lab, &[separate.new], separate.new);
    } else {
        for _ in 0..2 {
            separate.rotated(lab, "abort");
            separate.is_accepted(lab);
        }
        separate.hosts(lab, &[separate.old], separate.old);
    }
}

/// A finish that is killed while it removes the old folders has changed everything else.
#[test]
fn a_step_that_has_nothing_left_to_do_removes_what_a_killed_one_left() {
    let lab = lab();
    for step in ["finish", "abort"] {
        let left = lab.path("pki/hosts/.etcdpki-abCD12");
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join("peer-key.pem"), "a key").unwrap();
        let run = rotate(&lab, step, &["--restarted", "all"]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(!left.exists(), "{step} left {}", left.display());
    }
}
