//! `etcdpki apply`

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use pki_core::{Action, KeyFormat, Manifest, PrivateKey, Signer};
use zeroize::Zeroizing;

use super::cluster::{
    self, ApplyContext, HostWork, ManifestArgs, Outcome, Step, Work, in_parallel,
};
use super::{Common, init_ca};
use crate::ca_folder::{self, CaFolder};
use crate::failure::Failure;
use crate::host;
use crate::hosts::{self, BundleFile, NewFolder};
use crate::inventory::Entry;
use crate::progress::Progress;
use crate::signals::{self, Uninterrupted};
use crate::store::{self, Access};

/// Make the cluster's certificates what the manifest says: the CA, and a folder for each host
///
/// A host's folder changes at once or not at all. A second run changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki apply -f cluster.yaml\n  \
    etcdpki apply -f cluster.yaml --only etcdone\n  \
    rsync -a pki/hosts/etcdone/ etcdone:/etc/etcd/")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    manifest: ManifestArgs,

    /// Remove what the manifest does not want: folders of hosts that it does not name, and in the
    /// others the CA's certificates that it does not name, with their keys
    #[arg(long)]
    prune: bool,
}

/// So many hosts share a transaction and a sync; a crash loses no more than these.
const AT_ONCE: usize = 512;

pub(crate) fn run(args: &ApplyArgs, common: &Common) -> Result<ExitCode, Failure> {
    let mut manifest = cluster::read_manifest(&args.manifest.file)?;
    // Before a CA is made.
    let wanted = cluster::wanted(&manifest, &args.manifest.only)?;
    let ca_step = make_ca(&manifest, common)?;
    let ca = CaFolder::open(&common.dir)?;
    manifest.warnings.extend(manifest.ca_differences(ca.authority.certificate()));
    let context = ApplyContext::new(&manifest, Some(&ca.authority), &common.dir)?;
    let all = &context.all;
    store::make_folder(all, Access::Secret)?;
    hosts::clean(all)?;

    let mut changed = ca_step.is_some();
    let work = Work::find(&context, &wanted, &args.manifest.only)?;
    let mut steps: Vec<Step> = ca_step.into_iter().chain(work.steps()).collect();
    steps.retain(|step| step.action != "keep");
    for step in steps.iter_mut().filter(|step| args.prune && step.action == "orphan") {
        step.action = "remove";
    }
    let needed = work.hosts.iter().filter(|host| host.is_needed(args.prune));
    let needed: Vec<&HostWork<'_>> = needed.collect();
    if !needed.is_empty() {
        changed = true;
        put_all(&needed, &context, &ca, args.prune)?;
    }
    for orphan in work.orphans.iter().filter(|_| args.prune) {
        hosts::remove(all, orphan)?;
        changed = true;
    }
    let end = if changed { "done\n" } else { "nothing to do\n" };
    Outcome { changed, warnings: manifest.warnings, steps }.print(common.format, end)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the CA of the manifest where there is none, or puts back its certificate; says so if it did.
fn make_ca(manifest: &Manifest, common: &Common) -> Result<Option<Step>, Failure> {
    if let Some(lost) = ca_folder::lost_certificate(&common.dir)? {
        return Ok(Some(Step::ca("restore", lost.subject.to_string())));
    }
    let made = init_ca::make(&manifest.ca_request(), manifest.ca.key, &common.dir)?;
    Ok(made.map(|ca| Step::ca("create", ca.subject.to_string())))
}

/// Issues what these hosts lack and puts their folders in place.
///
/// While some wait for the disk, the next are made.
fn put_all(
    needed: &[&HostWork<'_>],
    context: &ApplyContext<'_>,
    ca: &CaFolder,
    prune: bool,
) -> Result<(), Failure> {
    if needed.iter().any(|host| host.is_exchanged(prune)) {
        hosts::probe(&context.all)?;
    }
    // Between hosts a signal is heeded. Inside of one everything goes on to its place.
    let _uninterrupted = Uninterrupted::begin()?;
    let progress = &Progress::new("making", needed.len());
    thread::scope(|scope| {
        // One batch waits while one is made and one is put: no more of them are in memory.
        let (sender, receiver) = mpsc::sync_channel(0);
        scope.spawn(move || {
            for hosts in needed.chunks(AT_ONCE) {
                let made = in_parallel(hosts, |host| {
                    let made = make(host, context, ca, prune);
                    progress.step();
                    made
                });
                let failed = made.is_err();
                // Nobody receives any more after a failure on the other side.
                if sender.send(made).is_err() || failed {
                    return;
                }
            }
        });
        for made in receiver {
            put(made?, context, ca)?;
        }
        Ok::<(), Failure>(())
    })?;
    hosts::sync_all(&context.all)
}

/// A host's new folder, if it needs one, and what was issued for it.
type Made = (Option<NewFolder>, Vec<Entry<'static>>);

/// Issues what a host lacks and writes its folder beside its place.
fn make(
    host: &HostWork<'_>,
    context: &ApplyContext<'_>,
    ca: &CaFolder,
    prune: bool,
) -> Result<Made, Failure> {
    signals::check()?;
    hosts::mend_modes(&context.all.join(host.host), &host.modes)?;
    if !host.is_exchanged(prune) {
        return Ok((None, Vec::new()));
    }
    let mut files = Vec::new();
    let mut issued = Vec::new();
    for (wanted, action) in &host.certificates {
        if *action == Action::Keep {
            continue;
        }
        let leaf_key = PrivateKey::generate(wanted.key)?;
        let request = wanted.request(leaf_key.public_key().clone());
        let profile = context.profiles.profile(wanted.profile)?;
        let draft = ca.authority.draft(&request, profile, &host::issuance_context()?)?;
        let entry = Entry::new(&draft.sign(&ca.key)?.certificate, wanted.profile)?;
        files.push(BundleFile {
            name: format!("{}-key.pem", wanted.file),
            contents: Zeroizing::new(leaf_key.to_pem(KeyFormat::Pkcs8)?.as_bytes().to_vec()),
            access: Access::Secret,
        });
        files.push(BundleFile {
            name: format!("{}.pem", wanted.file),
            contents: Zeroizing::new(entry.pem().as_bytes().to_vec()),
            access: Access::Public,
        });
        issued.push(entry);
    }
    let public = context.public_files(host.host).into_iter();
    files.extend(public.filter(|(name, _)| host.files.contains(name)).map(|(name, contents)| {
        let contents = Zeroizing::new(contents.into_bytes());
        BundleFile { name: name.to_owned(), contents, access: Access::Public }
    }));
    let mut kept_files = host.kept_files.clone();
    kept_files.extend(host.orphans.iter().filter(|_| !prune).cloned());
    let folder = NewFolder::write(&context.all, host.host, &files, &kept_files)?;
    Ok((Some(folder), issued))
}

/// Puts the folders of some hosts in place: first everything is on the disk, then in the inventory, then in
/// its place.
fn put(made: Vec<Made>, context: &ApplyContext<'_>, ca: &CaFolder) -> Result<(), Failure> {
    hosts::sync_all(&context.all)?;
    signals::check()?;
    ca.inventory()?.record_all(made.iter().flat_map(|(_, issued)| issued), context.now)?;
    for folder in made.into_iter().filter_map(|(folder, _)| folder) {
        folder.put()?;
    }
    Ok(())
}
