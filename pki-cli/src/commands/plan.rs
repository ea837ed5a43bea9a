//! `etcdpki plan`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{ClusterCas, FileKind, Manifest, Traffic};

use super::Common;
use super::cluster::{
    self, ApplyContext, ManifestArgs, Orphans, Outcome, Step, Tense, Work, check_stray, counts,
};
use crate::ca::{self, Chain, CrlState, Found};
use crate::failure::{Failure, full};
use crate::host;
use crate::signer::Custody;

/// The exit code of `--exit-code` if there are changes. No failure has it.
const CHANGES: u8 = 4;

/// Show what `apply` would create, reissue, renew or keep, and why
///
/// Changes nothing. The exit code is 0 whether there are changes or not; --exit-code tells them apart.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki plan -f cluster.yaml\n  \
    etcdpki plan -f cluster.yaml --exit-code || [ $? -eq 4 ] && etcdpki apply -f cluster.yaml")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    manifest: ManifestArgs,

    /// Show what `apply --prune` would remove
    #[arg(long)]
    prune: bool,

    /// Exit with 4 if there are changes
    #[arg(long)]
    exit_code: bool,
}

pub(crate) fn run(args: &PlanArgs, common: &Common) -> Result<ExitCode, Failure> {
    let mut manifest = cluster::read_manifest(&args.manifest.file)?;
    let folder = common.folder_of(&args.manifest.file, &manifest);
    let (chains, ca_steps) = find_cas(&manifest, &folder)?;
    let cas = match &chains {
        Some(chains) => {
            let chains = chains.iter().map(|(folder, chain)| (folder.as_path(), chain));
            Some(ca::cluster_cas(&chains.collect::<Vec<_>>())?)
        }
        None => None,
    };
    if let Some(cas) = &cas {
        manifest.warnings.extend(manifest.ca_differences(cas));
        manifest.warnings.extend(cluster::limits(&manifest, cas)?);
        let warnings = check_stray(&manifest, cas, &folder)?;
        manifest.warnings.extend(warnings);
    }
    let specs = cluster::specs_by_host(&manifest, &args.manifest.only)?;
    let crls = if manifest.crl { crls(&manifest, cas.as_ref(), &folder)? } else { Vec::new() };
    let context = ApplyContext::new(&manifest, cas.as_ref(), crls, &folder)?;
    let work = Work::find(&context, &specs, &args.manifest.only)?;
    let orphans = if args.prune { Orphans::Remove } else { Orphans::Keep };
    let changed = work.is_needed(orphans) || !ca_steps.is_empty();
    let steps: Vec<Step> = ca_steps.into_iter().chain(work.steps(orphans)).collect();
    let next = context.next_for(&args.manifest.only);
    let mut warnings = manifest.warnings.clone();
    warnings.extend(context.warning);
    let end = match (counts(&steps, Tense::Planned), changed) {
        (counts, true) => format!("plan: {counts}\n"),
        (counts, false) if counts.is_empty() => "plan: nothing to do\n".to_owned(),
        (counts, false) => format!("plan: nothing to do, {counts}\n"),
    };
    let folder = full(&folder);
    let outcome = Outcome { changed, folder, warnings, steps, next, rotation: None };
    outcome.print(common.format, &end)?;
    Ok(if changed && args.exit_code { ExitCode::from(CHANGES) } else { ExitCode::SUCCESS })
}

/// The certificates of the CAs, each with its folder, and what `apply` would do with the CAs themselves. There are no
/// certificates unless every CA has one.
#[expect(clippy::type_complexity, reason = "the caller destructures it")]
fn find_cas(
    manifest: &Manifest,
    folder: &Path,
) -> Result<(Option<Vec<(PathBuf, Chain)>>, Vec<Step>), Failure> {
    let (mut chains, mut steps) = (Vec::new(), Vec::new());
    let specs = manifest.ca_specs();
    for (traffic, spec) in &specs {
        let folder = ca::folder_of(folder, *traffic);
        match Found::find(&folder, &Custody::default())? {
            Found::Complete | Found::WithoutKey => {
                let chain = Chain::read(&folder)?;
                chains.push((folder, chain));
            }
            Found::WithoutCertificate(lost) => {
                let subject = lost.chain.ca().subject.to_string();
                steps.push(Step::ca("restore", &subject, &folder));
                chains.push((folder, lost.chain));
            }
            Found::Nothing => steps.push(Step::ca("create", &spec.subject.to_string(), &folder)),
            other => return Err(other.refusal(&folder)),
        }
    }
    Ok(((chains.len() == specs.len()).then_some(chains), steps))
}

/// The CRLs that members get. One that is due is empty here, so that no file equals it.
fn crls(
    manifest: &Manifest,
    cas: Option<&ClusterCas>,
    folder: &Path,
) -> Result<Vec<(FileKind, Vec<u8>)>, Failure> {
    let mut crls = Vec::new();
    for (traffic, _) in manifest.ca_specs() {
        let Some(kind) = ca::crl_file(traffic) else { continue };
        let contents = match cas {
            Some(cas) => {
                let ca = cas.of(traffic.unwrap_or(Traffic::Server)).issuing();
                let state = CrlState::read(&ca::folder_of(folder, traffic), ca, host::now())?;
                let current = state.last.filter(|_| state.due.is_none());
                current.map_or_else(Vec::new, |last| last.crl.der().to_vec())
            }
            None => Vec::new(),
        };
        crls.push((kind, contents));
    }
    Ok(crls)
}
