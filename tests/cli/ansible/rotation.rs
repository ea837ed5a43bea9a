//! The role replaces the CA, step by step and in one run, while clients write. CI does it in one run;
//! `ETCDPKI_ANSIBLE=all` also takes the steps one by one, with a failed run and an abort, which takes several minutes.

use pki_core::Certificate;

use super::{MEMBERS, Play, is_healthy, play, process_of};
use crate::machines::real::RealMachines;
use crate::machines::writers::Writers;
use crate::process::tell;

/// Restarts the writers, which stand for the API server.
const RESTART_CLIENTS: &str = "etcdpki_restart_clients='touch /root/restart; sleep 1'";

/// A run with a step of the rotation.
fn rotate(machines: &RealMachines, step: &str, options: &[&str]) -> Play {
    let step = format!("etcdpki_rotate_ca={step}");
    play(machines, &[&["-e", &*step, "-e", RESTART_CLIENTS], options].concat())
}

/// The same. It must succeed, and a second time change nothing.
fn rotate_twice(machines: &RealMachines, step: &str, options: &[&str]) -> Play {
    let first = rotate(machines, step, options);
    assert_eq!(first.failed(), 0, "{step}: {}", first.run.stdout);
    assert!(first.changed() > 0, "{step}: {}", first.run.stdout);
    let again = rotate(machines, step, options);
    assert_eq!((again.failed(), again.changed()), (0, 0), "{step}: {}", again.run.stdout);
    tell(&format!("ansible: {step} in {:.1?}, again in {:.1?}", first.time, again.time));
    first
}

/// How often a leader gave way before it was restarted.
fn moves(play: &Play) -> usize {
    let tasks = play.run.stdout.split("\nTASK [etcdpki : ");
    let of_leaders = tasks.filter(|task| task.starts_with("Move the leadership"));
    of_leaders.filter(|task| task.contains("changed: [")).count()
}

/// The names of the CAs that a host trusts.
fn trusted(machines: &RealMachines, host: &str) -> Vec<String> {
    let file = match host {
        "masterone" => "masterone/etc/kubernetes/pki/etcd/ca.pem".to_owned(),
        member => format!("{member}/etc/etcd/ca.pem"),
    };
    let cas = Certificate::from_pem_or_der(&machines.lab.read(file)).unwrap();
    cas.iter().map(|ca| ca.subject.to_string()).collect()
}

fn issuer(machines: &RealMachines, member: &str) -> String {
    let file = format!("{member}/etc/etcd/server.pem");
    Certificate::from_pem_or_der(&machines.lab.read(file)).unwrap()[0].issuer.to_string()
}

pub(super) fn the_ca_is_replaced_while_clients_write(machines: &mut RealMachines) {
    let writers = Writers::start(machines);
    let written = writers.during(machines, |machines| {
        if std::env::var("ETCDPKI_ANSIBLE").is_ok_and(|runs| runs == "all") {
            by_steps(machines);
        }
        in_one_run(machines);
    });
    written.has_lost_nothing(machines, "ansible rotates");
    // Five times, three members and the clients were restarted.
    tell(&format!("ansible rotates: {} failed writes", written.failures()));
    is_healthy(machines);
    let last = play(machines, &[]);
    assert_eq!((last.failed(), last.changed()), (0, 0), "{}", last.run.stdout);
}

/// Each step as a run of its own, with a run that fails and an abort in between.
fn by_steps(machines: &RealMachines) {
    let old = trusted(machines, "etcdone");
    assert_eq!(old.len(), 1, "{old:?}");
    let refused = rotate(machines, "reissue", &[]);
    assert_ne!(refused.failed(), 0, "{}", refused.run.stdout);
    assert!(refused.run.stdout.contains("no rotation is under way"), "{}", refused.run.stdout);

    // The first run fails after the members were restarted, and the second one continues from there.
    let broken = ["-e", "etcdpki_rotate_ca=begin", "-e", "etcdpki_restart_clients='exit 7'"];
    let failed = play(machines, &broken);
    assert_ne!(failed.failed(), 0, "{}", failed.run.stdout);
    let restarted = MEMBERS.map(|member| process_of(machines, member));
    let begun = rotate(machines, "begin", &[]);
    assert_eq!(begun.failed(), 0, "{}", begun.run.stdout);
    assert_eq!(MEMBERS.map(|member| process_of(machines, member)), restarted);
    for host in [&MEMBERS[..], &["masterone"]].concat() {
        assert_eq!(trusted(machines, host).len(), 2, "{host}");
    }

    rotate_twice(machines, "abort", &[]);
    assert_eq!(trusted(machines, "etcdtwo"), old);

    // Where the controller does not reach the members, the role knows which processes it restarted.
    let by_word = ["-e", "etcdpki_rotate_ca_connect=false"];
    rotate_twice(machines, "begin", &by_word);
    let processes = MEMBERS.map(|member| process_of(machines, member));
    rotate_twice(machines, "reissue", &by_word);
    assert_eq!(MEMBERS.map(|member| process_of(machines, member)), processes, "no restart");
    let finished = rotate_twice(machines, "finish", &[]);
    assert_eq!(moves(&finished), 1, "the leader is the last: {}", finished.run.stdout);
    let new = trusted(machines, "etcdone");
    assert!(new.len() == 1 && new != old, "{new:?}");
    for member in MEMBERS {
        assert_eq!(issuer(machines, member), new[0], "{member}");
    }
}

/// All steps, to a CA with a name. A second run finds that CA.
fn in_one_run(machines: &RealMachines) {
    let name = ["-e", "etcdpki_rotate_ca_cn='etcd CA of 2027'"];
    let nobody = play(machines, &[&["-e", "etcdpki_rotate_ca=all"], &name[..]].concat());
    assert_ne!(nobody.failed(), 0, "{}", nobody.run.stdout);
    assert!(nobody.run.stdout.contains("set etcdpki_restart_clients"), "{}", nobody.run.stdout);
    rotate_twice(machines, "all", &name);
    assert_eq!(trusted(machines, "masterone"), ["CN=etcd CA of 2027"]);
    assert_eq!(issuer(machines, "etcdtwo"), "CN=etcd CA of 2027");
}
