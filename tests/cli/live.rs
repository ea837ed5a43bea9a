//! The lab of examples/lab with a real etcd, which uses the configuration that `apply` writes, and with the master and
//! the worker at their own addresses.

mod configuration;
mod delivered;
mod endpoints;
mod grown;
mod provision;
mod readers;
mod revoked;
mod rotated;
mod script;
mod separate;
mod shapes;
mod three_members;

use std::path::PathBuf;

use self::endpoints::{
    a_member_that_was_not_restarted_trusts_what_it_read,
    every_endpoint_is_verified_from_the_master, what_was_not_copied_to_its_host_is_reported,
};
use crate::lab::Lab;
use crate::machines::https::{Request, ask};
use crate::machines::network::{MASTER, MEMBERS, WORKER};
use crate::machines::{Machines, Program};
use crate::peers;
use crate::process::finish;

/// The base name of the files of the master's certificate.
const CLIENT: &str = "masterone/etc/apiserver-etcd-client";

/// A client certificate of the same CA without subjectAltName, as kubeadm issues it.
const NAMELESS: &str = "nameless";

const NAMELESS_CONFIG: &str = r#"{ "signing": { "profiles": {
    "nameless-client": { "expiry": "1h", "usages": ["signing", "client auth"] }
} } }"#;

/// etcd's log message when the peer port rejects a certificate that is not on its list.
const NOT_ON_THE_LIST: &str = "client certificate authentication failed";

#[derive(Clone, Copy, Debug)]
enum Port {
    Client,
    Peer,
}

#[test]
fn the_lab_lives_on_etcd_3_4() {
    the_lab_lives(Program::V3_4, "etcd_version: \"3.4\"\n");
}

#[test]
fn the_lab_lives_on_etcd_3_5_1() {
    the_lab_lives(Program::V3_5_1, "etcd_version: \"3.5.1\"\n");
}

#[test]
fn the_lab_lives_under_an_intermediate_ca_on_etcd_3_4() {
    the_lab_lives_under_an_intermediate(Program::V3_4, "etcd_version: \"3.4\"\n");
}

#[test]
fn the_lab_lives_under_an_intermediate_ca_on_etcd_3_5_1() {
    the_lab_lives_under_an_intermediate(Program::V3_5_1, "etcd_version: \"3.5.1\"\n");
}

/// Python's OpenSSL and etcd find the intermediate in the chain that the other side sends, and the root in their own
/// ca.pem.
fn the_lab_lives_under_an_intermediate(program: Program, version: &str) {
    let mut machines = Machines::start_with(program, version, Lab::make_intermediate_ca);
    wait_until_healthy(&mut machines);
    the_master_writes_and_reads(&machines);
    the_peer_port_lets_peers_in(&machines);
    the_worker_is_refused(&mut machines);
    every_endpoint_is_verified_from_the_master(&machines, &[]);
    a_member_may_be_lost_and_two_may_not(&mut machines);
}

/// 3.5.1 reads the file for 3.6 and ignores the one key that it does not know (etcd has `allowed-hostname` since
/// 3.5.14, as a list since 3.5.15). Without the allow list, this test is the control for the others: the peer port
/// accepts a client without names, and rejects one with a name under .invalid.
#[test]
fn the_sentinel_name_by_itself_closes_the_peer_port_of_etcd_3_5_1_with_the_configuration_for_3_6() {
    let more = "etcd_version: \"3.6\"\ncombined: true\n";
    let mut machines = Machines::start(Program::V3_5_1, more);
    issue_nameless(&machines);
    wait_until_healthy(&mut machines);
    the_master_writes_and_reads(&machines);
    let reason = r#"does not match any of DNSNames ["apiserver-etcd-client.invalid"]"#;
    refused(&mut machines, MASTER, Some(CLIENT), Port::Peer, reason);
    the_worker_is_refused(&mut machines);
    for name in MEMBERS {
        let request = request(&machines, name, Some(NAMELESS), Port::Peer);
        let answer = &ask(&machines.network, MASTER, &ca(&machines), &[request])[0];
        assert_eq!(answer.status, Some(200), "the control must pass: {answer:?}");
    }
}

