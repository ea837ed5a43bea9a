//! Signs what is due, and puts it where the old certificates are.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::path::Path;

use pki_core::{
    Certificate, ClusterCas, Issued, KeyFormat, PrivateKey, Renewal, Role, SerialNumber, Signer,
};
use zeroize::Zeroizing;

use super::output::Line;
use super::target::{CertificatePlace, Selection, Target};
use crate::ca::{Ca, Chain, LockedFolder, cluster_around, hosts_from, hosts_of, lifetime_after};
use crate::commands::cluster::IssuedPair;
use crate::failure::Failure;
use crate::host;
use crate::hosts::{self, BundleFile, HeldFile, NewFolder};
use crate::inventory::FilePlace;
use crate::named_pair::{NamedPair, StagedPair};
use crate::recorded::{Pending, Recorded};
use crate::signals::{self, Uninterrupted};
use crate::signer::Custody;
use crate::store::Access;

/// Whether a renewed certificate has a new key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Key {
    Keep,
    Replace,
}

/// What a run did.
#[derive(Default)]
pub(super) struct Written {
    pub(super) lines: Vec<Line>,
    pub(super) warnings: Vec<String>,
    pub(super) next: Vec<String>,
    /// What the rules refused, each with its file. The other certificates are still renewed.
    pub(super) refused: Vec<(String, Failure)>,
}

/// A certificate that is signed, with its new key if it has one.
struct Renewed {
    certificate: Certificate,
    key: Option<PrivateKey>,
}

/// Renews. Each host's folder changes completely or not at all, and so do the two files of a pair.
pub(super) fn renew(
    folder: &LockedFolder,
    chain: Chain,
    due: &[Target],
    key: Key,
    selection: &Selection<'_>,
    custody: &Custody,
) -> Result<Written, Failure> {
    let cas = cluster_around(folder.path(), &chain)?;
    let ca = Ca::with_key(folder.path(), chain, custody)?;
    let mut known = ca.inventory()?.ca_certificates()?;
    known.extend(ca.chain().all().cloned());
    let all = hosts_of(folder.path());
    let revoked = ca.inventory()?.revoked_serials()?;
    let folder = folder.path();
    let work = Work { ca: &ca, cas: &cas, known, revoked, all: &all, folder, key, selection };
    let mut written = Written { warnings: ca.remarks().to_vec(), ..Written::default() };
    let mut by_host: BTreeMap<&str, Vec<(&Role, &Target)>> = BTreeMap::new();
    for target in due {
        if let CertificatePlace::Host { host, role } = &target.place {
            by_host.entry(host).or_default().push((role, target));
        }
    }
    for (host, targets) in by_host {
        signals::check()?;
        work.host(host, &targets, &mut written)?;
    }
    for target in due {
        if let CertificatePlace::Pair(pair) = &target.place {
            signals::check()?;
            work.pair(pair, target, &mut written)?;
        }
    }
    let has_hosts = due.iter().any(|target| matches!(target.place, CertificatePlace::Host { .. }));
    if has_hosts && !written.lines.is_empty() {
        written.next.push(match key {
            Key::Keep => "copy the hosts' folders to the hosts; nothing has to be restarted".to_owned(),
            Key::Replace => "copy the hosts' folders to the hosts, one host after the other, keys first; nothing has \
                             to be restarted, but handshakes fail while a host has only one of the two new files"
                .to_owned(),
        });
    }
    Ok(written)
}

/// What every renewal of a run needs.
struct Work<'a> {
    ca: &'a Ca,
    cas: &'a ClusterCas,
    /// Every known certificate of the CAs.
    known: Vec<Certificate>,
    /// What the CA has revoked.
    revoked: HashSet<SerialNumber>,
    all: &'a Path,
    /// The folder of the CA.
    folder: &'a Path,
    key: Key,
    selection: &'a Selection<'a>,
}

