//! `rotate-ca status`, and what each step prints.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use pki_core::{HostPhase, Rotation, RotationStep, Traffic, quote};
use serde::Serialize;

use super::args::RotateCaArgs;
use super::live;
use crate::ca::Chain;
use crate::commands::Common;
use crate::commands::cluster::RotatedCa;
use crate::failure::Failure;
use crate::host;
use crate::output::{Format, json};

#[derive(Serialize)]
struct StatusOutput {
    /// `none`, or the step to run next: `begin`, `reissue`, `finish`.
    next: &'static str,
    /// The CA that issues.
    issuing: String,
    old: Option<String>,
    new: Option<String>,
    hosts: Vec<HostLine>,
}

#[derive(Serialize)]
struct HostLine {
    host: String,
    phase: &'static str,
    detail: String,
    /// With --connect, for a member: which of the two CAs issued what it serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    serves: Option<String>,
}

/// Shows how far each host is. Changes nothing.
pub(super) fn status(
    rotated: RotatedCa<'_>,
    args: &RotateCaArgs,
    common: &Common,
) -> Result<ExitCode, Failure> {
    let folder = rotated.ca_folder();
    let chain = Chain::read(&folder)?;
    let set = chain.set(&folder)?;
    let issuing = set.issuing().subject.to_string();
    let held = rotated.read(&rotated.servers(Some(&chain))?)?;
    let Some(rotation) = Rotation::find(&set, &held)? else {
        let text = format!("no rotation is under way; {} is {issuing}\n", rotated.name());
        let hosts = Vec::new();
        let output = StatusOutput { next: "none", issuing, old: None, new: None, hosts };
        return print(&output, &text, common.format);
    };
    let served = if args.connect { live_sides(rotated, &rotation)? } else { Vec::new() };
    let hosts: Vec<HostLine> = rotation
        .hosts()
        .iter()
        .map(|(host, phase)| HostLine {
            host: host.clone(),
            phase: name(phase),
            detail: phase.to_string(),
            serves: served.iter().find(|(name, _)| name == host).map(|(_, side)| side.clone()),
        })
        .collect();
    let next = rotation.next().map_or("none", RotationStep::name);
    let (old, new) = (rotation.old().subject.to_string(), rotation.new_root().subject.to_string());
    let mut text = format!("rotation from {old} to {new}\n");
    for line in &hosts {
        let (host, phase, detail) = (quote::name(&line.host), line.phase, &line.detail);
        let side = line.serves.as_ref();
        let side = side.map_or(String::new(), |side| format!("; serves certificates of {side}"));
        let _ = writeln!(text, "  {host:<12} {phase:<12} {detail}{side}");
    }
    let advice = match rotation.next() {
        None => {
            let finish = rotated.command(RotationStep::Finish.name(), &args.file);
            format!("{finish} --restarted all, which cleans up")
        }
        Some(step) => advice(step, rotated, &args.file),
    };
    let _ = writeln!(text, "next: {advice}");
    let output = StatusOutput { next, issuing, old: Some(old), new: Some(new), hosts };
    print(&output, &text, common.format)
}

fn print(output: &StatusOutput, text: &str, format: Format) -> Result<ExitCode, Failure> {
    if format == Format::Json {
        json::print(output)?;
    } else {
        host::print(text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Which CA issued what each member serves.
fn live_sides(
    rotated: RotatedCa<'_>,
    rotation: &Rotation,
) -> Result<Vec<(String, String)>, Failure> {
    let both = vec![rotation.old().clone(), rotation.new_root().clone()];
    let set = pki_core::CaSet::new(both)?;
    let old = live::serves(&set, rotation.old(), rotated.traffic, rotated.manifest)?;
    let new = live::serves(&set, rotation.new_root(), rotated.traffic, rotated.manifest)?;
    let sides = old.into_iter().zip(new).map(|(live::Seen { host, ready }, new)| {
        let side = match (ready, new.ready) {
            (Ok(()), _) => "the old CA".to_owned(),
            (_, Ok(())) => "the new CA".to_owned(),
            // Both looks failed in the same way, so it was not the CA.
            (Err(why), Err(again)) if why.0 == again.0 => format!("an unknown CA ({})", why.0),
            _ => "both CAs".to_owned(),
        };
        (host, side)
    });
    Ok(sides.collect())
}

const fn name(phase: &HostPhase) -> &'static str {
    match phase {
        HostPhase::Before => "before",
        HostPhase::Begun => "begun",
        HostPhase::Mixed(_) => "mixed",
        HostPhase::Reissued => "reissued",
        HostPhase::Finished => "finished",
        HostPhase::PresentsOld => "presents-old",
        HostPhase::PresentsNew => "presents-new",
        HostPhase::Cut(_) => "cut",
    }
}

/// What to do before the next step, and the command for it.
fn advice(step: RotationStep, rotated: RotatedCa<'_>, file: &Path) -> String {
    let command = rotated.command(step.name(), file);
    match step {
        RotationStep::Begin | RotationStep::Abort => command,
        RotationStep::Reissue => {
            format!(
                "copy the folders to the hosts and {}; then {command} --restarted all",
                restart(rotated)
            )
        }
        RotationStep::Finish => format!(
            "copy the folders to the hosts, without a restart; then {command} --restarted all"
        ),
    }
}

/// Which processes to restart, and how to do it without an election. Only members trust the CAs for peers and clients.
const fn restart(rotated: RotatedCa<'_>) -> &'static str {
    match rotated.traffic {
        None | Some(Traffic::Server) => {
            "restart every process, one after the other (members one at a time, the leader last after etcdctl move-leader, \
             then the API servers and other clients)"
        }
        Some(Traffic::Peer | Traffic::Client) => {
            "restart every member, one at a time (the leader last after etcdctl move-leader)"
        }
    }
}

/// What to do after a step.
pub(super) fn after(step: RotationStep, rotated: RotatedCa<'_>, file: &Path) -> String {
    match step {
        RotationStep::Begin => advice(RotationStep::Reissue, rotated, file),
        RotationStep::Reissue => advice(RotationStep::Finish, rotated, file),
        RotationStep::Finish | RotationStep::Abort => {
            format!("copy the folders to the hosts and {}", restart(rotated))
        }
    }
}
