//! The lab's machines: each with the folder that `apply` created for it, and etcd started as in its unit.

pub(crate) mod https;
pub(crate) mod network;
pub(crate) mod real;
pub(crate) mod writers;

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::thread::panicking;

use self::network::{HOSTS, MASTER, MEMBERS, Network};
use crate::lab::{Lab, Run};
use crate::members::{self, Members, Process, Turn, take_turn};
use crate::peers;
use crate::process::finish;

/// The paths of the files on every machine. They are below the current folder of each program, so that five machines
/// with the same configuration can share this one.
pub(crate) const PATHS: &str = "paths: { etcd: /proc/self/cwd/etc, data: /proc/self/cwd/data, \
                                kubernetes: /proc/self/cwd/etc }\n";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// The version in Debian.
    V3_4,
    /// The version in PyPI.
    V3_5_1,
}

impl Program {
    pub(crate) const ALL: [Self; 2] = [Self::V3_4, Self::V3_5_1];

    fn path(self, name: &str) -> PathBuf {
        match self {
            Self::V3_4 => peers::program(name).get_program().into(),
            Self::V3_5_1 => peers::etcd_3_5(name),
        }
    }
}

/// Fields are dropped in this order: processes, network, files, turn.
pub(crate) struct Machines {
    members: Vec<Member>,
    pub(crate) network: Network,
    pub(crate) lab: Lab,
    pub(crate) program: Program,
    /// The version of etcdctl on the master.
    pub(crate) client: Program,
    /// Additional environment variables for etcd.
    pub(crate) settings: Vec<(&'static str, &'static str)>,
    _turn: Turn,
}

struct Member {
    name: &'static str,
    process: Process,
}

impl Machines {
    /// Applies examples/lab/cluster.yaml with these lines added, and starts the members.
    pub(crate) fn start(program: Program, more: &str) -> Self {
        Self::start_with(program, more, |_| {})
    }

    /// The same with an existing CA.
    pub(crate) fn start_with(program: Program, more: &str, make_ca: fn(&Lab)) -> Self {
        let mut machines = Self::still(program, Network::up, &MEMBERS);
        make_ca(&machines.lab);
        let mut more = more.to_owned();
        if machines.network.is_loopback() && !more.contains("combined") {
            // Peers connect from 127.0.0.1 here. Only the server profile adds that address, and a manifest cannot give one
            // address to three members.
            more.push_str("combined: true\n");
        }
        machines.apply(&more);
        machines.start_members();
        machines
    }

    /// Machines without files; these are the members.
    pub(crate) fn still(
        program: Program,
        network: impl FnOnce() -> Network,
        members: &[&'static str],
    ) -> Self {
        let turn = take_turn();
        Self {
            members: members
                .iter()
                .map(|name| Member { name, process: Process::default() })
                .collect(),
            network: network(),
            lab: Lab::new(),
            program,
            client: program,
            settings: Vec::new(),
            _turn: turn,
        }
    }

    /// Applies the part of examples/lab/cluster.yaml for these machines, with these lines added.
    pub(crate) fn apply(&self, more: &str) {
        let manifest = fs::read_to_string(peers::root().join("examples/lab/cluster.yaml")).unwrap();
        let away: Vec<_> = MEMBERS.iter().filter(|name| !self.members().contains(name)).collect();
        let is_here = |line: &&str| !away.iter().any(|name| line.contains(**name));
        let mut manifest: String = manifest.split_inclusive('\n').filter(is_here).collect();
        manifest = manifest.replace("192.168.29.", self.network.address_prefix());
        manifest.push_str(more);
        manifest.push_str(PATHS);
        self.lab.write("cluster.yaml", manifest);
        self.lab.ok(&["apply", "-f", "cluster.yaml"]);
    }

    pub(crate) fn members(&self) -> Vec<&'static str> {
        self.members.iter().map(|member| member.name).collect()
    }

    /// Copies every host's folder to its machine, and starts the members.
    pub(crate) fn start_members(&mut self) {
        for (host, _) in HOSTS {
            self.copy_bundle(host);
        }
        for name in self.members() {
            self.start_member(name);
        }
    }

