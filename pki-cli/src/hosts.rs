//! The hosts' folders: what they hold, and putting a new one in the place of the old at once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::store::{Access, UNFINISHED};

/// The folder of all hosts in the CA's folder.
pub(crate) const FOLDER: &str = "hosts";

/// The mode of a host's folder: its keys are for its owner alone.
const FOLDER_MODE: u32 = 0o700;

/// A file for a host's folder.
pub(crate) struct BundleFile {
    pub(crate) name: String,
    pub(crate) contents: Zeroizing<Vec<u8>>,
    pub(crate) access: Access,
}

/// A file in a host's folder.
pub(crate) struct HeldFile {
    pub(crate) contents: Zeroizing<Vec<u8>>,
    pub(crate) mode: u32,
}

/// The files that a host's folder holds, by name.
pub(crate) fn read(folder: &Path) -> Result<BTreeMap<OsString, HeldFile>, Failure> {
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
        let file = read_file(&path).map_err(|error| Failure::file("reading", &path, &error))?;
        files.insert(entry.file_name(), file);
    }
    Ok(files)
}

fn read_file(path: &Path) -> io::Result<HeldFile> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    // With room for all of it: a buffer that grows leaves copies of a key behind.
    let room = usize::try_from(metadata.len()).unwrap_or(0) + 1;
    let mut contents = Zeroizing::new(Vec::with_capacity(room));
    file.read_to_end(&mut contents)?;
    Ok(HeldFile { contents, mode: permissions(&metadata) })
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
        kept_files: &[OsString],
    ) -> Result<Self, Failure> {
        let place = all.join(host);
        let folder = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(fs::Permissions::from_mode(FOLDER_MODE))
            .tempdir_in(all)
            .map_err(|error| Failure::file("making a folder in", all, &error))?;
        for name in kept_files {
            let (from, to) = (place.join(name), folder.path().join(name));
            fs::hard_link(&from, &to).map_err(|error| Failure::file("keeping", &from, &error))?;
        }
        for file in files {
            let path = folder.path().join(&file.name);
            let write = || -> io::Result<()> {
                let mode = file.access.mode();
                let mut options = File::options();
                let mut new = options.write(true).create_new(true).mode(mode).open(&path)?;
                // The umask may have taken some away, and the next run would call that drift. To look
                // costs less than to set what is right already.
                if permissions(&new.metadata()?) != mode {
                    new.set_permissions(fs::Permissions::from_mode(mode))?;
                }
                new.write_all(&file.contents)
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

/// A file, or where the name is empty the folder itself, whose mode is not what it should be.
pub(crate) struct WrongMode {
    pub(crate) name: OsString,
    pub(crate) found: u32,
    pub(crate) wanted: u32,
}

/// The mode of a host's folder, if there is one and it is wrong.
pub(crate) fn wrong_mode(folder: &Path) -> Result<Option<WrongMode>, Failure> {
    let found = match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(|error| Failure::file("looking at", folder, &error))?,
    };
    let (name, found, wanted) = (OsString::new(), permissions(&found), FOLDER_MODE);
    Ok((found != wanted).then_some(WrongMode { name, found, wanted }))
}

/// Gives the files in a folder the modes that they should have. They stay the same files.
pub(crate) fn mend_modes(folder: &Path, modes: &[WrongMode]) -> Result<(), Failure> {
    for WrongMode { name, wanted, .. } in modes {
        let path = if name.is_empty() { folder.to_owned() } else { folder.join(name) };
        fs::set_permissions(&path, fs::Permissions::from_mode(*wanted))
            .map_err(|error| Failure::file("changing the mode of", &path, &error))?;
    }
    Ok(())
}

fn permissions(metadata: &fs::Metadata) -> u32 {
    metadata.permissions().mode() & 0o7777
}
