//! `etcdpki verify`

mod args;
mod checker;
mod folders;
mod ignore;
mod inputs;
mod live;
mod options;
mod readers;
mod refusal;
mod stream;
mod values;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::FileReport;

use self::args::PolicyArg;
pub(crate) use self::args::VerifyArgs;
use self::checker::Checker;
use self::ignore::Exceptions;
use self::inputs::Input;
use self::readers::Unreadable;
use self::stream::Pace;
use super::{Common, audit, cluster};
use crate::failure::{Failure, full};
use crate::host;
use crate::hosts;
use crate::output::Format;
use crate::output::verdict::{Location, Outcome, Rendered, Verdict, Verified, View};

pub(crate) fn run(args: &VerifyArgs, common: &Common) -> Result<ExitCode, Failure> {
    if args.files.is_empty() && args.manifest.is_none() && !args.live.is_requested() {
        return Err(Failure::usage("nothing to verify").hinted(
            "name certificates or folders (etcdpki verify etcdone.pem), - for standard input, a manifest \
             (-f cluster.yaml) or a live endpoint (--connect HOST:2379)",
        ));
    }
    let exceptions = Exceptions { ignored: args.ignore.clone(), warn_as_error: args.warn_as_error };
    let manifest = args.manifest.as_deref().map(cluster::read_manifest).transpose()?;
    let folder = match (&args.manifest, &manifest) {
        (Some(file), Some(manifest)) => common.folder_of(file, manifest),
        _ => common.folder(),
    };
    if args.live.is_requested() {
        let targets = args.live.targets(manifest.as_ref(), &folder)?;
        let checker = Checker::new(args, &folder, exceptions)?;
        return live::run(args, targets, &checker, common.format);
    }
    if let Some(manifest) = manifest {
        let reports = audit::run(&manifest, &folder)?;
        return print_audit(reports, &folder, common.format, &exceptions);
    }
    let checker = Checker::new(args, &folder, exceptions)?;
    let mut asked = checker.words();
    if args.host.is_empty() && args.files.iter().any(|path| path.is_dir()) {
        asked.push_str(", without a host name (--host)");
    }
    let view = View {
        format: common.format,
        asked,
        alone: args.files.len() == 1 && !args.files[0].is_dir(),
    };
    let work = |input: Input| inputs::verify(input, &checker, &view);
    let mut verdict = Verdict::new(&view);
    stream::in_order(inputs::expand(&args.files), &Pace::files(), work, |done| verdict.add(done))?;
    if args.policy == PolicyArg::Etcd {
        verdict.add(verify_readers(&args.files, &checker, &view))?;
    }
    verdict.finish()
}

/// What etcd's user cannot read in these folders, if this is the host of that etcd.
fn verify_readers(files: &[PathBuf], checker: &Checker, view: &View) -> Vec<Rendered> {
    let unreadable = readers::unreadable(files).into_iter();
    unreadable
        .map(|Unreadable { path, finding }| {
            let found = checker.exceptions.apply(vec![finding]);
            let result = Ok(Verified { path: None, endpoint: None, found });
            let name = path.display().to_string();
            view.render(&Outcome { name, location: Location::File(path), result })
        })
        .collect()
}

fn print_audit(
    reports: Vec<FileReport>,
    folder: &Path,
    format: Format,
    exceptions: &Exceptions,
) -> Result<ExitCode, Failure> {
    let now = options::second(host::now());
    let view = View {
        format,
        asked: format!("against the manifest, in {}, at {now}", full(folder)),
        alone: false,
    };
    let folder = folder.join(hosts::FOLDER);
    let mut verdict = Verdict::new(&view);
    for found in reports {
        let name = found.file().to_owned();
        let expects_certificate = found.purpose().is_some();
        let (path, findings) = found.into_parts();
        // A file that cannot be read as a certificate proves nothing, whatever is ignored.
        let is_unread = expects_certificate
            && path.is_none()
            && findings.iter().any(|found| found.rule.id.starts_with("pem-"));
        let found = if is_unread {
            exceptions.ignoring_nothing().apply(findings)
        } else {
            exceptions.apply(findings)
        };
        let verified = Verified { path, endpoint: None, found };
        let location = Location::File(folder.join(&name));
        verdict.add(vec![view.render(&Outcome { name, location, result: Ok(verified) })])?;
    }
    verdict.finish()
}
