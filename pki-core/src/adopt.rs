//! Converts the folders of a cluster from another tool to a manifest, and to the files that etcdpki would have.

mod folder;
mod members;
mod text;

use self::folder::FoundPair;
pub use self::folder::{AdoptedFile, AdoptedFolder, AdoptedPair};
use self::members::Members;
use crate::certificate::Certificate;
use crate::error::Error;
use crate::etcd::EtcdVersion;
use crate::layout::{Role, Traffic};
use crate::manifest::Manifest;
use crate::pki_folder::{FolderFile, PkiFolder};
use crate::usage::{ExtendedKeyUsage, Purpose};

/// The result of adopting a cluster.
/// ```
/// use pki_core::{AdoptedFile, AdoptedFolder, Adoption};
///
/// let file = |path: &str, contents: &[u8]| AdoptedFile {
///     path: path.to_owned(),
///     contents: contents.to_vec(),
/// };
/// let folder = AdoptedFolder {
///     name: "etcdone".to_owned(),
///     files: vec![file("server.crt", b"not a certificate"), file("server.key", b"")],
/// };
/// // Nothing in these files says which members the cluster has.
/// let mistakes = Adoption::read(&[folder]).unwrap_err();
/// assert!(mistakes[0].hint().is_some_and(|hint| hint.starts_with("pass the folders")));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Adoption {
    /// The manifest, in YAML.
    pub manifest: String,
    /// The CA of the cluster, or those of its servers, peers and clients.
    pub cas: Vec<(Option<Traffic>, Certificate)>,
    /// The pairs of the hosts, and their roles.
    pub pairs: Vec<AdoptedPair>,
    /// What the manifest cannot express.
    pub remarks: Vec<String>,
}

impl Adoption {
    /// Reads the folders. Returns an error for everything that cannot be determined from them.
    pub fn read(folders: &[AdoptedFolder]) -> Result<Self, Vec<Error>> {
        let version = EtcdVersion(3, 6, u32::MAX);
        let (mut found, mut all_settings, mut of_clients) = (Vec::new(), Vec::new(), Vec::new());
        for (index, folder) in folders.iter().enumerate() {
            let (read, client_trust) = read_folder(folder, version);
            found.extend(pairs(index, folder, &read));
            of_clients
                .extend(client_trust.into_iter().flat_map(|path| certificates(folder, &path)));
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
        let separate = separate(&adopted, &of_clients);
        if separate.is_none() {
            for other in &cas[1..] {
                remarks.push(format!(
                    "{} issued some of the certificates. A manifest has one CA, or one each for servers, peers and clients; \
                     this one has {}",
                    other.subject, ca.subject
                ));
            }
        }
        let cas = separate.unwrap_or_else(|| vec![(None, ca)]);
        let mistakes = members.mistakes();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let manifest = text::manifest(&cas, &members, &adopted);
        Manifest::from_yaml(manifest.as_bytes())?;
        let pairs = adopted.into_iter().map(|(_, pair)| pair).collect();
        Ok(Self { manifest, cas, pairs, remarks })
    }
}

/// The CAs for servers, peers and clients, if each of them issued the certificates of one kind and no others. Without
/// certificates of clients, their CA is the one that members trust for clients, and that issues nothing for members.
fn separate(
    adopted: &[(&FoundPair, AdoptedPair)],
    of_clients: &[Certificate],
) -> Option<Vec<(Option<Traffic>, Certificate)>> {
    if adopted.iter().any(|(_, pair)| pair.role == Role::Member) {
        return None;
    }
    let only_issuer = |traffic: Traffic| {
        let of_kind = adopted.iter().filter(|(_, pair)| pair.role.traffic() == traffic);
        let mut issuers = of_kind.map(|(one, _)| one.issuer.as_ref());
        let first = issuers.next()??;
        let is_first =
            |other: Option<&Certificate>| other.is_some_and(|ca| ca.der() == first.der());
        issuers.all(is_first).then(|| (Some(traffic), first.clone()))
    };
    let (server, peer) = (only_issuer(Traffic::Server)?, only_issuer(Traffic::Peer)?);
    let has_clients = adopted.iter().any(|(_, pair)| pair.role.traffic() == Traffic::Client);
    let client = if has_clients {
        only_issuer(Traffic::Client)?
    } else {
        let is_other = |ca: &&Certificate| ca.der() != server.1.der() && ca.der() != peer.1.der();
        let mut others = of_clients.iter().filter(is_other);
        let first = others.next()?;
        let is_first = others.all(|other| other.der() == first.der());
        is_first.then(|| (Some(Traffic::Client), first.clone()))?
    };
    let cas = vec![server, peer, client];
    let are_different = |(index, (_, ca)): (usize, &(_, Certificate))| {
        cas[..index].iter().all(|(_, other)| other.subject.der() != ca.subject.der())
    };
    cas.iter().enumerate().all(are_different).then_some(cas)
}

/// What a folder contains, and the path of the trust file for clients.
fn read_folder(folder: &AdoptedFolder, version: EtcdVersion) -> (PkiFolder, Option<String>) {
    let texts: Vec<Option<String>> = folder.files.iter().map(configuration).collect();
    let files: Vec<FolderFile<'_>> = folder
        .files
        .iter()
        .zip(&texts)
        .map(|(file, text)| FolderFile { path: &file.path, text: text.as_deref() })
        .collect();
    let read = PkiFolder::read(&files, version);
    let client_trust = read.client_trust(&files).map(str::to_owned);
    (read, client_trust)
}

fn certificates(folder: &AdoptedFolder, path: &str) -> Vec<Certificate> {
    let file = folder.files.iter().find(|file| file.path == path);
    file.and_then(|file| Certificate::from_pem_or_der(&file.contents).ok()).unwrap_or_default()
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
fn pairs(index: usize, folder: &AdoptedFolder, read: &PkiFolder) -> Vec<FoundPair> {
    let certificates = |path: &str| certificates(folder, path);
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
        found.push(FoundPair { folder: index, pair, leaf, issuer });
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
