//! The certificates and keys of one host's folder, and whether they are whole.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use pki_core::{APISERVER_CLIENT, Certificate, PrivateKey, Signer, read_pem};

use crate::failure::Failure;
use crate::hosts::HeldFile;

/// The CA's certificate in a host's folder.
pub(crate) const CA: &str = "ca.pem";

/// A certificate and its key.
pub(crate) struct Pair {
    /// The base of their files: `server`.
    pub(crate) base: String,
    pub(crate) certificate: Certificate,
    pub(crate) key: PrivateKey,
}

/// What a host's folder holds of secrets.
pub(crate) struct Bundle {
    pub(crate) pairs: Vec<Pair>,
    /// The files that hold a private key.
    pub(crate) keys: BTreeSet<OsString>,
}

/// Reads the pairs of a host's folder, and refuses with every reason what is not whole.
pub(crate) fn read(
    host: &str,
    files: &BTreeMap<OsString, HeldFile>,
    ca: &Certificate,
) -> Result<Bundle, Failure> {
    let mut bundle = Bundle { pairs: Vec::new(), keys: BTreeSet::new() };
    let mut problems = Vec::new();
    for (name, file) in files {
        if holds_a_key(&file.contents) {
            bundle.keys.insert(name.clone());
        }
        if PrivateKey::from_pem(&file.contents).is_ok_and(|key| *key.public_key() == ca.public_key)
        {
            let name = name.display();
            return Err(Failure::refused(format!("{host}/{name} is the CA's key, which no host may hold"))
                .hinted("remove it; if it was on a host, whoever was there can certify anything: make a new CA"));
        }
        let Some(name) = name.to_str() else { continue };
        if name == CA {
            continue;
        }
        if let Some(base) = name.strip_suffix("-key.pem") {
            if !files.contains_key(&OsString::from(format!("{base}.pem"))) {
                problems.push(format!("{name}: its certificate {base}.pem is missing"));
            }
        } else if let Some(base) = name.strip_suffix(".pem") {
            let key = files.get(&OsString::from(format!("{base}-key.pem")));
            match pair(base, file, key, ca) {
                Ok(pair) => bundle.pairs.extend(pair),
                Err(problem) => problems.push(format!("{name}: {problem}")),
            }
        }
    }
    problems.extend(missing(files, ca));
    if problems.is_empty() {
        return Ok(bundle);
    }
    Err(Failure::refused(format!("{host} is not whole:\n  {}", problems.join("\n  "))).hinted(
        "etcdpki apply -f cluster.yaml mends it; etcdpki verify -f cluster.yaml tells more",
    ))
}

/// The pair of a certificate; none where it is a CA, which has no key here.
fn pair(
    base: &str,
    file: &HeldFile,
    key: Option<&HeldFile>,
    ca: &Certificate,
) -> Result<Option<Pair>, String> {
    let certificate = Certificate::from_pem_or_der(&file.contents)
        .map_err(|error| format!("no certificate: {error}"))?
        .swap_remove(0);
    if certificate.is_ca() {
        return Ok(None);
    }
    if !certificate.is_signed_by(&ca.public_key) {
        return Err(format!("not signed by this CA, {}", ca.subject));
    }
    let Some(key) = key else { return Err(format!("its key {base}-key.pem is missing")) };
    let key = PrivateKey::from_pem(&key.contents)
        .map_err(|error| format!("its key {base}-key.pem cannot be read: {error}"))?;
    if *key.public_key() != certificate.public_key {
        return Err(format!(
            "{base}-key.pem is the key {}, the certificate is for {}",
            key.public_key().key_id(),
            certificate.public_key.key_id()
        ));
    }
    Ok(Some(Pair { base: base.to_owned(), certificate, key }))
}

/// What a folder lacks that holds what this one holds.
fn missing(files: &BTreeMap<OsString, HeldFile>, ca: &Certificate) -> Vec<String> {
    let has = |name: &str| files.contains_key(&OsString::from(name));
    let mut problems = Vec::new();
    match files.get(&OsString::from(CA)).map(|file| Certificate::from_pem_or_der(&file.contents)) {
        None => problems.push(format!("{CA}: missing")),
        Some(Ok(trusted)) if trusted.iter().any(|trusted| trusted.der() == ca.der()) => {}
        Some(_) => problems.push(format!("{CA}: not the certificate of this CA, {}", ca.subject)),
    }
    let of_a_member = ["server.pem", "peer.pem", "etcd.conf.yaml"].into_iter().any(has);
    for name in ["server.pem", "peer.pem"] {
        if of_a_member && !has(name) && !has("member.pem") {
            problems.push(format!("{name}: missing, and the rest is a member's"));
        }
    }
    let client = format!("{APISERVER_CLIENT}.pem");
    if has("kubeadm-config.yaml") && !has(&client) {
        problems.push(format!("{client}: missing, and kubeadm-config.yaml is there"));
    }
    let holds_pair = files.keys().filter_map(|name| name.to_str()).any(|n| n.ends_with("-key.pem"));
    if !holds_pair {
        problems.push("no certificate with a key".to_owned());
    }
    problems
}

/// Whether a file holds a private key, encrypted or not.
fn holds_a_key(contents: &[u8]) -> bool {
    use pki_core::Content::{EncryptedKey, PrivateKey};
    let sections = read_pem(contents).unwrap_or_default();
    sections.iter().any(|section| matches!(section.content, PrivateKey(_) | EncryptedKey))
}
