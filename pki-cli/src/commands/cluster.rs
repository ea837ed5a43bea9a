//! What `plan` and `apply` share: the manifest, what the hosts hold, and what is to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pki_core::{
    Action, Authority, Certificate, Held, Manifest, PrivateKey, Signer, SigningConfig, Wanted,
};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::host;
use crate::hosts::{self, BundleFile};
use crate::output::facts::moment;
use crate::output::{Format, json};
use crate::store::{self, Access};

/// The manifest on the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestArgs {
    /// The manifest of the cluster, in YAML
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Look at this host alone; repeat it
    #[arg(long, value_name = "HOST")]
    pub(crate) only: Vec<String>,
}

/// Reads a manifest; every mistake in it is in the failure.
pub(crate) fn read_manifest(path: &Path) -> Result<Manifest, Failure> {
    let bytes = store::read(path)?;
    Manifest::from_yaml(&bytes).map_err(|mistakes| {
        let lines: Vec<String> = mistakes
            .iter()
            .map(|mistake| match mistake.hint() {
                Some(hint) => format!("\n  {mistake}\n    hint: {hint}"),
                None => format!("\n  {mistake}"),
            })
            .collect();
        let count = match mistakes.len() {
            1 => "1 mistake".to_owned(),
            number => format!("{number} mistakes"),
        };
        Failure::usage(format!("{count} in the manifest{}", lines.concat())).in_file(path)
    })
}

/// What `plan` and `apply` say.
#[derive(Serialize)]
pub(crate) struct Outcome {
    pub(crate) changed: bool,
    pub(crate) warnings: Vec<String>,
    pub(crate) steps: Vec<Step>,
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
        host::print(&format!("{}{end}", steps.concat()))
    }
}

/// Refuses a host of `--only` that is none, or that holds nothing.
pub(crate) fn check_only(manifest: &Manifest, only: &[String]) -> Result<(), Failure> {
    let hosts: BTreeSet<String> = manifest.wanted()?.into_iter().map(|w| w.host).collect();
    let Some(unknown) = only.iter().find(|host| !hosts.contains(*host)) else { return Ok(()) };
    let known: Vec<String> = hosts.into_iter().collect();
    Err(Failure::usage(format!("--only {unknown}: no host that holds a certificate"))
        .hinted(format!("one of: {}", known.join(", "))))
}

/// What is to be done, host by host.
pub(crate) struct Work {
    pub(crate) hosts: Vec<HostWork>,
    /// Folders of hosts that the manifest does not name.
    pub(crate) orphans: Vec<String>,
}

/// What is to be done in one host's folder.
pub(crate) struct HostWork {
    pub(crate) host: String,
    pub(crate) certificates: Vec<(Wanted, Action)>,
    /// Files other than certificates and keys that are to be written.
    pub(crate) files: Vec<BundleFile>,
    /// Files that are right, and those that are none of ours.
    pub(crate) stay: Vec<OsString>,
    /// Certificates of this CA, and their keys, that the manifest does not want here.
    pub(crate) orphans: Vec<OsString>,
}

impl HostWork {
    pub(crate) fn is_needed(&self, prune: bool) -> bool {
        (prune && !self.orphans.is_empty())
            || !self.files.is_empty()
            || self.certificates.iter().any(|(_, action)| *action != Action::Keep)
    }
}

impl Work {
    /// Compares the manifest with what is on the disk. Without a CA everything is new.
    pub(crate) fn find(
        manifest: &Manifest,
        only: &[String],
        folder: &Path,
        authority: Option<&Authority>,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        check_only(manifest, only)?;
        let all = folder.join(hosts::FOLDER);
        let mut by_host: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
        for wanted in manifest.wanted()? {
            by_host.entry(wanted.host.clone()).or_default().push(wanted);
        }
        let orphans = hosts::list(&all)?;
        // With --only the other hosts are nobody's business, and least of all --prune's.
        let is_orphan = |host: &String| only.is_empty() && !by_host.contains_key(host);
        let orphans = orphans.into_iter().filter(is_orphan).collect();
        let by_host: Vec<(String, Vec<Wanted>)> = by_host
            .into_iter()
            .filter(|(host, _)| only.is_empty() || only.contains(host))
            .collect();
        let hosts = in_parallel(&by_host, |(host, wanted)| {
            find_host(manifest, &all.join(host), host, wanted, authority, now)
        })?;
        Ok(Self { hosts, orphans })
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.hosts.iter().any(|host| host.is_needed(false))
    }

    /// What is to be done, a line each.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for host in &self.hosts {
            for (wanted, action) in &host.certificates {
                steps.push(Step::of(&host.host, format!("{}.pem", wanted.file), action));
            }
            for file in &host.files {
                steps.push(Step {
                    host: host.host.clone(),
                    file: file.name.clone(),
                    action: "write",
                    reasons: Vec::new(),
                });
            }
            for file in &host.orphans {
                steps.push(Step {
                    host: host.host.clone(),
                    file: file.to_string_lossy().into_owned(),
                    action: "orphan",
                    reasons: vec!["the manifest does not want this file".to_owned()],
                });
            }
        }
        for orphan in &self.orphans {
            steps.push(Step {
                host: orphan.clone(),
                file: String::new(),
                action: "orphan",
                reasons: vec!["the manifest does not name this host".to_owned()],
            });
        }
        steps
    }
}