fn the_lab_lives(program: Program, version: &str) {
    let mut machines = Machines::start(program, version);
    issue_nameless(&machines);
    wait_until_healthy(&mut machines);
    the_master_writes_and_reads(&machines);
    the_peer_port_lets_peers_in(&machines);
    refused(&mut machines, MASTER, Some(CLIENT), Port::Peer, NOT_ON_THE_LIST);
    refused(&mut machines, MASTER, Some(NAMELESS), Port::Peer, NOT_ON_THE_LIST);
    the_worker_is_refused(&mut machines);
    every_endpoint_is_verified_from_the_master(&machines, &[]);
    what_was_not_copied_to_its_host_is_reported(&machines);
    a_member_that_was_not_restarted_trusts_what_it_read(&machines);
    a_member_may_be_lost_and_two_may_not(&mut machines);
}

/// A client certificate without the name under .invalid.
fn issue_nameless(machines: &Machines) {
    machines.lab.write("nameless.json", NAMELESS_CONFIG);
    let profile = ["--config", "nameless.json", "--profile", "nameless-client"];
    machines.lab.ok(&[&["issue", NAMELESS], &profile[..]].concat());
}

/// etcdctl queries each of its endpoints separately.
fn wait_until_healthy(machines: &mut Machines) {
    machines.wait("every member is healthy", |machines| {
        let run = machines.etcdctl(&["endpoint", "health"]);
        // 3.4 prints this on standard output, 3.5 on standard error.
        let healthy =
            run.stdout.matches("is healthy").count() + run.stderr.matches("is healthy").count();
        if (run.code, healthy) == (0, 3) { Ok(()) } else { Err(format!("{run:?}")) }
    });
}

fn the_master_writes_and_reads(machines: &Machines) {
    let run = machines.etcdctl(&["put", "first", "value"]);
    assert_eq!((run.code, &*run.stdout), (0, "OK\n"), "{run:?}");
    let run = machines.etcdctl(&["get", "--print-value-only", "first"]);
    assert_eq!((run.code, &*run.stdout), (0, "value\n"), "{run:?}");
}

/// Every ordered pair. The streams of the other direction would hide a fault in one direction.
fn the_peer_port_lets_peers_in(machines: &Machines) {
    for dialler in MEMBERS {
        let certificate = peer_certificate(machines, dialler);
        let requests = MEMBERS.map(|name| request(machines, name, Some(&certificate), Port::Peer));
        for answer in ask(&machines.network, dialler, &ca(machines), &requests) {
            assert_eq!(answer.status, Some(200), "{dialler}: {answer:?}");
            assert!(answer.text.contains("etcdthree"), "{dialler}: {answer:?}");
        }
    }
}

/// Without a certificate, with a self-signed one, and with one of a CA with the same name.
fn the_worker_is_refused(machines: &mut Machines) {
    assert!(!machines.lab.path("pki/hosts").join(WORKER).exists());
    let mut openssl = peers::program("openssl");
    openssl
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args(["-days", "1", "-subj", "/CN=apiserver-etcd-client"])
        .args(["-keyout", "self-signed-key.pem", "-out", "self-signed.pem"])
        .current_dir(machines.lab.folder());
    let run = finish(&mut openssl);
    assert_eq!(run.code, 0, "{run:?}");
    machines.lab.ok(&["--dir", "other", "init-ca", "--cn", "etcd CA"]);
    machines.lab.ok(&["--dir", "other", "issue", "--profile", "client", "stranger"]);

    let unknown = "x509: certificate signed by unknown authority";
    for port in [Port::Client, Port::Peer] {
        refused(machines, WORKER, None, port, "client didn't provide a certificate");
        refused(machines, WORKER, Some("self-signed"), port, unknown);
        refused(machines, WORKER, Some("stranger"), port, unknown);
    }
    // The network does not block it: with the master's certificate, it would be accepted.
    let stolen = request(machines, MEMBERS[0], Some(CLIENT), Port::Client);
    let answer = &ask(&machines.network, WORKER, &ca(machines), &[stolen])[0];
    assert_eq!(answer.status, Some(200), "the control must pass: {answer:?}");
    // A member's certificate does not help on the peer port either, because the worker has another address.
    if !machines.network.is_loopback() {
        let certificate = peer_certificate(machines, MEMBERS[0]);
        let reason = r#"tls: "192.168.29.71" does not match any of DNSNames"#;
        refused(machines, WORKER, Some(&certificate), Port::Peer, reason);
    }
}

