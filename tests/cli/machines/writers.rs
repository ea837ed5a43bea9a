//! Clients that write to a cluster while something happens to it.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;

use super::real::RealMachines;

const MEMBERS: [&str; 3] = ["192.168.29.61", "192.168.29.62", "192.168.29.63"];

/// Two clients on the master that write until a file appears.
pub(crate) struct Writers {
    run: u32,
}

/// What one of them saw.
#[derive(Debug, Deserialize)]
pub(crate) struct Written {
    /// The keys that etcd acknowledged.
    pub(crate) acknowledged: Vec<String>,
    /// The errors.
    pub(crate) failed: Vec<String>,
    worst_milliseconds: u32,
}

#[derive(Debug)]
pub(crate) struct Both {
    pub(crate) long_lived: Written,
    pub(crate) reconnecting: Written,
}

const KINDS: [&str; 2] = ["long-lived", "reconnecting"];

impl Writers {
    pub(crate) fn start(machines: &mut RealMachines) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let writers = Self { run: RUNS.fetch_add(1, Ordering::Relaxed) };
        for kind in KINDS {
            let mut python = machines.command("masterone", "python3");
            python.args(["-c", include_str!("writer.py"), kind]);
            python.arg(format!("{kind}-{}", writers.run)).args(MEMBERS);
            machines.run(kind, python);
        }
        writers.wait_for_writes(machines);
        writers
    }

    /// Waits until both have written something more.
    fn wait_for_writes(&self, machines: &mut RealMachines) {
        for kind in KINDS {
            let written = |machines: &RealMachines| self.written(machines, kind);
            let before = written(machines).map_or(0, |written| written.acknowledged.len());
            machines.wait("the writers write", |machines| match written(machines) {
                Some(written) if written.acknowledged.len() > before + 50 => Ok(()),
                other => Err(format!("{other:?}")),
            });
        }
    }

    /// What a writer has reported.
    fn written(&self, machines: &RealMachines, kind: &str) -> Option<Written> {
        let file = machines.lab.path(format!("masterone/root/{kind}-{}.json", self.run));
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }

    /// Lets them write while something happens, and a little longer.
    pub(crate) fn during(
        self,
        machines: &mut RealMachines,
        work: impl FnOnce(&RealMachines),
    ) -> Both {
        work(machines);
        self.wait_for_writes(machines);
        let written = KINDS.map(|kind| {
            let file = machines.lab.path(format!("masterone/root/{kind}-{}", self.run));
            fs::write(file.with_extension("stop"), "").unwrap();
            machines.wait_until_ended(kind);
            self.written(machines, kind).unwrap()
        });
        let [long_lived, reconnecting] = written;
        Both { long_lived, reconnecting }
    }
}

impl Both {
    pub(crate) fn failures(&self) -> usize {
        self.long_lived.failed.len() + self.reconnecting.failed.len()
    }

    /// Every write that was acknowledged can be read.
    pub(crate) fn has_lost_nothing(&self, machines: &RealMachines, version: &str) {
        for written in [&self.long_lived, &self.reconnecting] {
            let prefix = written.acknowledged[0].rsplit_once('-').unwrap().0;
            let line = format!("etcdctl get --prefix {prefix}- --keys-only >/root/keys");
            assert_eq!(machines.shell("masterone", &line).code, 0);
            let keys = machines.lab.read("masterone/root/keys");
            let keys = String::from_utf8(keys).unwrap();
            let keys: BTreeSet<&str> = keys.lines().collect();
            let lost = written.acknowledged.iter().filter(|key| !keys.contains(key.as_str()));
            assert_eq!(lost.collect::<Vec<_>>(), Vec::<&String>::new(), "{version}: lost");
            eprintln!(
                "{version}: {prefix}: {} writes, {} failed, worst {} ms",
                written.acknowledged.len(),
                written.failed.len(),
                written.worst_milliseconds
            );
        }
    }
}
