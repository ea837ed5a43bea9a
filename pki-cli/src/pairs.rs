//! The certificates and keys of one host's folder, and whether they are complete.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use pki_core::{
    APISERVER_CLIENT, Certificate, ClusterCas, Content, Crl, FileKind, PrivateKey, PublicKey,
    Purpose, Role, Signer, private_keys, quote, read_pem,
};

use crate::failure::Failure;
use crate::hosts::HeldFile;

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) role: Role,
    /// The certificate, then the CAs that it is sent with.
    pub(crate) chain: Vec<Certificate>,
    pub(crate) key: PrivateKey,
}

/// The pairs in a host's folder, and its files without secrets.
pub(crate) struct Bundle {
    pub(crate) pairs: Vec<Pair>,
    /// The files that everybody may read, because they are known to contain no secret.
    pub(crate) public: BTreeSet<OsString>,
}

/// Reads the pairs of a host's folder, and refuses an incomplete folder with every reason.
pub(crate) fn read(
    host: &str,
    files: &BTreeMap<OsString, HeldFile>,
    cas: &ClusterCas,
) -> Result<Bundle, Failure> {
    let mut bundle = Bundle { pairs: Vec::new(), public: BTreeSet::new() };
    let mut problems = Vec::new();
    for (name, file) in files {
        let kind = name.to_str().and_then(FileKind::from_name);
        if let Some(problem) = file.unread() {
            problems.push(format!("{}: {problem}", quote::name(&name.to_string_lossy())));
            continue;
        }
        if is_public(kind.as_ref(), &file.contents) {
            bundle.public.insert(name.clone());
        }
        let is_of_a_ca = |key: &PublicKey| cas.all().iter().any(|ca| ca.public_key == *key);
        if private_keys(&file.contents).iter().any(is_of_a_ca) {
            let name = quote::name(&name.to_string_lossy());
            return Err(Failure::refused(format!("{host}/{name} is the CA's key, which must not be on any host"))
                .hinted("remove it; if the folder was copied to a host, replace the CA, because its key may have leaked: etcdpki rotate-ca begin -f MANIFEST"));
        }
        match kind {
            Some(FileKind::Key(role)) => {
                let certificate = role.certificate_file();
                if !files.contains_key(&OsString::from(&certificate)) {
                    let key = role.key_file();
                    problems.push(format!("{key}: its certificate {certificate} is missing"));
                }
            }
            Some(FileKind::Certificate(role)) => {
                let key = files.get(&OsString::from(role.key_file()));
                let name = role.certificate_file();
                match pair(role, file, key, cas) {
                    Ok(pair) => bundle.pairs.extend(pair),
                    Err(problem) => problems.push(format!("{name}: {problem}")),
                }
            }
            _ => {}
        }
    }
    problems.extend(missing(files, cas));
    if problems.is_empty() {
        return Ok(bundle);
    }
    let problems = problems.join("\n  ");
    Err(Failure::refused(format!("{host}'s folder is incomplete:\n  {problems}")).hinted(
        "run etcdpki apply -f cluster.yaml; etcdpki verify -f cluster.yaml shows the details",
    ))
}

/// The pair of a certificate; `None` for a CA, whose key is not in this folder.
fn pair(
    role: Role,
    file: &HeldFile,
    key: Option<&HeldFile>,
    cas: &ClusterCas,
) -> Result<Option<Pair>, String> {
    let mut chain = Certificate::from_pem_or_der(&file.contents)
        .map_err(|error| format!("no certificate: {error}"))?;
    let certificate = chain.remove(0);
    if certificate.is_ca() {
        return Ok(None);
    }
    let set = cas.for_role(&role);
    if set.root_of(&certificate, &chain).is_none() {
        return Err(if set.root_of(&certificate, set.chain()).is_some() {
            format!(
                "the certificate of the CA that issued it, {}, must follow it in the file",
                certificate.issuer
            )
        } else {
            format!("not signed by this CA, {}", set.issuing().subject)
        });
    }
    let key_file = role.key_file();
    let Some(key) = key else { return Err(format!("its key {key_file} is missing")) };
    let key = PrivateKey::from_pem(&key.contents)
        .map_err(|error| format!("its key {key_file} cannot be read: {error}"))?;
    if *key.public_key() != certificate.public_key {
        return Err(format!(
            "{key_file} is the key {}, but the certificate is for {}",
            key.public_key().key_id(),
            certificate.public_key.key_id()
        ));
    }
    chain.retain(|ca| !ca.is_self_issued());
    chain.insert(0, certificate);
    Ok(Some(Pair { role, chain, key }))
}

