//! The tags of the role, and `serial`.

use std::fs;

use super::{MEMBERS, Play, is_healthy, play, play_book, process_of};
use crate::machines::real::RealMachines;

/// A run that must succeed.
fn run(machines: &RealMachines, options: &[&str]) -> Play {
    let played = play(machines, options);
    assert_eq!(played.failed(), 0, "{options:?}: {}", played.run.stdout);
    played
}

/// Gives the members another configuration.
fn change_configuration(machines: &RealMachines, quota: &str) {
    let manifest = String::from_utf8(machines.lab.read("cluster.yaml")).unwrap();
    let (start, rest) = manifest.split_once("quota-backend-bytes: ").unwrap();
    let (_, end) = rest.split_once(' ').unwrap();
    let changed = format!("{start}quota-backend-bytes: {quota} {end}");
    machines.lab.write("cluster.yaml", changed);
}

fn has_configuration(machines: &RealMachines, file: &str, quota: &str) -> bool {
    String::from_utf8(machines.lab.read(file)).unwrap().contains(quota)
}

/// `etcdpki_apply` only issues, `etcdpki_install` installs, `etcdpki_restart` restarts, and `etcdpki_start` starts.
pub(super) fn each_tag_does_its_part(machines: &mut RealMachines) {
    let (made, installed) = ("pki/hosts/etcdone/etcd.conf.yaml", "etcdone/etc/etcd/etcd.conf.yaml");
    let before = MEMBERS.map(|member| process_of(machines, member));
    change_configuration(machines, "223456789");
    run(machines, &["--tags", "etcdpki_apply"]);
    assert!(has_configuration(machines, made, "223456789"));
    assert!(!has_configuration(machines, installed, "223456789"), "nothing was installed");
    run(machines, &["--tags", "etcdpki_install"]);
    assert!(has_configuration(machines, installed, "223456789"));
    assert_eq!(MEMBERS.map(|member| process_of(machines, member)), before, "nothing was restarted");
    run(machines, &["--tags", "etcdpki_restart"]);
    let after = MEMBERS.map(|member| process_of(machines, member));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{after:?}");
    machines.install("etcdtwo", "systemctl stop etcd");
    run(machines, &["--tags", "etcdpki_start"]);
    let started = MEMBERS.map(|member| process_of(machines, member));
    assert!(started[0] == after[0] && started[1] != "0\n" && started[2] == after[2], "{started:?}");
    is_healthy(machines);
}

/// A host that an earlier batch restarted is not restarted again for the next one.
pub(super) fn one_host_at_a_time_restarts_each_member_once(machines: &mut RealMachines) {
    let site = fs::read_to_string(super::role().join("site.yml")).unwrap();
    let serial = site.replace("  become: true\n", "  become: true\n  serial: 1\n");
    assert_ne!(serial, site);
    machines.lab.write("serial.yml", serial);
    change_configuration(machines, "323456789");
    let before = MEMBERS.map(|member| process_of(machines, member));
    let played = play_book(machines, &machines.lab.path("serial.yml"), &[]);
    assert_eq!(played.failed(), 0, "{}", played.run.stdout);
    let after = MEMBERS.map(|member| process_of(machines, member));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{after:?}");
    let restarts = played.run.stdout.matches("TASK [etcdpki : Restart the member]").count();
    assert_eq!(restarts, 3, "{}", played.run.stdout);
    is_healthy(machines);
}
