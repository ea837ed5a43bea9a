//! `etcdpki plan`

use std::process::ExitCode;

use super::cluster::{self, ApplyContext, ManifestArgs, Orphans, Outcome, Step, Work};
use super::{Common, rotate_ca};
use crate::ca::{Chain, Found};
use crate::failure::{Failure, Kind};

/// Show what `apply` would create, reissue, renew or keep, and why
///
/// The exit code is 0 if there is nothing to do, and 1 if there is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  etcdpki plan -f cluster.yaml")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    manifest: ManifestArgs,

    /// Show what `apply --prune` would remove
    #[arg(long)]
    prune: bool,
}

pub(crate) fn run(args: &PlanArgs, common: &Common) -> Result<ExitCode, Failure> {
    let mut manifest = cluster::read_manifest(&args.manifest.file)?;
    let folder = common.folder_of(&args.manifest.file, &manifest);
    let (chain, ca_step) = match Found::find(&folder)? {
        Found::Complete | Found::WithoutKey => (Some(Chain::read(&folder)?), None),
        Found::WithoutCertificate(lost) => {
            let step = Step::ca("restore", &lost.certificate.subject.to_string(), &folder);
            (Some(Chain::of(lost.certificate)), Some(step))
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
    let context = ApplyContext::new(&manifest, cas.as_ref(), &folder)?;
    let work = Work::find(&context, &specs, &args.manifest.only)?;
    let orphans = Orphans::of(args.prune);
    let changed = work.is_needed(orphans) || ca_step.is_some();
    let steps: Vec<Step> = ca_step.into_iter().chain(work.steps(orphans)).collect();
    let next = context.next_for(&args.manifest.only);
    let mut warnings = manifest.warnings.clone();
    warnings.extend(context.warning);
    Outcome { changed, warnings, steps, next, rotation: None }.print(common.format, "")?;
    Ok(if changed { ExitCode::from(Kind::Refused.exit_code()) } else { ExitCode::SUCCESS })
}
