//! `etcdpki backup`

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::Common;
use super::cluster::FolderArgs;
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::Inventory;
use crate::output::{Format, json};

/// Copy the inventory to a new file, while other commands use it
///
/// The copy is complete: it has every certificate that was issued before the command began. To restore
/// it, copy it to inventory.db in the CA's folder while no command runs, then run `etcdpki check
/// --rebuild`, which adds what was issued since. The copy does not contain the CA's key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  etcdpki backup /var/backups/etcdpki-$(date +%F).db")]
pub(crate) struct BackupArgs {
    /// The file to write. It must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    folder: FolderArgs,
}

#[derive(Serialize)]
struct BackupOutput {
    file: String,
    certificates: u32,
}

pub(crate) fn run(args: &BackupArgs, common: &Common) -> Result<ExitCode, Failure> {
    let certificates = Inventory::of_ca(&args.folder.of_ca(common)?)?.back_up(&args.file)?;
    let file = shown(&args.file);
    if common.format == Format::Json {
        json::print(&BackupOutput { file, certificates })?;
    } else {
        host::print(&format!("wrote {file}: {certificates} certificates\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
