//! `etcdpki certdb`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::Common;
use super::cluster::FolderArgs;
use crate::ca::{Chain, LockedFolder};
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::{Certdb, Entry, Inventory, Merged};
use crate::output::{Format, json};

/// Exchange certificates with the certdb of cfssl
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki certdb import certs.db\n  \
    etcdpki certdb export certs.db")]
pub(crate) struct CertdbArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add the certificates and revocations of this CA from a certdb in SQLite
    Import {
        /// The SQLite file
        #[arg(value_name = "FILE")]
        file: PathBuf,

        #[command(flatten)]
        folder: FolderArgs,
    },
    /// Write all certificates to a new certdb in SQLite
    Export {
        /// The file to write. It must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,

        #[command(flatten)]
        folder: FolderArgs,
    },
}

#[derive(Serialize)]
struct ImportOutput {
    added: usize,
    revoked: usize,
    known: usize,
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct ExportOutput {
    file: String,
    certificates: usize,
}

pub(crate) fn run(args: &CertdbArgs, common: &Common) -> Result<ExitCode, Failure> {
    match &args.action {
        Action::Export { file, folder } => {
            let certificates = Inventory::of_ca(&folder.of_ca(common)?)?.export_certdb(file)?;
            let file = shown(file);
            if common.format == Format::Json {
                json::print(&ExportOutput { file, certificates })?;
            } else {
                host::print(&format!("wrote {file}: {certificates} certificates\n"))?;
            }
        }
        Action::Import { file, folder } => {
            let folder = folder.of_ca(common)?;
            let locked = LockedFolder::lock(&folder, common.owners())?;
            let chain = Chain::read(locked.path())?;
            let ca = chain.ca();
            let Certdb { entries, mut left_out } = Certdb::read(file, ca)?;
            let inventory = Inventory::of(&folder);
            // Refuses the inventory of another CA.
            inventory.examine(ca)?;
            let Merged { added, known, revoked, clashes } =
                inventory.merge(&Entry::of_ca(ca)?, &entries)?;
            left_out.extend(clashes.into_iter().map(|serial| {
                format!("the row {serial}: another certificate has this serial number")
            }));
            let output = ImportOutput { added, revoked, known, left_out };
            for reason in &output.left_out {
                host::say(&format!("warning: left out {reason}\n"));
            }
            if common.format == Format::Json {
                json::print(&output)?;
            } else {
                let ImportOutput { added, revoked, known, .. } = output;
                host::print(&format!(
                    "added {added} certificates; {known} were known, {revoked} of them are revoked now\n"
                ))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
