//! What `verify` is given to read: files, folders, standard input.

use std::ffi::OsString;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};
use std::vec;

use pki_core::{Certificate, CertificateRequest, Content, PrivateKey, is_crl, is_pem, read_pem};

use super::checker::Checker;
use crate::commands::small_folder::COPIES;
use crate::failure::{Failure, shown};
use crate::output::verdict::{Outcome, PassedOver, Place, Rendered, View};
use crate::store;

/// What the names of certificates end in.
const ENDINGS: [&str; 4] = ["pem", "crt", "cer", "der"];

/// One thing to read.
pub(super) enum Input {
    /// Named on the command line: a certificate, or an error.
    Named(PathBuf),
    /// Found in a folder, where other things may lie beside certificates.
    Found(PathBuf),
    /// A folder that could not be read, or a pipe, socket or device in one.
    Unreadable(PathBuf, Failure),
}

/// The files in the order in which they were named, those of a folder by name.
pub(super) fn expand(files: &[PathBuf]) -> impl Iterator<Item = Input> + Send {
    files.iter().flat_map(|path| -> Box<dyn Iterator<Item = Input> + Send> {
        if path.is_dir() {
            Box::new(Walk { open: Vec::new(), next: Some(path.clone()) })
        } else {
            Box::new(std::iter::once(Input::Named(path.clone())))
        }
    })
}

/// A walk through a folder. It holds the names of the folders that it stands in, and no more.
struct Walk {
    open: Vec<(PathBuf, vec::IntoIter<Entry>)>,
    /// A folder that is to be opened next.
    next: Option<PathBuf>,
}

/// What a folder says of one thing in it.
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
                    Ok(names) => self.open.push((folder, names.into_iter())),
                    Err(error) => {
                        let failure = Failure::file("reading", &folder, &error);
                        return Some(Input::Unreadable(folder, failure));
                    }
                }
            }
            let (folder, names) = self.open.last_mut()?;
            let Some(Entry { name, kind }) = names.next() else {
                self.open.pop();
                continue;
            };
            let path = folder.join(name);
            // A link to a file is that file, as Kubernetes mounts secrets; a link to a folder could
            // lead round in a circle.
            match kind {
                Some(kind) if kind.is_dir() && path.ends_with(COPIES) => {}
                Some(kind) if kind.is_dir() => self.next = Some(path),
                Some(kind) if kind.is_symlink() && path.is_dir() => {}
                _ if !is_candidate(&path) => {}
                // To open a pipe is to wait for somebody to write.
                Some(kind) if !kind.is_file() && is_special(&path) => {
                    let failure = Failure::environment(format!("{} is not a file", shown(&path)))
                        .hinted("a folder is searched for files; name a pipe by itself to read it");
                    return Some(Input::Unreadable(path, failure));
                }
                _ => return Some(Input::Found(path)),
            }
        }
    }
}

/// Sorted; hidden ones are left out, as `*` does. The folder itself knows the kinds: to ask for each costs
/// more than to read a short file.
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

/// True of what is there and neither file nor folder.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file())
}

fn is_candidate(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Judges one input and renders what came of it.
pub(super) fn verify(input: Input, checker: &Checker, view: &View) -> Rendered {
    let (path, result) = match input {
        Input::Unreadable(path, failure) => (path, Err(failure)),
        Input::Named(path) => {
            let result = store::read(&path).and_then(|bytes| {
                let read = read(&path, &bytes).map(|all| (all, checker.damage(&path, &bytes)));
                read.map_err(|failure| match something_else(&bytes) {
                    Some(what) => Failure::usage(format!("not a certificate, but {what}"))
                        .hinted("name the certificate; are two paths switched?")
                        .in_file(&path),
                    None => failure,
                })
            });
            (path, result)
        }
        Input::Found(path) => {
            let result = store::read(&path).and_then(|bytes| match read(&path, &bytes) {
                Ok(all) if !checker.is_for_cas() && all.iter().all(Certificate::is_ca) => {
                    Ok(Err(PassedOver::TrustFile))
                }
                Ok(all) => Ok(Ok((all, checker.damage(&path, &bytes)))),
                Err(failure) => something_else(&bytes).map_or(Err(failure), |what| Ok(Err(what))),
            });
            match result {
                Ok(Err(what)) => return Rendered::PassedOver(what),
                Ok(Ok(certificates)) => (path, Ok(certificates)),
                Err(failure) => (path, Err(failure)),
            }
        }
    };
    let result = result.and_then(|(all, damage)| checker.check_file(&path, &all, damage));
    let name = path.display().to_string();
    let place = if name == "-" { Place::Elsewhere } else { Place::File(path) };
    view.render(&Outcome { name, place, result })
}

fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Certificate>, Failure> {
    Certificate::from_pem_or_der(bytes).map_err(|error| Failure::from(error).in_file(path))
}

/// What a file without certificates is, if it is something that lies beside certificates.
fn something_else(bytes: &[u8]) -> Option<PassedOver> {
    if !is_pem(bytes) {
        return if CertificateRequest::from_der(bytes).is_ok() {
            Some(PassedOver::Request)
        } else if PrivateKey::from_der(bytes).is_ok() {
            Some(PassedOver::Key)
        } else {
            is_crl(bytes).then_some(PassedOver::Crl)
        };
    }
    let mut sections = read_pem(bytes).ok()?.into_iter().map(|section| section.content);
    sections.try_fold(None, |known, content| match content {
        Content::PrivateKey(_) | Content::EncryptedKey(_) | Content::LegacyEncryptedKey => {
            Some(Some(PassedOver::Key))
        }
        Content::CertificateRequest(_) => Some(Some(PassedOver::Request)),
        Content::Crl(_) => Some(Some(PassedOver::Crl)),
        Content::EcParameters => Some(known),
        // A certificate that could not be read, or nobody knows what.
        _ => None,
    })?
}
