//! The manifest on the command line.

use std::path::PathBuf;

use super::specs::read_manifest;
use crate::commands::{Common, complete};
use crate::failure::Failure;

/// The manifest on the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestArgs {
    /// The manifest of the cluster, in YAML
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Only this host. May be repeated
    #[arg(long, value_name = "HOST", add = complete::hosts())]
    pub(crate) only: Vec<String>,
}

/// The manifest that names the CA's folder, for commands that work on the folder.
#[derive(Debug, clap::Args)]
pub(crate) struct FolderArgs {
    /// The manifest of the cluster, in YAML, which names the CA's folder
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
}

impl FolderArgs {
    /// The folder of the cluster, in which the CA or the separate CAs are.
    pub(crate) fn of_cluster(&self, common: &Common) -> Result<PathBuf, Failure> {
        match &self.manifest {
            Some(file) => Ok(common.folder_of(file, &read_manifest(file)?)),
            None => Ok(common.folder()),
        }
    }
}
