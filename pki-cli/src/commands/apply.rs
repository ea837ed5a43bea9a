//! `etcdpki apply`

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use pki_core::{Action, Certificate, KeyFormat, Manifest, PrivateKey, Signer, SigningConfig};
use zeroize::Zeroizing;

use super::cluster::{self, HostWork, ManifestArgs, Outcome, Step, Work, in_parallel};
use super::{Common, init_ca};
use crate::ca_folder::{self, CaFolder};
use crate::failure::Failure;
use crate::host;
use crate::hosts::{self, BundleFile, NewFolder};
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
    cluster::check_only(&manifest, &args.manifest.only)?;
    let ca_step = make_ca(&manifest, common)?;
    let mut changed = ca_step.is_some();
    let ca = CaFolder::open(&common.dir)?;
    manifest.warnings.extend(manifest.ca_differences(ca.authority.certificate()));
    let all = common.dir.join(hosts::FOLDER);
    store::make_folder(&all, Access::Secret)?;
    store::sweep(&all)?;

    let only = &args.manifest.only;
    let work = Work::find(&manifest, only, &common.dir, Some(&ca.authority), host::now())?;
    let mut steps: Vec<Step> = ca_step.into_iter().chain(work.steps()).collect();
    steps.retain(|step| step.action != "keep");
    for step in steps.iter_mut().filter(|step| args.prune && step.action == "orphan") {
        step.action = "remove";
    }
    let needed = work.hosts.iter().filter(|host| host.is_needed(args.prune));
    let needed: Vec<&HostWork> = needed.collect();
    for hosts in needed.chunks(AT_ONCE) {
        changed = true;
        put(hosts, &all, &ca, args.prune)?;
    }
    for orphan in work.orphans.iter().filter(|_| args.prune) {
        // Away at once, under a name that the next run sweeps if this one is killed.
        let (path, gone) = (all.join(orphan), all.join(format!("{}{orphan}", store::UNFINISHED)));
        fs::rename(&path, &gone).map_err(|error| Failure::file("removing", &path, &error))?;
        fs::remove_dir_all(&gone).map_err(|error| Failure::file("removing", &gone, &error))?;
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

/// Issues what some hosts lack and puts their folders in place.
fn put(hosts: &[&HostWork], all: &Path, ca: &CaFolder, prune: bool) -> Result<(), Failure> {
    let profiles = SigningConfig::etcd();
    let now = host::now();
    let (authority, key) = (&ca.authority, &ca.key);
    let made = in_parallel(hosts, |host| {
        hosts::mend_modes(&all.join(&host.host), &host.modes)?;
        if !host.is_exchanged(prune) {
            return Ok((None, Vec::new()));
        }
        let mut files = Vec::new();
        let mut issued: Vec<(Certificate, &'static str)> = Vec::new();
        for (wanted, action) in &host.certificates {
            if *action == Action::Keep {
                continue;
            }
            let leaf_key = PrivateKey::generate(wanted.key)?;
            let request = wanted.request(leaf_key.public_key().clone());
            let profile = profiles.profile(wanted.profile)?;
            let draft = authority.draft(&request, profile, &host::moment()?)?;
            let certificate = draft.sign(key)?.certificate;
            files.push(BundleFile {
                name: format!("{}-key.pem", wanted.file),
                contents: Zeroizing::new(leaf_key.to_pem(KeyFormat::Pkcs8)?.as_bytes().to_vec()),
                access: Access::Secret,
            });
            files.push(BundleFile {
                name: format!("{}.pem", wanted.file),
                contents: Zeroizing::new(certificate.to_pem()?.into_bytes()),
                access: Access::Public,
            });
            issued.push((certificate, wanted.profile));
        }
        let files = files.iter().chain(&host.files);
        let mut stay = host.stay.clone();
        stay.extend(host.orphans.iter().filter(|_| !prune).cloned());
        let folder = NewFolder::write(all, &host.host, files, &stay)?;
        Ok((Some(folder), issued))
    })?;
    // First everything is on the disk, then in the inventory, then in its place.
    hosts::sync_all(all)?;
    let issued = made.iter().flat_map(|(_, issued)| issued);
    ca.inventory()?
        .record_all(issued.map(|(certificate, profile)| (certificate, *profile)), now)?;
    for folder in made.into_iter().filter_map(|(folder, _)| folder) {
        folder.put()?;
    }
    hosts::sync_all(all)
}
