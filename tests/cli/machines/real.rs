//! Machines as their users have them: the real paths, the user `etcd`, the unit's own environment.
//!
//! Each is a network namespace, and each program on it has a mount namespace in which `/etc`,
//! `/var/lib`, `/root` and `/run` are the machine's own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{panicking, sleep};
use std::time::Instant;

use super::Program;
use super::network::Network;
use crate::lab::{Lab, Run};
use crate::members::{self, Members, Process, Turn, take_turn};
use crate::peers;
use crate::process::{PATIENCE, PAUSE, finish};

/// What of `/etc` a program needs beside its own files.
const SHARED: [&str; 7] =
    ["alternatives", "group", "ld.so.cache", "localtime", "nsswitch.conf", "passwd", "protocols"];

/// Enters the machine in the folder `$1`, whose etcd is `$2` and whose etcdctl `$3`, and becomes the
/// rest of the words. `ip netns exec` has given it a mount namespace.
const ENTER: &str = r#"set -e
mount --bind "$1/etc" /etc
mount --bind "$1/var-lib" /var/lib
mount --bind "$1/root" /root
mount --bind "$1/run" /run
mount --bind "$2" /usr/bin/etcd
mount --bind "$3" /usr/bin/etcdctl
[ ! -e "$1/systemctl" ] || mount --bind "$1/systemctl" /usr/bin/systemctl
shift 3
exec "$@""#;

/// Fields are dropped in this order: processes, network, files, turn.
pub(crate) struct RealMachines {
    processes: BTreeMap<&'static str, Process>,
    network: Network,
    pub(crate) lab: Lab,
    program: Program,
    /// The machine of the network that stands for each host of the manifest.
    machines: &'static [(&'static str, &'static str)],
    _turn: Turn,
}

impl RealMachines {
    /// Machines for the hosts of a manifest, which know each other by these lines of `/etc/hosts`.
    pub(crate) fn new(
        program: Program,
        machines: &'static [(&'static str, &'static str)],
        hosts: &str,
    ) -> Self {
        let turn = take_turn();
        let network = Network::up();
        assert!(!network.is_loopback(), "machines with their own /etc need root and namespaces");
        let real = Self {
            processes: BTreeMap::new(),
            network,
            lab: Lab::new(),
            program,
            machines,
            _turn: turn,
        };
        for (name, _) in machines {
            let etc = real.lab.path(name).join("etc");
            fs::create_dir_all(&etc).unwrap();
            for folder in ["var-lib", "root", "run"] {
                fs::create_dir_all(real.lab.path(name).join(folder)).unwrap();
            }
            let shared = SHARED.map(|file| Path::new("/etc").join(file));
            let shared = shared.iter().filter(|file| file.symlink_metadata().is_ok());
            let mut copy = peers::program("cp");
            assert!(copy.arg("-a").args(shared).arg(&etc).status().unwrap().success());
            fs::write(etc.join("hosts"), format!("127.0.0.1 localhost\n{hosts}")).unwrap();
        }
        real
    }

    /// Gives a member a new disk. systemd creates the folder for its data.
    pub(crate) fn empty_data(&self, name: &str) {
        let _ = fs::remove_dir_all(self.lab.path(name).join("var-lib/etcd"));
    }

