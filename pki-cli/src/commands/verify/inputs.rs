//! The inputs of `verify`: files, folders, standard input.

use std::ffi::OsString;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use pki_core::{
    Certificate, CertificateFile, CertificateRequest, Content, PrivateKey, is_crl, is_pem, read_pem,
};

use super::checker::{Checker, KeyBeside, key_name};
use crate::commands::small_folder::COPIES;
use crate::failure::{Failure, shown};
use crate::output::verdict::{Location, Outcome, Rendered, Skipped, View};
use crate::store;

/// The extensions of certificate files.
const ENDINGS: [&str; 4] = ["pem", "crt", "cer", "der"];

/// One input.
pub(super) enum Input {
    /// Named on the command line: a certificate, or an error.
    Named(PathBuf),
    /// Found in a folder, which may also contain other files than certificates.
    Found(PathBuf, KeyBeside),
    /// A folder that could not be read, or a pipe, socket or device in one.
    Unreadable(PathBuf, Failure),
}

/// The files in the order of the command line; those of a folder are sorted by name.
pub(super) fn expand(files: &[PathBuf]) -> impl Iterator<Item = Input> + Send {
    files.iter().flat_map(|path| -> Box<dyn Iterator<Item = Input> + Send> {
        if path.is_dir() {
            Box::new(Walk { open: Vec::new(), next: Some(path.clone()) })
        } else {
            Box::new(std::iter::once(Input::Named(path.clone())))
        }
    })
}

/// A walk through a folder. It keeps only the names in the folders that it is in, so memory is bounded.
struct Walk {
    open: Vec<Listing>,
    /// The folder to open next.
    next: Option<PathBuf>,
}

/// What is in a folder, by name, and how many entries were taken.
struct Listing {
    folder: PathBuf,
    entries: Vec<Entry>,
    taken: usize,
}

impl Listing {
    /// Whether the key of the certificate that was taken last may be in the folder. To look here costs less than to ask
    /// the system.
    fn key_beside(&self) -> KeyBeside {
        let at = self.taken.saturating_sub(1);
        let Some(certificate) = self.entries.get(at).map(|entry| Path::new(&entry.name)) else {
            return KeyBeside::Missing;
        };
        // `-` sorts before `.`, so between `X-key.pem` and `X.pem` there are only names that begin with X.
        let stem = certificate.file_stem().unwrap_or_default().as_encoded_bytes();
        let before = at.checked_sub(1).map(|before| self.entries[before].name.as_encoded_bytes());
        let may_be_there = before.is_some_and(|before| before.starts_with(stem));
        let is_named = |key: OsString| {
            self.entries[..at].binary_search_by(|entry| entry.name.cmp(&key)).is_ok()
        };
        if may_be_there && key_name(certificate).is_some_and(is_named) {
            KeyBeside::Possible
        } else {
            KeyBeside::Missing
        }
    }
}

/// An entry of a folder.
struct Entry {
    name: OsString,
    kind: Option<FileType>,
}

impl Iterator for Walk {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        loop {
            if let Some(folder) = self.next.take() {
                match names(&folder) {
                    Ok(entries) => self.open.push(Listing { folder, entries, taken: 0 }),
                    Err(error) => {
                        let failure = Failure::file("reading", &folder, &error);
                        return Some(Input::Unreadable(folder, failure));
                    }
                }
            }
            let listing = self.open.last_mut()?;
            let Some(Entry { name, kind }) = listing.entries.get(listing.taken) else {
                self.open.pop();
                continue;
            };
            listing.taken += 1;
            let kind = *kind;
            let mut path =
                PathBuf::with_capacity(listing.folder.as_os_str().len() + 1 + name.len());
            path.push(&listing.folder);
            path.push(name);
            // Links to files are followed, because Kubernetes mounts secrets as links. Links to folders are not: they could
            // form a cycle.
            match kind {
                Some(kind) if kind.is_dir() && path.ends_with(COPIES) => {}
                Some(kind) if kind.is_dir() => self.next = Some(path),
                Some(kind) if kind.is_symlink() && path.is_dir() => {}
                _ if !is_candidate(&path) => {}
                // Opening a pipe would wait for a writer.
                Some(kind) if !kind.is_file() && is_special(&path) => {
                    let failure = Failure::environment(format!("{} is not a file", shown(&path)))
                        .hinted("in a folder, only files are read; to read a pipe, name it on the command line");
                    return Some(Input::Unreadable(path, failure));
                }
                _ => {
                    return Some(Input::Found(path, listing.key_beside()));
                }
            }
        }
    }
}