/// One line of a plan.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) host: String,
    pub(crate) file: String,
    /// `create`, `reissue`, `renew`, `keep`, `write`, `orphan`; of the CA, which has no host,
    /// `create` or `restore`; of `apply --prune` also `remove`
    pub(crate) action: &'static str,
    pub(crate) reasons: Vec<String>,
}

impl Step {
    /// What becomes of the CA itself.
    pub(crate) fn ca(action: &'static str, subject: String) -> Self {
        Self { host: String::new(), file: "ca.pem".to_owned(), action, reasons: vec![subject] }
    }

    fn of(host: &str, file: String, action: &Action) -> Self {
        let (action, reasons) = match action {
            Action::Create => ("create", Vec::new()),
            Action::Reissue { drift } => {
                let reason =
                    |d: &pki_core::Drift| format!("{}: {} -> {}", d.field, d.found, d.wanted);
                ("reissue", drift.iter().map(reason).collect())
            }
            Action::Renew { not_after } => ("renew", vec![format!("ends {}", moment(*not_after))]),
            _ => ("keep", Vec::new()),
        };
        Self { host: host.to_owned(), file, action, reasons }
    }

    pub(crate) fn text(&self) -> String {
        if self.host.is_empty() {
            return format!("  {:<8} the CA {}\n", self.action, self.reasons.join(", "));
        }
        let reasons: Vec<String> =
            self.reasons.iter().map(|reason| format!("           {reason}\n")).collect();
        let slash = if self.file.is_empty() { "" } else { "/" };
        format!("  {:<8} {}{slash}{}\n{}", self.action, self.host, self.file, reasons.concat())
    }
}

fn find_host(
    manifest: &Manifest,
    folder: &Path,
    host: &str,
    wanted: &[Wanted],
    authority: Option<&Authority>,
    now: OffsetDateTime,
) -> Result<HostWork, Failure> {
    let mut there = hosts::read(folder)?;
    let profiles = SigningConfig::etcd();
    let mut work = HostWork {
        host: host.to_owned(),
        certificates: Vec::new(),
        files: Vec::new(),
        stay: Vec::new(),
        orphans: Vec::new(),
    };
    for wanted in wanted {
        let (pem, key) = (format!("{}.pem", wanted.file), format!("{}-key.pem", wanted.file));
        let certificate = there.remove(&OsString::from(&pem));
        let certificate = certificate.map(|bytes| Certificate::from_pem_or_der(&bytes));
        let held_key = there.remove(&OsString::from(&key));
        let held_key = held_key.and_then(|bytes| PrivateKey::from_pem(&bytes).ok());
        let action = match (&certificate, authority) {
            (Some(Ok(certificates)), Some(authority)) => wanted.compare(
                Some(Held {
                    certificate: &certificates[0],
                    key: held_key.as_ref().map(Signer::public_key),
                }),
                authority.certificate(),
                profiles.profile(wanted.profile)?,
                manifest.renew_before,
                now,
            )?,
            (Some(Err(problem)), _) => Action::replace_unreadable(problem.to_string()),
            _ => Action::Create,
        };
        if action == Action::Keep {
            work.stay.extend([pem.into(), key.into()]);
        }
        work.certificates.push((wanted.clone(), action));
    }
    // Without a CA nothing is written yet; the plan says that this will be.
    let ca = authority.map(|authority| authority.certificate().to_pem()).transpose()?;
    let ca = ("ca.pem".to_owned(), ca.unwrap_or_default());
    let generated =
        manifest.generated(host).into_iter().map(|file| (file.name.to_owned(), file.contents));
    for (name, contents) in [ca].into_iter().chain(generated) {
        let found = there.remove(&OsString::from(&name));
        if found.is_some_and(|found| *found == contents.as_bytes()) {
            work.stay.push(name.into());
        } else {
            let contents = Zeroizing::new(contents.into_bytes());
            work.files.push(BundleFile { name, contents, access: Access::Public });
        }
    }
    if let Some(authority) = authority {
        work.orphans = orphans(&there, authority);
    }
    let orphans = &work.orphans;
    work.stay.extend(there.into_keys().filter(|name| !orphans.contains(name)));
    Ok(work)
}

/// The certificates of this CA among the files that nothing wants any more, each with its key: what
/// a client leaves behind that is gone from the manifest, or a pair that `combined` made one.
fn orphans(there: &BTreeMap<OsString, Zeroizing<Vec<u8>>>, authority: &Authority) -> Vec<OsString> {
    let ours = |bytes: &[u8]| {
        let leaf = Certificate::from_pem_or_der(bytes).ok().map(|mut all| all.swap_remove(0));
        leaf.is_some_and(|leaf| leaf.is_signed_by(&authority.certificate().public_key))
    };
    let mut orphans = Vec::new();
    for name in there.iter().filter(|(_, bytes)| ours(bytes)).map(|(name, _)| name) {
        orphans.push(name.clone());
        let base = name.to_str().and_then(|name| name.strip_suffix(".pem"));
        let key = base.map(|base| OsString::from(format!("{base}-key.pem")));
        orphans.extend(key.filter(|key| there.contains_key(key)));
    }
    orphans
}

/// Does the work on every core, in the order given.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(1);
    let done: Vec<Result<Vec<R>, Failure>> = std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(&work).collect()))
            .collect();
        threads
            .into_iter()
            // A panic has ended the process already: its hook exits.
            .map(|thread| thread.join().unwrap_or_else(|_| Ok(Vec::new())))
            .collect()
    });
    let mut all = Vec::with_capacity(items.len());
    for part in done {
        all.extend(part?);
    }
    Ok(all)
}
