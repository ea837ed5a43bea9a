//! What `plan` and `apply` print: one line for each step.

use std::path::Path;

use pki_core::{Action, ClusterCas, Drift, Manifest, quote};
use serde::Serialize;

use super::orphans::Orphans;
use super::states::Next;
use super::work::{HostWork, Work};
use crate::ca::certificate_path;
use crate::failure::{Failure, full};
use crate::host;
use crate::output::facts::moment;
use crate::output::{Format, json};

/// The CAs that limit what is issued, a sentence each.
pub(crate) fn limits(manifest: &Manifest, cas: &ClusterCas) -> Result<Vec<String>, Failure> {
    let remedy = pki_core::rule("ca-limits-leaves")?.remedy;
    let limits = manifest.ca_limits(cas, host::now())?.into_iter();
    Ok(limits.map(|limit| format!("{} {limit}\n  fix: {remedy}", limit.ca.subject)).collect())
}

/// The output of `plan` and `apply`.
#[derive(Serialize)]
pub(crate) struct Outcome {
    pub(crate) changed: bool,
    /// The CA's folder, as a full path.
    pub(crate) folder: String,
    pub(crate) warnings: Vec<String>,
    pub(crate) steps: Vec<Step>,
    /// What to run on a host with etcdctl.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) next: Vec<Next>,
    /// The next step of a rotation of the CA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<String>,
}

impl Outcome {
    /// Prints it; `end` closes the text.
    pub(crate) fn print(&self, format: Format, end: &str) -> Result<(), Failure> {
        if format == Format::Json {
            return json::print(self);
        }
        for warning in &self.warnings {
            host::say(&format!("warning: {warning}\n"));
        }
        let steps: Vec<String> = self.steps.iter().map(Step::text).collect();
        let next = |next: &Next| format!("next, {}:\n  {}\n", next.why, next.command);
        let next: String = self.next.iter().map(next).collect();
        host::print(&format!("{}{end}{next}", steps.concat()))
    }
}

/// Whether the steps are planned or done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tense {
    Planned,
    Done,
}

/// How many steps of each kind there are: `7 to create, 14 to write`.
pub(crate) fn counts(steps: &[Step], tense: Tense) -> String {
    let words = [
        ("create", "to create", "created"),
        ("restore", "to restore", "restored"),
        ("reissue", "to reissue", "reissued"),
        ("renew", "to renew", "renewed"),
        ("write", "to write", "written"),
        ("chmod", "to chmod", "with a corrected mode"),
        ("remove", "to remove", "removed"),
        ("orphan", "not in the manifest", "not in the manifest"),
        ("keep", "to keep", "kept"),
    ];
    let counts = words.iter().filter_map(|(action, planned, done)| {
        let count = steps.iter().filter(|step| step.action == *action).count();
        let word = match tense {
            Tense::Planned => planned,
            Tense::Done => done,
        };
        (count > 0).then(|| format!("{count} {word}"))
    });
    counts.collect::<Vec<_>>().join(", ")
}

impl Work<'_> {
    /// The steps, one on each line.
    pub(crate) fn steps(&self, orphans: Orphans) -> Vec<Step> {
        let steps = self.hosts.iter().flat_map(|host| host.steps(orphans));
        let mut steps: Vec<Step> = steps.collect();
        steps.extend(self.orphans.iter().map(|orphan| {
            let mut reasons = vec!["the manifest does not list this host".to_owned()];
            let kept = orphan.kept_because.as_ref();
            reasons.extend(kept.map(|reason| format!("--prune keeps it: {reason}")));
            let action = if kept.is_some() { "orphan" } else { orphans.action() };
            Step { host: orphan.host.clone(), file: String::new(), action, reasons }
        }));
        steps
    }
}

impl HostWork<'_> {
    fn steps(&self, orphans: Orphans) -> Vec<Step> {
        let step =
            |file, action, reasons| Step { host: self.host.to_owned(), file, action, reasons };
        let mut steps = Vec::new();
        for (spec, action) in &self.certificates {
            let (action, reasons) = described(action);
            steps.push(step(spec.role.certificate_file(), action, reasons));
        }
        for file in &self.files {
            steps.push(step(file.name().into_owned(), "write", Vec::new()));
        }
        for mode in &self.modes {
            let reason = format!("mode: {:04o} -> {:04o}", mode.found, mode.expected);
            steps.push(step(mode.name.to_string_lossy().into_owned(), "chmod", vec![reason]));
        }
        for file in &self.orphans {
            let reason = "the manifest does not list this file".to_owned();
            let file = file.to_string_lossy().into_owned();
            steps.push(step(file, orphans.action(), vec![reason]));
        }
        steps
    }
}

fn described(action: &Action) -> (&'static str, Vec<String>) {
    match action {
        Action::Create => ("create", Vec::new()),
        Action::Reissue { drift } => {
            let reason = |d: &Drift| format!("{}: {} -> {}", d.field, d.found, d.expected);
            ("reissue", drift.iter().map(reason).collect())
        }
        Action::Renew { not_after } => ("renew", vec![format!("ends {}", moment(*not_after))]),
        _ => ("keep", Vec::new()),
    }
}

/// One line of a plan.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) host: String,
    /// A name in the host's folder; for the CA, the full path
    pub(crate) file: String,
    /// `create`, `reissue`, `renew`, `keep`, `write`, `chmod`, `orphan`; for the CA, which has no host,
    /// `create` or `restore`; with `--prune` also `remove`
    pub(crate) action: &'static str,
    pub(crate) reasons: Vec<String>,
}

impl Step {
    /// What happens to the CA itself, in its folder.
    pub(crate) fn ca(action: &'static str, subject: &str, folder: &Path) -> Self {
        let file = full(&certificate_path(folder));
        Self { host: String::new(), file, action, reasons: vec![subject.to_owned()] }
    }

    fn text(&self) -> String {
        if self.host.is_empty() {
            let subject = self.reasons.join(", ");
            return format!("  {:<8} the CA {subject}: {}\n", self.action, self.file);
        }
        let reasons: Vec<String> =
            self.reasons.iter().map(|reason| format!("           {reason}\n")).collect();
        let slash = if self.file.is_empty() { "" } else { "/" };
        let (host, file) = (quote::name(&self.host), quote::name(&self.file));
        format!("  {:<8} {host}{slash}{file}\n{}", self.action, reasons.concat())
    }
}
