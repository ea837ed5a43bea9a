//! The manifest on the command line, and the certificates that it asks for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pki_core::{CertificateSpec, Manifest};

use crate::commands::{Common, complete};
use crate::failure::Failure;
use crate::store;

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

/// Reads a manifest; every mistake in it is in the failure.
pub(crate) fn read_manifest(path: &Path) -> Result<Manifest, Failure> {
    let bytes = store::read(path)?;
    let mistakes = |mistakes| Failure::mistakes(mistakes, "in the manifest").in_file(path);
    Manifest::from_yaml(&bytes).map_err(mistakes)
}

/// The certificates that each host should hold. Refuses a host of `--only` that holds none.
pub(crate) fn specs_by_host(
    manifest: &Manifest,
    only: &[String],
) -> Result<BTreeMap<String, Vec<CertificateSpec>>, Failure> {
    let mut by_host: BTreeMap<String, Vec<CertificateSpec>> = BTreeMap::new();
    for spec in manifest.certificates()? {
        by_host.entry(spec.host.clone()).or_default().push(spec);
    }
    let Some(unknown) = only.iter().find(|host| !by_host.contains_key(*host)) else {
        return Ok(by_host);
    };
    let known: Vec<String> = by_host.into_keys().collect();
    Err(Failure::usage(format!("--only {unknown}: the manifest has no certificate for this host"))
        .hinted(format!("one of: {}", known.join(", "))))
}
