//! What the hosts' folders hold of their CAs.

use std::ffi::OsString;
use std::path::Path;

use pki_core::{
    CaSet, Certificate, FileKind, HostCas, HostLeaf, HostPhase, Manifest, Rotation, RotationStep,
    quote,
};

use crate::commands::cluster;
use crate::failure::Failure;
use crate::hosts;
use crate::inventory::Inventory;

/// The CAs and certificates in the folders of the hosts of a manifest. A host without a folder is not in it.
pub(super) fn read(manifest: &Manifest, folder: &Path) -> Result<Vec<HostCas>, Failure> {
    let all = folder.join(hosts::FOLDER);
    let mut held = Vec::new();
    for (host, specs) in cluster::specs_by_host(manifest, &[])? {
        let files = hosts::read(&hosts::folder_of(&all, &host))?;
        if files.is_empty() {
            continue;
        }
        let certificates = |name: &str| {
            let file = files.get(std::ffi::OsStr::new(name))?;
            Certificate::from_pem_or_der(&file.contents).ok()
        };
        let leaves = specs.iter().filter_map(|spec| {
            let file = spec.role.certificate_file();
            let mut chain = certificates(&file)?;
            Some(HostLeaf { certificate: chain.remove(0), chain, file })
        });
        let leaves = leaves.collect();
        let trusted = certificates(&FileKind::TrustedCas.name()).unwrap_or_default();
        held.push(HostCas { host, trusted, leaves });
    }
    Ok(held)
}

/// Refuses a run of `plan` or `apply` that would take a CA away from hosts in the middle of a rotation. Returns a warning if
/// it replaces the CA of all hosts at once.
pub(crate) fn check_stray(
    manifest: &Manifest,
    set: &CaSet,
    folder: &Path,
) -> Result<Option<String>, Failure> {
    if set.trusted().len() > 1 || !trusts_differ(manifest, set, folder)? {
        return Ok(None);
    }
    let held = read(manifest, folder)?;
    // With three, this is no rotation.
    let Ok(Some(rotation)) = Rotation::find(set, &held) else {
        return Ok(None);
    };
    let kept = &set.trusted()[0];
    let dropped = if rotation.old().public_key == kept.public_key {
        rotation.new_root()
    } else {
        rotation.old()
    };
    let is_bundle = |phase: &HostPhase| {
        matches!(phase, HostPhase::Begun | HostPhase::Mixed(_) | HostPhase::Reissued)
    };
    let bundled = rotation.hosts().iter().find(|(_, phase)| is_bundle(phase));
    if let Some((host, phase)) = bundled {
        let known = Inventory::of(folder).ca_certificates()?;
        let is_ours = known.iter().any(|ca| ca.public_key == dropped.public_key);
        let is_used = !matches!(phase, HostPhase::Begun) || dropped.der() == rotation.old().der();
        if !is_ours && !is_used {
            return Ok(None);
        }
        return Err(Failure::refused(format!(
            "{} {phase}, and ca.pem contains only {}: this would end a rotation of the CA, or take one back, without its \
             checks",
            quote::name(host),
            kept.subject
        ))
        .hinted("see how far it is with etcdpki rotate-ca status -f MANIFEST; then run its finish or abort, or restore ca.pem"));
    }
    let in_use = rotation.hosts().iter().any(|(_, phase)| match phase {
        HostPhase::Before => dropped.der() == rotation.old().der(),
        HostPhase::Finished => dropped.der() == rotation.new_root().der(),
        _ => false,
    });
    Ok(in_use.then(|| {
        format!(
            "the CA of all hosts changes at once, from {} to {}: until every host has its new files and is restarted, hosts \
             reject each other\n  fix: restore the old ca.pem and ca-key.pem, then run etcdpki rotate-ca begin -f MANIFEST",
            dropped.subject, kept.subject
        )
    }))
}

/// A sentence about the rotation that is under way, if there is one.
pub(crate) fn summary(
    manifest: &Manifest,
    set: &CaSet,
    folder: &Path,
) -> Result<Option<String>, Failure> {
    if manifest.cas.is_some()
        || (set.trusted().len() == 1 && !trusts_differ(manifest, set, folder)?)
    {
        return Ok(None);
    }
    let Ok(Some(rotation)) = Rotation::find(set, &read(manifest, folder)?) else { return Ok(None) };
    let (old, new) = (&rotation.old().subject, &rotation.new_root().subject);
    let next = rotation.next().map_or("finish", RotationStep::name);
    Ok(Some(format!(
        "the CA is being replaced, {old} by {new}; the next step is etcdpki rotate-ca {next}, and rotate-ca status shows \
         how far each host is"
    )))
}

/// Whether the trust file of a host is not what `apply` writes. Almost always none is, and nothing else has to be read.
fn trusts_differ(manifest: &Manifest, set: &CaSet, folder: &Path) -> Result<bool, Failure> {
    let (all, trusted) = (folder.join(hosts::FOLDER), set.trust_pem()?);
    let name = [OsString::from(&*FileKind::TrustedCas.name())];
    let hosts: Vec<String> = cluster::specs_by_host(manifest, &[])?.into_keys().collect();
    let differ = cluster::in_parallel(&hosts, |host| {
        let [file] = hosts::read_some(&hosts::folder_of(&all, host), &name)?;
        Ok(file.is_some_and(|file| *file.contents != trusted.as_bytes()))
    })?;
    Ok(differ.contains(&true))
}
