//! Certificates are renewed and the CA is replaced in a cluster that somebody writes to all the time.

mod separate;

use std::fs;
use std::time::Duration;

use pki_core::Certificate;
use serde::Deserialize;

use super::three_members::{MACHINES, MANIFEST, MEMBERS};
use crate::lab::{Lab, Run};
use crate::machines::Program;
use crate::machines::real::RealMachines;
use crate::peers;
use crate::process::finish;

/// What the writers say.
#[derive(Debug, Deserialize)]
struct Report {
    finished: bool,
    writers: Vec<Writer>,
}

#[derive(Debug, Deserialize)]
struct Writer {
    name: String,
    acknowledged: u32,
    failures: Vec<String>,
    longest: f64,
    /// Reads that returned an older value than was written before.
    older: u32,
    /// Acknowledged writes that are not there.
    lost: Vec<u32>,
}

#[test]
fn etcd_3_4_is_renewed_and_rotated_without_losing_a_write() {
    Cluster::start(Program::V3_4, "3.4").lives_through_it();
}

#[test]
fn etcd_3_5_1_is_renewed_and_rotated_without_losing_a_write() {
    Cluster::start(Program::V3_5_1, "3.5.1").lives_through_it();
}

#[test]
fn etcd_3_4_goes_back_to_its_old_ca_without_losing_a_write() {
    Cluster::start(Program::V3_4, "3.4").lives_through_an_abort();
}

#[test]
fn etcd_3_5_1_goes_back_to_its_old_ca_without_losing_a_write() {
    Cluster::start(Program::V3_5_1, "3.5.1").lives_through_an_abort();
}

#[test]
fn etcd_3_4_under_an_intermediate_ca_is_rotated_without_losing_a_write() {
    under_an_intermediate_ca_is_rotated(Program::V3_4, "3.4");
}

#[test]
fn etcd_3_5_1_under_an_intermediate_ca_is_rotated_without_losing_a_write() {
    under_an_intermediate_ca_is_rotated(Program::V3_5_1, "3.5.1");
}

fn under_an_intermediate_ca_is_rotated(program: Program, version: &str) {
    let mut cluster = Cluster::under(program, version, "", Lab::make_intermediate_ca);
    cluster.the_ca_is_rotated();
    cluster.nothing_was_lost();
}

struct Cluster {
    machines: RealMachines,
}

impl Cluster {
    fn start(program: Program, version: &str) -> Self {
        Self::under(program, version, "", |_| {})
    }

    /// The same with more lines in the manifest, and under a CA that exists already.
    fn under(program: Program, version: &str, more: &str, make_ca: fn(&Lab)) -> Self {
        let machines = RealMachines::new(program, &MACHINES, "");
        make_ca(&machines.lab);
        let manifest = format!("{MANIFEST}etcd_version: \"{version}\"\n{more}");
        machines.lab.write("cluster.yaml", manifest);
        machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
        let mut cluster = Self { machines };
        cluster.deliver();
        for (member, _) in MEMBERS {
            cluster.machines.start(member);
        }
        cluster.wait_until_healthy();
        let addresses = MEMBERS.map(|(_, address)| address).join(",");
        let script = peers::root().join("tests/cli/live/writers.py");
        let mut writers = cluster.machines.command("masterone", "python3");
        writers.arg(script).arg(addresses);
        cluster.machines.run("masterone", writers);
        cluster.writes_go_on();
        cluster
    }

    fn lives_through_it(mut self) {
        self.every_certificate_is_renewed_without_a_restart();
        self.the_ca_is_renewed();
        self.the_ca_is_rotated();
        self.nothing_was_lost();
    }

    fn lives_through_an_abort(mut self) {
        self.rotates("begin", &[], true);
        self.rotates("reissue", &["--connect", "--restarted", "masterone"], false);
        self.rotates("abort", &[], false);
        self.rotates("abort", &["--connect", "--restarted", "masterone"], true);
        self.every_endpoint_is_verified();
        self.nothing_was_lost();
    }

    /// Not one write fails, and the members serve the new certificates.
    fn every_certificate_is_renewed_without_a_restart(&mut self) {
        let before = self.report();
        let renewed = self.machines.lab.ok(&["renew", "--all", "--before", "1000d"]);
        assert_eq!(renewed.matches("renewed hosts/").count(), 7, "{renewed}");
        self.deliver();
        self.every_endpoint_is_verified();
        self.writes_go_on();
        let after = self.report();
        for (before, after) in before.writers.iter().zip(&after.writers) {
            assert_eq!(after.failures, before.failures, "no write failed");
        }
    }

