//! `verify /etc/etcd` on a member: what the user in the unit cannot read, compared with what that user can read.

use serde_json::Value;

use crate::machines::Program;
use crate::machines::real::RealMachines;

const MACHINES: [(&str, &str); 1] = [("etcdone", "etcdone")];

const MANIFEST: &str = "cluster: lab\netcd: [{ name: etcdone, ip: 192.168.29.61 }]\n";

const FILES: [&str; 6] =
    ["ca.pem", "etcd.conf.yaml", "peer-key.pem", "peer.pem", "server-key.pem", "server.pem"];

/// The files and folders in the errors of `verify`.
fn unreadable(machines: &RealMachines) -> Vec<String> {
    let program = env!("CARGO_BIN_EXE_etcdpki");
    let run = machines.shell("etcdone", &format!("cd /; {program} --format json verify /etc/etcd"));
    let document: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let mut files = Vec::new();
    for file in document["files"].as_array().unwrap() {
        for finding in file["findings"].as_array().unwrap() {
            assert_eq!(finding["rule"], "file-unreadable", "{run:?}");
            files.push(file["file"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(run.code, i32::from(!files.is_empty()), "{run:?}");
    files
}

/// Runs commands as root.
fn change_files(machines: &RealMachines, commands: &str) {
    let run = machines.shell("etcdone", commands);
    assert_eq!(run.code, 0, "{commands}: {run:?}");
}

/// The files that the user of the unit cannot open.
fn refused(machines: &RealMachines, user: &str) -> Vec<&'static str> {
    let as_user = format!("setpriv --reuid={user} --regid={user} --init-groups cat /etc/etcd/");
    let is_refused = |file: &&&str| {
        let run = machines.shell("etcdone", &format!("{as_user}{file}"));
        assert!(run.code == 0 || run.stderr.contains("Permission denied"), "{run:?}");
        run.code != 0
    };
    FILES.iter().filter(is_refused).copied().collect()
}

#[test]
fn what_the_user_of_the_unit_cannot_read_is_reported() {
    let machines = RealMachines::new(Program::V3_4, &MACHINES, "");
    machines.lab.write("cluster.yaml", MANIFEST);
    machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    for (change, told, closed) in [
        ("true", vec![], vec![]),
        (
            "chown root:root /etc/etcd/server-key.pem",
            vec!["/etc/etcd/server-key.pem"],
            vec!["server-key.pem"],
        ),
        // For the group that the unit's user is in
        ("chown root:etcd /etc/etcd/*.pem; chmod 640 /etc/etcd/*.pem", vec![], vec![]),
        (
            "chmod 600 /etc/etcd/etcd.conf.yaml /etc/etcd/ca.pem",
            vec!["/etc/etcd/ca.pem", "/etc/etcd/etcd.conf.yaml"],
            vec!["ca.pem", "etcd.conf.yaml"],
        ),
        // The owner's bits count for the owner, whatever the others may do.
        (
            "chown etcd /etc/etcd/peer.pem; chmod 044 /etc/etcd/peer.pem",
            vec!["/etc/etcd/peer.pem"],
            vec!["peer.pem"],
        ),
        ("chown root:root /etc/etcd; chmod 700 /etc/etcd", vec!["/etc/etcd"], FILES.to_vec()),
        (
            "mv /etc/etcd /etc/real; chmod 700 /etc/real; mkdir /etc/etcd; ln -s /etc/real/* /etc/etcd/",
            vec!["/etc/real"],
            FILES.to_vec(),
        ),
        // A drop-in has the last word about the user.
        (
            "mkdir /etc/systemd/system/etcd.service.d; \
             printf '[Service]\\nUser=root\\n' > /etc/systemd/system/etcd.service.d/10-root.conf; \
             chown root:root /etc/etcd; chmod 700 /etc/etcd",
            vec![],
            FILES.to_vec(),
        ),
    ] {
        change_files(&machines, "rm -rf /etc/etcd /etc/real /etc/systemd/system/etcd.service.d");
        machines.deliver("etcdone");
        change_files(&machines, change);
        assert_eq!(unreadable(&machines), told, "{change}");
        assert_eq!(refused(&machines, "etcd"), closed, "{change}");
    }
}

/// etcd itself exits with the file that `verify` names.
#[test]
fn etcd_exits_because_of_the_file_that_is_reported() {
    let mut machines = RealMachines::new(Program::V3_5_1, &MACHINES, "");
    machines.lab.write("cluster.yaml", format!("{MANIFEST}etcd_version: \"3.5.1\"\n"));
    machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    machines.deliver("etcdone");
    change_files(&machines, "chown root:root /etc/etcd/peer-key.pem");
    assert_eq!(unreadable(&machines), ["/etc/etcd/peer-key.pem"]);
    machines.start("etcdone");
    let log = machines.log_after_exit("etcdone");
    assert!(log.contains("open /etc/etcd/peer-key.pem: permission denied"), "{log}");
    // A copy of the folder elsewhere is not what the unit uses.
    let program = env!("CARGO_BIN_EXE_etcdpki");
    let run = machines
        .shell("etcdone", &format!("cp -a /etc/etcd /etc/copy; {program} verify /etc/copy"));
    assert_eq!(run.code, 0, "{run:?}");
}