/// Sorted and without hidden names, like `*` in a shell. The types come from the folder itself, because a system call
/// for each file costs more than reading a short file.
fn names(folder: &Path) -> std::io::Result<Vec<Entry>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(Entry { name, kind: entry.file_type().ok() });
        }
    }
    names.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(names)
}

/// True if the path exists and is neither a file nor a folder.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file())
}

fn is_candidate(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Verifies one input and renders the outcome.
pub(super) fn verify(input: Input, checker: &Checker, view: &View) -> Rendered {
    let (path, key, read) = match input {
        Input::Unreadable(path, failure) => (path, KeyBeside::Missing, Err(failure)),
        Input::Named(path) => {
            let read = read(&path);
            let read = read.map_err(|NotRead { failure, kind }| match kind {
                Some(what) => Failure::usage(format!("not a certificate, but {what}"))
                    .hinted("name the certificate; check that two paths are not swapped")
                    .in_file(&path),
                None => failure,
            });
            (path, KeyBeside::Possible, read)
        }
        Input::Found(path, key) => match read(&path) {
            Ok(file)
                if !checker.is_for_cas() && file.certificates.iter().all(Certificate::is_ca) =>
            {
                return Rendered::Skipped(Skipped::TrustFile);
            }
            Ok(file) => (path, key, Ok(file)),
            Err(NotRead { kind: Some(what), .. }) => return Rendered::Skipped(what),
            Err(NotRead { failure, .. }) => (path, key, Err(failure)),
        },
    };
    let result = read.and_then(|file| checker.check_file(&path, &file, key));
    let name = path.display().to_string();
    let location = if name == "-" { Location::Elsewhere } else { Location::File(path) };
    view.render(&Outcome { name, location, result })
}

/// Why no certificate was read from a file, and what the file is instead, if that is known.
struct NotRead {
    failure: Failure,
    kind: Option<Skipped>,
}

fn read(path: &Path) -> Result<CertificateFile, NotRead> {
    let certificates = |bytes: &[u8]| {
        CertificateFile::from_bytes(bytes).map_err(|error| NotRead {
            failure: Failure::from(error).in_file(path),
            kind: something_else(bytes),
        })
    };
    store::read_with(path, certificates).map_err(|failure| NotRead { failure, kind: None })?
}

/// The kind of a file without certificates, if it is one that is usual beside certificates.
fn something_else(bytes: &[u8]) -> Option<Skipped> {
    if !is_pem(bytes) {
        return if CertificateRequest::from_der(bytes).is_ok() {
            Some(Skipped::Request)
        } else if PrivateKey::from_der(bytes).is_ok() {
            Some(Skipped::Key)
        } else {
            is_crl(bytes).then_some(Skipped::Crl)
        };
    }
    let mut sections = read_pem(bytes).ok()?.into_iter().map(|section| section.content);
    sections.try_fold(None, |known, content| match content {
        Content::PrivateKey(_) | Content::EncryptedKey(_) | Content::LegacyEncryptedKey => {
            Some(Some(Skipped::Key))
        }
        Content::CertificateRequest(_) => Some(Some(Skipped::Request)),
        Content::Crl(_) => Some(Some(Skipped::Crl)),
        Content::EcParameters => Some(known),
        // A certificate that cannot be read, or an unknown kind of file.
        _ => None,
    })?
}
