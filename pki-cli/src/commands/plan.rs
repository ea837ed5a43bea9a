//! `etcdpki plan`

use std::process::ExitCode;

use super::cluster::{
    self, ApplyContext, ManifestArgs, Orphans, Outcome, Step, Tense, Work, counts,
};
use super::{Common, rotate_ca};
use crate::ca::{Chain, CrlState, Found};
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
    let (chain, ca_step) = match Found::find(&folder, &Custody::default())? {
        Found::Complete | Found::WithoutKey => (Some(Chain::read(&folder)?), None),
        Found::WithoutCertificate(lost) => {
            let step = Step::ca("restore", &lost.chain.ca().subject.to_string(), &folder);
            (Some(lost.chain), Some(step))
        }
        Found::Nothing => {
            (None, Some(Step::ca("create", &manifest.ca.subject.to_string(), &folder)))
        }
        other => return Err(other.refusal(&folder)),
    };
    let cas = chain.map(|chain| chain.cas(&folder)).transpose()?;
    if let Some(cas) = &cas {
        manifest.warnings.extend(manifest.ca_differences(&cas.server));
        manifest.warnings.extend(cluster::limits(&manifest, cas)?);
        let warning = rotate_ca::check_stray(&manifest, &cas.server, &folder)?;
        manifest.warnings.extend(warning);
    }
    let specs = cluster::specs_by_host(&manifest, &args.manifest.only)?;
    let crl = match &cas {
        Some(cas) if manifest.crl => {
            let state = CrlState::read(&folder, cas.server.issuing(), host::now())?;
            let current = state.last.filter(|_| state.due.is_none());
            Some(current.map_or_else(Vec::new, |last| last.crl.der().to_vec()))
        }
        None if manifest.crl => Some(Vec::new()),
        _ => None,
    };
    let context = ApplyContext::new(&manifest, cas.as_ref(), crl, &folder)?;
    let work = Work::find(&context, &specs, &args.manifest.only)?;
    let orphans = Orphans::of(args.prune);
    let changed = work.is_needed(orphans) || ca_step.is_some();
    let steps: Vec<Step> = ca_step.into_iter().chain(work.steps(orphans)).collect();
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