impl Work<'_> {
    /// Signs the renewal of one certificate. `None` if it is refused, or would not be valid for longer.
    fn sign(
        &self,
        target: &Target,
        written: &mut Written,
    ) -> Result<Option<Pending<Renewed>>, Failure> {
        let old = target.certificate();
        if self.revoked.contains(&old.serial) && self.key == Key::Keep {
            let failure = Failure::refused("it is revoked, so its key must not be certified again");
            let failure = failure.hinted("renew it with a new key: add --rekey");
            written.refused.push((target.name(), failure));
            return Ok(None);
        }
        let profile = self.ca.inventory()?.profile_of(&old.serial)?;
        let mut renewal = Renewal::default();
        renewal.lifetime = lifetime_after(old, profile.as_deref(), &self.known);
        let key = match self.key {
            Key::Keep => None,
            Key::Replace => {
                Some(PrivateKey::generate(old.public_key.algorithm().unwrap_or_default())?)
            }
        };
        renewal.public_key = key.as_ref().map(|key| key.public_key().clone());
        let context = host::issuance_context()?;
        let draft = match self.ca.draft_renewal(old, &renewal, &context) {
            Ok(draft) => draft,
            Err(error) => {
                written.refused.push((target.name(), error.into()));
                return Ok(None);
            }
        };
        // A timer would renew it every day until the CA expires.
        let is_asked_for =
            matches!(self.selection, Selection::Files(_)) || self.key == Key::Replace;
        let end = self.ca.certificate().not_after;
        if draft.contents().not_after == end && old.not_after == end && !is_asked_for {
            written.warnings.push(format!(
                "{} is not renewed, because it ends with its CA; run etcdpki renew --ca",
                target.name()
            ));
            return Ok(None);
        }
        let signed = self.ca.sign_renewal(draft, profile.as_deref(), context.now)?;
        let renewed = |issued: Issued| Ok(Renewed { certificate: issued.certificate, key });
        signed.stage(renewed).map(Some)
    }

    /// Renews certificates in the folder of a host.
    fn host(
        &self,
        host: &str,
        targets: &[(&Role, &Target)],
        written: &mut Written,
    ) -> Result<(), Failure> {
        let held = hosts::read(&self.all.join(host))?;
        let mut signed = Vec::new();
        let mut of_signed = Vec::new();
        for (role, target) in targets {
            if let Some(renewed) = self.sign(target, written)? {
                let hosts = hosts_from(self.folder);
                let file = hosts.join(host).join(role.certificate_file());
                signed.push(renewed.at(&FilePlace::of_host(host, &file)));
                of_signed.push((*role, *target));
            }
        }
        if signed.is_empty() {
            return Ok(());
        }
        let signed: Pending<Vec<Renewed>> = signed.into_iter().collect();
        let _uninterrupted = Uninterrupted::begin()?;
        hosts::probe(self.all)?;
        let mut lines = Vec::new();
        let staged = signed.stage(|renewed| {
            let mut files = Vec::new();
            for (renewed, (role, target)) in renewed.into_iter().zip(&of_signed) {
                lines.push(Line::renewed(target, &renewed.certificate));
                files.extend(self.files(renewed, role, &held)?);
            }
            let is_kept = |name: &&OsString| files.iter().all(|file| ***name != *file.name);
            let kept: Vec<OsString> = held.keys().filter(is_kept).cloned().collect();
            NewFolder::write(self.all, host, &files, &kept)
        })?;
        hosts::sync_all(self.all)?;
        Recorded::<NewFolder>::put(self.ca.record(staged)?)?;
        hosts::sync_all(self.all)?;
        written.lines.extend(lines);
        Ok(())
    }

    /// The files in a host's folder that change with a certificate.
    fn files(
        &self,
        renewed: Renewed,
        role: &Role,
        held: &BTreeMap<OsString, HeldFile>,
    ) -> Result<Vec<BundleFile>, Failure> {
        let set = self.cas.for_role(role);
        let Renewed { certificate, key } = renewed;
        let mut files = Vec::new();
        if let Some(key) = &key {
            let contents = Zeroizing::new(key.to_pem(KeyFormat::Pkcs8)?.as_bytes().to_vec());
            files.push(BundleFile { name: role.key_file(), contents, access: Access::Secret });
        }
        let pem = set.leaf_pem(&certificate)?.into_bytes();
        files.push(BundleFile {
            name: role.certificate_file(),
            contents: Zeroizing::new(pem),
            access: Access::Public,
        });
        if IssuedPair::has_other_formats(role, held) {
            let key = key.map_or_else(|| held_key(role, held), Ok)?;
            let mut chain = vec![certificate];
            chain.extend(set.intermediates().iter().cloned());
            files.extend(IssuedPair::renewed(role, held, chain, key).files(held, self.cas)?);
        }
        Ok(files)
    }

    /// Renews the certificate in a file.
    fn pair(
        &self,
        pair: &NamedPair,
        target: &Target,
        written: &mut Written,
    ) -> Result<(), Failure> {
        match self.key {
            Key::Keep => pair.check_certificate(self.folder, &target.certificate().public_key)?,
            Key::Replace => pair.check_new_key(self.folder)?,
        }
        let Some(signed) = self.sign(target, written)? else { return Ok(()) };
        let mut line = None;
        let staged = signed.at(&FilePlace::elsewhere(&pair.certificate)).stage(
            |Renewed { certificate, key }| {
                line = Some(Line::renewed(target, &certificate));
                let mut pem = certificate.to_pem()?;
                // The file had the CAs above the certificate too.
                for above in self.ca.chain().intermediates().filter(|_| target.chain.len() > 1) {
                    pem.push_str(&above.to_pem()?);
                }
                pair.stage(&pem, key.as_ref())
            },
        )?;
        Recorded::<StagedPair>::put(self.ca.record(staged)?)?;
        written.lines.extend(line);
        Ok(())
    }
}

fn held_key(role: &Role, held: &BTreeMap<OsString, HeldFile>) -> Result<PrivateKey, Failure> {
    let name = role.key_file();
    let file = held.get(&OsString::from(&name)).ok_or_else(|| {
        Failure::environment(format!(
            "{name} is missing, and other files of {} contain it",
            role.base()
        ))
        .hinted("restore it, or make a new one with --rekey")
    })?;
    let key = PrivateKey::from_pem(&file.contents);
    key.map_err(|error| Failure::from(error).in_file(Path::new(&name)))
}
