//! Many processes at once, and killed processes.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{certificate, inventory, is_pair, key};
use crate::files::tree::Tree;
use crate::lab::{Lab, Run};

/// Starts all commands before it waits for the first.
fn at_once(lab: &Lab, commands: &[Vec<&str>]) -> Vec<Run> {
    let start = |args: &Vec<&str>| {
        let mut command = lab.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<Child> = commands.iter().map(start).collect();
    children.into_iter().map(|child| child.wait_with_output().unwrap().into()).collect()
}

#[test]
fn of_several_that_make_a_ca_one_wins() {
    for _ in 0..5 {
        let lab = Lab::new();
        let runs = at_once(&lab, &vec![vec!["init-ca"]; 6]);
        let (won, lost): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.code == 0);
        assert_eq!(won.len(), 1, "{runs:?}");
        for run in lost {
            assert_eq!(run.code, 3, "{run:?}");
            assert!(run.stderr.contains("a CA is never overwritten"), "{run:?}");
        }
        assert!(is_pair(&lab.path("pki"), "ca"));
        let recorded = inventory(&lab.path("pki"));
        let pem = String::from_utf8(lab.read("pki/ca.pem")).unwrap();
        assert_eq!(recorded.into_iter().collect::<Vec<_>>(), [pem]);
        assert_eq!(Tree::of(lab.folder()).strays().len(), 0);
    }
}

#[test]
fn eight_issue_at_once_each_with_a_serial_of_its_own() {
    let lab = Lab::with_ca(&[]);
    let names: Vec<String> = (0..8).map(|number| format!("c{number}")).collect();
    let issue = |name| vec!["issue", "--profile", "client", name];
    let commands: Vec<Vec<&str>> = names.iter().map(|name| issue(name.as_str())).collect();
    for run in at_once(&lab, &commands) {
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    }
    let recorded = inventory(&lab.path("pki"));
    assert_eq!(recorded.len(), 9, "the CA and eight leaves");
    let mut serials = Vec::new();
    for name in &names {
        assert!(is_pair(lab.folder(), name), "{name}");
        let leaf = certificate(&lab.path(format!("{name}.pem")));
        assert!(recorded.contains(&leaf.to_pem().unwrap()), "{name}");
        assert!(!serials.contains(&leaf.serial), "{name}");
        serials.push(leaf.serial.clone());
    }
}

#[test]
fn of_several_that_issue_under_one_name_the_files_are_one_pair() {
    let lab = Lab::with_ca(&[]);
    let issue = vec!["issue", "--profile", "client", "api"];
    let runs = at_once(&lab, &vec![issue.clone(); 4]);
    assert_eq!(runs.iter().filter(|run| run.code == 0).count(), 1, "{runs:?}");
    assert!(is_pair(lab.folder(), "api"));
    let force = [issue, vec!["--force"]].concat();
    for run in at_once(&lab, &vec![force; 4]) {
        assert_eq!(run.code, 0, "{run:?}");
    }
    assert!(is_pair(lab.folder(), "api"));
}

#[test]
fn a_run_waits_for_whoever_else_is_at_work() {
    let lab = Lab::with_ca(&[]);
    let folder = File::open(lab.path("pki")).unwrap();
    folder.lock().unwrap();
    let start = Instant::now();
    let mut issue = lab.command(&["issue", "--profile", "client", "api"]);
    let mut waiting = issue.stdout(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(400));
    assert!(waiting.try_wait().unwrap().is_none(), "it did not wait");
    assert!(!lab.path("api.pem").exists());
    folder.unlock().unwrap();
    assert!(waiting.wait().unwrap().success());
    assert!(start.elapsed() < Duration::from_secs(20), "it kept waiting");
}

#[test]
fn a_killed_run_leaves_whole_files_and_a_ca_that_works() {
    const RUNS: u32 = 30;
    let lab = Lab::with_ca(&[]);
    let issue = ["issue", "--profile", "client", "api", "--force"];
    let time = || {
        let start = Instant::now();
        lab.ok(&issue);
        start.elapsed()
    };
    let whole = (0..5).map(|_| time()).min().unwrap();
    let (mut killed, mut mixed, mut strays) = (0, 0, 0);
    for run in 0..RUNS {
        let mut child = lab.command(&issue).stdout(Stdio::null()).spawn().unwrap();
        // At times distributed over a whole run. 7 and 30 have no common factor, so every time is used once, in mixed order.
        thread::sleep(whole * (run * 7 % RUNS) / RUNS);
        // A process that has already exited cannot be killed.
        let _ = child.kill();
        killed += u32::from(!child.wait().unwrap().success());
        certificate(&lab.path("api.pem"));
        key(&lab.path("api-key.pem"));
        key(&lab.path("pki/ca-key.pem"));
        mixed += u32::from(!is_pair(lab.folder(), "api"));
        for stray in Tree::of(lab.folder()).strays() {
            let path = lab.path(stray);
            assert_eq!(super::mode(&path) & 0o022, 0, "{}", path.display());
            fs::remove_file(path).unwrap();
            strays += 1;
        }
    }
    assert!(killed > 0, "no run was killed: {whole:?} each");
    eprintln!("{killed} of {RUNS} runs killed: {mixed} mixed pairs, {strays} temporary files");
    // The lock is free and the inventory is intact.
    lab.ok(&issue);
    assert!(is_pair(lab.folder(), "api"));
    let leaf = certificate(&lab.path("api.pem"));
    assert!(inventory(&lab.path("pki")).contains(&leaf.to_pem().unwrap()));
}
