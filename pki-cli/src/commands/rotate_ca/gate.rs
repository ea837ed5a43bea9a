//! What must be known about the running processes before a step.

use std::collections::BTreeSet;

use pki_core::Manifest;

use super::live::{NotYet, Seen};
use crate::commands::cluster;
use crate::failure::Failure;

/// The word for all hosts.
const ALL: &str = "all";

/// The hosts about whose processes something must be known, and what is known.
pub(super) struct Gate {
    /// The hosts that are not known to be ready.
    open: BTreeSet<String>,
    /// What was seen on the wire and contradicts.
    refused: Vec<String>,
}

impl Gate {
    /// These hosts of a manifest, except those for which somebody gave their word.
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

    /// What was seen of the members. It counts more than somebody's word.
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

    /// Refuses if a host is not ready, or not known to be.
    pub(super) fn check(self, needed: &str) -> Result<(), Failure> {
        if !self.refused.is_empty() {
            let reasons: Vec<String> =
                self.refused.iter().map(|why| format!("\n  {why}")).collect();
            return Err(Failure::refused(format!(
                "not every member is ready:{}",
                reasons.concat()
            ))
            .hinted(format!(
                "{needed}, then run this again; start a member that is down, or remove it from the cluster and the manifest"
            )));
        }
        if self.open.is_empty() {
            return Ok(());
        }
        let hosts: Vec<&str> = self.open.iter().map(String::as_str).collect();
        Err(Failure::refused(format!("nothing shows that these hosts are ready: {}", hosts.join(", "))).hinted(format!(
            "{needed}; then run this again with --connect, which looks at the members, and --restarted HOST for the other \
             hosts, or with --restarted all"
        )))
    }
}
