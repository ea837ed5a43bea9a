//! `etcdpki check`

mod files;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{Certificate, Crl};
use serde::Serialize;

use self::files::Files;
use super::Common;
use super::cluster::{FolderArgs, in_parallel};
use crate::ca::{Chain, LockedFolder};
use crate::failure::{Failure, Kind, shown};
use crate::host;
use crate::inventory::{Certdb, Condition, CrlEntry, Entry, Inventory};
use crate::output::{Format, json};

/// Check the inventory: the file, every row, and the certificates in the hosts' folders
///
/// The exit code is 1 if something is wrong. With --rebuild, certificates, revocations and CRLs that
/// files have and the inventory does not are added to it. A damaged inventory is renamed first, and what
/// can be read of it is kept. Certificates whose files are gone, and
/// revocations since the last CRL, cannot be restored from files.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  etcdpki check\n  etcdpki check --rebuild --scan /srv/certificates"
)]
pub(crate) struct CheckArgs {
    /// Add to the inventory what only the files contain
    #[arg(long)]
    rebuild: bool,

    /// Also look for certificates and CRLs in this folder and those directly below it. May be repeated
    #[arg(long, value_name = "DIR")]
    scan: Vec<PathBuf>,

    #[command(flatten)]
    folder: FolderArgs,
}

#[derive(Serialize)]
struct CheckOutput {
    ok: bool,
    inventory: String,
    certificates: usize,
    problems: Vec<String>,
    /// What --rebuild did.
    rebuilt: Option<Rebuilt>,
}

#[derive(Default, Serialize)]
struct Rebuilt {
    added: usize,
    revoked: usize,
    /// The number of the CRL that was added.
    crl: Option<u64>,
    /// The new name of the old inventory, if it was damaged.
    set_aside: Option<String>,
}

/// How many rows are checked together.
const AT_ONCE: u32 = 4096;

/// How many problems are shown to people.
const SHOWN: usize = 50;

pub(crate) fn run(args: &CheckArgs, common: &Common) -> Result<ExitCode, Failure> {
    let folder = args.folder.of_ca(common)?;
    let locked = args.rebuild.then(|| LockedFolder::lock(&folder, common.owners())).transpose()?;
    let chain = Chain::read(&folder)?;
    let ca = chain.ca();
    let files = Files::read(&folder, &args.scan, ca)?;
    let rebuilt = match locked {
        Some(_) => Some(rebuild(&folder, ca, &files)?),
        None => None,
    };
    let inventory = Inventory::of(&folder);
    let (certificates, problems) = problems(&inventory, ca, &files)?;
    let ok = problems.is_empty();
    let path = shown(inventory.path());
    if common.format == Format::Json {
        json::print(&CheckOutput { ok, inventory: path, certificates, problems, rebuilt })?;
    } else {
        if let Some(rebuilt) = &rebuilt {
            host::say(&described(rebuilt));
        }
        let mut text = match (ok, problems.len()) {
            (true, _) => format!("{path}: ok, {certificates} certificates\n"),
            (false, 1) => format!("{path}: 1 problem\n"),
            (false, number) => format!("{path}: {number} problems\n"),
        };
        for problem in problems.iter().take(SHOWN) {
            let _ = writeln!(text, "  {problem}");
        }
        if problems.len() > SHOWN {
            let more = problems.len() - SHOWN;
            let _ = writeln!(text, "  and {more} more; --format json lists all");
        }
        host::print(&text)?;
        if !ok && !args.rebuild {
            host::say(
                "  fix: restore a backup, then run etcdpki check --rebuild, which adds what the files have\n",
            );
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(Kind::Refused.exit_code()) })
}

fn described(rebuilt: &Rebuilt) -> String {
    let Rebuilt { added, revoked, crl, set_aside } = rebuilt;
    let mut text = format!("added {added} certificates and {revoked} revocations");
    if let Some(number) = crl {
        let _ = write!(text, ", and the CRL with the number {number}");
    }
    text.push('\n');
    if let Some(name) = set_aside {
        let _ = writeln!(text, "renamed the damaged inventory to {name}");
    }
    text
}

