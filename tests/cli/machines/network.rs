//! The lab's five hosts on one machine: network namespaces with the lab's own addresses if the tests run as root, loopback
//! addresses otherwise.

use std::ffi::OsStr;
use std::fs;
use std::io::{Write as _, stderr};
use std::path::Path;
use std::process::Command;
use std::thread::panicking;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::peers;
use crate::process::finish;

/// All hosts, with the last number of their addresses.
pub(crate) const HOSTS: [(&str, u8); 5] =
    [("etcdone", 61), ("etcdtwo", 62), ("etcdthree", 63), (MASTER, 51), (WORKER, 71)];

pub(crate) const MEMBERS: [&str; 3] = ["etcdone", "etcdtwo", "etcdthree"];
pub(crate) const MASTER: &str = "masterone";
pub(crate) const WORKER: &str = "workerone";

/// The prefix of the names of these tests' namespaces, followed by the process id.
const PREFIX: &str = "etcdpki-test-";

/// Removed on drop.
pub(crate) enum Network {
    /// A namespace for each host, and one for the bridge between them, without a connection to other networks.
    Namespaces { prefix: String },
    /// Addresses in 127.0.0.0/8. The kernel connects to all of them from 127.0.0.1.
    Loopback { prefix: String },
}

impl Network {
    pub(crate) fn up() -> Self {
        let process = std::process::id();
        let wish = std::env::var("ETCDPKI_LIVE").unwrap_or_default();
        assert!(
            ["", "loopback"].contains(&&*wish),
            "ETCDPKI_LIVE={wish}: only `loopback` is known"
        );
        if wish.is_empty() && geteuid().is_root() {
            tell("network namespaces");
            sweep();
            // Create the value before the namespaces, so that it removes them if this fails half-way.
            let network = Self::Namespaces { prefix: format!("{PREFIX}{process}") };
            network.connect();
            return network;
        }
        tell("loopback addresses");
        Self::loopback()
    }

    pub(crate) fn loopback() -> Self {
        let process = std::process::id();
        // Other test processes use other addresses.
        let (high, low) = (process / 250 % 250 + 1, process % 250 + 1);
        Self::Loopback { prefix: format!("127.{high}.{low}.") }
    }

    /// The replacement for the lab's `192.168.29.`.
    pub(crate) fn address_prefix(&self) -> &str {
        match self {
            Self::Namespaces { .. } => "192.168.29.",
            Self::Loopback { prefix } => prefix,
        }
    }

    pub(crate) fn is_loopback(&self) -> bool {
        matches!(self, Self::Loopback { .. })
    }

    pub(crate) fn address(&self, host: &str) -> String {
        let (_, number) = HOSTS.iter().find(|(name, _)| *name == host).unwrap();
        format!("{}{number}", self.address_prefix())
    }

    /// A program on this host with an empty environment.
    pub(crate) fn command(&self, host: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = match self {
            Self::Namespaces { prefix } => {
                // `ip` replaces itself with the program, so that killing the process kills the program.
                let mut ip = peers::program("ip");
                ip.args(["netns", "exec", &format!("{prefix}-{host}")]).arg(program);
                ip
            }
            Self::Loopback { .. } => Command::new(program),
        };
        command.env_clear();
        command
    }

    /// Kills every process in the namespaces.
    pub(crate) fn end_processes(&self) {
        let Self::Namespaces { prefix } = self else { return };
        for name in namespaces().iter().filter(|name| name.starts_with(&format!("{prefix}-"))) {
            end_processes_in(name);
        }
    }

    fn connect(&self) {
        let Self::Namespaces { prefix } = self else { return };
        let bridge = format!("{prefix}-bridge");
        ip(&["netns", "add", &bridge]);
        ip(&["-n", &bridge, "link", "add", "bridge", "up", "type", "bridge"]);
        for (host, number) in HOSTS {
            let namespace = format!("{prefix}-{host}");
            let address = format!("{}/24", self.address(host));
            let port = format!("port{number}");
            let (on_bridge, on_host) = (["-n", &bridge], ["-n", &namespace]);
            ip(&["netns", "add", &namespace]);
            let ends = ["type", "veth", "peer", "name", "eth0", "netns", &namespace];
            ip(&[&on_bridge[..], &["link", "add", &port], &ends].concat());
            ip(&[&on_bridge[..], &["link", "set", &port, "master", "bridge", "up"]].concat());
            ip(&[&on_host[..], &["address", "add", &address, "dev", "eth0"]].concat());
            ip(&[&on_host[..], &["link", "set", "lo", "up"]].concat());
            ip(&[&on_host[..], &["link", "set", "eth0", "up"]].concat());
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let Self::Namespaces { prefix } = self else { return };
        for name in namespaces().iter().filter(|name| name.starts_with(&format!("{prefix}-"))) {
            let deleted = peers::program("ip").args(["netns", "delete", name]).status();
            let deleted = deleted.is_ok_and(|status| status.success());
            assert!(deleted || panicking(), "the namespace {name} was not deleted");
        }
    }
}

/// Prints the lab's network, bypassing the captured output of the test.
fn tell(network: &str) {
    // With a single write, because other tests also print.
    let _ = stderr().write_all(format!("\nlive: the lab is on {network}\n").as_bytes());
}

fn ip(args: &[&str]) {
    let run = finish(peers::program("ip").args(args));
    assert_eq!(
        run.code, 0,
        "ip {args:?}: {}without the right to namespaces, set ETCDPKI_LIVE=loopback",
        run.stderr
    );
}

/// The names of all network namespaces of this machine.
pub(crate) fn namespaces() -> Vec<String> {
    let Ok(folder) = fs::read_dir("/run/netns") else { return Vec::new() };
    let names = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.collect()
}

/// Ends and deletes what killed test processes left behind.
fn sweep() {
    for name in namespaces() {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        let Some(process) = process else { continue };
        // A zombie process exists, but its command line is empty.
        let command = fs::read(Path::new("/proc").join(process).join("cmdline"));
        if command.is_ok_and(|command| !command.is_empty()) {
            continue;
        }
        // Another test process may be faster, so errors are ignored.
        end_processes_in(&name);
        let _ = finish(peers::program("ip").args(["netns", "delete", &name]));
    }
}

fn end_processes_in(namespace: &str) {
    let inside = finish(peers::program("ip").args(["netns", "pids", namespace]));
    for line in inside.stdout.lines() {
        if let Some(inside) = line.trim().parse().ok().and_then(Pid::from_raw) {
            let _ = kill_process(inside, Signal::KILL);
        }
    }
}
