//! What `plan` and `apply` share: the manifest, what the hosts hold, and what is to be done.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pki_core::{
    Action, Authority, Bundles, Certificate, Held, Manifest, PrivateKey, Signer, SigningConfig,
    Wanted,
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::ca::certificate_path;
use crate::failure::{Failure, full};
use crate::host;
use crate::hosts::{self, HeldFile, WrongMode};
use crate::output::facts::moment;
use crate::output::{Format, json};
use crate::progress::Progress;
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

/// The certificates that each host should hold.
pub(crate) type WantedByHost = BTreeMap<String, Vec<Wanted>>;

/// What the hosts should hold; refuses a host of `--only` that is none, or that holds nothing.
pub(crate) fn wanted(manifest: &Manifest, only: &[String]) -> Result<WantedByHost, Failure> {
    let mut by_host = WantedByHost::new();
    for wanted in manifest.wanted()? {
        by_host.entry(wanted.host.clone()).or_default().push(wanted);
    }
    let Some(unknown) = only.iter().find(|host| !by_host.contains_key(*host)) else {
        return Ok(by_host);
    };
    let known: Vec<String> = by_host.into_keys().collect();
    Err(Failure::usage(format!("--only {unknown}: no host that holds a certificate"))
        .hinted(format!("one of: {}", known.join(", "))))
}

/// What the work on every host's folder looks at.
pub(crate) struct ApplyContext<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) bundles: Bundles<'a>,
    pub(crate) profiles: SigningConfig,
    /// None before there is a CA.
    pub(crate) authority: Option<&'a Authority>,
    pub(crate) ca_pem: Option<String>,
    /// The folder of all hosts.
    pub(crate) all: PathBuf,
    pub(crate) now: OffsetDateTime,
}

impl<'a> ApplyContext<'a> {
    pub(crate) fn new(
        manifest: &'a Manifest,
        authority: Option<&'a Authority>,
        folder: &Path,
    ) -> Result<Self, Failure> {
        Ok(Self {
            manifest,
            bundles: Bundles::new(manifest),
            profiles: SigningConfig::etcd(),
            authority,
            ca_pem: authority.map(|authority| authority.certificate().to_pem()).transpose()?,
            all: folder.join(hosts::FOLDER),
            now: host::now(),
        })
    }

    /// The files of a host's folder beside certificates and keys. Without a CA its certificate is empty: nothing
    /// is written yet, and the plan says that it will be.
    pub(crate) fn public_files(&self, host: &str) -> Vec<(&'static str, String)> {
        let ca = ("ca.pem", self.ca_pem.clone().unwrap_or_default());
        let generated = self.bundles.generated(host).into_iter();
        [ca].into_iter().chain(generated.map(|file| (file.name, file.contents))).collect()
    }
}

/// What is to be done, host by host.
pub(crate) struct Work<'a> {
    pub(crate) hosts: Vec<HostWork<'a>>,
    /// Folders of hosts that the manifest does not name.
    pub(crate) orphans: Vec<String>,
}

/// What is to be done in one host's folder.
pub(crate) struct HostWork<'a> {
    pub(crate) host: &'a str,
    pub(crate) certificates: Vec<(&'a Wanted, Action)>,
    /// Files other than certificates and keys that are to be written: by name, since the contents of all hosts'
    /// files at once have no bound.
    pub(crate) files: Vec<&'static str>,
    /// Files that are right, and those that are none of ours.
    pub(crate) kept_files: Vec<OsString>,
    /// Files that are right but for their mode, and the folder likewise.
    pub(crate) modes: Vec<WrongMode>,
    /// Certificates of this CA, and their keys, that the manifest does not want here.
    pub(crate) orphans: Vec<OsString>,
}

impl HostWork<'_> {
    pub(crate) fn is_needed(&self, prune: bool) -> bool {
        !self.modes.is_empty() || self.is_exchanged(prune)
    }

    /// Whether a new folder takes the place of the old.
    pub(crate) fn is_exchanged(&self, prune: bool) -> bool {
        (prune && !self.orphans.is_empty())
            || !self.files.is_empty()
            || self.certificates.iter().any(|(_, action)| *action != Action::Keep)
    }

    /// A file stays as it is, but for its mode where that is wrong.
    fn keep(&mut self, name: OsString, file: Option<&HeldFile>, access: Access) {
        let wanted = access.mode();
        if let Some(found) = file.map(|file| file.mode).filter(|found| *found != wanted) {
            self.modes.push(WrongMode { name: name.clone(), found, wanted });
        }
        self.kept_files.push(name);
    }
}

