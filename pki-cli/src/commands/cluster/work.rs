//! The work to do in each host's folder.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use pki_core::{
    Action, Certificate, CertificateSpec, ClusterCas, FileKind, Held, PrivateKey, Signer,
};

use super::context::{ApplyContext, Leaves};
use super::formats::{self, IssuedPair};
use super::orphans::{OrphanFolder, Orphans, file_name, orphans};
use super::parallel::in_parallel;
use crate::failure::{Failure, shown};
use crate::hosts::{self, HeldFile, WrongMode};
use crate::progress::Progress;

/// The work to do, host by host.
pub(crate) struct Work<'a> {
    pub(crate) hosts: Vec<HostWork<'a>>,
    /// Folders of hosts that the manifest does not list.
    pub(crate) orphans: Vec<OrphanFolder>,
}

/// The work to do in one host's folder.
pub(crate) struct HostWork<'a> {
    pub(crate) host: &'a str,
    pub(crate) certificates: Vec<(&'a CertificateSpec, Action)>,
    /// Files other than certificates and keys to write. Their contents are generated when they are
    /// written, because those of all hosts together could need any amount of memory.
    pub(crate) files: Vec<FileKind>,
    /// Correct files, and files that etcdpki does not manage.
    pub(crate) kept_files: Vec<OsString>,
    /// Files that are correct except for their mode; also the folder itself.
    pub(crate) modes: Vec<WrongMode>,
    /// Certificates of our CAs that the manifest does not list for this host, and their keys.
    pub(crate) orphans: Vec<OsString>,
}

impl<'a> Work<'a> {
    /// Compares the manifest with the files on the disk. Without a CA, everything is new.
    pub(crate) fn find(
        context: &ApplyContext<'_>,
        specs: &'a BTreeMap<String, Vec<CertificateSpec>>,
        only: &[String],
    ) -> Result<Self, Failure> {
        let orphans = hosts::list(&context.all)?;
        // With --only, other hosts are not changed, not even by --prune.
        let is_orphan = |host: &String| only.is_empty() && !specs.contains_key(host);
        let orphans = orphans.into_iter().filter(is_orphan);
        let orphans = orphans.map(|host| OrphanFolder::find(context, host)).collect();
        let by_host: Vec<_> =
            specs.iter().filter(|(host, _)| only.is_empty() || only.contains(host)).collect();
        let progress = Progress::new("reading", by_host.len());
        let hosts = in_parallel(&by_host, |(host, specs)| {
            let work = HostWork::find(context, host, specs);
            progress.step();
            work
        })?;
        Ok(Self { hosts, orphans })
    }

    pub(crate) fn is_needed(&self, orphans: Orphans) -> bool {
        self.hosts.iter().any(|host| host.is_needed(orphans))
            || (orphans == Orphans::Remove && !self.removals().is_empty())
    }

    /// What `--prune` removes: folders by the host's name, files by host and name.
    pub(crate) fn removals(&self) -> Vec<String> {
        let files = self.hosts.iter().flat_map(|host| {
            let path = |name: &OsString| format!("{}/{}", host.host, name.to_string_lossy());
            host.orphans.iter().map(path)
        });
        let folders = self.orphans.iter().filter(|orphan| orphan.kept_because.is_none());
        files.chain(folders.map(|orphan| orphan.host.clone())).collect()
    }
}

/// Refuses to replace a file that was too large to read, because nobody would know what it contained.
fn refuse_unread(folder: &Path, files: &BTreeMap<OsString, HeldFile>) -> Result<(), Failure> {
    let mut ours =
        files.iter().filter(|(name, _)| name.to_str().and_then(FileKind::from_name).is_some());
    let unread = ours.find_map(|(name, file)| Some((name, file.unread()?)));
    unread.map_or(Ok(()), |(name, problem)| {
        Err(Failure::environment(format!("{}: {problem}", shown(&folder.join(name)))))
    })
}

impl<'a> HostWork<'a> {
    fn find(
        context: &ApplyContext<'_>,
        host: &'a str,
        specs: &'a [CertificateSpec],
    ) -> Result<Self, Failure> {
        let folder = &context.all.join(host);
        let mut files = hosts::read(folder)?;
        refuse_unread(folder, &files)?;
        let mut work = Self {
            host,
            certificates: Vec::new(),
            files: Vec::new(),
            kept_files: Vec::new(),
            modes: hosts::wrong_mode(folder)?.into_iter().collect(),
            orphans: Vec::new(),
        };
        for spec in specs {
            work.compare(context, spec, &mut files)?;
        }
        for (kind, contents) in context.public_files(host) {
            let found = files.remove(&file_name(&kind));
            if found.as_ref().is_some_and(|found| *found.contents == contents) {
                work.keep(&kind, found.as_ref());
            } else {
                work.files.push(kind);
            }
        }
        let is_of_another = |cluster| cluster != context.manifest.cluster;
        if let Some(cas) = context.cas
            && !context.origins.cluster_of(host).is_some_and(is_of_another)
        {
            work.orphans = orphans(&files, cas);
        }
        let orphans = &work.orphans;
        work.kept_files.extend(files.into_keys().filter(|name| !orphans.contains(name)));
        Ok(work)
    }

