//! `issue --force` replaces two files, which no file system does at once: killed at every rename, the next run finishes
//! it.

use std::fs;

use pki_core::Signer;

use super::*;
use crate::files::tree::Tree;
use crate::lab::Run;
use crate::peers;

/// Runs `etcdpki` and kills it when it enters this system call for the `number`th time.
pub(crate) fn killed_at(lab: &Lab, call: &str, number: u32, args: &[&str]) -> Run {
    let mut strace = peers::program("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=SIGKILL:when={number}")]);
    strace.arg(env!("CARGO_BIN_EXE_etcdpki")).args(args);
    strace.current_dir(lab.folder()).env_remove("ETCDPKI_DIR").output().unwrap().into()
}

fn is_pair(lab: &Lab) -> bool {
    let key = PrivateKey::from_pem(&lab.read("out/api-key.pem")).unwrap();
    certificate(&lab.read("out/api.pem")).public_key == *key.public_key()
}

#[test]
fn a_replaced_pair_that_a_kill_left_mixed_is_finished_by_the_next_run_that_writes_there() {
    const FORCE: &[&str] = &["issue", "--profile", "client", "api", "--out", "out", "--force"];
    let lab = Lab::with_ca(&[]);
    lab.ok(FORCE);
    let (mut killed, mut mixed) = (0, 0);
    let calls =
        ["rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "fsync"];
    for (call, number) in calls.iter().flat_map(|call| (1..=8).map(move |number| (call, number))) {
        let old = lab.read("out/api.pem");
        let run = killed_at(&lab, call, number, FORCE);
        if run.code == 0 {
            continue;
        }
        killed += 1;
        let was_mixed = !is_pair(&lab);
        mixed += u32::from(was_mixed);
        // One that is refused because of what is there, and one with another name, in turns.
        if number % 2 == 0 {
            let again = lab.run(&["issue", "--profile", "client", "api", "--out", "out"]);
            assert_eq!(again.code, 3, "{again:?}");
        } else {
            lab.ok(&["issue", "--profile", "client", "other", "--out", "out", "--force"]);
        }
        assert!(is_pair(&lab), "{call} {number}");
        if was_mixed {
            assert_ne!(
                lab.read("out/api.pem"),
                old,
                "{call} {number}: the new key is in its place"
            );
        }
        let known = inventory(&lab);
        assert!(known.contains(&certificate(&lab.read("out/api.pem")).der().to_vec()));
    }
    assert!(killed > 5, "only {killed} calls");
    assert!(mixed > 0, "no kill met the moment between the two renames");
    lab.ok(FORCE);
    assert_eq!(Tree::of(&lab.path("out")).strays().len(), 0);
    assert!(fs::read_dir(lab.path("out")).unwrap().count() <= 4);
}
