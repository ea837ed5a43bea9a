//! etcd members as processes, whatever their configuration and wherever they run.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Instant;

use crate::lab::Lab;
use crate::peers;
use crate::process::{PATIENCE, PAUSE};

/// A permit to run one cluster, released on drop.
pub(crate) struct Turn {
    _lock: File,
}

/// Waits until no other cluster runs. A member needs 128 MiB of disk, and a processor while it starts.
///
/// The lock is a file because a test runner such as nextest starts a process for each test. The kernel releases it
/// with the process, so a test that dies does not block the others.
pub(crate) fn take_turn() -> Turn {
    let path = std::env::temp_dir().join("etcdpki-tests.lock");
    let lock = File::options().create(true).append(true).open(&path);
    let lock = lock.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    lock.lock().unwrap();
    Turn { _lock: lock }
}

/// The process of a server. It is killed on drop, also if a test fails.
#[derive(Default)]
pub(crate) struct Process(Option<Child>);

impl Process {
    pub(crate) fn start(&mut self, command: &mut Command) {
        self.0 = Some(command.spawn().unwrap());
    }

    /// Kills it, as if its machine lost power.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.0.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// The exit status, if it exited by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.as_mut().and_then(|process| process.try_wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `openssl s_server` with the certificate `BASE.pem` on a free port, killed on drop.
pub(crate) fn openssl_server(lab: &Lab, base: &str, options: &[&str]) -> (Process, String) {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let endpoint = format!("127.0.0.1:{port}");
    (openssl_server_at(&endpoint, lab, base, options), endpoint)
}

/// The same at this address and port.
pub(crate) fn openssl_server_at(
    endpoint: &str,
    lab: &Lab,
    base: &str,
    options: &[&str],
) -> Process {
    let mut server = Process::default();
    server.start(
        peers::program("openssl")
            .args(["s_server", "-cert", &format!("{base}.pem"), "-key", &format!("{base}-key.pem")])
            .args(["-accept", endpoint])
            .args(options)
            .current_dir(lab.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(endpoint).is_err() {
        assert!(Instant::now() < deadline, "openssl s_server does not accept connections");
        sleep(PAUSE);
    }
    server
}

/// Members that run together.
pub(crate) trait Members {
    fn processes(&mut self) -> Vec<(&'static str, &mut Process)>;
}

/// Retries until it succeeds. Fails the test if a member exits, or after a minute.
#[track_caller]
pub(crate) fn wait<M: Members, T>(
    members: &mut M,
    what: &str,
    attempt: impl Fn(&M) -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reason = match attempt(members) {
            Ok(value) => return value,
            Err(reason) => reason,
        };
        for (name, process) in members.processes() {
            if let Some(status) = process.ended() {
                panic!("{what}: {name} exited with {status}");
            }
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}: {reason}");
        sleep(PAUSE);
    }
}

/// The log lines about rejected connections: `rejected connection` in the text of 3.4 and in the JSON of 3.5, without
/// the backslashes before quotation marks.
pub(crate) fn rejections(log: &str) -> Vec<String> {
    let lines = log.lines().filter(|line| line.contains("rejected connection"));
    lines.map(|line| line.replace('\\', "")).collect()
}

/// The end of a log.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
