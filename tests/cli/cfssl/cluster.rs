//! Three real members on 127.0.0.1 with the files of a lab.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::process::Stdio;

use tempfile::TempDir;

use super::sides::{Side, Sides};
use crate::lab::Run;
use crate::members::{self, Members, Process, Turn, take_turn};
use crate::peers;
use crate::process::finish;

const NAMES: [&str; 3] = ["one", "two", "three"];

/// A certificate and its key, by their paths in the lab.
#[derive(Clone, Copy)]
pub(super) struct Files {
    pub(super) certificate: &'static str,
    pub(super) key: &'static str,
}

/// Members that run until they are dropped. The fields are dropped in this order: processes, data, turn.
pub(super) struct Cluster<'lab> {
    sides: &'lab Sides,
    ca: &'static str,
    processes: [Process; 3],
    client_ports: [u16; 3],
    data: TempDir,
    _turn: Turn,
}

impl<'lab> Cluster<'lab> {
    /// Starts three members that require certificates on both ports, and waits until they are healthy.
    pub(super) fn start(
        sides: &'lab Sides,
        ca: &'static str,
        servers: [Files; 3],
        peers: [Files; 3],
        options: &[&str],
    ) -> Self {
        let turn = take_turn();
        // All are bound until all are known, so that they differ.
        let listeners: Vec<_> = (0..6).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let port = |index: usize| listeners[index].local_addr().unwrap().port();
        let (client_ports, peer_ports) = ([0, 1, 2].map(port), [3, 4, 5].map(port));
        drop(listeners);
        let mut cluster = Self {
            sides,
            ca,
            processes: <[Process; 3]>::default(),
            client_ports,
            data: tempfile::tempdir().unwrap(),
            _turn: turn,
        };
        for index in 0..3 {
            cluster.start_member(index, servers[index], peers[index], peer_ports, options);
        }
        cluster
    }

    fn start_member(
        &mut self,
        index: usize,
        server: Files,
        peer: Files,
        peer_ports: [u16; 3],
        options: &[&str],
    ) {
        let url = |port: u16| format!("https://127.0.0.1:{port}");
        let (client_url, peer_url) = (url(self.client_ports[index]), url(peer_ports[index]));
        let all: Vec<String> = NAMES
            .iter()
            .zip(peer_ports)
            .map(|(name, port)| format!("{name}={}", url(port)))
            .collect();
        let name = NAMES[index];
        let log = self.data.path().join(format!("{name}.log"));
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut etcd = peers::program("etcd");
        etcd.args(["--name", name, "--initial-cluster", &all.join(",")])
            .args(["--listen-client-urls", &client_url, "--advertise-client-urls", &client_url])
            .args(["--listen-peer-urls", &peer_url, "--initial-advertise-peer-urls", &peer_url])
            .args(["--cert-file", server.certificate, "--key-file", server.key])
            .args(["--client-cert-auth", "--trusted-ca-file", self.ca])
            .args(["--peer-cert-file", peer.certificate, "--peer-key-file", peer.key])
            .args(["--peer-client-cert-auth", "--peer-trusted-ca-file", self.ca])
            .args(options)
            .arg("--data-dir")
            .arg(self.data.path().join(name))
            .current_dir(self.sides.folder(Side::Ours))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.processes[index].start(&mut etcd);
    }

    fn etcdctl(&self, index: usize, client: Files, args: &[&str]) -> Run {
        let mut command = peers::program("etcdctl");
        command
            .args(["--endpoints", &format!("https://127.0.0.1:{}", self.client_ports[index])])
            .args(["--cacert", self.ca, "--cert", client.certificate, "--key", client.key])
            .current_dir(self.sides.folder(Side::Ours))
            .env_clear()
            .args(args);
        finish(&mut command)
    }

    /// Waits until each member writes and reads for this client.
    pub(super) fn is_used_by(&mut self, client: Files) {
        for index in 0..3 {
            let key = format!("key{index}");
            members::wait(self, "a member writes", |cluster| {
                match cluster.etcdctl(index, client, &["put", &key, "value"]) {
                    run if run.code == 0 => Ok(()),
                    run => Err(format!("{run:?}\n{}", cluster.log(index))),
                }
            });
            let read = self.etcdctl((index + 1) % 3, client, &["get", &key, "--print-value-only"]);
            assert_eq!(read.stdout, "value\n", "{read:?}");
        }
    }

    /// Expects that no member serves this client. The members serve others already.
    pub(super) fn refuses(&self, client: Files) {
        let run = self.etcdctl(0, client, &["--command-timeout", "3s", "get", "key0"]);
        assert_ne!(run.code, 0, "{run:?}");
    }

    fn log(&self, index: usize) -> String {
        let path = self.data.path().join(format!("{}.log", NAMES[index]));
        members::tail(&String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()))
    }
}

impl Members for Cluster<'_> {
    fn processes(&mut self) -> Vec<(&'static str, &mut Process)> {
        NAMES.into_iter().zip(&mut self.processes).collect()
    }
}