    fn the_ca_is_renewed(&mut self) {
        self.machines.lab.ok(&["renew", "--ca", "-f", "cluster.yaml"]);
        self.machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
        self.deliver();
        self.restart_every_process();
        self.every_endpoint_is_verified();
        self.writes_go_on();
    }

    fn keep_the_client_certificate(&self) {
        let old = ["apiserver-etcd-client.pem", "apiserver-etcd-client-key.pem"];
        let etc = self.machines.lab.path("masterone/etc");
        for name in old {
            fs::copy(etc.join("kubernetes/pki/etcd").join(name), etc.join(format!("old-{name}")))
                .unwrap();
        }
    }

    fn the_kept_client_certificate_is_refused(&self) {
        let line = "ETCDCTL_CERT=/etc/old-apiserver-etcd-client.pem ETCDCTL_KEY=/etc/old-apiserver-etcd-client-key.pem \
                    etcdctl --command-timeout=3s endpoint health";
        let run = self.machines.shell("masterone", line);
        assert_ne!(run.code, 0, "a certificate of the old CA is refused: {run:?}");
        let log = self.machines.log("etcdone");
        assert!(log.contains("certificate signed by unknown authority"), "{run:?}");
    }

    fn the_ca_is_rotated(&mut self) {
        self.keep_the_client_certificate();
        self.step("begin", &[]);
        self.deliver();
        // No member was restarted, so none trusts the new CA.
        let early = self.try_step("reissue", &["--connect", "--restarted", "all"]);
        assert_eq!(early.code, 1, "{early:?}");
        assert_eq!(early.stderr.matches("rejects a client of the new CA").count(), 3, "{early:?}");
        self.restart_every_process();
        self.step("reissue", &["--connect", "--restarted", "masterone"]);
        // The certificates are not on their hosts yet.
        let early = self.try_step("finish", &["--connect", "--restarted", "all"]);
        assert_eq!(early.code, 1, "{early:?}");
        assert_eq!(early.stderr.matches("serves serial ").count(), 3, "{early:?}");
        self.deliver();
        self.writes_go_on();
        let status = self.try_step("status", &["--connect"]);
        assert_eq!(
            status.stdout.matches("serves certificates of the new CA").count(),
            3,
            "{status:?}"
        );
        self.rotates("finish", &["--connect", "--restarted", "masterone"], true);
        self.every_endpoint_is_verified();
        self.the_kept_client_certificate_is_refused();
    }

    fn rotates(&mut self, step: &str, options: &[&str], restart: bool) {
        self.step(step, options);
        self.deliver();
        if restart {
            self.restart_every_process();
        }
        self.writes_go_on();
    }

    fn step(&self, step: &str, options: &[&str]) {
        let run = self.try_step(step, options);
        assert_eq!(run.code, 0, "{step}: {run:?}");
    }

    fn try_step(&self, step: &str, options: &[&str]) -> Run {
        self.etcdpki(&[&["rotate-ca", step, "-f", "cluster.yaml"], options].concat())
    }

    /// On the master, from which the members can be reached.
    fn etcdpki(&self, args: &[&str]) -> Run {
        let mut command = self.machines.command("masterone", env!("CARGO_BIN_EXE_etcdpki"));
        finish(command.args(args).current_dir(self.machines.lab.folder()))
    }

    fn every_endpoint_is_verified(&self) {
        let run = self.etcdpki(&["verify", "-f", "cluster.yaml", "--connect"]);
        assert_eq!(run.code, 0, "{run:?}");
    }

    fn deliver(&self) {
        for (host, _) in MACHINES {
            self.machines.deliver(host);
        }
    }

    /// One member at a time, the leader last, after it has handed over.
    fn restart_every_process(&mut self) {
        let leader = self.leader();
        let mut order = MEMBERS.to_vec();
        order.sort_by_key(|(member, _)| *member == leader);
        for (member, address) in order {
            if member == leader {
                self.move_leader(address);
            }
            self.machines.stop(member);
            self.machines.start(member);
            self.wait_until_healthy();
        }
        // The API server follows.
        let restarted = self.machines.lab.path("masterone/etc/restarted");
        let times = fs::read_to_string(&restarted).unwrap_or_default();
        fs::write(restarted, times + "again\n").unwrap();
    }

