//! The lab's machines: each with the folder that `apply` made for it, and etcd as its unit starts it.

pub(crate) mod https;
pub(crate) mod network;
pub(crate) mod real;

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::thread::panicking;

use self::network::{HOSTS, MASTER, MEMBERS, Network};
use crate::lab::{Lab, Run};
use crate::members::{self, Members, Process, Turn, take_turn};
use crate::peers;
use crate::process::finish;

/// Where the files are on every machine: below the folder that a program is started in, so that five
/// machines with the same configuration find room on this one.
pub(crate) const PATHS: &str = "paths: { etcd: /proc/self/cwd/etc, data: /proc/self/cwd/data, \
                                kubernetes: /proc/self/cwd/etc }\n";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// Debian's.
    V3_4,
    /// PyPI's.
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
    /// Whose etcdctl the master has.
    pub(crate) client: Program,
    /// More of etcd's variables than the units set.
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

    /// The same, with a CA that was made before.
    pub(crate) fn start_with(program: Program, more: &str, make_ca: fn(&Lab)) -> Self {
        let mut machines = Self::still(program, Network::up, &MEMBERS);
        make_ca(&machines.lab);
        let mut more = more.to_owned();
        if machines.network.is_loopback() && !more.contains("combined") {
            // Peers dial from 127.0.0.1 here. Only the server's profile adds that address, and a
            // manifest cannot give one address to three members.
            more.push_str("combined: true\n");
        }
        machines.apply(&more);
        machines.start_members();
        machines
    }

    /// Machines without files, of which these are members.
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

    /// Applies the part of examples/lab/cluster.yaml that these machines are, with these lines added.
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

    /// Puts every host's folder in its place, and starts the members.
    pub(crate) fn start_members(&mut self) {
        for (host, _) in HOSTS {
            self.copy_bundle(host);
        }
        for name in self.members() {
            self.start_member(name);
        }
    }

    /// Puts a host's folder on its machine, as rsync does.
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
                // Only one member of this machine could listen there.
                let text = fs::read_to_string(&copy).unwrap();
                fs::write(&copy, text.replace(",https://127.0.0.1:2379", "")).unwrap();
            }
        }
    }

    /// Starts a member as its unit says; what it had stored is there still.
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

    /// All that a member has said.
    pub(crate) fn log(&self, name: &str) -> String {
        let bytes = fs::read(self.log_path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The connections that a member refused.
    pub(crate) fn rejections(&self, name: &str) -> Vec<String> {
        members::rejections(&self.log(name))
    }

    /// Runs etcdctl on the master, set up by its etcdctl.env in the way that this file names.
    pub(crate) fn etcdctl(&self, args: &[&str]) -> Run {
        self.etcdctl_with(&[], args)
    }

    /// The same with other values of some of the file's variables: etcdctl takes no option for what
    /// a variable sets.
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

    /// How a member ended, if it did.
    pub(crate) fn ended(&mut self, name: &str) -> Option<ExitStatus> {
        self.member(name).process.ended()
    }

    /// Tries until it holds. A member that ends meanwhile, or a minute that passes, fails the test.
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
    /// A test that fails shows what the members said last.
    fn drop(&mut self) {
        for name in self.members().into_iter().filter(|_| panicking()) {
            let log = self.log(name);
            let tail = members::tail(&log);
            eprintln!("--- {:?}: the end of {name}'s log\n{tail}", self.program);
        }
    }
}
