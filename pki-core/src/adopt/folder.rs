//! The folders of another tool, and the pairs of certificates and keys that are found in them.

use crate::certificate::Certificate;
use crate::layout::Role;
use crate::pki_folder::FolderPair;

/// A folder of one or several hosts.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct AdoptedFolder {
    /// The name of the folder, which is the name of the host unless its contents say otherwise.
    pub name: String,
    /// Its files.
    pub files: Vec<AdoptedFile>,
}

/// A file in a folder to adopt. For keys, only the names are needed.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers write it as a literal")]
pub struct AdoptedFile {
    /// Its path in the folder.
    pub path: String,
    /// Its contents, unless it is a key.
    pub contents: Vec<u8>,
}

/// A certificate and its key for a host's folder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AdoptedPair {
    /// The index of the folder that contains them.
    pub folder: usize,
    /// The path of the certificate in the folder.
    pub certificate: String,
    /// The path of the key in the folder.
    pub key: String,
    /// The host.
    pub host: String,
    /// Their role, which determines their names in the host's folder.
    pub role: Role,
}

/// A pair with its certificate.
pub(super) struct FoundPair {
    pub(super) folder: usize,
    pub(super) pair: FolderPair,
    pub(super) leaf: Certificate,
    pub(super) issuer: Option<Certificate>,
}
