//! Separate CAs are replaced one after the other in a cluster that somebody writes to all the time.

use std::fs;

use super::Cluster;
use crate::lab::Run;
use crate::machines::Program;
use crate::process::finish;

/// Asks a member on its peer port for its version, with a certificate of another member.
const ASK_A_PEER: &str = "\
import http.client, ssl, sys
address, cas, pair = sys.argv[1:]
context = ssl.create_default_context(cafile=cas)
context.load_cert_chain(pair + '.pem', pair + '-key.pem')
connection = http.client.HTTPSConnection(address, 2380, timeout=5, context=context)
connection.request('GET', '/version')
print(connection.getresponse().status)
";

/// How one of the CAs is replaced.
struct Rotation {
    ca: &'static str,
    /// What a member says to the new CA before it was restarted.
    rejects: &'static str,
    /// Whose word `reissue` and `finish` need, because nobody can connect to clients.
    reissue: &'static [&'static str],
    finish: &'static [&'static str],
    /// The port that serves certificates of the CA.
    port: Option<u16>,
}

#[test]
fn etcd_3_4_with_separate_cas_gets_a_new_one_of_each_without_losing_a_write() {
    each_separate_ca_is_replaced(Program::V3_4, "3.4");
}

#[test]
fn etcd_3_5_1_with_separate_cas_gets_a_new_one_of_each_without_losing_a_write() {
    each_separate_ca_is_replaced(Program::V3_5_1, "3.5.1");
}

fn each_separate_ca_is_replaced(program: Program, version: &str) {
    let mut cluster = Cluster::under(program, version, "cas: {}\n", |_| {});
    cluster.keep_the_client_certificate();
    for end in [".pem", "-key.pem"] {
        let etc = cluster.machines.lab.path("etcdone/etc");
        fs::copy(etc.join(format!("etcd/peer{end}")), etc.join(format!("old-peer{end}"))).unwrap();
    }
    let accepted = cluster.ask_a_peer("/etc/old-peer");
    assert_eq!(accepted.stdout, "200\n", "{accepted:?}");

    cluster.a_separate_ca_is_rotated(&Rotation {
        ca: "peer",
        rejects: "rejects a peer of the new CA",
        reissue: &[],
        finish: &[],
        port: Some(2380),
    });
    let refused = cluster.ask_a_peer("/etc/old-peer");
    assert_ne!(refused.code, 0, "{refused:?}");
    let log = cluster.machines.log("etcdtwo");
    assert!(log.contains("certificate signed by unknown authority"), "{refused:?}");
    let accepted = cluster.ask_a_peer("/etc/etcd/peer");
    assert_eq!(accepted.stdout, "200\n", "{accepted:?}");

    cluster.a_separate_ca_is_rotated(&Rotation {
        ca: "client",
        rejects: "rejects a client of the new CA",
        reissue: &[],
        finish: &["--restarted", "masterone"],
        port: None,
    });
    cluster.the_kept_client_certificate_is_refused();

    cluster.a_separate_ca_is_rotated(&Rotation {
        ca: "server",
        rejects: "rejects a client of the new CA",
        reissue: &["--restarted", "masterone"],
        finish: &[],
        port: Some(2379),
    });
    cluster.nothing_was_lost();
}

impl Cluster {
    /// A step is refused until every member shows that it is ready, whatever somebody says.
    fn a_separate_ca_is_rotated(&mut self, rotation: &Rotation) {
        let Rotation { ca, rejects, reissue, finish, port } = *rotation;
        let connect = ["--ca", ca, "--connect"];
        let all = [&connect[..], &["--restarted", "all"]].concat();
        self.step("begin", &["--ca", ca]);
        self.deliver();
        let early = self.try_step("reissue", &all);
        assert_eq!(early.code, 1, "{ca}: {early:?}");
        assert_eq!(early.stderr.matches(rejects).count(), 3, "{ca}: {early:?}");
        self.restart_every_process();
        self.step("reissue", &[&connect[..], reissue].concat());
        if let Some(port) = port {
            let early = self.try_step("finish", &all);
            assert_eq!(early.code, 1, "{ca}: {early:?}");
            let serves = format!(":{port} serves serial ");
            assert_eq!(early.stderr.matches(&serves).count(), 3, "{ca}: {early:?}");
        }
        self.deliver();
        self.writes_go_on();
        self.every_endpoint_is_verified();
        self.rotates("finish", &[&connect[..], finish].concat(), true);
        self.every_endpoint_is_verified();
    }

    /// What the second member answers to the first one.
    fn ask_a_peer(&self, pair: &str) -> Run {
        let mut command = self.machines.command("etcdone", "python3");
        finish(command.args(["-c", ASK_A_PEER, "192.168.29.62", "/etc/etcd/peer-ca.pem", pair]))
    }
}
