//! `etcdpki apply`

mod cas;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use pki_core::{
    CertificateSpec, ClusterCas, Issued, KeyFormat, Manifest, PrivateKey, Signer, quote,
};
use zeroize::Zeroizing;

use self::cas::Signing;
pub(super) use self::cas::{ApplyCas, ChangedCa};
use super::Common;
use super::cluster::{
    self, ApplyContext, HostWork, IssuedPair, Leaves, ManifestArgs, Orphans, Outcome, Step, Tense,
    Work, check_stray, counts, in_parallel,
};
use super::custody::CustodyArgs;
use crate::failure::{Failure, full, shown};
use crate::host;
use crate::hosts::{self, BundleFile, NewFolder, Origins};
use crate::inventory::FilePlace;
use crate::progress::Progress;
use crate::recorded::{Pending, Recorded};
use crate::signals::{self, Uninterrupted};
use crate::store::{self, Access};

/// Create or update the cluster's certificates from the manifest: the CA, and a folder for each host
///
/// A host's folder changes completely or not at all. A second run changes nothing. Each folder has a script install.sh
/// that puts its files in their places on the host, with their owners and modes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki apply -f cluster.yaml\n  \
    etcdpki apply -f cluster.yaml --only etcdone\n  \
    scp -r pki/hosts/etcdone root@etcdone: && \\\n      \
    ssh root@etcdone 'sh etcdone/install.sh && rm -r etcdone'")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    manifest: ManifestArgs,

    /// Delete folders of hosts that the manifest does not list, and in the other folders the CA's
    /// certificates that it does not list, with their keys
    #[arg(long)]
    prune: bool,

    /// Do not ask for confirmation of --prune
    #[arg(long, requires = "prune")]
    yes: bool,

    #[command(flatten)]
    custody: CustodyArgs,
}

/// How many hosts share a transaction and a sync. A crash loses no more than these.
const AT_ONCE: usize = 512;

pub(crate) fn run(args: &ApplyArgs, common: &Common) -> Result<ExitCode, Failure> {
    let mut manifest = cluster::read_manifest(&args.manifest.file)?;
    // Before a CA is created.
    cluster::specs_by_host(&manifest, &args.manifest.only)?;
    let path = common.folder_of(&args.manifest.file, &manifest);
    let custody = args.custody.custody()?;
    let ca = ApplyCas::open(&manifest, &path, common.owners(), custody)?;
    let warnings = check_stray(&manifest, &ca.cluster()?, &path)?;
    manifest.warnings.extend(warnings);
    let scope = Scope {
        only: &args.manifest.only,
        orphans: if args.prune { Orphans::Remove } else { Orphans::Keep },
        removal: if args.yes { Removal::Confirmed } else { Removal::Ask },
        leaves: Leaves::AsManifest,
    };
    let Applied { outcome, end, .. } = execute(&mut manifest, ca, &scope)?;
    outcome.print(common.format, &end)?;
    Ok(ExitCode::SUCCESS)
}

/// What a run may change.
pub(super) struct Scope<'a> {
    /// The hosts; if this is empty, all of them.
    pub(super) only: &'a [String],
    pub(super) orphans: Orphans,
    pub(super) removal: Removal,
    pub(super) leaves: Leaves,
}

/// Whether the user has confirmed that files are removed.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Removal {
    Ask,
    Confirmed,
}

/// What a run did.
pub(super) struct Applied {
    pub(super) outcome: Outcome,
    /// The last lines of the text output.
    pub(super) end: String,
    /// The CAs, whose folders stay locked.
    pub(super) cas: ApplyCas,
}