/// How many certificates the inventory has, and everything that is wrong.
fn problems(
    inventory: &Inventory,
    ca: &Certificate,
    files: &Files,
) -> Result<(usize, Vec<String>), Failure> {
    let mut problems = Vec::new();
    let mut count = 0;
    match inventory.condition(ca)? {
        Condition::Damaged(reason) => return Ok((0, vec![reason])),
        Condition::Empty => {
            problems.push(format!("{}: missing or empty", shown(inventory.path())));
        }
        Condition::Usable => {
            let mut after = 0;
            loop {
                let (rows, last) = inventory.stored(after, AT_ONCE)?;
                if rows.is_empty() {
                    break;
                }
                count += rows.len();
                after = last;
                problems
                    .extend(in_parallel(&rows, |row| Ok(row.problem(ca)))?.into_iter().flatten());
            }
        }
    }
    for found in &files.certificates {
        if !inventory.has(&found.certificate)? {
            let serial = &found.certificate.serial;
            problems.push(format!("{}: not in the inventory: {serial}", shown(&found.file)));
        }
    }
    if let Some((file, number, crl)) = &files.newest_crl {
        let last = inventory.last_crl(ca)?.map(|last| last.number);
        if last.is_none_or(|last| last < *number) {
            problems.push(format!("{}: the CRL {number} is not in the inventory", shown(file)));
        }
        let revoked = inventory.revoked()?;
        let missing = crl
            .entries()?
            .into_iter()
            .filter(|entry| revoked.iter().all(|revoked| revoked.entry.serial != entry.serial));
        problems.extend(missing.map(|entry| {
            let serial = entry.serial;
            format!("{}: {serial} is on this CRL and not revoked in the inventory", shown(file))
        }));
    }
    Ok((count, problems))
}

/// Adds what files have.
fn rebuild(folder: &Path, ca: &Certificate, files: &Files) -> Result<Rebuilt, Failure> {
    let mut rebuilt = Rebuilt::default();
    let mut inventory = Inventory::of(folder);
    let mut readable = Vec::new();
    if let Condition::Damaged(_) = inventory.condition(ca)? {
        let aside = inventory.set_aside()?;
        readable = Certdb::salvage(&aside, ca).entries;
        rebuilt.set_aside = Some(shown(&aside));
        inventory = Inventory::of(folder);
    }
    let mut entries = Vec::new();
    let listed: Vec<_> = match &files.newest_crl {
        Some((_, _, crl)) => crl.entries()?,
        None => Vec::new(),
    };
    for found in &files.certificates {
        let certificate = &found.certificate;
        let mut entry = Entry::new(certificate, found.profile, certificate.not_before)?;
        entry = entry.at(found.place.clone());
        if let Some(listed) = listed.iter().find(|listed| listed.serial == certificate.serial) {
            let reason = listed.reason.unwrap_or(pki_core::RevocationReason::Unspecified);
            entry = entry.revoked(reason, listed.revoked_at);
        }
        entries.push(entry);
    }
    // Certificates in files come first, because only for them the place is known.
    entries.extend(readable);
    let merged = inventory.merge(&Entry::of_ca(ca)?, &entries)?;
    rebuilt.added = merged.added;
    rebuilt.revoked = merged.revoked;
    if let Some((_, number, crl)) = &files.newest_crl {
        rebuilt.crl = add_crl(&inventory, ca, *number, crl)?;
    }
    Ok(rebuilt)
}

/// Adds a CRL if it is newer than every CRL in the inventory.
fn add_crl(
    inventory: &Inventory,
    ca: &Certificate,
    number: u64,
    crl: &Crl,
) -> Result<Option<u64>, Failure> {
    if inventory.last_crl(ca)?.is_some_and(|last| last.number >= number) {
        return Ok(None);
    }
    inventory.record_crl(&Entry::of_ca(ca)?, &CrlEntry::new(crl, number, ca)?)?;
    Ok(Some(number))
}
