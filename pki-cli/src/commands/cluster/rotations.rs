//! Rotations that are under way, as `plan`, `apply` and `status` see them.

use std::path::Path;

use pki_core::{CaSet, ClusterCas, HostPhase, Manifest, Rotation, RotationStep, Traffic, quote};

use super::rotated::RotatedCa;
use crate::failure::Failure;
use crate::inventory::Inventory;

/// The placeholder for the path of the manifest in a command.
const MANIFEST: &str = "MANIFEST";

/// Fails if `plan` or `apply` would remove a CA from hosts in the middle of a rotation. Returns warnings if it
/// replaces a CA of all hosts at once.
pub(crate) fn check_stray(
    manifest: &Manifest,
    cas: &ClusterCas,
    folder: &Path,
) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    for rotated in RotatedCa::all(manifest, folder) {
        let set = set_of(cas, rotated);
        let Some(rotation) = find(rotated, cas)? else { continue };
        if set.trusted().len() == 1 {
            warnings.extend(stray(rotated, set, &rotation)?);
        } else {
            check_issuing(rotated, set, &rotation)?;
        }
    }
    Ok(warnings)
}

/// Refuses if ca.pem contains both roots and the old CA issues, although a host does not trust it any more, as after an older
/// ca.pem was restored.
fn check_issuing(rotated: RotatedCa<'_>, set: &CaSet, rotation: &Rotation) -> Result<(), Failure> {
    let old = rotation.old();
    if set.trusted()[0].public_key != old.public_key {
        return Ok(());
    }
    let mut hosts = rotation.hosts().iter();
    let Some((host, phase)) = hosts.find(|(_, phase)| matches!(phase, HostPhase::Finished)) else {
        return Ok(());
    };
    Err(Failure::refused(format!(
        "{} {phase}, and by ca.pem {} issues: hosts would reject its certificates",
        quote::name(host),
        old.subject
    ))
    .hinted(format!(
        "restore a later ca.pem, or run {}, which needs the key of the new CA",
        rotated.command(RotationStep::Finish.name(), Path::new(MANIFEST))
    )))
}

/// The same for one CA, whose file contains only one of the two roots.
fn stray(
    rotated: RotatedCa<'_>,
    set: &CaSet,
    rotation: &Rotation,
) -> Result<Option<String>, Failure> {
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
        let known = Inventory::of(&rotated.ca_folder()).ca_certificates()?;
        let is_ours = known.iter().any(|ca| ca.public_key == dropped.public_key);
        let is_used = !matches!(phase, HostPhase::Begun) || dropped.der() == rotation.old().der();
        if !is_ours && !is_used {
            return Ok(None);
        }
        let status = rotated.command("status", Path::new(MANIFEST));
        return Err(Failure::refused(format!(
            "{} {phase}, and ca.pem contains only {}: this would finish or abort a rotation of {} without the checks of rotate-ca",
            quote::name(host),
            kept.subject,
            rotated.name()
        ))
        .hinted(format!(
            "run {status} to see its state; then run rotate-ca finish or abort, or restore ca.pem"
        )));
    }
    let in_use = rotation.hosts().iter().any(|(_, phase)| match phase {
        HostPhase::Before => dropped.der() == rotation.old().der(),
        HostPhase::Finished => dropped.der() == rotation.new_root().der(),
        _ => false,
    });
    Ok(in_use.then(|| {
        format!(
            "{} of all hosts changes at once, from {} to {}: until every host has its new files and is restarted, hosts \
             reject each other\n  fix: restore the old ca.pem and ca-key.pem, then run {}",
            rotated.name(),
            dropped.subject,
            kept.subject,
            rotated.command(RotationStep::Begin.name(), Path::new(MANIFEST))
        )
    }))
}

/// A sentence about each rotation that is under way, if there is one.
pub(crate) fn summary(
    manifest: &Manifest,
    cas: &ClusterCas,
    folder: &Path,
) -> Result<Option<String>, Failure> {
    let mut sentences = Vec::new();
    for rotated in RotatedCa::all(manifest, folder) {
        let Some(rotation) = find(rotated, cas)? else { continue };
        let (old, new) = (&rotation.old().subject, &rotation.new_root().subject);
        let next = rotation.next().map_or("finish", RotationStep::name);
        let option = rotated.traffic.map(|traffic| format!(" --ca {}", traffic.as_str()));
        sentences.push(format!(
            "{} is being replaced, {old} by {new}; the next step is etcdpki rotate-ca {next}{}, and rotate-ca status shows \
             how far each host is",
            rotated.name(),
            option.unwrap_or_default()
        ));
    }
    Ok((!sentences.is_empty()).then(|| sentences.join("\n")))
}

/// The rotation of a CA that is under way, if there is one.
fn find(rotated: RotatedCa<'_>, cas: &ClusterCas) -> Result<Option<Rotation>, Failure> {
    let set = set_of(cas, rotated);
    if set.trusted().len() == 1 && !rotated.trusts_differ(cas)? {
        return Ok(None);
    }
    let held = rotated.read(cas.server.trusted())?;
    // With three roots, this is no rotation.
    Ok(Rotation::find(set, &held).ok().flatten())
}

/// The CA and the roots that hosts are to trust. A CA that issues everything is also the one for servers.
fn set_of<'c>(cas: &'c ClusterCas, rotated: RotatedCa<'_>) -> &'c CaSet {
    cas.of(rotated.traffic.unwrap_or(Traffic::Server))
}
