//! `etcdpki backup`

use std::path::{Path, PathBuf};
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
///
/// With separate CAs, each inventory gets a file: for FILE etcd.db, these are etcd-server.db, etcd-peer.db
/// and etcd-client.db.
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
    let cas = args.folder.cas(common)?;
    let mut outputs = Vec::new();
    let written = cas.each(|folder| {
        let name = cas.name_of(folder);
        let copy = name.map_or_else(|| args.file.clone(), |name| file_of(&args.file, name));
        let certificates = Inventory::of_ca(folder)?.back_up(&copy)?;
        let file = shown(&copy);
        if common.format != Format::Json {
            host::print(&format!("wrote {file}: {certificates} certificates\n"))?;
        }
        outputs.push((name, BackupOutput { file, certificates }));
        Ok(())
    });
    if common.format == Format::Json {
        json::print_of_cas(outputs)?;
    }
    written.map(|()| ExitCode::SUCCESS)
}

/// The file for one of several CAs: `etcd-peer.db` for `etcd.db`.
fn file_of(file: &Path, ca: &str) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{ca}"));
    if let Some(extension) = file.extension() {
        name.push(".");
        name.push(extension);
    }
    file.with_file_name(name)
}
