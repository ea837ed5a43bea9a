//! How often a command waits for the disk.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::lab::Lab;
use crate::peers;
use crate::process::finish;

/// The calls that wait for the disk, with the files that they wait for.
fn syncs(lab: &Lab, args: &[&str]) -> Vec<String> {
    let mut strace = peers::program("strace");
    strace.args(["-f", "-y", "-qq", "-e", "signal=none", "-o", "trace", "-e"]);
    strace.arg("trace=fsync,fdatasync,syncfs,sync_file_range,sync,msync");
    strace.arg(env!("CARGO_BIN_EXE_etcdpki")).args(args).current_dir(lab.folder());
    let run = finish(&mut strace);
    assert_eq!(run.code, 0, "{run:?}");
    let trace = fs::read_to_string(lab.path("trace")).unwrap();
    trace.lines().filter(|line| line.contains("sync")).map(str::to_owned).collect()
}

/// The names of the files, without those of temporary files.
fn names(lab: &Lab, syncs: &[String]) -> Vec<String> {
    let files = syncs.iter().filter_map(|line| line.split_once('<')?.1.split_once('>'));
    let root = fs::canonicalize(lab.folder()).unwrap();
    let relative = files.map(|(file, _)| Path::new(file).strip_prefix(&root).unwrap().to_owned());
    let names = relative.map(|file| file.to_string_lossy().into_owned());
    names.map(|name| if name.contains(".etcdpki-") { "staged".to_owned() } else { name }).collect()
}

/// The key and the certificate, the record, and the folder, in this order. Before there was a log, there were eight.
#[test]
fn issue_waits_for_the_disk_at_most_4_times() {
    let lab = Lab::with_ca(&[]);
    for name in ["first", "second", "third"] {
        let syncs = syncs(&lab, &["issue", "--profile", "client", name, "--out", "out"]);
        assert_eq!(syncs.len(), 4, "{name}: {syncs:#?}");
        let names = names(&lab, &syncs);
        assert_eq!(names, ["staged", "staged", "pki/inventory.db-wal", "out"], "{name}");
    }
    // Checkpoints included, which are due now and then.
    let count = 40;
    let all = (0..count).map(|number| {
        let name = format!("c{number}");
        syncs(&lab, &["issue", "--profile", "client", &name, "--out", "out"]).len()
    });
    let all: Vec<usize> = all.collect();
    assert!(all.iter().any(|syncs| *syncs > 4), "there was no checkpoint: {all:?}");
    assert!(all.iter().sum::<usize>() <= count * 9 / 2, "{all:?}");
}

/// One record and one sync of the files, for any number of hosts.
#[test]
fn apply_waits_for_the_disk_as_often_for_many_hosts_as_for_one() {
    let manifest = |members: usize| {
        let mut manifest = "cluster: lab\netcd:\n".to_owned();
        for number in 1..=members {
            let _ = writeln!(manifest, "  - {{ name: e{number}, ip: 10.9.0.{number} }}");
        }
        manifest
    };
    let counts = [1, 3, 7].map(|members| {
        let lab = Lab::with_ca(&[]);
        lab.write("cluster.yaml", manifest(members));
        syncs(&lab, &["apply", "-f", "cluster.yaml"]).len()
    });
    assert_eq!(counts, [counts[0]; 3]);
}
