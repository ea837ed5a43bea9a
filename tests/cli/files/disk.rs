//! Read-only and full file systems.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{certificate, inventory, is_pair};
use crate::files::tree::Tree;
use crate::lab::{Lab, Run};
use crate::peers;

/// Runs a shell script in the lab with its own mount namespace. It exits with 97 if mounting fails.
pub(crate) fn with_mounts(lab: &Lab, script: &str) -> Run {
    let mut unshare = peers::program("unshare");
    if !rustix::process::geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    unshare.args(["--mount", "--", "sh", "-euc", script]);
    unshare.env("etcdpki", env!("CARGO_BIN_EXE_etcdpki")).env_remove("ETCDPKI_DIR");
    let run = Run::from(unshare.current_dir(lab.folder()).output().unwrap());
    assert!(
        run.code == 0,
        "this test mounts file systems, as root or in a user namespace \
         (sysctl kernel.unprivileged_userns_clone=1): {run:?}"
    );
    run
}

#[test]
fn a_read_only_folder_is_reported_and_nothing_changes() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "old", "--out", "out"]);
    lab.write("leaf.pem", lab.read("out/old.pem"));
    let before = Tree::of(lab.folder());
    let run = with_mounts(
        &lab,
        r#"
        for folder in pki out; do
            mount --bind $folder $folder && mount -o remount,ro,bind $folder || exit 97
        done
        try() { code=0; "$etcdpki" "$@" || code=$?; echo "exit $code from etcdpki $*" >&2; }
        try issue --profile client new
        try issue --profile client old --out out --force
        try issue --profile client new --out out
        umount pki
        try issue --profile client old --out out --force
        try issue --profile client new --out out
        try issue --profile client new --out out/deep
        try init-ca --dir out/pki
        try init-ca --dir out
        try verify leaf.pem --ca pki/ca.pem >/dev/null
        "#,
    );
    insta::with_settings!({ omit_expression => true, snapshot_path => "../snapshots" }, {
        insta::assert_snapshot!("read_only", run.stderr);
    });
    assert_eq!(before.changes(&Tree::of(lab.folder())), [""; 0]);
}

/// The result of a run on a disk with this number of free pages.
struct Outcome {
    free: u32,
    code: i32,
    stderr: String,
    folder: PathBuf,
}

/// Runs `etcdpki ARGS` repeatedly from the same state, on a disk of 256 KiB with more and more free pages of 4 KiB, so
/// that it fails at every write once.
fn on_a_disk_that_fills(lab: &Lab, args: &str) -> Vec<Outcome> {
    const MOST: u32 = 12;
    let script = format!(
        r#"
        mkdir disk before
        mount -t tmpfs -o size=256k,mode=700 none disk || exit 97
        if [ -d pki ]; then cp -a pki before; fi
        for file in *.pem; do if [ -f "$file" ]; then cp -a "$file" before; fi; done
        for free in $(seq 0 {MOST}); do
            cp -a before/. disk
            room=$(df -k --output=avail disk | tail -n 1)
            head -c $((room - 4 * free))K /dev/zero >disk/ballast
            code=0
            (cd disk; exec "$etcdpki" {args}) >stdout 2>stderr-$free || code=$?
            echo $code >code-$free
            rm disk/ballast
            mkdir after-$free
            cp -a disk/. after-$free
            find disk -mindepth 1 -delete
        done
        "#
    );
    let _ = with_mounts(lab, &script);
    let text = |name: String| String::from_utf8(lab.read(name)).unwrap();
    let outcomes: Vec<Outcome> = (0..=MOST)
        .map(|free| Outcome {
            free,
            code: text(format!("code-{free}")).trim().parse().unwrap(),
            stderr: text(format!("stderr-{free}")),
            folder: lab.path(format!("after-{free}")),
        })
        .collect();
    let (first, last) = (&outcomes[0], &outcomes[outcomes.len() - 1]);
    assert_eq!(first.code, 3, "nothing fits on a full disk: {}", first.stderr);
    assert_eq!(last.code, 0, "{MOST} pages are enough: {}", last.stderr);
    for outcome in &outcomes {
        assert!(matches!(outcome.code, 0 | 3), "{} free: {}", outcome.free, outcome.stderr);
        if outcome.code == 3 {
            let says_full = ["full", "No space left"].iter().any(|w| outcome.stderr.contains(w));
            assert!(says_full, "{} free: {}", outcome.free, outcome.stderr);
            assert!(outcome.stderr.contains("\n  hint: "), "{}", outcome.stderr);
        }
        assert_eq!(Tree::of(&outcome.folder).strays().len(), 0, "{} free", outcome.free);
    }
    outcomes
}

