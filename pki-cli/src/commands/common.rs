//! What every subcommand takes, and where the CA's folder is.

use std::fs;
use std::path::{Path, PathBuf};

use pki_core::Manifest;

use crate::host;
use crate::output::Format;
use crate::store::Owners;

/// The default folder of the CA.
const DEFAULT: &str = "pki";

/// The variable that stands for `--dir`.
const VARIABLE: &str = "ETCDPKI_DIR";

/// What every subcommand takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// The CA's folder: ca.pem, ca-key.pem, inventory.db, hosts/ [default: `dir` in the manifest, or pki beside
    /// the manifest; without a manifest, pki in the current folder] [env: ETCDPKI_DIR]
    #[arg(short, long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Use a CA's folder, or a key in it, that belongs neither to you nor to root
    #[arg(long, global = true)]
    allow_foreign_owner: bool,

    /// Output format
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) format: Format,
}

impl Common {
    /// Who may own the CA's folder.
    pub(crate) const fn owners(&self) -> Owners {
        if self.allow_foreign_owner { Owners::Any } else { Owners::Trusted }
    }

    /// The CA's folder for a command without a manifest.
    pub(crate) fn folder(&self) -> PathBuf {
        self.given().unwrap_or_else(|| DEFAULT.into())
    }

    /// The CA's folder for the manifest that was read from `file`.
    ///
    /// It does not depend on the current folder, because `apply` from another folder would create a second CA.
    pub(crate) fn folder_of(&self, file: &Path, manifest: &Manifest) -> PathBuf {
        let in_manifest = manifest.dir.as_deref().unwrap_or(DEFAULT);
        self.given().unwrap_or_else(|| beside(file).join(in_manifest))
    }

    /// The folder that the option names, or else the environment.
    fn given(&self) -> Option<PathBuf> {
        self.dir.clone().or_else(|| host::setting(VARIABLE).map(PathBuf::from))
    }
}

/// The folder of a manifest, or if that is a symbolic link, of the file that it points to. A manifest from a pipe has no
/// folder, so relative paths start at the current one.
fn beside(file: &Path) -> PathBuf {
    let Ok(real) = fs::canonicalize(file) else { return PathBuf::new() };
    let (Some(real), true) = (real.parent(), real.is_file()) else { return PathBuf::new() };
    // The path as the user wrote it, if it is the same folder.
    let written = file.parent().unwrap_or(Path::new(""));
    let here = if written.as_os_str().is_empty() { Path::new(".") } else { written };
    match fs::canonicalize(here) {
        Ok(here) if here == real => written.to_owned(),
        _ => real.to_owned(),
    }
}
