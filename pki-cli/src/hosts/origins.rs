//! Records which cluster each host's folder was made for, because `--prune` removes only folders that apply made.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, shown};
use crate::signals::Uninterrupted;
use crate::store::{self, Access, UNFINISHED};

/// The file in the CA's folder: a JSON object with the name of the cluster for each host.
const FILE: &str = "hosts.json";

/// The cluster that each host's folder was made for.
#[derive(Clone)]
pub(crate) struct Origins {
    path: PathBuf,
    clusters: BTreeMap<String, String>,
}

impl Origins {
    /// Reads the record in a CA's folder, which is empty before the first host's folder is made.
    pub(crate) fn read(ca_folder: &Path) -> Result<Self, Failure> {
        let path = ca_folder.join(FILE);
        if !store::is_there(&path)? {
            return Ok(Self { path, clusters: BTreeMap::new() });
        }
        let clusters = serde_json::from_slice(&store::read_regular(&path)?).map_err(|error| {
            Failure::environment(format!("{}: not a list of hosts: {error}", shown(&path))).hinted(
                "move it away; apply writes it again, and --prune then keeps the folders of hosts that the manifest does not list",
            )
        })?;
        Ok(Self { path, clusters })
    }

    pub(crate) fn cluster_of(&self, host: &str) -> Option<&str> {
        self.clusters.get(host).map(String::as_str)
    }

    /// Records that these hosts' folders are for this cluster. This is synced before the folders are written, because a
    /// record without a folder does no harm.
    pub(crate) fn add<'a>(
        &mut self,
        hosts: impl IntoIterator<Item = &'a str>,
        cluster: &str,
    ) -> Result<(), Failure> {
        let before = self.clusters.clone();
        self.clusters.extend(hosts.into_iter().map(|host| (host.to_owned(), cluster.to_owned())));
        if self.clusters == before { Ok(()) } else { self.write() }
    }

    fn write(&self) -> Result<(), Failure> {
        let _uninterrupted = Uninterrupted::begin()?;
        let failed = |error: &std::io::Error| Failure::file("writing", &self.path, error);
        let mut text = serde_json::to_string_pretty(&self.clusters)
            .map_err(|error| Failure::bug(format!("writing {FILE}: {error}")))?;
        text.push('\n');
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(Permissions::from_mode(Access::Secret.mode()))
            .tempfile_in(folder)
            .map_err(|error| failed(&error))?;
        file.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
        file.persist(&self.path).map_err(|error| failed(&error.error))?;
        Ok(())
    }
}
