//! The systemd timer and the line for cron in examples/systemd.

use std::fs;

use super::{applied, ok_on};
use crate::peers;
use crate::process::finish;

const MANIFEST: &str = "cluster: lab\netcd: [{ name: etcdone, ip: 10.0.0.1 }]\n";
const SEPARATE: &str = "cluster: lab\ncas: {}\netcd: [{ name: etcdone, ip: 10.0.0.1 }]\n";

fn example(name: &str) -> String {
    fs::read_to_string(peers::root().join("examples/systemd").join(name)).unwrap()
}

/// The words of a command in one of the files, as they run in a lab.
fn arguments(line: &str) -> Vec<String> {
    let (_, arguments) = line.split_once("/usr/local/bin/etcdpki ").unwrap();
    arguments.replace("/etc/etcdpki/", "").split_whitespace().map(str::to_owned).collect()
}

#[test]
fn systemd_and_cron_renew_what_is_due_and_nothing_the_next_day() {
    let service = example("etcdpki-renew.service");
    let service = service.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    let cron = example("etcdpki-renew.cron");
    let cron = cron.lines().find(|line| !line.starts_with('#')).unwrap();
    // One line is enough, also for a server and a peer certificate from two CAs.
    for (command, manifest) in [(service, MANIFEST), (cron, MANIFEST), (service, SEPARATE)] {
        let lab = applied(manifest);
        let arguments = arguments(command);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert!(ok_on(&lab, 100, &arguments).contains("nothing is due"));
        let renewed = ok_on(&lab, 300, &arguments);
        assert_eq!(renewed.matches("renewed hosts/etcdone/").count(), 2, "{renewed}");
        assert!(ok_on(&lab, 301, &arguments).contains("nothing is due"));
    }
}

#[test]
fn systemd_accepts_the_units() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["etcdpki-renew.service", "etcdpki-renew.timer"] {
        // The program must exist.
        let program = env!("CARGO_BIN_EXE_etcdpki");
        let unit = example(name).replace("/usr/local/bin/etcdpki", program);
        fs::write(folder.path().join(name), unit).unwrap();
    }
    let mut analyze = peers::program("systemd-analyze");
    analyze.arg("verify").arg(folder.path().join("etcdpki-renew.timer"));
    analyze.arg(folder.path().join("etcdpki-renew.service"));
    let run = finish(&mut analyze);
    assert!(!run.stderr.contains("etcdpki-renew"), "{run:?}");
}
