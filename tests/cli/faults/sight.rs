//! The symptoms of a fault in a running cluster.

use std::fmt;

use crate::lab::Run;
use crate::machines::https::{Answer, Request, ask};
use crate::machines::network::{MASTER, MEMBERS};
use crate::machines::{Machines, Program};
use crate::process::PATIENCE;

/// What a member logs when it starts to serve clients.
pub(super) const READY: &str = "ready to serve client requests";

/// One symptom. In texts, `{one}`, `{two}` and `{three}` are the members' addresses, and `{source}` is
/// the address that the third member connects from.
#[derive(Clone, Copy)]
pub(super) enum Sight {
    /// Every member answers the API server's client.
    Healthy,
    /// A member exits and logs this.
    Ends(&'static str, &'static str),
    /// A member rejects connections and logs this.
    Rejects(&'static str, &'static str),
    /// A member logs this.
    Says(&'static str, &'static str),
    /// The API server's client, etcdctl, fails and prints this.
    ClientFails(&'static str),
    /// The same at this port of the member's loopback address, which probes use.
    LocalClientFails(fn() -> u32, &'static str),
    /// A member's gateway answers 503.
    NoGateway(&'static str),
    /// A member is still not ready long after the others are.
    Isolated(&'static str),
    /// No member ever becomes ready.
    NeverBoots,
    /// A symptom that only this fault has, as text and as a check.
    Own(&'static str, fn(&mut Machines)),
}

impl Sight {
    /// Waits until the symptom occurs.
    pub(super) fn look(&self, machines: &mut Machines) {
        match *self {
            Self::Healthy => healthy(machines),
            Self::Ends(member, text) => ends(machines, member, text),
            Self::Rejects(member, text) => {
                let text = filled(machines, text);
                machines.wait("the member rejects connections", |machines| {
                    let lines = machines.rejections(member);
                    let seen = lines.iter().any(|line| line.contains(&text));
                    if seen { Ok(()) } else { Err(format!("{text:?} is not in {lines:#?}")) }
                });
            }
            Self::Says(member, text) => {
                let text = filled(machines, text);
                machines.wait("the member logs the message", |machines| {
                    let seen = said(machines, member).contains(&text);
                    if seen { Ok(()) } else { Err(format!("{text:?} is not in its log")) }
                });
            }
            Self::ClientFails(text) => client_fails(machines, &[], text),
            Self::LocalClientFails(port, text) => {
                let endpoint = format!("https://127.0.0.1:{}", port());
                client_fails(machines, &[("ETCDCTL_ENDPOINTS", &endpoint)], text);
            }
            Self::NoGateway(member) => machines.wait("the gateway fails", |machines| {
                let answer = gateway(machines, member);
                if answer.status == Some(503) { Ok(()) } else { Err(format!("{answer:?}")) }
            }),
            Self::Isolated(member) => {
                for other in machines.members().into_iter().filter(|other| *other != member) {
                    machines.wait("the others are healthy", |machines| answers(machines, other));
                }
                assert_not_ready(machines, member);
            }
            Self::NeverBoots => {
                let members = machines.members();
                gives_up_publishing(machines, &members);
                for member in members {
                    assert!(!said(machines, member).contains(READY), "{member} is ready");
                }
            }
            Self::Own(_, look) => look(machines),
        }
    }

    /// The text to look for in a member's log.
    pub(super) fn logged(&self) -> Option<&'static str> {
        match self {
            Self::Ends(_, text) | Self::Rejects(_, text) | Self::Says(_, text) => Some(text),
            _ => None,
        }
    }
}

/// The text in docs/faults.md.
impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("every member is healthy"),
            Self::Ends(member, text) => write!(f, "{member} exits: `{text}`"),
            Self::Rejects(member, text) => write!(f, "{member} rejects connections: `{text}`"),
            Self::Says(member, text) => write!(f, "{member} logs `{text}`"),
            Self::ClientFails(text) => write!(f, "clients fail: `{text}`"),
            Self::LocalClientFails(_, text) => write!(f, "clients on the member fail: `{text}`"),
            Self::NoGateway(member) => write!(f, "{member}'s gateway answers 503"),
            Self::Isolated(member) => write!(f, "{member} is not ready, but the other members are"),
            Self::NeverBoots => f.write_str("no member ever becomes ready"),
            Self::Own(words, _) => f.write_str(words),
        }
    }
}

pub(super) fn healthy(machines: &mut Machines) {
    for member in machines.members() {
        machines.wait("every member is healthy", |machines| answers(machines, member));
    }
}

/// Checks one member separately, because a client of all members hides one that fails.
pub(super) fn answers(machines: &Machines, member: &str) -> Result<(), String> {
    if !said(machines, member).contains(READY) {
        // etcdctl would wait for its timeout.
        return Err(format!("{member} does not serve clients yet"));
    }
    let run = health(machines, member);
    if run.code == 0 { Ok(()) } else { Err(format!("{member}: {run:?}")) }
}

/// The result of etcdctl's health check for a member. It reads a key, which needs a quorum.
pub(super) fn health(machines: &Machines, member: &str) -> Run {
    let endpoint = format!("https://{}:2379", machines.network.address(member));
    let args = ["--dial-timeout=2s", "--command-timeout=2s", "endpoint", "health"];
    machines.etcdctl_with(&[("ETCDCTL_ENDPOINTS", &endpoint)], &args)
}

fn ends(machines: &mut Machines, member: &str, text: &str) {
    let text = filled(machines, text);
    let deadline = std::time::Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = machines.ended(member) {
            break status;
        }
        assert!(std::time::Instant::now() < deadline, "{member} did not exit within {PATIENCE:?}");
        std::thread::sleep(crate::process::PAUSE);
    };
    let log = said(machines, member);
    assert!(!status.success() && log.contains(&text), "{member}: {status}: {text:?} in {log}");
}

