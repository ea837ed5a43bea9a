//! `etcdpki plan`

use std::process::ExitCode;

use pki_core::Authority;

use super::Common;
use super::cluster::{self, ApplyContext, ManifestArgs, Outcome, Step, Work};
use crate::ca_folder;
use crate::failure::{Failure, Kind};

/// Show what apply would do: what is created, re-issued and why, renewed, left alone, orphaned
///
/// Exit code 0 when there is nothing to do, 1 when there is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  etcdpki plan -f cluster.yaml")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
}

pub(crate) fn run(args: &PlanArgs, common: &Common) -> Result<ExitCode, Failure> {
    let mut manifest = cluster::read_manifest(&args.manifest.file)?;
    let path = ca_folder::certificate_path(&common.dir);
    let (ca, ca_step) = if path.symlink_metadata().is_ok() {
        (Some(ca_folder::read_certificates(&path)?.swap_remove(0)), None)
    } else {
        let lost = ca_folder::lost_certificate(&common.dir)?;
        let action = if lost.is_some() { "restore" } else { "create" };
        (lost, Some(Step::ca(action, manifest.ca.subject.to_string())))
    };
    if let Some(ca) = &ca {
        manifest.warnings.extend(manifest.ca_differences(ca));
    }
    let authority = ca.map(Authority::new);
    let wanted = cluster::wanted(&manifest, &args.manifest.only)?;
    let context = ApplyContext::new(&manifest, authority.as_ref(), &common.dir)?;
    let work = Work::find(&context, &wanted, &args.manifest.only)?;
    let changed = work.is_needed() || ca_step.is_some();
    let steps: Vec<Step> = ca_step.into_iter().chain(work.steps()).collect();
    Outcome { changed, warnings: manifest.warnings, steps }.print(common.format, "")?;
    Ok(if changed { ExitCode::from(Kind::Refused.exit_code()) } else { ExitCode::SUCCESS })
}