    /// Copies a host's folder to the machine and runs its install.sh, as README.md says. Returns what it prints.
    pub(crate) fn deliver(&self, name: &str) -> String {
        let copy = self.lab.path(name).join("root").join(name);
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir(&copy).unwrap();
        for file in fs::read_dir(self.lab.path("pki/hosts").join(name)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        self.install(name, &format!("sh {name}/install.sh"))
    }

    /// Packs a host's folder and installs it from the archive, as `etcdpki export --help` says. Returns what
    /// install.sh prints.
    pub(crate) fn deliver_archive(&self, name: &str) -> String {
        self.export(name);
        let line = "cd \"$(mktemp -d)\" && tar -xzf - && sh install.sh && rm -r \"$PWD\"";
        self.install(name, &format!("(cd /; {line}) <host.tar.gz"))
    }

    /// Packs a host's folder into `host.tar.gz` in the home of root.
    pub(crate) fn export(&self, name: &str) {
        let archive = self.lab.path(name).join("root/host.tar.gz");
        let archive = archive.to_str().unwrap();
        self.lab.ok(&["export", name, "-f", "cluster.yaml", "--force", "-o", archive]);
    }

    /// Runs a line of shell in the home of root that must succeed and warn of nothing.
    pub(crate) fn install(&self, name: &str, line: &str) -> String {
        let mut shell = self.command(name, "/bin/sh");
        let run = finish(shell.args(["-ec", &format!("cd /root; {line}")]));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{name}: {line}: {run:?}");
        run.stdout
    }

    /// A program on a machine, as root, with no environment but these variables.
    pub(crate) fn command(&self, name: &str, program: &str) -> Command {
        let (_, machine) = self.machines.iter().find(|(host, _)| *host == name).unwrap();
        let mut shell = self.network.command(machine, "/bin/sh");
        let [etcd, etcdctl] = ["etcd", "etcdctl"].map(|program| self.program.path(program));
        let folder = self.lab.path(name);
        shell.args(["-c", ENTER, "sh"]).args([folder, etcd, etcdctl]).arg(program);
        shell.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        shell
    }

    /// A program in the network of a machine that has the files of the machine on which the tests run.
    pub(crate) fn controller(&self, name: &str, program: &str) -> Command {
        let (_, machine) = self.machines.iter().find(|(host, _)| *host == name).unwrap();
        self.network.command(machine, program)
    }

    /// Runs an SSH server on every machine that lets this key in as root, and puts a stand-in for systemctl there:
    /// systemd is not process 1 on a machine that runs tests.
    pub(crate) fn serve_ssh(&mut self, key: &Path) {
        let stand_in = include_str!("../ansible/systemctl");
        for (name, _) in self.machines {
            let folder = self.lab.path(name);
            fs::write(folder.join("systemctl"), stand_in).unwrap();
            fs::set_permissions(folder.join("systemctl"), Permissions::from_mode(0o755)).unwrap();
            fs::create_dir_all(folder.join("run/sshd")).unwrap();
            fs::create_dir_all(folder.join("run/systemd/system")).unwrap();
            fs::create_dir_all(folder.join("etc/ssh")).unwrap();
            fs::create_dir_all(folder.join("etc/systemd/system")).unwrap();
            fs::copy(key, folder.join("etc/ssh/key")).unwrap();
            fs::copy(key.with_extension("pub"), folder.join("etc/ssh/authorized")).unwrap();
            let config = "HostKey /etc/ssh/key\nAuthorizedKeysFile /etc/ssh/authorized\nStrictModes no\n\
                          PermitRootLogin yes\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp\n";
            fs::write(folder.join("etc/ssh/sshd_config"), config).unwrap();
            // No password, but not locked.
            fs::write(folder.join("etc/shadow"), "root:*:20000:0:99999:7:::\n").unwrap();
            let sshd = peers::sshd();
            let mut sshd = self.command(name, sshd.to_str().unwrap());
            sshd.args(["-D", "-e"]);
            self.run(name, sshd);
        }
    }

    /// Starts a member as systemd does by its unit.
    pub(crate) fn start(&mut self, name: &'static str) {
        let unit = self.lab.read(PathBuf::from(name).join("etc/systemd/system/etcd.service"));
        let unit = String::from_utf8(unit).unwrap();
        let values = |key: &str| -> Vec<String> {
            unit.lines().filter_map(|line| line.strip_prefix(key)).map(str::to_owned).collect()
        };
        let (start, user) = (values("ExecStart="), values("User="));
        for folder in values("StateDirectory=") {
            let (mode, user) = (&values("StateDirectoryMode=")[0], &user[0]);
            self.install(
                name,
                &format!("install -d -o {user} -g {user} -m {mode} /var/lib/{folder}"),
            );
        }
        assert_eq!((start.len(), user.len()), (1, 1), "{unit}");
        let mut command = self.command(name, "setpriv");
        command.args([&format!("--reuid={}", user[0]), &format!("--regid={}", user[0])]);
        command.args(["--init-groups", "--no-new-privs", "env", "-i"]);
        command.args(values("Environment=")).args(start[0].split_whitespace());
        let log = OpenOptions::new().create(true).append(true).open(self.log_path(name)).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.processes.entry(name).or_default().start(&mut command);
    }

    /// Starts a program that runs on, such as a proxy.
    pub(crate) fn run(&mut self, name: &'static str, mut command: Command) {
        let log = OpenOptions::new().create(true).append(true).open(self.log_path(name)).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.processes.entry(name).or_default().start(&mut command);
    }

    /// As if the machine lost power.
    pub(crate) fn stop(&mut self, name: &str) {
        self.processes.remove(name);
    }

    /// Waits until a program has ended by itself, successfully.
    #[track_caller]
    pub(crate) fn wait_until_ended(&mut self, name: &str) {
        let process = self.processes.get_mut(name).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = process.ended() {
                break status;
            }
            assert!(Instant::now() < deadline, "{name} runs on");
            sleep(PAUSE);
        };
        self.processes.remove(name);
        assert!(status.success(), "{name}: {status}\n{}", self.log(name));
    }

    /// Runs a line of shell on a machine, with the variables of its etcdctl.env.
    pub(crate) fn shell(&self, name: &str, line: &str) -> Run {
        let mut command = self.command(name, "/bin/sh");
        let script = "set -a; for env in /etc/kubernetes/pki/etcd/etcdctl.env /etc/etcd/etcdctl.env; do \
                      if [ -e $env ]; then . $env; break; fi; done; set +a; eval \"$1\"";
        finish(command.args(["-c", script, "sh", line]))
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.lab.path(format!("{name}.log"))
    }

    /// All that a machine's programs have said.
    pub(crate) fn log(&self, name: &str) -> String {
        // The stand-in for systemctl has a file of its own.
        let files = [self.log_path(name), self.lab.path(name).join("root/etcd.log")];
        let bytes = files.map(|file| fs::read(file).unwrap_or_default()).concat();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What a program said before it exited by itself, within a minute.
    pub(crate) fn log_after_exit(&mut self, name: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while self.processes.get_mut(name).is_some_and(|process| process.ended().is_none()) {
            assert!(Instant::now() < deadline, "{name} runs on:\n{}", self.log(name));
            sleep(PAUSE);
        }
        self.log(name)
    }

    /// Tries until it holds. A process that ends meanwhile, or a minute that passes, fails the test.
    #[track_caller]
    pub(crate) fn wait(&mut self, what: &str, attempt: impl Fn(&Self) -> Result<(), String>) {
        members::wait(self, what, attempt);
    }
}

impl Members for RealMachines {
    fn processes(&mut self) -> Vec<(&'static str, &mut Process)> {
        self.processes.iter_mut().map(|(name, process)| (*name, process)).collect()
    }
}

impl Drop for RealMachines {
    /// A test that fails shows what the programs said last.
    fn drop(&mut self) {
        // What an SSH session started is not a child of this process.
        self.network.end_processes();
        for (name, _) in self.machines.iter().filter(|_| panicking()) {
            let log = self.log(name);
            let tail = members::tail(&log);
            eprintln!("--- {:?}: the end of {name}'s log\n{tail}", self.program);
        }
    }
}
