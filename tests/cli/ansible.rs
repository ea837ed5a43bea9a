//! The role in `ansible/`, run by Ansible over SSH on five machines with the lab's addresses: from nothing to a healthy
//! cluster, a second run, a renewal, a new configuration, a new machine for a member, and a rotation of the CA.
//!
//! systemd is not process 1 on a machine that runs tests, so services are started by the tests' own stand-in for
//! systemctl, `ansible/systemctl` beside this file.

mod rotation;
mod tags;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::{Lab, Run};
use crate::machines::Program;
use crate::machines::real::RealMachines;
use crate::machines::writers::Writers;
use crate::peers;
use crate::process::{finish, tell};

const MACHINES: [(&str, &str); 5] = [
    ("etcdone", "etcdone"),
    ("etcdtwo", "etcdtwo"),
    ("etcdthree", "etcdthree"),
    ("masterone", "masterone"),
    ("workerone", "workerone"),
];

const MEMBERS: [&str; 3] = ["etcdone", "etcdtwo", "etcdthree"];

#[test]
fn the_role_takes_the_lab_from_nothing_to_a_new_machine_for_a_member() {
    let mut machines = RealMachines::new(Program::V3_5_1, &MACHINES, "");
    let example = fs::read_to_string(peers::root().join("examples/lab/cluster.yaml")).unwrap();
    machines.lab.write("cluster.yaml", format!("{example}etcd_version: \"3.5.1\"\n"));
    let key = machines.lab.path("key");
    let mut keygen = peers::program("ssh-keygen");
    let run = finish(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
    assert_eq!(run.code, 0, "{run:?}");
    machines.serve_ssh(&key);
    let begin = Instant::now();

    // Check mode tells and changes nothing.
    let check = play(&machines, &["--check", "--diff"]);
    assert_eq!(check.run.code, 0, "{}", check.run.stdout);
    assert!(check.run.stdout.contains("create etcdone/server.pem"), "{}", check.run.stdout);
    assert!(!machines.lab.path("pki").exists());
    assert!(!machines.lab.path("etcdone/etc/etcd").exists());

    let first = play(&machines, &[]);
    tell(&format!(
        "ansible: from nothing to a healthy cluster of five hosts in {:.1?}",
        first.time
    ));
    assert_eq!(first.failed(), 0, "{}", first.run.stdout);
    is_healthy(&mut machines);

    let second = play(&machines, &[]);
    tell(&format!("ansible: a run without changes in {:.1?}", second.time));
    assert_eq!((second.failed(), second.changed()), (0, 0), "{}", second.run.stdout);

    // New keys for every member; no process is restarted.
    let before = MEMBERS.map(|member| process_of(&machines, member));
    let writers = Writers::start(&mut machines);
    let written = writers.during(&mut machines, |machines| {
        for member in MEMBERS {
            for file in ["server.pem", "server-key.pem", "peer.pem", "peer-key.pem"] {
                fs::remove_file(machines.lab.path("pki/hosts").join(member).join(file)).unwrap();
            }
        }
        let renewed = play(machines, &["--diff"]);
        assert_eq!(renewed.failed(), 0, "{}", renewed.run.stdout);
        assert!(renewed.run.stdout.contains("\n+MII"), "{}", renewed.run.stdout);
        assert!(!renewed.run.stdout.contains("PRIVATE KEY"), "no key is shown");
    });
    written.has_lost_nothing(&machines, "ansible");
    assert_eq!(written.long_lived.failed.len(), 0, "{written:?}");
    assert!(written.failures() <= 3, "{written:?}");
    assert_eq!(MEMBERS.map(|member| process_of(&machines, member)), before);

    // A new configuration restarts them one after the other.
    let manifest = String::from_utf8(machines.lab.read("cluster.yaml")).unwrap();
    let changed = format!("{manifest}etcd_config: {{ quota-backend-bytes: 123456789 }}\n");
    machines.lab.write("cluster.yaml", changed);
    let restarted = play(&machines, &[]);
    assert_eq!(restarted.failed(), 0, "{}", restarted.run.stdout);
    let after = MEMBERS.map(|member| process_of(&machines, member));
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{after:?}");
    is_healthy(&mut machines);

    // The machine of a member is lost.
    let lost = machines.install(
        "etcdtwo",
        "systemctl stop etcd && rm -r /etc/etcd /var/lib/etcd /var/lib/etcdpki",
    );
    assert_eq!(lost, "");
    fs::remove_dir_all(machines.lab.path("pki/hosts/etcdtwo")).unwrap();
    let stopped = play(&machines, &[]);
    assert_ne!(stopped.failed(), 0, "{}", stopped.run.stdout);
    assert!(stopped.run.stdout.contains("etcdctl member add etcdtwo"), "{}", stopped.run.stdout);
    assert!(!machines.lab.path("pki/hosts/etcdtwo").exists(), "it stopped before it issued");
    let replaced = play(&machines, &["-e", "etcdpki_run_member_commands=true"]);
    assert_eq!(replaced.failed(), 0, "{}", replaced.run.stdout);
    is_healthy(&mut machines);
    let again = play(&machines, &[]);
    assert_eq!((again.failed(), again.changed()), (0, 0), "{}", again.run.stdout);
    tell(&format!("ansible: eight runs in {:.1?}", begin.elapsed()));

    tags::each_tag_does_its_part(&mut machines);
    tags::one_host_at_a_time_restarts_each_member_once(&mut machines);
    rotation::the_ca_is_replaced_while_clients_write(&mut machines);
}

/// A run of the playbook.
struct Play {
    run: Run,
    time: Duration,
}

/// The folder with the role.
fn role() -> PathBuf {
    peers::root().join("ansible")
}

/// Runs `ansible/site.yml` on the five machines.
fn play(machines: &RealMachines, options: &[&str]) -> Play {
    play_book(machines, &role().join("site.yml"), options)
}

/// Runs a playbook on the five machines.
fn play_book(machines: &RealMachines, playbook: &Path, options: &[&str]) -> Play {
    let lab = &machines.lab;
    let folder = role();
    let python = peers::venv("python");
    let mut ansible = machines.controller("workerone", python.to_str().unwrap());
    ansible
        .arg(peers::venv("ansible-playbook"))
        .arg("--inventory")
        .arg(folder.join("inventory.ini"));
    let manifest = lab.path("cluster.yaml").display().to_string();
    ansible.args(["-e", &format!("etcdpki_manifest={manifest}")]).args(options);
    ansible.arg(playbook);
    let log = fs::File::create(lab.path("ansible.log")).unwrap();
    ansible.stdout(log.try_clone().unwrap()).stderr(log);
    environment(&mut ansible, lab);
    let begin = Instant::now();
    let status = ansible.status().unwrap();
    let stdout = String::from_utf8(lab.read("ansible.log")).unwrap();
    let run = Run { code: status.code().unwrap_or(-1), stdout, stderr: String::new() };
    Play { run, time: begin.elapsed() }
}

fn environment(ansible: &mut Command, lab: &Lab) {
    let ours = std::path::Path::new(env!("CARGO_BIN_EXE_etcdpki")).parent().unwrap();
    let key = lab.path("key").display().to_string();
    let ssh = format!(
        "-F none -i {key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
         -o ControlMaster=auto -o ControlPersist=60s"
    );
    ansible
        .env("PATH", format!("{}:/usr/bin:/bin", ours.display()))
        .env("HOME", lab.folder())
        .env("LC_ALL", "C.UTF-8")
        .env("ANSIBLE_HOME", lab.path("ansible"))
        .env("ANSIBLE_ROLES_PATH", role().join("roles"))
        .env("ANSIBLE_PIPELINING", "1")
        .env("ANSIBLE_SSH_CONTROL_PATH_DIR", lab.path("ssh"))
        .env("ANSIBLE_SSH_ARGS", ssh)
        .env("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3")
        .env("ANSIBLE_NOCOLOR", "1");
}

impl Play {
    /// The sum of a column of the recap.
    fn recap(&self, column: &str) -> u32 {
        let (_, recap) = self.run.stdout.split_once("PLAY RECAP").unwrap_or_else(|| {
            panic!("no recap: {}", self.run.stdout);
        });
        let words = recap.split_whitespace().filter_map(|word| word.strip_prefix(column));
        words.filter_map(|word| word.strip_prefix('=')?.parse::<u32>().ok()).sum()
    }

    fn changed(&self) -> u32 {
        self.recap("changed")
    }

    fn failed(&self) -> u32 {
        self.recap("failed") + self.recap("unreachable")
    }
}

/// The process of a member.
fn process_of(machines: &RealMachines, member: &str) -> String {
    machines.install(member, "systemctl show --property=MainPID --value etcd")
}

fn is_healthy(machines: &mut RealMachines) {
    for address in ["192.168.29.61", "192.168.29.62", "192.168.29.63"] {
        let line = format!("ETCDCTL_ENDPOINTS=https://{address}:2379 etcdctl endpoint health");
        machines.wait(&format!("{address} is healthy"), |machines| {
            let run = machines.shell("masterone", &line);
            if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
        });
    }
}

#[test]
fn ansible_lint_accepts_the_role() {
    let lab = Lab::new();
    let mut lint = Command::new(peers::venv("python"));
    lint.arg(peers::venv("ansible-lint")).arg("--offline");
    let path = format!("{}:/usr/bin:/bin", peers::venv("ansible").parent().unwrap().display());
    lint.env("PATH", path).env("ANSIBLE_HOME", lab.path("ansible")).env("HOME", lab.folder());
    let run = finish(lint.env("NO_COLOR", "1").current_dir(peers::root().join("ansible")));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("Passed: 0 failure(s), 0 warning(s)"), "{run:?}");
}

/// Only what every Ansible has.
#[test]
fn the_role_uses_only_builtin_modules() {
    let tasks = peers::root().join("ansible/roles/etcdpki/tasks");
    for file in fs::read_dir(tasks).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap();
        let collections = text.split_whitespace().filter(|word| {
            word.ends_with(':') && word.matches('.').count() == 2 && !word.starts_with('-')
        });
        for module in collections {
            assert!(module.starts_with("ansible.builtin."), "{}: {module}", file.display());
        }
    }
}
