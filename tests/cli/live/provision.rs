//! The scripts in examples/lab/provision on machines in namespaces, with stand-ins for what Vagrant's machines have and
//! these do not: downloads, systemd, kubeadm.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::lab::Run;
use crate::machines::Program;
use crate::machines::real::RealMachines;
use crate::peers;
use crate::process::finish;

const MACHINES: [(&str, &str); 2] = [("etcdone", "etcdone"), ("masterone", "masterone")];

/// Each writes its arguments to /root/log. kubeadm makes what it makes on a master, and no download succeeds.
const STAND_INS: [(&str, &str); 4] = [
    ("systemctl", ""),
    ("timedatectl", ""),
    ("curl", "exit 22"),
    ("kubeadm", "[ \"$1\" != init ] || { cat \"$3\"; touch /etc/kubernetes/admin.conf; }"),
];

/// Machines on which the folder `/tmp/bundle` is what Vagrant copies there.
fn machines() -> RealMachines {
    let machines = RealMachines::new(
        Program::V3_5_1,
        &MACHINES,
        "192.168.29.51 masterone.example.com masterone\n",
    );
    let manifest = fs::read_to_string(peers::root().join("examples/lab/cluster.yaml")).unwrap();
    machines.lab.write("cluster.yaml", manifest);
    machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    for (name, _) in MACHINES {
        let root = machines.lab.path(name).join("root");
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::create_dir_all(root.join("tmp")).unwrap();
        for (program, does) in STAND_INS {
            let file = root.join("bin").join(program);
            fs::write(&file, format!("#!/bin/sh\necho {program} \"$@\" >>/root/log\n{does}\n"))
                .unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        upload(&machines, name);
    }
    machines
}

fn upload(machines: &RealMachines, name: &str) {
    let bundle = machines.lab.path(name).join("root/tmp/bundle");
    let _ = fs::remove_dir_all(&bundle);
    fs::create_dir(&bundle).unwrap();
    for file in fs::read_dir(machines.lab.path("pki/hosts").join(name)).unwrap().map(Result::unwrap)
    {
        fs::copy(file.path(), bundle.join(file.file_name())).unwrap();
    }
}

/// Runs a script on a machine that has a `/tmp` of its own, and where etcd says that it is of this version.
fn provision(
    machines: &RealMachines,
    name: &str,
    script: &str,
    argument: &str,
    version: &str,
) -> Run {
    let root = machines.lab.path(name).join("root");
    let from = peers::root().join("examples/lab/provision").join(script);
    fs::copy(from, root.join(script)).unwrap();
    fs::write(root.join("etcd"), format!("#!/bin/sh\necho etcd Version: {version}\n")).unwrap();
    fs::set_permissions(root.join("etcd"), fs::Permissions::from_mode(0o755)).unwrap();
    const RUN: &str = "mount --bind /root/etcd /usr/bin/etcd; mount --bind /root/tmp /tmp
        PATH=/root/bin:$PATH exec bash \"/root/$1\" \"$2\"";
    let mut shell = machines.command(name, "/bin/sh");
    finish(shell.args(["-ec", RUN, "sh", script, argument]))
}

fn log(machines: &RealMachines, name: &str) -> String {
    String::from_utf8(machines.lab.read(format!("{name}/root/log"))).unwrap()
}

#[test]
fn every_machine_knows_the_names_of_all() {
    let machines = machines();
    let list =
        "192.168.29.61 etcdone.example.com etcdone\n192.168.29.51 masterone.example.com masterone";
    for _ in 0..2 {
        let run = provision(&machines, "masterone", "hosts.sh", list, "3.6.4");
        assert_eq!(run.code, 0, "{run:?}");
        let hosts = String::from_utf8(machines.lab.read("masterone/etc/hosts")).unwrap();
        // Its own line was there already.
        for line in list.lines() {
            assert_eq!(hosts.lines().filter(|found| *found == line).count(), 1, "{hosts}");
        }
    }
}

#[test]
fn a_member_is_installed_and_no_key_stays_behind() {
    let machines = machines();
    let failed = provision(&machines, "etcdone", "etcd.sh", "192.168.29.61", "3.5.1");
    assert_eq!(failed.code, 22, "{failed:?}");
    assert!(!machines.lab.path("etcdone/root/tmp/bundle").exists(), "keys after a failed download");
    for _ in 0..2 {
        upload(&machines, "etcdone");
        let run = provision(&machines, "etcdone", "etcd.sh", "192.168.29.61", "3.6.4");
        assert_eq!(run.code, 0, "{run:?}");
        assert!(!machines.lab.path("etcdone/root/tmp/bundle").exists());
    }
    assert!(
        log(&machines, "etcdone")
            .ends_with("systemctl enable etcd\nsystemctl start --no-block etcd\n")
    );
    assert!(machines.lab.path("etcdone/etc/etcd/server-key.pem").exists());
    assert!(machines.lab.path("etcdone/etc/systemd/system/etcd.service").exists());
}

#[test]
fn a_master_is_set_up_once_and_renewed_again() {
    let machines = machines();
    for run in 1..=2 {
        upload(&machines, "masterone");
        let ran = provision(&machines, "masterone", "master.sh", "192.168.29.51", "3.6.4");
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!machines.lab.path("masterone/root/tmp/bundle").exists(), "run {run}");
        assert_eq!(log(&machines, "masterone").matches("kubeadm init").count(), 1, "run {run}");
        let certificate = "apiserver-etcd-client.pem";
        let installed =
            machines.lab.read(format!("masterone/etc/kubernetes/pki/etcd/{certificate}"));
        assert_eq!(installed, machines.lab.read(format!("pki/hosts/masterone/{certificate}")));
        if run == 1 {
            assert!(ran.stdout.contains("advertiseAddress: 192.168.29.51"), "{ran:?}");
            fs::remove_file(machines.lab.path("pki/hosts/masterone").join(certificate)).unwrap();
            machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
        }
    }
}

#[test]
fn shellcheck_accepts_every_script() {
    let mut list = peers::program("sh");
    let find = "grep -rlE '^#!.*(sh|bash)$' examples packaging";
    let run = finish(list.args(["-c", find]).current_dir(peers::root()));
    let scripts: Vec<&str> = run.stdout.lines().filter(|file| !file.ends_with(".rs")).collect();
    assert!(scripts.len() == 7, "{scripts:?}");
    let mut shellcheck = peers::program("shellcheck");
    let run = finish(shellcheck.args(&scripts).current_dir(peers::root()));
    assert_eq!(run.code, 0, "{}", run.stdout);
}

/// The address without a second slash, which the server does not know.
#[test]
fn the_repository_of_kubernetes_has_one_slash_before_its_key() {
    let script =
        fs::read_to_string(peers::root().join("examples/lab/provision/kubernetes.sh")).unwrap();
    let url = script.lines().find_map(|line| line.strip_prefix("url=")).unwrap();
    assert!(!url.ends_with('/') && script.contains("\"$url/Release.key\""), "{script}");
    assert!(script.contains(" $url/ /\""), "apt wants the slash at the end: {script}");
}