/// Fails if the client cannot write with this certificate in the master's folder.
pub(super) fn client_as(machines: &Machines, base: &str) -> Result<(), String> {
    let (certificate, key) = (format!("etc/{base}.pem"), format!("etc/{base}-key.pem"));
    let instead = [("ETCDCTL_CERT", &*certificate), ("ETCDCTL_KEY", &*key)];
    let args = ["--dial-timeout=1s", "--command-timeout=1s", "put", "key", "value"];
    let run = machines.etcdctl_with(&instead, &args);
    if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
}

fn client_fails(machines: &mut Machines, instead: &[(&str, &str)], text: &str) {
    let text = filled(machines, text);
    machines.wait("the client fails", |machines| {
        let args = ["--dial-timeout=400ms", "--command-timeout=400ms", "get", "key"];
        let run = machines.etcdctl_with(instead, &args);
        let stderr = run.stderr.replace('\\', "");
        if run.code != 0 && stderr.contains(&text) { Ok(()) } else { Err(format!("{run:?}")) }
    });
}

/// Checks a member's health, which takes some time to fail, and its log.
fn assert_not_ready(machines: &Machines, member: &str) {
    let run = health(machines, member);
    assert!(run.code != 0 && !said(machines, member).contains(READY), "{member} is ready: {run:?}");
}

/// A member that starts publishes itself to the others, which needs a quorum.
fn gives_up_publishing(machines: &mut Machines, members: &[&'static str]) {
    let text = match machines.program {
        Program::V3_4 => "publish error: etcdserver: request timed out",
        Program::V3_5_1 => "failed to publish local member to cluster through raft",
    };
    for member in members {
        Sight::Says(member, text).look(machines);
    }
}

/// A read through a member's gateway, with the API server's certificate.
pub(super) fn gateway(machines: &Machines, member: &str) -> Answer {
    let url = format!("https://{}:2379/v3/kv/range", machines.network.address(member));
    let etc = machines.lab.path(MASTER).join("etc");
    let file = |end: &str| etc.join(format!("apiserver-etcd-client{end}"));
    let certificate = Some((file(".pem"), file("-key.pem")));
    // The key `key`, in base64.
    let request = Request { url, certificate, body: Some(r#"{"key": "a2V5"}"#) };
    ask(&machines.network, MASTER, &etc.join("ca.pem"), &[request]).swap_remove(0)
}

/// A member's log, without the backslashes before quotation marks in the JSON of 3.5.
pub(super) fn said(machines: &Machines, member: &str) -> String {
    machines.log(member).replace('\\', "")
}

pub(super) fn filled(machines: &Machines, text: &str) -> String {
    let source = if machines.network.is_loopback() {
        "127.0.0.1".to_owned()
    } else {
        machines.network.address(MEMBERS[2])
    };
    let mut filled = text.replace("{source}", &source);
    for (member, place) in MEMBERS.iter().zip(["{one}", "{two}", "{three}"]) {
        filled = filled.replace(place, &machines.network.address(member));
    }
    filled
}
