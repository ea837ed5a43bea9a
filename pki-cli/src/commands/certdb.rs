//! `etcdpki certdb`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::Common;
use crate::ca::{Chain, LockedFolder};
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::{Certdb, Entry, Inventory};
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
    },
    /// Write all certificates to a new certdb in SQLite
    Export {
        /// The file to write. It must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
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
    let folder = common.folder();
    match &args.action {
        Action::Export { file } => {
            let certificates = Inventory::of_ca(&folder)?.export_certdb(file)?;
            let file = shown(file);
            if common.format == Format::Json {
                json::print(&ExportOutput { file, certificates })?;
            } else {
                host::print(&format!("wrote {file}: {certificates} certificates\n"))?;
            }
        }
        Action::Import { file } => {
            let locked = LockedFolder::lock(&folder, common.owners())?;
            let chain = Chain::read(locked.path())?;
            let ca = chain.ca();
            let Certdb { mut entries, left_out } = Certdb::read(file, ca)?;
            let inventory = Inventory::of(&folder);
            // Refuses one of another CA.
            inventory.memory_of(ca)?;
            let found = entries.len();
            // A new inventory begins with the CA itself.
            let ca_is_new = !inventory.has(ca)?;
            entries.insert(0, Entry::of_ca(ca)?);
            let merged = inventory.merge(&entries)?;
            let added = merged.added - usize::from(ca_is_new);
            let output =
                ImportOutput { added, revoked: merged.revoked, known: found - added, left_out };
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