    /// The status of each member, as etcdctl says it.
    fn statuses(&self) -> Vec<(&'static str, u64, u64)> {
        let statuses = MEMBERS.map(|(member, address)| {
            let line =
                format!("ETCDCTL_ENDPOINTS=https://{address}:2379 etcdctl endpoint status -w json");
            let run = self.machines.shell("masterone", &line);
            let status: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_default();
            let status = &status[0]["Status"];
            let id = status["header"]["member_id"].as_u64().unwrap_or_default();
            (member, id, status["leader"].as_u64().unwrap_or_default())
        });
        statuses.to_vec()
    }

    fn leader(&self) -> &'static str {
        let statuses = self.statuses();
        let leads = |(_, id, leader): &&(&str, u64, u64)| id == leader;
        statuses.iter().find(leads).unwrap_or_else(|| panic!("{statuses:?}")).0
    }

    fn move_leader(&self, from: &str) {
        let statuses = self.statuses();
        let (_, to, _) = statuses.iter().find(|(_, id, leader)| id != leader).unwrap();
        // etcdctl 3.5.1 reads the variables twice, and then says that they contradict themselves.
        let line = format!(
            "env -u ETCDCTL_ENDPOINTS -u ETCDCTL_CACERT -u ETCDCTL_CERT -u ETCDCTL_KEY etcdctl \
             --endpoints=https://{from}:2379 --cacert=$ETCDCTL_CACERT --cert=$ETCDCTL_CERT --key=$ETCDCTL_KEY \
             move-leader {to:x}"
        );
        let run = self.machines.shell("masterone", &line);
        assert_eq!(run.code, 0, "{run:?}");
    }

    fn wait_until_healthy(&mut self) {
        for (member, address) in MEMBERS {
            let line = format!("ETCDCTL_ENDPOINTS=https://{address}:2379 etcdctl endpoint health");
            self.machines.wait(&format!("{member} is healthy"), |machines| {
                let run = machines.shell("masterone", &line);
                if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
            });
        }
    }

    fn report(&self) -> Report {
        let path = self.machines.lab.path("masterone/etc/report.json");
        let text = fs::read(path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or(Report { finished: false, writers: Vec::new() })
    }

    /// Both writers have fifty writes acknowledged from now on.
    fn writes_go_on(&mut self) {
        let count = |report: &Report| -> Vec<u32> {
            report.writers.iter().map(|writer| writer.acknowledged).collect()
        };
        let before = count(&self.report());
        let path = self.machines.lab.path("masterone/etc/report.json");
        self.machines.wait("writes go on", |_| {
            let text = fs::read(&path).unwrap_or_default();
            let report: Report =
                serde_json::from_slice(&text).map_err(|error| error.to_string())?;
            let now = count(&report);
            let enough = |(at, now): (usize, &u32)| *now >= before.get(at).unwrap_or(&0) + 50;
            if now.iter().enumerate().all(enough) { Ok(()) } else { Err(format!("{report:?}")) }
        });
    }

    /// No acknowledged write is lost, no read was older than a write, and only restarts cost anything.
    fn nothing_was_lost(&mut self) {
        fs::write(self.machines.lab.path("masterone/etc/stop"), "").unwrap();
        let path = self.machines.lab.path("masterone/etc/report.json");
        self.machines.wait("the writers report", |_| {
            let report: Report = serde_json::from_slice(&fs::read(&path).unwrap_or_default())
                .map_err(|error| error.to_string())?;
            if report.finished { Ok(()) } else { Err(format!("{report:?}")) }
        });
        for writer in self.report().writers {
            let Writer { name, acknowledged, failures, longest, older, lost } = writer;
            let longest = Duration::from_secs_f64(longest);
            println!(
                "{name}: {acknowledged} writes acknowledged, {} tried again, longest pause {longest:?}: {failures:#?}",
                failures.len()
            );
            assert_eq!((older, lost), (0, Vec::new()), "{name}");
            let of_certificates = failures.iter().find(|failure| failure.contains("CERTIFICATE"));
            assert_eq!(of_certificates, None, "{name}");
        }
        let leaf = self.machines.lab.read("pki/hosts/etcdone/peer.pem");
        assert!(Certificate::from_pem_or_der(&leaf).is_ok());
    }
}