/// Brings the hosts' folders to what the manifest and the CAs in `ca` say. The CAs' folders stay locked.
pub(super) fn execute(
    manifest: &mut Manifest,
    mut ca: ApplyCas,
    scope: &Scope<'_>,
) -> Result<Applied, Failure> {
    let specs = cluster::specs_by_host(manifest, scope.only)?;
    let path = ca.path().to_owned();
    let cas = ca.cluster()?;
    let differences = manifest.ca_differences(&cas);
    manifest.warnings.extend(differences);
    let limits = cluster::limits(manifest, &cas)?;
    manifest.warnings.extend(limits);
    let crls = if manifest.crl { ca.crls()? } else { Vec::new() };
    let context = ApplyContext::new(manifest, Some(&cas), crls, &path)?.with_leaves(scope.leaves);
    let orphans = scope.orphans;
    hosts::clean(&context.all)?;

    let work = Work::find(&context, &specs, scope.only)?;
    let needed = work.hosts.iter().filter(|host| host.is_needed(orphans));
    let needed: Vec<&HostWork<'_>> = needed.collect();
    let waiting: Vec<&CertificateSpec> = needed.iter().flat_map(|host| to_sign(host)).collect();
    if orphans == Orphans::Remove && scope.removal == Removal::Ask {
        confirm(&work.removals())?;
    }
    ca.prepare(&waiting)?;
    let (steps, remarks) = (ca.steps(), ca.remarks());
    let mut changed = !steps.is_empty() || !needed.is_empty();
    put_all(&needed, &context, &ca.signing(), &cas, orphans)?;
    let removed = work.orphans.iter().filter(|orphan| orphan.kept_because.is_none());
    for orphan in removed.filter(|_| orphans == Orphans::Remove) {
        hosts::remove(&context.all, &orphan.host)?;
        changed = true;
    }

    let mut steps: Vec<Step> = steps.into_iter().chain(work.steps(orphans)).collect();
    steps.retain(|step| step.action != "keep");
    let (next, warning) = (context.next_for(scope.only), context.warning.clone());
    let end = if changed { done(&steps, &context) } else { "nothing to do\n".to_owned() };
    drop(context);
    let mut warnings = std::mem::take(&mut manifest.warnings);
    warnings.extend(remarks);
    warnings.extend(warning);
    let folder = full(&path);
    let outcome = Outcome { changed, folder, warnings, steps, next, rotation: None };
    Ok(Applied { outcome, end, cas: ca })
}

/// What was done, where, and what to do next.
fn done(steps: &[Step], context: &ApplyContext<'_>) -> String {
    let mut text = format!("done: {} in {}\n", counts(steps, Tense::Done), full(&context.all));
    let is_new = |step: &&Step| !["chmod", "orphan", "remove"].contains(&step.action);
    let mut changed = steps.iter().filter(|step| !step.host.is_empty()).filter(is_new);
    if let Some(Step { host, .. }) = changed.next()
        && context.manifest.configuration
    {
        let folder = shown(&context.all.join(host));
        let _ = writeln!(
            text,
            "install each changed folder on its host:\n  \
             scp -r {folder} root@{host}: && ssh root@{host} 'sh {host}/install.sh && rm -r {host}'"
        );
    }
    text
}

/// Asks at the terminal whether to remove these files. Without a terminal, `--yes` is required.
fn confirm(removals: &[String]) -> Result<(), Failure> {
    if removals.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = removals.iter().map(|name| quote::name(name)).collect();
    let names = names.join(", ");
    match host::asked(&format!("remove {names}? [y/N] "))? {
        Some(answer) if ["y", "yes"].contains(&answer.trim()) => Ok(()),
        Some(_) => Err(Failure::refused("not confirmed: nothing was changed")
            .hinted("answer y to remove them, or leave --prune out to keep them")),
        None => Err(Failure::usage(format!("--prune would remove {names}"))
            .hinted("check it with etcdpki plan --prune; then add --yes, because there is no terminal to ask on")),
    }
}

