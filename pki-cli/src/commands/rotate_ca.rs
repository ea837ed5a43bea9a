//! `etcdpki rotate-ca`

mod args;
mod checks;
mod gate;
mod issued;
mod live;
mod report;
mod steps;

use std::process::ExitCode;

pub(crate) use self::args::RotateCaArgs;
use self::args::Step;
use super::Common;
use super::cluster::{self, RotatedCa};
use crate::ca::LockedFolder;
use crate::failure::Failure;

pub(crate) fn run(args: &RotateCaArgs, common: &Common) -> Result<ExitCode, Failure> {
    for (option, is_given) in
        [("--cn", args.cn.is_some()), ("--public-key", args.custody.public_key.is_some())]
    {
        if is_given && args.step != Step::Begin {
            return Err(Failure::usage(format!("{option} works only with begin"))
                .hinted("remove it from this step"));
        }
    }
    let manifest = cluster::read_manifest(&args.file)?;
    let traffic = cluster::rotated_traffic(&manifest, args.ca)?;
    let path = common.folder_of(&args.file, &manifest);
    let rotated = RotatedCa { manifest: &manifest, folder: &path, traffic };
    if args.step == Step::Status {
        return report::status(rotated, args, common);
    }
    let ca_path = rotated.ca_folder();
    let around = match traffic {
        None => None,
        Some(_) => Some(LockedFolder::lock(&path, common.owners())?),
    };
    let folder = LockedFolder::lock(&ca_path, common.owners())?;
    let custody = args.custody.custody()?;
    let run = steps::Run {
        manifest,
        path,
        ca_path,
        traffic,
        around,
        args,
        common,
        custody,
        created: None,
    };
    match args.step {
        Step::Begin => run.begin(folder),
        Step::Reissue => run.reissue(folder),
        Step::Finish => run.finish(folder),
        Step::Abort | Step::Status => run.abort(folder),
    }
}
