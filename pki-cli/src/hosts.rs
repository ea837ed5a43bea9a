//! The hosts' folders: what they hold, and putting a new one in the place of the old at once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::store::{self, Access, UNFINISHED};

/// The folder of all hosts in the CA's folder.
pub(crate) const FOLDER: &str = "hosts";

/// A file for a host's folder.
pub(crate) struct BundleFile {
    pub(crate) name: String,
    pub(crate) contents: Zeroizing<Vec<u8>>,
    pub(crate) access: Access,
}

/// The files that a host's folder holds, by name.
pub(crate) fn read(folder: &Path) -> Result<BTreeMap<OsString, Zeroizing<Vec<u8>>>, Failure> {
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries.map_err(|error| Failure::file("reading", folder, &error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file("reading", folder, &error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| Failure::file("looking at", &path, &error))?;
        if !kind.is_file() {
            return Err(Failure::environment(format!("{} is not a file", path.display()))
                .hinted("a host's folder holds files alone; move it away"));
        }
        files.insert(entry.file_name(), store::read(&path)?);
    }
    Ok(files)
}

/// The names of the folders under `hosts/`.
pub(crate) fn list(all: &Path) -> Result<Vec<String>, Failure> {
    let entries = match fs::read_dir(all) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| Failure::file("reading", all, &error))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file("reading", all, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A file beside the folders is none of ours.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !name.starts_with(UNFINISHED) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A host's folder on its way to its place.
pub(crate) struct NewFolder {
    place: PathBuf,
    folder: TempDir,
}

impl NewFolder {
    /// Writes the folder beside its place: the files given, and those of the old one that stay.
    ///
    /// A file that stays is the same file under a second name, so that its times do not change.
    pub(crate) fn write<'a>(
        all: &Path,
        host: &str,
        files: impl IntoIterator<Item = &'a BundleFile>,
        stay: &[OsString],
    ) -> Result<Self, Failure> {
        let place = all.join(host);
        let folder = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(all)
            .map_err(|error| Failure::file("making a folder in", all, &error))?;
        for name in stay {
            let (from, to) = (place.join(name), folder.path().join(name));
            fs::hard_link(&from, &to).map_err(|error| Failure::file("keeping", &from, &error))?;
        }
        for file in files {
            let path = folder.path().join(&file.name);
            let write = || -> io::Result<()> {
                let mut options = File::options();
                options.write(true).create_new(true).mode(file.access.mode());
                options.open(&path)?.write_all(&file.contents)
            };
            write().map_err(|error| Failure::file("writing", &place.join(&file.name), &error))?;
        }
        Ok(Self { place, folder })
    }

    /// Puts the folder in its place; the old one, if there was one, is gone in the same moment.
    pub(crate) fn put(self) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::file("putting in place", &self.place, &error);
        let new = self.folder.path();
        if self.place.symlink_metadata().is_ok() {
            // Old and new change places: no moment without a folder, none with a mixture.
            let here = rustix::fs::CWD;
            let exchange = rustix::fs::RenameFlags::EXCHANGE;
            rustix::fs::renameat_with(here, new, here, &self.place, exchange)
                .map_err(|error| failed(error.into()))?;
            // What stands under the temporary name now is the old folder, which goes with it.
            return Ok(());
        }
        fs::rename(new, &self.place).map_err(failed)?;
        // It is in its place and no longer temporary.
        let _ = self.folder.keep();
        Ok(())
    }
}

/// Waits until everything that was written on the file system of `folder` is on the disk.
pub(crate) fn sync_all(folder: &Path) -> Result<(), Failure> {
    let file = File::open(folder).map_err(|error| Failure::file("opening", folder, &error))?;
    rustix::fs::syncfs(&file).map_err(|error| Failure::file("syncing", folder, &error.into()))
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> Result<u32, Failure> {
    let metadata = fs::metadata(path).map_err(|error| Failure::file("looking at", path, &error))?;
    Ok(metadata.permissions().mode() & 0o777)
}
