//! Files and folders that the manifest does not list.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use pki_core::{Certificate, ClusterCas, FileKind, quote};

use super::context::ApplyContext;
use crate::hosts::{self, HeldFile};

/// What to do with files and folders that the manifest does not list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Orphans {
    Keep,
    Remove,
}

impl Orphans {
    /// The word for it in a plan.
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::Keep => "orphan",
            Self::Remove => "remove",
        }
    }
}

/// The folder of a host that the manifest does not list.
pub(crate) struct OrphanFolder {
    pub(crate) host: String,
    /// Why `--prune` keeps it, if it does: it removes only what `apply` made for the same cluster.
    pub(crate) kept_because: Option<String>,
}

impl OrphanFolder {
    pub(super) fn find(context: &ApplyContext<'_>, host: String) -> Self {
        let kept_because = match context.origins.cluster_of(&host) {
            Some(cluster) if cluster == context.manifest.cluster => {
                foreign(&context.all.join(&host), context.cas)
            }
            Some(cluster) => Some(format!("it was made for the cluster {}", quote::value(cluster))),
            None => Some("there is no record that apply made it".to_owned()),
        };
        Self { host, kept_because }
    }
}

/// Why a folder may not be from `apply`: it contains something else, or no certificate of these CAs.
fn foreign(folder: &Path, cas: Option<&ClusterCas>) -> Option<String> {
    let (Some(cas), Ok(files)) = (cas, hosts::read(folder)) else {
        return Some("it contains files that apply did not make".to_owned());
    };
    let ours: Vec<OsString> = orphans(&files, cas);
    let kind = |name: &OsString| name.to_str().and_then(FileKind::from_name);
    let is_credential =
        |kind: &FileKind| kind.is_secret() || matches!(kind, FileKind::Certificate(_));
    let mut foreign = files.keys().filter(|name| !ours.contains(name));
    let foreign = foreign.find_map(|name| {
        let shown = quote::name(&name.to_string_lossy());
        match kind(name) {
            None => Some(format!("it holds {shown}, which apply did not make")),
            // Such as that of a CA that a rotation replaced after the host left the manifest.
            Some(kind) if is_credential(&kind) => Some(format!(
                "it holds {shown}, which is not from the cluster's current CA; delete the folder yourself if no host uses it"
            )),
            Some(_) => None,
        }
    });
    foreign.or_else(|| ours.is_empty().then(|| "it holds no certificate of this CA".to_owned()))
}

/// The name of a file of this kind.
pub(super) fn file_name(kind: &FileKind) -> OsString {
    OsString::from(kind.name().into_owned())
}

/// The certificates of our CAs among the files that the manifest does not list, each with its key: those of
/// a client that was removed from the manifest, or a pair that `combined` replaced.
pub(super) fn orphans(files: &BTreeMap<OsString, HeldFile>, cas: &ClusterCas) -> Vec<OsString> {
    let cas = cas.all();
    let ours = |bytes: &[u8]| {
        let leaf = Certificate::from_pem_or_der(bytes).ok().map(|mut all| all.swap_remove(0));
        leaf.filter(|leaf| !leaf.is_ca()).is_some_and(|leaf| {
            let mut issuers = cas.iter().filter(|ca| ca.subject.der() == leaf.issuer.der());
            issuers.any(|ca| leaf.is_signed_by(&ca.public_key))
        })
    };
    let mut orphans = Vec::new();
    for name in files.iter().filter(|(_, file)| ours(&file.contents)).map(|(name, _)| name) {
        orphans.push(name.clone());
        if let Some(FileKind::Certificate(role)) = name.to_str().and_then(FileKind::from_name) {
            let key = file_name(&FileKind::Key(role));
            orphans.extend(files.contains_key(&key).then_some(key));
        }
    }
    // These files cannot be read without the password. If the password file is beside them, `apply` wrote both.
    for name in files.keys() {
        if let Some(FileKind::KeyStore(role)) = name.to_str().and_then(FileKind::from_name) {
            let password = file_name(&FileKind::KeyStorePassword(role));
            if files.contains_key(&password) {
                orphans.extend([name.clone(), password]);
            }
        }
    }
    orphans
}