/// All files except the inventory are unchanged.
fn assert_as_before(before: &Path, outcome: &Outcome) {
    let changes = Tree::of(before).changes(&Tree::of(&outcome.folder));
    let changes: Vec<_> = changes.iter().filter(|name| !name.contains("/inventory.db")).collect();
    assert!(changes.is_empty(), "{} free: {changes:?}", outcome.free);
}

fn assert_recorded_pair(folder: &Path, base: &str) {
    assert!(is_pair(folder, base), "{}", folder.display());
    let pem = certificate(&folder.join(format!("{base}.pem"))).to_pem().unwrap();
    assert!(inventory(&folder.join("pki")).contains(&pem), "{}", folder.display());
}

#[test]
fn a_disk_that_fills_while_issuing_leaves_all_or_nothing() {
    // cfssljson truncates the old certificate and loses the new key.
    let lab = Lab::with_ca(&[]);
    for outcome in on_a_disk_that_fills(&lab, "issue --profile client api") {
        if outcome.code == 0 {
            assert_recorded_pair(&outcome.folder, "api");
        } else {
            assert_as_before(&lab.path("before"), &outcome);
        }
        assert!(is_pair(&outcome.folder.join("pki"), "ca"));
    }
}

#[test]
fn a_disk_that_fills_while_replacing_keeps_the_old_pair() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    for outcome in on_a_disk_that_fills(&lab, "issue --profile client api --force") {
        if outcome.code == 3 {
            assert_as_before(&lab.path("before"), &outcome);
        }
        assert_recorded_pair(&outcome.folder, "api");
    }
}

#[test]
fn a_disk_that_fills_while_a_ca_is_made_leaves_no_half_of_it() {
    let lab = Lab::new();
    for outcome in on_a_disk_that_fills(&lab, "init-ca") {
        let there = |file: &str| outcome.folder.join("pki").join(file).exists();
        let made = outcome.code == 0;
        assert_eq!((there("ca.pem"), there("ca-key.pem")), (made, made), "{} free", outcome.free);
        if !made {
            // The remaining files do not make the next attempt fail.
            let mut again = lab.command(&["init-ca"]);
            assert!(again.current_dir(&outcome.folder).output().unwrap().status.success());
        }
        let ca = outcome.folder.join("pki");
        assert!(is_pair(&ca, "ca"));
        assert!(inventory(&ca).contains(&certificate(&ca.join("ca.pem")).to_pem().unwrap()));
    }
}

#[test]
fn issuing_until_a_small_disk_is_full_keeps_every_pair_that_was_issued() {
    let lab = Lab::with_ca(&[]);
    let mut messages = String::new();
    let run = with_mounts(
        &lab,
        r#"
        mkdir disk after
        mount -t tmpfs -o size=128k,mode=700 none disk || exit 97
        cp -a pki disk
        cd disk
        number=0
        while [ $number -lt 40 ]; do
            code=0
            "$etcdpki" issue --profile client c$number >../stdout || code=$?
            echo "c$number $code"
            if [ $code -ne 0 ]; then break; fi
            number=$((number + 1))
        done
        cp -a . ../after
        "#,
    );
    let after = lab.path("after");
    let mut issued = 0;
    for line in run.stdout.lines() {
        let (base, code) = line.split_once(' ').unwrap();
        let _ = writeln!(messages, "{line}: {}", run.stderr);
        match code {
            "0" => {
                assert_recorded_pair(&after, base);
                issued += 1;
            }
            "3" => assert!(!after.join(format!("{base}.pem")).exists(), "{messages}"),
            _ => panic!("{messages}"),
        }
    }
    assert!((1..40).contains(&issued), "{messages}");
    // Only the pairs, the CA, and the inventory.
    let after = Tree::of(&after);
    let pem = after.names().filter(|name| name.extension().is_some_and(|end| end == "pem"));
    assert_eq!(pem.count(), 2 * issued + 2);
    assert_eq!(after.strays().len(), 0);
}