impl<'a> Work<'a> {
    /// Compares what is wanted with what is on the disk. Without a CA everything is new.
    pub(crate) fn find(
        context: &ApplyContext<'_>,
        wanted: &'a WantedByHost,
        only: &[String],
    ) -> Result<Self, Failure> {
        let orphans = hosts::list(&context.all)?;
        // With --only the other hosts are nobody's business, and least of all --prune's.
        let is_orphan = |host: &String| only.is_empty() && !wanted.contains_key(host);
        let orphans = orphans.into_iter().filter(is_orphan).collect();
        let by_host: Vec<_> =
            wanted.iter().filter(|(host, _)| only.is_empty() || only.contains(host)).collect();
        let progress = Progress::new("reading", by_host.len());
        let hosts = in_parallel(&by_host, |(host, wanted)| {
            let work = find_host(context, host, wanted);
            progress.step();
            work
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
                steps.push(Step::of(host.host, format!("{}.pem", wanted.file), action));
            }
            for file in &host.files {
                steps.push(Step {
                    host: host.host.to_owned(),
                    file: (*file).to_owned(),
                    action: "write",
                    reasons: Vec::new(),
                });
            }
            for mode in &host.modes {
                steps.push(Step {
                    host: host.host.to_owned(),
                    file: mode.name.to_string_lossy().into_owned(),
                    action: "chmod",
                    reasons: vec![format!("mode: {:04o} -> {:04o}", mode.found, mode.wanted)],
                });
            }
            for file in &host.orphans {
                steps.push(Step {
                    host: host.host.to_owned(),
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
    /// A name in the host's folder; of the CA the full path
    pub(crate) file: String,
    /// `create`, `reissue`, `renew`, `keep`, `write`, `chmod`, `orphan`; of the CA, which has no host,
    /// `create` or `restore`; of `apply --prune` also `remove`
    pub(crate) action: &'static str,
    pub(crate) reasons: Vec<String>,
}

impl Step {
    /// What becomes of the CA itself, in its folder.
    pub(crate) fn ca(action: &'static str, subject: &str, folder: &Path) -> Self {
        let file = full(&certificate_path(folder));
        Self { host: String::new(), file, action, reasons: vec![subject.to_owned()] }
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
            let subject = self.reasons.join(", ");
            return format!("  {:<8} the CA {subject}: {}\n", self.action, self.file);
        }
        let reasons: Vec<String> =
            self.reasons.iter().map(|reason| format!("           {reason}\n")).collect();
        let slash = if self.file.is_empty() { "" } else { "/" };
        format!("  {:<8} {}{slash}{}\n{}", self.action, self.host, self.file, reasons.concat())
    }
}

fn find_host<'a>(
    context: &ApplyContext<'_>,
    host: &'a str,
    wanted: &'a [Wanted],
) -> Result<HostWork<'a>, Failure> {
    let folder = &context.all.join(host);
    let authority = context.authority;
    let mut there = hosts::read(folder)?;
    let mut work = HostWork {
        host,
        certificates: Vec::new(),
        files: Vec::new(),
        kept_files: Vec::new(),
        modes: hosts::wrong_mode(folder)?.into_iter().collect(),
        orphans: Vec::new(),
    };
    for wanted in wanted {
        let (pem, key) = (format!("{}.pem", wanted.file), format!("{}-key.pem", wanted.file));
        let (pem_file, key_file) =
            (there.remove(&OsString::from(&pem)), there.remove(&OsString::from(&key)));
        let certificate =
            pem_file.as_ref().map(|file| Certificate::from_pem_or_der(&file.contents));
        let held_key = key_file.as_ref().and_then(|file| PrivateKey::from_pem(&file.contents).ok());
        let action = match (&certificate, authority) {
            (Some(Ok(certificates)), Some(authority)) => wanted.compare(
                Some(Held {
                    certificate: &certificates[0],
                    key: held_key.as_ref().map(Signer::public_key),
                }),
                authority.certificate(),
                context.profiles.profile(wanted.profile)?,
                context.manifest.renew_before,
                context.now,
            )?,
            (Some(Err(problem)), _) => Action::replace_unreadable(problem.to_string()),
            _ => Action::Create,
        };
        if action == Action::Keep {
            work.keep(pem.into(), pem_file.as_ref(), Access::Public);
            work.keep(key.into(), key_file.as_ref(), Access::Secret);
        }
        work.certificates.push((wanted, action));
    }
    for (name, contents) in context.public_files(host) {
        let found = there.remove(&OsString::from(name));
        if found.as_ref().is_some_and(|found| *found.contents == contents.as_bytes()) {
            work.keep(name.into(), found.as_ref(), Access::Public);
        } else {
            work.files.push(name);
        }
    }
    if let Some(authority) = authority {
        work.orphans = orphans(&there, authority);
    }
    let orphans = &work.orphans;
    work.kept_files.extend(there.into_keys().filter(|name| !orphans.contains(name)));
    Ok(work)
}

/// The certificates of this CA among the files that nothing wants any more, each with its key: what
/// a client leaves behind that is gone from the manifest, or a pair that `combined` made one.
fn orphans(there: &BTreeMap<OsString, HeldFile>, authority: &Authority) -> Vec<OsString> {
    let ours = |bytes: &[u8]| {
        let leaf = Certificate::from_pem_or_der(bytes).ok().map(|mut all| all.swap_remove(0));
        leaf.is_some_and(|leaf| leaf.is_signed_by(&authority.certificate().public_key))
    };
    let mut orphans = Vec::new();
    for name in there.iter().filter(|(_, file)| ours(&file.contents)).map(|(name, _)| name) {
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