/// What is missing from a folder, according to the files that it has.
fn missing(files: &BTreeMap<OsString, HeldFile>, cas: &ClusterCas) -> Vec<String> {
    let find = |kind: &FileKind| files.get(&OsString::from(kind.name().into_owned()));
    let has = |kind: &FileKind| find(kind).is_some();
    let mut problems = Vec::new();
    let pair = [Role::Server, Role::Peer].map(FileKind::Certificate);
    let of_a_member = pair.iter().any(has) || has(&FileKind::EtcdConfig);
    let mut trust_files = vec![(FileKind::TrustedCas, Purpose::Server)];
    if of_a_member && !cas.is_shared() {
        trust_files
            .extend([(FileKind::ClientCas, Purpose::Client), (FileKind::PeerCas, Purpose::Peer)]);
    }
    for (kind, purpose) in trust_files {
        let name = kind.name();
        let Some(file) = find(&kind) else {
            problems.push(format!("{name}: missing"));
            continue;
        };
        let found = Certificate::from_pem_or_der(&file.contents).unwrap_or_default();
        let trusted = cas.trusted_for(purpose).into_iter();
        let missing = trusted.filter(|ca| found.iter().all(|trusted| trusted.der() != ca.der()));
        problems.extend(
            missing.map(|ca| format!("{name}: not the certificate of this CA, {}", ca.subject)),
        );
    }
    let combined = has(&FileKind::Certificate(Role::Member));
    for kind in pair.iter().filter(|kind| of_a_member && !combined && !has(kind)) {
        problems.push(format!("{}: missing (a member needs it)", kind.name()));
    }
    let client = FileKind::Certificate(Role::Client(APISERVER_CLIENT.to_owned()));
    let kubeadm = FileKind::KubeadmConfig;
    if has(&kubeadm) && !has(&client) {
        problems.push(format!("{}: missing ({} needs it)", client.name(), kubeadm.name()));
    }
    let is_key = |name: &OsString| {
        matches!(name.to_str().and_then(FileKind::from_name), Some(FileKind::Key(_)))
    };
    if !files.keys().any(is_key) {
        problems.push("no certificate with a key".to_owned());
    }
    problems
}

/// Whether a file is known to contain no secret: only certificates and CRLs, or the configuration that `apply`
/// makes. Anything else may be a key in some format.
fn is_public(kind: Option<&FileKind>, contents: &[u8]) -> bool {
    let is_public =
        |content: &Content| matches!(content, Content::Certificate(_) | Content::Crl(_));
    match kind.filter(|kind| !kind.is_secret()) {
        Some(
            FileKind::TrustedCas
            | FileKind::ClientCas
            | FileKind::PeerCas
            | FileKind::Certificate(_),
        ) => {
            let sections = read_pem(contents).unwrap_or_default();
            !sections.is_empty() && sections.iter().all(|section| is_public(&section.content))
        }
        Some(FileKind::Crl | FileKind::PeerCrl) => Crl::from_der(contents).is_ok(),
        Some(_) => {
            quote::sentence(&String::from_utf8_lossy(contents)) == String::from_utf8_lossy(contents)
        }
        None => false,
    }
}
