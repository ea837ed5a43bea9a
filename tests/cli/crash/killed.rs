use std::process::Stdio;
use std::time::{Duration, Instant};

use super::*;

/// How often each kind of run is killed: more than 200 times in total.
const FRESH: u32 = 90;
const REISSUE: u32 = 120;

/// The number of labs that work in parallel. Most of their time is spent waiting for the disk.
const AT_ONCE: u32 = 3;

fn apply(lab: &Lab) {
    let run = lab.run(&["apply", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 0, "{run:?}");
}

/// Runs `apply`, kills it after some time, and returns whether it was still running.
fn killed(lab: &Lab, after: Duration) -> bool {
    let mut command = lab.command(&["apply", "-f", "cluster.yaml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// The slowest of three runs of `work`.
fn measured(mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..3).map(time).max().unwrap()
}

/// The time of kill number `run` of `runs`, from the start to shortly after the end.
fn moment(run: u32, runs: u32, whole: Duration) -> Duration {
    whole * 11 / 10 * run / runs
}

/// Distributes the runs over several threads.
fn in_threads(runs: u32, work: impl Fn(u32) -> bool + Sync) -> u32 {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..AT_ONCE)
            .map(|thread| {
                let mine = (0..runs).filter(move |run| run % AT_ONCE == thread);
                scope.spawn(move || mine.map(|run| u32::from(work(run))).sum::<u32>())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn fresh() -> Lab {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest(false));
    lab
}

/// Every host has either all of its old files or all of its new files.
fn check_old_or_new(old: &Hosts, now: &Hosts, second: bool) {
    let (key, data) =
        if second { ("ecdsa-p384", "/srv/etcd") } else { ("ecdsa-p256", "/var/lib/etcd") };
    for (host, files) in now {
        if old.get(host) == Some(files) {
            continue;
        }
        let leaves = pairs(files);
        let wanted = if host == "masterone" { 1 } else { 2 };
        assert_eq!(leaves.len(), wanted, "{host} is incomplete");
        for leaf in leaves {
            assert_eq!(leaf.public_key.algorithm_name(), key, "{host}: {}", leaf.subject);
        }
        assert!(files.contains_key("ca.pem"), "{host} has no ca.pem");
        if let Some(config) = files.get("etcd.conf.yaml") {
            let config = String::from_utf8_lossy(config);
            assert!(config.contains(&format!("data-dir: \"{data}\"")), "{host}: {config}");
            assert!(files.contains_key("etcd.service"), "{host} is incomplete");
        } else {
            assert!(files.contains_key("kubeadm-config.yaml"), "{host} is incomplete");
        }
    }
    assert!(old.keys().all(|host| now.contains_key(host)), "a host is missing");
}

/// The next run completes the work: new folders stay, and nothing is left to do or to clean up.
fn check_next_run_finishes(lab: &Lab, old: &Hosts, killed: &Hosts) {
    apply(lab);
    let done = hosts(lab);
    for (host, files) in killed.iter().filter(|(host, files)| old.get(*host) != Some(files)) {
        assert_eq!(Some(files), done.get(host), "{host} was new and was created again");
    }
    assert_eq!(done.values().map(|files| pairs(files).len()).sum::<usize>(), CERTIFICATES);
    let plan = lab.run(&["plan", "-f", "cluster.yaml", "--exit-code"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    for (host, files) in &done {
        let config = files.get("etcd.conf.yaml").map(|config| String::from_utf8_lossy(config));
        let begins = config.is_none_or(|text| text.contains("initial-cluster-state: \"new\""));
        assert!(begins, "{host} would look for a running cluster");
    }
    check_pairs_and_inventory(lab);
    check_no_strays(lab);
}

#[test]
fn a_first_apply_that_is_killed_leaves_whole_hosts_and_the_next_one_finishes() {
    let whole = measured(|| apply(&fresh()));
    let before_the_end = in_threads(FRESH, |run| {
        let lab = fresh();
        let was_killed = killed(&lab, moment(run, FRESH, whole));
        let left = hosts(&lab);
        check_pairs_and_inventory(&lab);
        check_old_or_new(&Hosts::new(), &left, false);
        check_next_run_finishes(&lab, &Hosts::new(), &left);
        was_killed
    });
    assert!(
        before_the_end > FRESH / 3,
        "only {before_the_end} of {FRESH} kills hit a running process"
    );
}

#[test]
fn a_reissue_that_is_killed_leaves_each_host_old_or_new_and_the_next_one_finishes() {
    let labs: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let lab = fresh();
            apply(&lab);
            std::sync::Mutex::new((lab, false))
        })
        .collect();
    let toggle = |(lab, second): &mut (Lab, bool)| {
        *second = !*second;
        lab.write("cluster.yaml", manifest(*second));
    };
    let whole = measured(|| {
        let mut lab = labs[0].lock().unwrap();
        toggle(&mut lab);
        apply(&lab.0);
    });
    let before_the_end = in_threads(REISSUE, |run| {
        let mut locked = labs[(run % AT_ONCE) as usize].lock().unwrap();
        toggle(&mut locked);
        let (lab, second) = &*locked;
        let old = hosts(lab);
        let was_killed = killed(lab, moment(run, REISSUE, whole));
        let left = hosts(lab);
        check_pairs_and_inventory(lab);
        check_old_or_new(&old, &left, *second);
        check_next_run_finishes(lab, &old, &left);
        was_killed
    });
    assert!(
        before_the_end > REISSUE / 3,
        "only {before_the_end} of {REISSUE} kills hit a running process"
    );
}

/// Killed directly after its certificates were recorded: they do not show that it was a member.
#[test]
fn a_member_whose_first_folder_is_not_in_its_place_yet_begins_with_the_others() {
    let lab = fresh();
    apply(&lab);
    let place = lab.path("pki/hosts/etcdtwo");
    let state = || {
        let config = String::from_utf8(lab.read("pki/hosts/etcdtwo/etcd.conf.yaml")).unwrap();
        let line = config.lines().find(|line| line.starts_with("initial-cluster-state"));
        line.unwrap().to_owned()
    };
    std::fs::rename(&place, lab.path("pki/hosts/.etcdpki-first-etcdtwo.a1B2c3")).unwrap();
    let applied = lab.ok(&["apply", "-f", "cluster.yaml"]);
    assert!(!applied.contains("etcdctl member"), "{applied}");
    assert_eq!(state(), "initial-cluster-state: \"new\"");
    check_no_strays(&lab);

    // Control: without such a folder it is a member that is replaced.
    std::fs::remove_dir_all(&place).unwrap();
    let applied = lab.ok(&["apply", "-f", "cluster.yaml"]);
    assert!(applied.contains("etcdctl member add etcdtwo"), "{applied}");
    assert_eq!(state(), "initial-cluster-state: \"existing\"");

    // Between two folders, where they cannot be exchanged.
    std::fs::rename(&place, lab.path("pki/hosts/.etcdpki-new-etcdtwo")).unwrap();
    let before = hosts(&lab);
    let plan = lab.run(&["plan", "-f", "cluster.yaml"]);
    assert!(!plan.stdout.contains("etcdctl member"), "{plan:?}");
    assert_eq!(lab.ok(&["apply", "-f", "cluster.yaml"]), "nothing to do\n");
    assert_eq!(hosts(&lab).len(), before.len() + 1);
}

/// The key is put in its place before the certificate; this is the moment between.
#[test]
fn a_ca_whose_certificate_did_not_follow_its_key_gets_it_from_the_inventory() {
    let lab = fresh();
    apply(&lab);
    let ca = lab.read("pki/ca.pem");
    let before = hosts(&lab);
    std::fs::remove_file(lab.path("pki/ca.pem")).unwrap();

    let again = lab.run(&["init-ca"]);
    assert_eq!(again.code, 3, "{again:?}");
    assert!(again.stderr.contains("put the certificate back from the inventory"), "{again:?}");

    let plan = lab.run(&["plan", "-f", "cluster.yaml", "--exit-code"]);
    assert_eq!(plan.code, 4, "{plan:?}");
    let restored = format!("  restore  the CA CN=etcd CA: {}\n", lab.path("pki/ca.pem").display());
    assert!(plan.stdout.starts_with(&restored), "{plan:?}");
    assert!(!lab.path("pki/ca.pem").exists(), "plan wrote ca.pem");

    let out = lab.ok(&["apply", "-f", "cluster.yaml"]);
    let hosts_folder = lab.path("pki/hosts").display().to_string();
    assert_eq!(out, format!("{restored}done: 1 restored in {hosts_folder}\n"));
    assert_eq!(lab.read("pki/ca.pem"), ca);
    assert_eq!(hosts(&lab), before);
}

#[test]
fn an_init_ca_that_is_killed_is_finished_by_issue() {
    let lab = Lab::with_ca(&[]);
    let ca = lab.read("pki/ca.pem");
    std::fs::remove_file(lab.path("pki/ca.pem")).unwrap();
    lab.write("pki/.etcdpki-left", "half a key");
    lab.ok(&["issue", "--profile", "client", "backup"]);
    assert_eq!(lab.read("pki/ca.pem"), ca);
    check_no_strays_of_ca(&lab);
}

fn check_no_strays_of_ca(lab: &Lab) {
    assert!(!lab.path("pki/.etcdpki-left").exists(), "a temporary file is left");
}

/// A key that the inventory does not know may belong to another CA, so no certificate is created for it.
#[test]
fn a_key_without_a_certificate_that_nobody_knows_is_refused_and_kept() {
    let lab = Lab::with_ca(&[]);
    let other = Lab::with_ca(&[]);
    std::fs::remove_file(lab.path("pki/ca.pem")).unwrap();
    let key = other.read("pki/ca-key.pem");
    std::fs::write(lab.path("pki/ca-key.pem"), &key).unwrap();
    lab.write("cluster.yaml", manifest(false));
    let run = lab.run(&["apply", "-f", "cluster.yaml"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("ca.pem"), "{run:?}");
    assert_eq!(lab.read("pki/ca-key.pem"), key);
    assert!(!lab.path("pki/ca.pem").exists());
}
