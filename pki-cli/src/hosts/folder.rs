//! One host's folder, opened once: links at its name or in it are not followed.
//!
//! Other users may be able to write to the folder. Its files are opened, checked and changed through descriptors, so
//! that nobody can replace them in between.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags};
use zeroize::Zeroizing;

use crate::failure::{Failure, shown};
use crate::store::{self, Read};

/// The mode of a host's folder: its keys are only for its owner.
pub(super) const FOLDER_MODE: u32 = 0o700;

/// A file in a host's folder.
pub(crate) struct HeldFile {
    /// Empty if the file is too large to be read.
    pub(crate) contents: Zeroizing<Vec<u8>>,
    pub(crate) mode: u32,
    pub(crate) extent: Extent,
}

/// How much of a file was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Extent {
    Whole,
    /// Nothing, because the file is larger than the limit.
    TooLarge,
}

impl HeldFile {
    /// Why the file cannot be used, if it was not read.
    pub(crate) fn unread(&self) -> Option<String> {
        let limit = store::LIMIT >> 20;
        (self.extent == Extent::TooLarge)
            .then(|| format!("larger than {limit} MiB, so it was not read; move it away"))
    }
}

/// A host's folder.
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a host's folder, if it exists.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, Failure> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(Self { fd, path: path.to_owned() })),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(_) if path.is_symlink() => Err(link(path)),
            Err(error) => Err(Failure::file("opening", path, &error.into())),
        }
    }

    pub(super) fn path(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn fd(&self) -> impl AsFd {
        &self.fd
    }

    /// Opens a file in the folder. Anything other than a regular file is an error.
    pub(super) fn file(&self, name: &OsStr) -> Result<(File, Metadata), Failure> {
        // Without NONBLOCK, opening a pipe would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(rustix::io::Errno::LOOP) => return Err(link(&self.path(name))),
            Err(error) => return Err(Failure::file("reading", &self.path(name), &error.into())),
        };
        let metadata = file.metadata();
        let metadata =
            metadata.map_err(|error| Failure::file("looking at", &self.path(name), &error))?;
        if metadata.is_file() { Ok((file, metadata)) } else { Err(no_file(&self.path(name))) }
    }

    /// The names of everything in it.
    fn names(&self) -> Result<Vec<OsString>, Failure> {
        let failed = |error: rustix::io::Errno| Failure::file("reading", &self.path, &error.into());
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            // Opening a device can already have an effect.
            match entry.file_type() {
                FileType::RegularFile | FileType::Unknown => names.push(name.to_owned()),
                FileType::Symlink => return Err(link(&self.path(name))),
                _ => return Err(no_file(&self.path(name))),
            }
        }
        Ok(names)
    }

    fn read(&self, name: &OsStr) -> Result<HeldFile, Failure> {
        let (file, metadata) = self.file(name)?;
        let (mode, size) = (permissions(&metadata), metadata.len());
        let read = store::read_open(file, size);
        match read.map_err(|error| Failure::file("reading", &self.path(name), &error))? {
            Read::Whole(contents) => Ok(HeldFile { contents, mode, extent: Extent::Whole }),
            Read::TooLarge => {
                Ok(HeldFile { contents: Zeroizing::default(), mode, extent: Extent::TooLarge })
            }
        }
    }
}

/// The files that a host's folder holds, by name.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<OsString, HeldFile>, Failure> {
    let Some(folder) = Folder::open(path)? else { return Ok(BTreeMap::new()) };
    let names = folder.names()?.into_iter();
    names.map(|name| folder.read(&name).map(|file| (name, file))).collect()
}

/// Some of the files that a host's folder holds.
pub(crate) fn read_some<const N: usize>(
    path: &Path,
    names: &[OsString; N],
) -> Result<[Option<HeldFile>; N], Failure> {
    let mut files = [const { None }; N];
    let Some(folder) = Folder::open(path)? else { return Ok(files) };
    let there = folder.names()?;
    for (file, name) in files.iter_mut().zip(names) {
        if there.contains(name) {
            *file = Some(folder.read(name)?);
        }
    }
    Ok(files)
}

fn link(path: &Path) -> Failure {
    Failure::environment(format!("{} is a symbolic link; it is not followed", shown(path)))
        .hinted("hosts' folders are folders, and hold only files; move the link away")
}

fn no_file(path: &Path) -> Failure {
    Failure::environment(format!("{} is not a file", shown(path)))
        .hinted("a host's folder holds only files; move it away")
}

/// A file whose mode is wrong. An empty name stands for the folder itself.
pub(crate) struct WrongMode {
    pub(crate) name: OsString,
    pub(crate) found: u32,
    pub(crate) expected: u32,
}

/// The mode of a host's folder, if there is one and it is wrong.
pub(crate) fn wrong_mode(path: &Path) -> Result<Option<WrongMode>, Failure> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(|error| Failure::file("looking at", path, &error))?,
    };
    let (name, found, expected) = (OsString::new(), permissions(&found), FOLDER_MODE);
    Ok((found != expected).then_some(WrongMode { name, found, expected }))
}

/// Corrects the modes of files in a folder, without replacing the files.
pub(crate) fn set_modes(path: &Path, modes: &[WrongMode]) -> Result<(), Failure> {
    if modes.is_empty() {
        return Ok(());
    }
    let Some(folder) = Folder::open(path)? else { return Ok(()) };
    for WrongMode { name, expected, .. } in modes {
        let changed = if name.is_empty() {
            rustix::fs::fchmod(&folder.fd, Mode::from_raw_mode(*expected)).map_err(io::Error::from)
        } else {
            let (file, _) = folder.file(name)?;
            file.set_permissions(fs::Permissions::from_mode(*expected))
        };
        changed
            .map_err(|error| Failure::file("changing the mode of", &folder.path(name), &error))?;
    }
    Ok(())
}

pub(super) fn permissions(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & 0o7777
}