    /// Takes the files of a certificate from those of the folder, and decides what to do about it.
    fn compare(
        &mut self,
        context: &ApplyContext<'_>,
        spec: &'a CertificateSpec,
        files: &mut BTreeMap<OsString, HeldFile>,
    ) -> Result<(), Failure> {
        let kinds = (FileKind::Certificate(spec.role.clone()), FileKind::Key(spec.role.clone()));
        let pem = files.get(&file_name(&kinds.0));
        let key_pem = files.get(&file_name(&kinds.1));
        let certificates = pem.map(|file| Certificate::from_pem_or_der(&file.contents));
        let key = key_pem.and_then(|file| PrivateKey::from_pem(&file.contents).ok());
        let action = match (&certificates, context.cas) {
            (Some(Ok(certificates)), Some(cas)) => spec.compare(
                Some(Held {
                    certificate: &certificates[0],
                    chain: &certificates[1..],
                    key: key.as_ref().map(Signer::public_key),
                }),
                cas.for_role(&spec.role),
                context.profiles.profile(spec.role.profile())?,
                context.now,
            )?,
            (Some(Err(problem)), _) => Action::replace_unreadable(problem.to_string()),
            _ => Action::Create,
        };
        let action = match (context.leaves, action) {
            (Leaves::Keep, Action::Reissue { .. } | Action::Renew { .. }) => Action::Keep,
            (_, action) => action,
        };
        let is_revoked = |held: &Certificate| context.revoked.contains(&spec.role, held);
        let action = match &certificates {
            Some(Ok(held)) if context.leaves == Leaves::AsManifest && is_revoked(&held[0]) => {
                Action::replace_revoked()
            }
            _ => action,
        };
        let others = formats::kinds(spec);
        let is_kept = action == Action::Keep && !others.is_empty();
        let held = is_kept.then(|| IssuedPair::held(spec, files)).flatten();
        let outdated = match (&held, context.cas) {
            (Some(pair), Some(cas)) => pair.outdated(files, cas)?,
            _ => others.clone(),
        };
        if action == Action::Keep {
            self.keep(&kinds.0, pem);
            self.keep(&kinds.1, key_pem);
        }
        for kind in &others {
            if !outdated.contains(kind) {
                self.keep(kind, files.get(&file_name(kind)));
            }
        }
        for kind in others.iter().chain([&kinds.0, &kinds.1]) {
            files.remove(&file_name(kind));
        }
        self.files.extend(outdated);
        self.certificates.push((spec, action));
        Ok(())
    }

    /// The certificates that the host needs, and why.
    pub(crate) fn to_sign(&self) -> impl Iterator<Item = (&'a CertificateSpec, &Action)> {
        let missing = self.certificates.iter().filter(|(_, action)| *action != Action::Keep);
        missing.map(|(spec, action)| (*spec, action))
    }

    /// Whether a certificate of this host changes and its key does not.
    pub(crate) fn keeps_a_key(&self) -> bool {
        self.to_sign().any(|(_, action)| is_other_ca(action))
    }

    /// The key of a certificate that another CA issues now, in a rotation. It is kept, because a host whose
    /// key does not change never has a certificate without its key.
    pub(crate) fn kept_key(
        spec: &CertificateSpec,
        action: &Action,
        held: &BTreeMap<OsString, HeldFile>,
        cas: &ClusterCas,
    ) -> Option<PrivateKey> {
        // Only a rotation has two.
        if cas.for_role(&spec.role).trusted().len() < 2 {
            return None;
        }
        let file =
            held.get(&OsString::from(spec.role.key_file())).filter(|_| is_other_ca(action))?;
        PrivateKey::from_pem(&file.contents).ok()
    }

    /// Whether certificates of this host have formats other than PEM.
    pub(crate) fn has_other_formats(&self) -> bool {
        self.certificates.iter().any(|(spec, _)| !formats::kinds(spec).is_empty())
    }

    /// Whether a file of this name will be written.
    pub(crate) fn writes(&self, name: &str) -> bool {
        self.files.iter().any(|kind| kind.name() == name)
    }

    /// The certificates that are kept, with their keys, for which files in other formats will be written.
    pub(crate) fn kept_pairs(
        &self,
        held: &BTreeMap<OsString, HeldFile>,
    ) -> impl Iterator<Item = IssuedPair<'a>> {
        let kept = self.certificates.iter().filter(|(_, action)| *action == Action::Keep);
        let outdated = kept
            .filter(|(spec, _)| formats::kinds(spec).iter().any(|kind| self.files.contains(kind)));
        outdated.filter_map(|(spec, _)| IssuedPair::held(spec, held))
    }

    pub(crate) fn is_needed(&self, orphans: Orphans) -> bool {
        !self.modes.is_empty() || self.is_exchanged(orphans)
    }

    /// True if a new folder replaces the old one.
    pub(crate) fn is_exchanged(&self, orphans: Orphans) -> bool {
        (orphans == Orphans::Remove && !self.orphans.is_empty())
            || !self.files.is_empty()
            || self.certificates.iter().any(|(_, action)| *action != Action::Keep)
    }

    /// Keeps a file unchanged, except for its mode if that is wrong.
    fn keep(&mut self, kind: &FileKind, file: Option<&HeldFile>) {
        let (name, expected) = (file_name(kind), kind.mode());
        if let Some(found) = file.map(|file| file.mode).filter(|found| *found != expected) {
            self.modes.push(WrongMode { name: name.clone(), found, expected });
        }
        self.kept_files.push(name);
    }
}

/// Whether a certificate is reissued only because another CA issues now.
fn is_other_ca(action: &Action) -> bool {
    let Action::Reissue { drift } = action else { return false };
    drift.iter().all(|drift| matches!(drift.field, "issuer" | "chain"))
}