    /// Copies a host's folder to its machine, as rsync does.
    pub(crate) fn copy_bundle(&self, host: &str) {
        fs::create_dir_all(self.lab.path(host).join("etc")).unwrap();
        let Ok(bundle) = fs::read_dir(self.lab.path("pki/hosts").join(host)) else { return };
        for file in bundle {
            let file = file.unwrap();
            let copy = self.lab.path(host).join("etc").join(file.file_name());
            fs::copy(file.path(), &copy).unwrap();
            let configures = [".yaml", ".service"];
            if self.network.is_loopback()
                && configures.iter().any(|end| copy.to_string_lossy().ends_with(end))
            {
                // Only one member could listen there on this machine.
                let text = fs::read_to_string(&copy).unwrap();
                fs::write(&copy, text.replace(",https://127.0.0.1:2379", "")).unwrap();
            }
        }
    }

    /// Starts a member as its unit does. It keeps its data.
    pub(crate) fn start_member(&mut self, name: &str) {
        let unit = self.lab.read(PathBuf::from(name).join("etc/etcd.service"));
        let unit = String::from_utf8(unit).unwrap();
        let values = |key: &str| -> Vec<String> {
            unit.lines().filter_map(|line| line.strip_prefix(key)).map(str::to_owned).collect()
        };
        let start = values("ExecStart=");
        let mut words = start[0].split_whitespace();
        assert_eq!((words.next(), start.len()), (Some("/usr/bin/etcd"), 1), "{unit}");

        let mut command = self.network.command(name, self.program.path("etcd"));
        command.args(words).current_dir(self.lab.path(name));
        for assignment in values("Environment=") {
            let (variable, value) = assignment.split_once('=').unwrap();
            command.env(variable, value);
        }
        command.envs(self.settings.iter().copied());
        let log = OpenOptions::new().create(true).append(true).open(self.log_path(name)).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.member(name).process.start(&mut command);
    }

    pub(crate) fn stop_member(&mut self, name: &str) {
        self.member(name).process.kill();
    }

    fn member(&mut self, name: &str) -> &mut Member {
        self.members.iter_mut().find(|member| member.name == name).unwrap()
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.lab.path(name).join("etcd.log")
    }

    /// The whole log of a member.
    pub(crate) fn log(&self, name: &str) -> String {
        let bytes = fs::read(self.log_path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The connections that a member rejected.
    pub(crate) fn rejections(&self, name: &str) -> Vec<String> {
        members::rejections(&self.log(name))
    }

    /// Runs etcdctl on the master with the settings in its etcdctl.env.
    pub(crate) fn etcdctl(&self, args: &[&str]) -> Run {
        self.etcdctl_with(&[], args)
    }

    /// The same with other values for some of the variables, because etcdctl rejects an option if the variable is set.
    pub(crate) fn etcdctl_with(&self, instead: &[(&str, &str)], args: &[&str]) -> Run {
        let mut shell = self.network.command(MASTER, "/bin/sh");
        let script = r#"set -a; . ./etcdctl.env; eval "$1"; set +a; shift; cd ..; exec "$0" "$@""#;
        let instead: Vec<_> =
            instead.iter().map(|(name, value)| format!("{name}={value};")).collect();
        shell
            .args(["-c", script])
            .arg(self.client.path("etcdctl"))
            .arg(instead.concat())
            .args(args);
        finish(shell.current_dir(self.lab.path(MASTER).join("etc")))
    }

    /// The exit status of a member, if it exited.
    pub(crate) fn ended(&mut self, name: &str) -> Option<ExitStatus> {
        self.member(name).process.ended()
    }

    /// Retries until it succeeds. Fails the test if a member exits, or after a minute.
    #[track_caller]
    pub(crate) fn wait<T>(
        &mut self,
        what: &str,
        attempt: impl Fn(&Self) -> Result<T, String>,
    ) -> T {
        members::wait(self, what, attempt)
    }
}

impl Members for Machines {
    fn processes(&mut self) -> Vec<(&'static str, &mut Process)> {
        self.members.iter_mut().map(|member| (member.name, &mut member.process)).collect()
    }
}

impl Drop for Machines {
    /// A failing test shows the end of the members' logs.
    fn drop(&mut self) {
        for name in self.members().into_iter().filter(|_| panicking()) {
            let log = self.log(name);
            let tail = members::tail(&log);
            eprintln!("--- {:?}: the end of {name}'s log\n{tail}", self.program);
        }
    }
}