/// Issues the certificates that these hosts need and puts their folders in place. While some hosts wait for the disk,
/// the next ones are prepared.
fn put_all(
    needed: &[&HostWork<'_>],
    context: &ApplyContext<'_>,
    signing: &Signing<'_>,
    cas: &ClusterCas,
    orphans: Orphans,
) -> Result<(), Failure> {
    if needed.is_empty() {
        return Ok(());
    }
    store::make_folder(&context.all, Access::Secret)?;
    // A signal ends the run between two hosts. Within one host, all files are put in place first.
    let _uninterrupted = Uninterrupted::begin()?;
    if needed.iter().any(|host| host.is_exchanged(orphans)) {
        hosts::probe(&context.all)?;
    }
    let progress = &Progress::new("making", needed.len());
    let make_all = |hosts: &[&HostWork<'_>]| {
        in_parallel(hosts, |host| {
            let made = make(host, context, signing, cas, orphans);
            progress.step();
            made
        })
    };
    let mut origins = context.origins.clone();
    let mut put = |hosts: &[&HostWork<'_>], made: Result<Vec<_>, Failure>| {
        let names: Vec<&str> = hosts.iter().map(|host| host.host).collect();
        put(made?, &names, &mut origins, context, signing)
    };
    thread::scope(|scope| {
        // One batch waits while one is prepared and one is put in place, so at most three are in memory.
        let (sender, receiver) = mpsc::sync_channel(0);
        let maker = thread::Builder::new().spawn_scoped(scope, move || {
            for hosts in needed.chunks(AT_ONCE) {
                let made = make_all(hosts);
                let failed = made.is_err();
                // After a failure of the other thread, nothing receives the batch.
                if sender.send(made).is_err() || failed {
                    return;
                }
            }
        });
        match maker {
            Ok(_) => {
                let mut batches = needed.chunks(AT_ONCE).zip(receiver);
                batches.try_for_each(|(hosts, made)| put(hosts, made))
            }
            // Without a second thread, the two steps run one after the other.
            Err(_) => needed.chunks(AT_ONCE).try_for_each(|hosts| put(hosts, make_all(hosts))),
        }
    })?;
    hosts::sync_all(&context.all)
}

/// The certificates that a host needs.
fn to_sign<'a>(host: &'a HostWork<'_>) -> impl Iterator<Item = &'a CertificateSpec> {
    host.to_sign().map(|(spec, _)| spec)
}

/// Issues the certificates that a host needs and writes its folder next to its place. A host whose folder does not change
/// gets no new folder.
fn make(
    host: &HostWork<'_>,
    context: &ApplyContext<'_>,
    signing: &Signing<'_>,
    cas: &ClusterCas,
    orphans: Orphans,
) -> Result<Option<Pending<NewFolder>>, Failure> {
    signals::check()?;
    hosts::set_modes(&context.all.join(host.host), &host.modes)?;
    if !host.is_exchanged(orphans) {
        return Ok(None);
    }
    let held = if host.has_other_formats() || host.keeps_a_key() {
        hosts::read(&context.all.join(host.host))?
    } else {
        BTreeMap::new()
    };
    let mut files = Vec::new();
    let mut signed = Vec::new();
    let mut keys = Vec::new();
    for (spec, action) in host.to_sign() {
        let leaf_key = match HostWork::kept_key(spec, action, &held, cas) {
            Some(key) => key,
            None => PrivateKey::generate(spec.key)?,
        };
        let request = spec.request(leaf_key.public_key().clone());
        let profile = context.profiles.profile(spec.role.profile())?;
        let ca = signing.for_role(&spec.role)?;
        let file = context.relative.join(host.host).join(spec.role.certificate_file());
        let issued = ca.sign(&request, profile, &host::issuance_context()?)?;
        signed.push(issued.at(&FilePlace::of_host(host.host, &file)));
        files.push(BundleFile {
            name: spec.role.key_file(),
            contents: Zeroizing::new(leaf_key.to_pem(KeyFormat::Pkcs8)?.as_bytes().to_vec()),
            access: Access::Secret,
        });
        keys.push(leaf_key);
    }
    for pair in host.kept_pairs(&held) {
        let mut made = pair.files(&held, cas)?;
        made.retain(|file| host.writes(&file.name));
        files.extend(made);
    }
    let mut kept_files = host.kept_files.clone();
    kept_files.extend(host.orphans.iter().filter(|_| orphans == Orphans::Keep).cloned());
    let public = |name: String, contents: Vec<u8>| {
        let contents = Zeroizing::new(contents);
        BundleFile { name, contents, access: Access::Public }
    };
    let others = context.public_files(host.host).into_iter();
    files.extend(
        others
            .filter(|(kind, _)| host.files.contains(kind))
            .map(|(kind, contents)| public(kind.name().into_owned(), contents)),
    );
    let signed: Pending<Vec<Issued>> = signed.into_iter().collect();
    let staged = signed.stage(|all| {
        for ((issued, spec), key) in all.into_iter().zip(to_sign(host)).zip(keys) {
            let set = cas.for_role(&spec.role);
            let pem = set.leaf_pem(&issued.certificate)?;
            files.push(public(spec.role.certificate_file(), pem.into_bytes()));
            files.extend(IssuedPair::new(spec, issued.certificate, set, key).files(&held, cas)?);
        }
        NewFolder::write(&context.all, host.host, &files, &kept_files)
    });
    staged.map(Some)
}

/// Puts the folders of some hosts in place. The files are synced first, then recorded in the inventory, then put in place.
fn put(
    made: Vec<Option<Pending<NewFolder>>>,
    hosts: &[&str],
    origins: &mut Origins,
    context: &ApplyContext<'_>,
    signing: &Signing<'_>,
) -> Result<(), Failure> {
    hosts::sync_all(&context.all)?;
    signals::check()?;
    let made: Pending<Vec<NewFolder>> = made.into_iter().flatten().collect();
    let recorded = signing.record(made)?;
    origins.add(hosts.iter().copied(), &context.manifest.cluster)?;
    recorded.into_iter().try_for_each(Recorded::<NewFolder>::put)
}