fn a_member_may_be_lost_and_two_may_not(machines: &mut Machines) {
    let put = |machines: &Machines, key: &str| {
        machines.etcdctl(&["--dial-timeout=1s", "--command-timeout=2s", "put", key, "value"])
    };
    machines.stop_member(MEMBERS[0]);
    machines.wait("a write while one member is away", |machines| {
        let run = put(machines, "one-away");
        if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
    });

    machines.stop_member(MEMBERS[1]);
    let run = put(machines, "two-away");
    assert_ne!(run.code, 0, "two of three members are stopped: {run:?}");
    // The third member runs and reads from its own store; it just cannot write.
    machines.wait("a read from the remaining member", |machines| {
        let run = machines.etcdctl(&["get", "--consistency=s", "--print-value-only", "one-away"]);
        if run.stdout == "value\n" { Ok(()) } else { Err(format!("{run:?}")) }
    });
    let run = put(machines, "two-away");
    assert_ne!(run.code, 0, "two of three members are stopped: {run:?}");

    machines.start_member(MEMBERS[0]);
    machines.start_member(MEMBERS[1]);
    wait_until_healthy(machines);
    for key in ["first", "one-away"] {
        let run = machines.etcdctl(&["get", "--print-value-only", key]);
        assert_eq!((run.code, &*run.stdout), (0, "value\n"), "{key}: {run:?}");
    }
    let run = put(machines, "all-there");
    assert_eq!(run.code, 0, "{run:?}");
}

/// No member answers this host, and its log gives the reason.
fn refused(
    machines: &mut Machines,
    host: &str,
    certificate: Option<&str>,
    port: Port,
    reason: &str,
) {
    let requests = MEMBERS.map(|name| request(machines, name, certificate, port));
    let answers = ask(&machines.network, host, &ca(machines), &requests);
    for ((name, request), answer) in MEMBERS.iter().zip(requests).zip(answers) {
        assert_eq!(answer.status, None, "{host}: {request:?}: {answer:?}");
        let dialler = format!("{}\"", answer.local);
        let told = machines.wait("the member logs the reason for the rejection", |machines| {
            let mut rejections = machines.rejections(name).into_iter();
            let told = rejections.find(|line| line.contains(&dialler));
            told.ok_or_else(|| format!("{request:?}: {answer:?}: not a word"))
        });
        assert!(told.contains(reason), "{request:?}: {reason:?} is not in {told}");
    }
}

/// A read from a member: of a key through the gateway on its client port, or of the members through its peer port.
fn request(machines: &Machines, member: &str, certificate: Option<&str>, port: Port) -> Request {
    let address = machines.network.address(member);
    let file = |base: &str, end: &str| machines.lab.path(format!("{base}{end}"));
    let (url, body) = match port {
        // The key `first`, in base64.
        Port::Client => {
            (format!("https://{address}:2379/v3/kv/range"), Some(r#"{"key": "Zmlyc3Q="}"#))
        }
        Port::Peer => (format!("https://{address}:2380/members"), None),
    };
    let certificate = certificate.map(|base| (file(base, ".pem"), file(base, "-key.pem")));
    Request { url, certificate, body }
}

/// The base name of the files of a member's peer certificate.
fn peer_certificate(machines: &Machines, member: &str) -> String {
    let base = |file: &str| format!("{member}/etc/{file}");
    let peer = base("peer");
    let own = machines.lab.path(format!("{peer}.pem")).exists();
    if own { peer } else { base("member") }
}

fn ca(machines: &Machines) -> PathBuf {
    machines.lab.path("pki/ca.pem")
}
