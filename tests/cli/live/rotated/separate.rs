//! Separate CAs are replaced one after the other in a cluster that somebody writes to all the time.

use super::Cluster;
use crate::machines::Program;

#[test]
fn etcd_3_5_1_with_separate_cas_gets_new_ones_for_peers_and_clients_without_losing_a_write() {
    let mut cluster = Cluster::under(Program::V3_5_1, "3.5.1", "cas: {}\n", |_| {});
    cluster.keep_the_client_certificate();
    // The members show which peers they accept, and what they serve to them.
    cluster.a_separate_ca_is_rotated("peer", &["--connect"]);
    // Nobody serves certificates of clients.
    cluster.a_separate_ca_is_rotated("client", &["--connect", "--restarted", "masterone"]);
    cluster.the_kept_client_certificate_is_refused();
    cluster.nothing_was_lost();
}

impl Cluster {
    /// A step is refused until every member shows that it is ready, whatever somebody says.
    fn a_separate_ca_is_rotated(&mut self, ca: &str, finish: &[&str]) {
        let with = |more: &[&'static str]| [&["--ca", ca], more].concat();
        self.step("begin", &with(&[]));
        self.deliver();
        let early = self.try_step("reissue", &with(&["--connect", "--restarted", "all"]));
        assert_eq!(early.code, 1, "{early:?}");
        let rejects = format!("rejects a {ca} of the new CA");
        assert_eq!(early.stderr.matches(&rejects).count(), 3, "{early:?}");
        self.restart_every_process();
        self.step("reissue", &with(&["--connect"]));
        if ca == "peer" {
            let early = self.try_step("finish", &with(&["--connect", "--restarted", "all"]));
            assert_eq!(early.code, 1, "{early:?}");
            assert_eq!(early.stderr.matches(":2380 serves serial ").count(), 3, "{early:?}");
        }
        self.deliver();
        self.writes_go_on();
        self.every_endpoint_is_verified();
        self.rotates("finish", &[&["--ca", ca], finish].concat(), true);
        self.every_endpoint_is_verified();
    }
}
