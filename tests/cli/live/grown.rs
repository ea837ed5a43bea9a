//! A cluster that is repaired and grows, on machines as their users have them: `apply` decides how a member
//! starts, and prints the commands for the cluster.

use std::fs;

use super::three_members::MANIFEST;
use crate::machines::Program;
use crate::machines::real::RealMachines;

/// The worker's machine is that of the member that comes later.
const MACHINES: [(&str, &str); 5] = [
    ("etcdone", "etcdone"),
    ("etcdtwo", "etcdtwo"),
    ("etcdthree", "etcdthree"),
    ("etcdfour", "workerone"),
    ("masterone", "masterone"),
];

const APPLY: [&str; 3] = ["apply", "-f", "cluster.yaml"];

#[test]
fn etcd_3_4_is_repaired_and_grows() {
    is_repaired_and_grows(Program::V3_4, "3.4");
}

#[test]
fn etcd_3_5_1_is_repaired_and_grows() {
    is_repaired_and_grows(Program::V3_5_1, "3.5.1");
}

fn is_repaired_and_grows(program: Program, version: &str) {
    let mut machines = RealMachines::new(program, &MACHINES, "");
    let manifest = format!("{MANIFEST}etcd_version: \"{version}\"\n");
    machines.lab.write("cluster.yaml", &manifest);
    machines.lab.ok(&APPLY);
    machines.deliver("masterone");
    let members = ["etcdone", "etcdtwo", "etcdthree"];
    for member in members {
        machines.deliver(member);
        machines.start(member);
    }
    wait_until_healthy(&mut machines, &members);
    let put = machines.shell("masterone", "etcdctl put first value");
    assert_eq!(put.code, 0, "{put:?}");

    // A machine is lost, with its keys and its data.
    machines.stop("etcdtwo");
    machines.empty_data("etcdtwo");
    fs::remove_dir_all(machines.lab.path("pki/hosts/etcdtwo")).unwrap();
    let applied = machines.lab.ok(&APPLY);
    tell_the_cluster(&mut machines, &applied, 2);
    machines.deliver("etcdtwo");
    machines.start("etcdtwo");
    wait_until_healthy(&mut machines, &members);
    has_the_first_write(&mut machines, "192.168.29.62");

    // And one more.
    let grown = "  - { name: etcdfour, ip: 192.168.29.71 }\ncontrol_plane:";
    machines.lab.write("cluster.yaml", manifest.replace("control_plane:", grown));
    let applied = machines.lab.ok(&APPLY);
    tell_the_cluster(&mut machines, &applied, 1);
    machines.deliver("etcdfour");
    machines.start("etcdfour");
    let members = ["etcdone", "etcdtwo", "etcdthree", "etcdfour"];
    wait_until_healthy(&mut machines, &members);
    has_the_first_write(&mut machines, "192.168.29.71");

    // The decision does not matter to members that have data: they come back with any configuration.
    for member in members {
        machines.deliver(member);
        machines.stop(member);
        machines.start(member);
        wait_until_healthy(&mut machines, &members);
    }
}

/// Runs what `apply` says is next. etcd takes no change of its members while one of them was away a
/// moment ago.
fn tell_the_cluster(machines: &mut RealMachines, applied: &str, count: usize) {
    let lines: Vec<&str> = applied.lines().collect();
    let next = lines.windows(2).filter(|pair| pair[0].starts_with("next, "));
    let commands: Vec<String> = next.map(|pair| pair[1].trim().to_owned()).collect();
    assert_eq!(commands.len(), count, "{applied}");
    for command in commands {
        machines.wait(&command, |machines| {
            let run = machines.shell("masterone", &command);
            if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
        });
    }
}

fn wait_until_healthy(machines: &mut RealMachines, members: &[&str]) {
    let address = |member: &&str| match *member {
        "etcdone" => "192.168.29.61",
        "etcdtwo" => "192.168.29.62",
        "etcdthree" => "192.168.29.63",
        _ => "192.168.29.71",
    };
    for address in members.iter().map(address) {
        let line = format!("ETCDCTL_ENDPOINTS=https://{address}:2379 etcdctl endpoint health");
        machines.wait(&format!("{address} is healthy"), |machines| {
            let run = machines.shell("masterone", &line);
            if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
        });
    }
}

/// Reads from a member's own store, without asking the others.
fn has_the_first_write(machines: &mut RealMachines, address: &str) {
    let line = format!(
        "ETCDCTL_ENDPOINTS=https://{address}:2379 etcdctl get --consistency=s --print-value-only first"
    );
    machines.wait(&format!("{address} has caught up"), |machines| {
        let run = machines.shell("masterone", &line);
        if run.stdout == "value\n" { Ok(()) } else { Err(format!("{run:?}")) }
    });
}
