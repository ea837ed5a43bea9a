//! `etcdpki renew`

mod args;
mod ca;
mod output;
mod target;
mod write;

use std::process::ExitCode;

pub(crate) use self::args::RenewArgs;
use self::output::{Line, RenewOutput, warn};
use self::target::{RenewalTargets, Selection, Target};
use self::write::Key;
use super::Common;
use crate::ca::{Chain, LockedFolder, hosts_of};
use crate::failure::Failure;
use crate::host;
use crate::hosts;
use crate::inventory::Inventory;
use crate::signer::Custody;

pub(crate) fn run(args: &RenewArgs, common: &Common) -> Result<ExitCode, Failure> {
    let mut cas = args.folder.cas(common)?;
    if let Some(names @ [_, ..]) = args.ca.as_deref() {
        cas = cas.named(names)?;
    }
    let files = target::by_ca(&cas, &args.files)?;
    let custody = args.custody.custody()?;
    let mut output = RenewOutput { dry_run: args.dry_run, ..RenewOutput::default() };
    let renewed = cas.each(|path| {
        let selection = match (files.get(path), &args.host[..]) {
            (Some(files), _) => Selection::Files(files),
            (None, _) if !args.files.is_empty() => return Ok(()),
            (None, []) => Selection::All,
            (None, hosts) => Selection::Hosts(hosts),
        };
        let folder = LockedFolder::lock(path, common.owners())?;
        let chain = Chain::read(path)?;
        hosts::clean(&hosts_of(path))?;
        if args.ca.is_some() {
            return ca::run(&folder, chain, &custody, args, common, &mut output);
        }
        renew(&folder, chain, &selection, &custody, args, &mut output)
    });
    if renewed.is_ok() || !output.certificates.is_empty() {
        output.print(common.format)?;
    } else {
        warn(&output.warnings);
    }
    renewed.map(|()| ExitCode::SUCCESS)
}

/// Renews what one CA issued. What the rules refuse is in the error, after everything else is renewed.
fn renew(
    folder: &LockedFolder,
    chain: Chain,
    selection: &Selection<'_>,
    custody: &Custody,
    args: &RenewArgs,
    output: &mut RenewOutput,
) -> Result<(), Failure> {
    let RenewalTargets { targets, warnings } = target::find(folder.path(), &chain, selection)?;
    output.warnings.extend(warnings);
    let (is_by_name, now) = (!args.files.is_empty(), host::now());
    let due = targets.into_iter().filter(|target| is_by_name || target.is_due(args.before, now));
    let mut due: Vec<Target> = due.collect();
    if !is_by_name {
        // A warning, because a timer would report an error every day.
        let revoked = Inventory::of(folder.path()).revoked_serials()?;
        due.retain(|target| {
            let is_revoked = revoked.contains(&target.certificate().serial);
            if is_revoked {
                let name = target.name();
                output.warnings.push(format!("{name} is not renewed, because it is revoked"));
            }
            !is_revoked
        });
    }
    let key = if args.rekey { Key::Replace } else { Key::Keep };
    if args.dry_run {
        output.certificates.extend(due.iter().map(Line::planned));
        return Ok(());
    }
    if due.is_empty() {
        return Ok(());
    }
    let written = write::renew(folder, chain, &due, key, selection, custody)?;
    output.changed |= !written.lines.is_empty();
    output.certificates.extend(written.lines);
    output.warnings.extend(written.warnings);
    for next in written.next {
        // It is the same for every CA.
        if !output.next.contains(&next) {
            output.next.push(next);
        }
    }
    let count = written.refused.len();
    match written.refused.into_iter().next() {
        None => Ok(()),
        Some((first, failure)) => {
            let of = if count == 1 { String::new() } else { format!(" and {} more", count - 1) };
            Err(failure.about(&format!("{first}{of}: not renewed")))
        }
    }
}
