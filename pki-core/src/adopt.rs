//! Converts the folders of a cluster from another tool to a manifest, and to the files that etcdpki would have.

mod members;
mod text;

use self::members::Members;
use crate::certificate::Certificate;
use crate::error::Error;
use crate::etcd::EtcdVersion;
use crate::layout::Role;
use crate::manifest::Manifest;
use crate::pki_folder::{FolderFile, FolderPair, PkiFolder};
use crate::usage::{ExtendedKeyUsage, Purpose};

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

/// The result of adopting a cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Adoption {
    /// The manifest, in YAML.
    pub manifest: String,
    /// The CA of the cluster.
    pub ca: Certificate,
    /// The pairs of the hosts, and their roles.
    pub pairs: Vec<AdoptedPair>,
    /// What the manifest cannot express.
    pub remarks: Vec<String>,
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
struct Found {
    folder: usize,
    pair: FolderPair,
    leaf: Certificate,
    issuer: Option<Certificate>,
}

impl Adoption {
    /// Reads the folders. Returns an error for everything that cannot be determined from them.
    pub fn read(folders: &[AdoptedFolder]) -> Result<Self, Vec<Error>> {
        let version = EtcdVersion(3, 6, u32::MAX);
        let (mut found, mut all_settings) = (Vec::new(), Vec::new());
        for (index, folder) in folders.iter().enumerate() {
            let read = read_folder(folder, version);
            found.extend(pairs(index, folder, &read));
            all_settings.push(read.settings);
        }
        let mut members = Members::read(folders, &all_settings, &found);
        let mut remarks = Vec::new();
        let mut adopted = Vec::new();
        for one in &found {
            let Some(key) = one.pair.key.clone() else {
                remarks.push(format!("{}: its key is missing", one.pair.certificate));
                continue;
            };
            let (host, role) = members.place(one);
            adopted.push((
                one,
                AdoptedPair {
                    folder: one.folder,
                    certificate: one.pair.certificate.clone(),
                    key,
                    host,
                    role,
                },
            ));
        }
        let issuers = adopted.iter().filter_map(|(one, _)| one.issuer.clone());
        let mut cas: Vec<Certificate> = Vec::new();
        for ca in issuers {
            if !cas.iter().any(|known| known.der() == ca.der()) {
                cas.push(ca);
            }
        }
        let Some(ca) = cas.first().cloned() else {
            let error = Error::invalid(
                "folders",
                folders.len().to_string(),
                "no certificate of a member or client with its CA and key",
            );
            return Err(vec![
                error.hinted("pass the folders with the members' certificates, keys and CA"),
            ]);
        };
        for other in &cas[1..] {
            remarks.push(format!(
                "{} issued some of the certificates, but a manifest has only one CA; this one has {}",
                other.subject, ca.subject
            ));
        }
        let mistakes = members.mistakes();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let manifest = text::manifest(&ca, &members, &adopted);
        Manifest::from_yaml(manifest.as_bytes())?;
        let pairs = adopted.into_iter().map(|(_, pair)| pair).collect();
        Ok(Self { manifest, ca, pairs, remarks })
    }
}

fn read_folder(folder: &AdoptedFolder, version: EtcdVersion) -> PkiFolder {
    let texts: Vec<Option<String>> = folder.files.iter().map(configuration).collect();
    let files: Vec<FolderFile<'_>> = folder
        .files
        .iter()
        .zip(&texts)
        .map(|(file, text)| FolderFile { path: &file.path, text: text.as_deref() })
        .collect();
    PkiFolder::read(&files, version)
}

/// The text of a possible configuration file.
fn configuration(file: &AdoptedFile) -> Option<String> {
    let name = file.path.rsplit('/').next()?;
    let ending = name.rsplit('.').next()?;
    // Debian's unit reads /etc/default/etcd.
    let may_be = name == "etcd" || matches!(ending, "conf" | "env" | "service" | "yaml" | "yml");
    may_be.then(|| String::from_utf8_lossy(&file.contents).into_owned())
}

/// The pairs for etcd: those of members and of clients.
fn pairs(index: usize, folder: &AdoptedFolder, read: &PkiFolder) -> Vec<Found> {
    let certificates = |path: &str| {
        let file = folder.files.iter().find(|file| file.path == path);
        file.and_then(|file| Certificate::from_pem_or_der(&file.contents).ok()).unwrap_or_default()
    };
    let roots: Vec<Certificate> = read
        .pairs
        .iter()
        .flat_map(|pair| certificates(&pair.certificate))
        .filter(Certificate::is_ca)
        .collect();
    let mut found = Vec::new();
    for pair in read.pairs.iter().filter(|pair| pair.is_for_etcd) {
        let Some(leaf) = certificates(&pair.certificate).into_iter().next() else { continue };
        let mut pair = pair.clone();
        if pair.purpose == Purpose::Any {
            match purpose_of(&leaf) {
                Purpose::Client => pair.purpose = Purpose::Client,
                // Where the members' certificates are known, it is that of another server.
                _ if read.knows_members() => continue,
                _ => {}
            }
            if pair.key.is_none() {
                continue;
            }
        }
        if leaf.is_ca() {
            continue;
        }
        let issuer = roots.iter().find(|ca| ca.subject.der() == leaf.issuer.der()).cloned();
        found.push(Found { folder: index, pair, leaf, issuer });
    }
    found
}

/// A certificate that only clients can use is that of a client.
fn purpose_of(leaf: &Certificate) -> Purpose {
    let usages = leaf.extensions.extended_key_usage.as_ref();
    let may = |usage: ExtendedKeyUsage| usages.is_none_or(|usages| usages.contains(&usage));
    match (may(ExtendedKeyUsage::server_auth()), may(ExtendedKeyUsage::client_auth())) {
        (false, true) => Purpose::Client,
        _ => Purpose::Any,
    }
}
