//! A cluster of real etcd members on loopback addresses.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread::panicking;

use tempfile::TempDir;

use super::certificates::Host;
use crate::lab::{Lab, Run};
use crate::members::{self, Members, Process, Turn, take_turn};
use crate::peers;
use crate::process::finish;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Version {
    V3_4,
    V3_5,
}

impl Version {
    fn program(self, name: &str) -> Command {
        match self {
            Self::V3_4 => peers::program(name),
            Self::V3_5 => Command::new(peers::etcd_3_5(name)),
        }
    }
}

/// Members that run until they are dropped. The fields are dropped in this order: processes, data, turn.
pub(crate) struct Cluster<'lab> {
    pub(super) version: Version,
    pub(super) lab: &'lab Lab,
    pub(crate) members: Vec<Member>,
    options: Vec<String>,
    data: TempDir,
    _turn: Turn,
}

pub(crate) struct Member {
    pub(super) host: Host,
    client_port: u16,
    peer_port: u16,
    process: Process,
}

impl Member {
    pub(super) fn client_url(&self) -> String {
        format!("https://{}:{}", self.host.address, self.client_port)
    }

    pub(super) fn peer_url(&self) -> String {
        format!("https://{}:{}", self.host.address, self.peer_port)
    }
}

impl<'lab> Cluster<'lab> {
    /// Starts a member for each host that requires certificates on both ports.
    pub(crate) fn start(version: Version, lab: &'lab Lab, hosts: &[Host], more: &[&str]) -> Self {
        let turn = take_turn();
        let members = hosts.iter().map(|host| {
            let [client_port, peer_port] = free_ports(host.address);
            Member { host: *host, client_port, peer_port, process: Process::default() }
        });
        let mut cluster = Self {
            version,
            lab,
            members: members.collect(),
            options: more.iter().map(ToString::to_string).collect(),
            data: tempfile::tempdir().unwrap(),
            _turn: turn,
        };
        for index in 0..hosts.len() {
            cluster.start_member(index);
        }
        cluster
    }

    /// Restarts a member with its existing data.
    pub(super) fn start_member(&mut self, index: usize) {
        let mut command = self.etcd(&self.members[index]);
        self.members[index].process.start(&mut command);
    }

    pub(super) fn stop_member(&mut self, index: usize) {
        self.members[index].process.kill();
    }

    fn etcd(&self, member: &Member) -> Command {
        let Host { name, .. } = member.host;
        let (client_url, peer_url) = (member.client_url(), member.peer_url());
        let all: Vec<String> =
            self.members.iter().map(|m| format!("{}={}", m.host.name, m.peer_url())).collect();
        let file = |name: String| self.lab.path(name).display().to_string();
        let mut command = self.version.program("etcd");
        command
            .args(["--name", name, "--initial-cluster", &all.join(",")])
            .args(["--listen-client-urls", &client_url, "--advertise-client-urls", &client_url])
            .args(["--listen-peer-urls", &peer_url, "--initial-advertise-peer-urls", &peer_url])
            .args(["--cert-file", &file(format!("{name}.pem"))])
            .args(["--key-file", &file(format!("{name}-key.pem"))])
            .args(["--client-cert-auth", "--trusted-ca-file", &file("pki/ca.pem".to_owned())])
            .args(["--peer-cert-file", &file(format!("{name}-peer.pem"))])
            .args(["--peer-key-file", &file(format!("{name}-peer-key.pem"))])
            .args(["--peer-client-cert-auth"])
            .args(["--peer-trusted-ca-file", &file("pki/ca.pem".to_owned())])
            .args(&self.options)
            .arg("--data-dir")
            .arg(self.data.path().join(name));
        let log = self.data.path().join(format!("{name}.log"));
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.env_clear().stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    /// The whole log of a member.
    pub(super) fn log(&self, member: &Member) -> String {
        let bytes = std::fs::read(self.data.path().join(format!("{}.log", member.host.name)));
        // A member that could not be started has no log.
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    }

    /// The connections that a member rejected.
    pub(super) fn rejections(&self, member: &Member) -> Vec<String> {
        members::rejections(&self.log(member))
    }

    /// Runs etcdctl with only one member as endpoint, with this certificate.
    pub(crate) fn etcdctl(&self, member: &Member, certificate: Option<&str>, args: &[&str]) -> Run {
        let mut command = self.version.program("etcdctl");
        command.args(["--endpoints", &member.client_url()]);
        command.arg("--cacert").arg(self.lab.path("pki/ca.pem"));
        if let Some(base) = certificate {
            command.arg("--cert").arg(self.lab.path(format!("{base}.pem")));
            command.arg("--key").arg(self.lab.path(format!("{base}-key.pem")));
        }
        // etcdctl exits if a variable and an option set the same value (reference: etcd's pkg/flags).
        finish(command.env_clear().args(args))
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

impl Members for Cluster<'_> {
    fn processes(&mut self) -> Vec<(&'static str, &mut Process)> {
        self.members.iter_mut().map(|member| (member.host.name, &mut member.process)).collect()
    }
}

impl Drop for Cluster<'_> {
    /// A failing test shows the end of the members' logs.
    fn drop(&mut self) {
        for member in self.members.iter().filter(|_| panicking()) {
            let log = self.log(member);
            let tail = members::tail(&log);
            eprintln!("--- {:?}: the end of {}'s log\n{tail}", self.version, member.host.name);
        }
    }
}

/// Two free ports of this address.
fn free_ports(address: &str) -> [u16; 2] {
    // Both are bound until both are known, so that they differ.
    let listeners = [0; 2].map(|port| TcpListener::bind((address, port)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
