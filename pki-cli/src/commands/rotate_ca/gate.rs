//! What a step must know about the running processes.

use std::collections::BTreeSet;

use pki_core::Manifest;

use super::live::{NotYet, Seen};
use crate::commands::cluster;
use crate::failure::Failure;

/// The value that stands for all hosts.
const ALL: &str = "all";

/// The hosts whose processes must be ready for a step, and what is known about them.
pub(super) struct Gate {
    /// The hosts that are not known to be ready.
    open: BTreeSet<String>,
    /// Observations on connections that show the opposite.
    refused: Vec<String>,
}

impl Gate {
    /// These hosts of a manifest, except those that the user confirmed.
    pub(super) fn new(
        concerned: BTreeSet<String>,
        manifest: &Manifest,
        restarted: &[String],
    ) -> Result<Self, Failure> {
        let hosts: BTreeSet<String> = cluster::specs_by_host(manifest, &[])?.into_keys().collect();
        let is_known = |host: &&String| *host == ALL || hosts.contains(*host);
        if let Some(unknown) = restarted.iter().find(|host| !is_known(host)) {
            let known: Vec<String> = hosts.into_iter().collect();
            return Err(Failure::usage(format!(
                "--restarted {unknown}: the manifest has no such host"
            ))
            .hinted(format!("one of: {}, or all", known.join(", "))));
        }
        let all = restarted.iter().any(|host| host == ALL);
        let open = concerned.into_iter().filter(|host| !all && !restarted.contains(host)).collect();
        Ok(Self { open, refused: Vec::new() })
    }

    /// Adds what was observed about the members, which takes precedence over what the user confirmed.
    pub(super) fn saw(&mut self, members: Vec<Seen>, also_client: impl Fn(&str) -> bool) {
        for Seen { host, ready } in members {
            match ready {
                // A client on the same host has processes of its own.
                Ok(()) if !also_client(&host) => {
                    self.open.remove(&host);
                }
                Ok(()) => {}
                Err(NotYet(why)) => self.refused.push(format!("{host}: {why}")),
            }
        }
    }

    /// Fails if a host is not ready, or not known to be ready.
    pub(super) fn check(self, needed: &str) -> Result<(), Failure> {
        if !self.refused.is_empty() {
            let reasons: Vec<String> =
                self.refused.iter().map(|why| format!("\n  {why}")).collect();
            return Err(Failure::refused(format!(
                "not every member is ready:{}",
                reasons.concat()
            ))
            .hinted(format!("{needed}, then run this again")));
        }
        if self.open.is_empty() {
            return Ok(());
        }
        let hosts: Vec<&str> = self.open.iter().map(String::as_str).collect();
        Err(Failure::refused(format!("nothing shows that these hosts are ready: {}", hosts.join(", "))).hinted(format!(
            "{needed}; then run this again with --connect, which checks the members, and --restarted HOST for the other \
             hosts, or with --restarted all"
        )))
    }
}
