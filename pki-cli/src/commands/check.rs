//! `etcdpki check`

mod files;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{Certificate, Crl};
use serde::Serialize;

use self::files::{Files, FoundCertificate};
use super::Common;
use super::cluster::{FolderArgs, in_parallel};
use crate::ca::{self, Chain, LockedFolder, issued_by};
use crate::failure::{Failure, Kind, shown};
use crate::host;
use crate::inventory::{Certdb, Condition, CrlEntry, Entry, Evidence, Inventory, Stored, decimal};
use crate::output::{Format, json};

/// Check the inventory: the file, every row, and the certificates in the hosts' folders
///
/// The exit code is 1 if something is wrong. With --rebuild, certificates, revocations and CRLs that
/// files have and the inventory does not are added to it, during a rotation those of both CAs, and rows
/// that differ from their certificates are corrected. A damaged inventory is renamed first, and what can
/// be read of it is kept. Files do not show certificates whose files are gone, nor revocations since the
/// last CRL.
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
    /// How many rows were wrong and are right now.
    corrected: usize,
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
    let cas = args.folder.cas(common)?;
    let mut outputs = Vec::new();
    let checked = cas.each(|folder| {
        let output = check(folder, args, common)?;
        if common.format != Format::Json {
            output.print(args)?;
        }
        outputs.push((cas.name_of(folder), output));
        Ok(())
    });
    let ok = outputs.iter().all(|(_, output)| output.ok);
    if common.format == Format::Json {
        json::print_of_cas(outputs)?;
    }
    checked?;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(Kind::Refused.exit_code()) })
}

/// Checks the inventory of one CA.
fn check(folder: &Path, args: &CheckArgs, common: &Common) -> Result<CheckOutput, Failure> {
    let locked = args.rebuild.then(|| LockedFolder::lock(folder, common.owners())).transpose()?;
    let chain = Chain::read(folder)?;
    let ca = chain.ca();
    let issuers = ca::issuers(folder, &chain)?;
    let files = Files::read(folder, &args.scan, &issuers)?;
    let rebuilt = match locked {
        Some(_) => Some(rebuild(folder, &issuers, &files)?),
        None => None,
    };
    let inventory = Inventory::of(folder);
    let (certificates, problems) = problems(&inventory, ca, &files)?;
    let (ok, inventory) = (problems.is_empty(), shown(inventory.path()));
    Ok(CheckOutput { ok, inventory, certificates, problems, rebuilt })
}

impl CheckOutput {
    fn print(&self, args: &CheckArgs) -> Result<(), Failure> {
        let Self { ok, inventory: path, certificates, problems, rebuilt } = self;
        if let Some(rebuilt) = rebuilt {
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
        if !ok {
            host::say(if args.rebuild {
                "  fix: the files that were read cannot tell the rest: restore a backup, or name more folders with --scan\n"
            } else {
                "  fix: restore a backup, then run etcdpki check --rebuild, which adds what the files have\n"
            });
        }
        Ok(())
    }
}

fn described(rebuilt: &Rebuilt) -> String {
    let Rebuilt { added, corrected, revoked, crl, set_aside } = rebuilt;
    let mut text = format!("added {added} certificates and {revoked} revocations");
    match corrected {
        0 => {}
        1 => text.push_str(", corrected 1 row"),
        rows => {
            let _ = write!(text, ", corrected {rows} rows");
        }
    }
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
            problems.extend(inventory.table_problems()?);
            let (rows, wrong) = wrong_rows(inventory, ca)?;
            count = rows;
            problems.extend(wrong.into_iter().map(|(_, problem)| problem));
        }
    }
    problems.extend(inventory.log_problem()?);
    let open = inventory.keep_open();
    for found in &files.certificates {
        if !inventory.has(&found.certificate)? {
            let serial = &found.certificate.serial;
            problems.push(format!("{}: not in the inventory: {serial}", shown(&found.file)));
        } else if found.place.is_on_host() && inventory.lacks_place(&found.certificate)? {
            problems.push(format!("{}: its host and path are not recorded", shown(&found.file)));
        }
    }
    drop(open);
    let last = match inventory.last_crl(ca) {
        Ok(last) => last.map(|last| last.number),
        Err(failure) => {
            problems.push(failure.message);
            return Ok((count, problems));
        }
    };
    // A row whose revocation cannot be read is among the problems already.
    let Ok(revoked) = inventory.revoked() else { return Ok((count, problems)) };
    if let Some((file, number, crl)) = &files.newest_crl {
        if last.is_none_or(|last| last < *number) {
            problems.push(format!("{}: the CRL {number} is not in the inventory", shown(file)));
        }
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

/// How many rows there are, and those that are wrong, each with its problem.
fn wrong_rows(
    inventory: &Inventory,
    ca: &Certificate,
) -> Result<(usize, Vec<(Stored, String)>), Failure> {
    let (mut count, mut after, mut wrong) = (0, 0, Vec::new());
    loop {
        let (rows, last) = inventory.stored(after, AT_ONCE)?;
        if rows.is_empty() {
            return Ok((count, wrong));
        }
        (count, after) = (count + rows.len(), last);
        let problems = in_parallel(&rows, |row| Ok(row.problem(ca)))?;
        let rows = rows.into_iter().zip(problems);
        wrong.extend(rows.filter_map(|(row, problem)| Some((row, problem?))));
    }
}

/// Adds what files have of each CA, of which the first one issues, and corrects what is wrong.
fn rebuild(folder: &Path, issuers: &[Certificate], files: &Files) -> Result<Rebuilt, Failure> {
    let [ca, ..] = issuers else { return Err(Failure::bug("a CA without a certificate")) };
    let mut rebuilt = Rebuilt::default();
    let mut inventory = Inventory::of(folder);
    let mut readable = Vec::new();
    if let Condition::Damaged(_) = inventory.condition(ca)? {
        let aside = inventory.set_aside()?;
        readable = issuers.iter().map(|ca| Certdb::salvage(&aside, ca).entries).collect();
        rebuilt.set_aside = Some(shown(&aside));
        inventory = Inventory::of(folder);
    }
    let listed: Vec<_> = match &files.newest_crl {
        Some((_, _, crl)) => crl.entries()?,
        None => Vec::new(),
    };
    let entry = |found: &FoundCertificate| -> Result<Entry, Failure> {
        let certificate = &found.certificate;
        let mut entry = Entry::new(certificate, found.profile, certificate.not_before)?;
        entry = entry.at(found.place.clone());
        if let Some(listed) = listed.iter().find(|listed| listed.serial == certificate.serial) {
            let reason = listed.reason.unwrap_or(pki_core::RevocationReason::Unspecified);
            entry = entry.revoked(reason, listed.revoked_at);
        }
        Ok(entry)
    };
    let mut entries = Vec::new();
    for issuer in issuers {
        let of_issuer =
            files.certificates.iter().filter(|found| issued_by(issuer, &found.certificate));
        entries.push(of_issuer.map(entry).collect::<Result<Vec<_>, Failure>>()?);
    }
    if rebuilt.set_aside.is_none() {
        let reason = |reason: Option<_>| reason.unwrap_or(pki_core::RevocationReason::Unspecified);
        let listed: Vec<_> = listed
            .iter()
            .map(|entry| (decimal(entry.serial.as_bytes()), reason(entry.reason), entry.revoked_at))
            .collect();
        let crl = files.newest_crl.as_ref();
        let crl = crl.map(|(_, number, crl)| CrlEntry::new(crl, *number, ca)).transpose()?;
        let certificates: Vec<&Entry> = entries.iter().flatten().collect();
        let evidence = Evidence { certificates: &certificates, crl: crl.as_ref(), listed: &listed };
        let wrong = wrong_rows(&inventory, ca)?.1.into_iter().map(|(row, _)| row);
        rebuilt.corrected = inventory.repair(ca, &wrong.collect::<Vec<_>>(), &evidence)?;
    }
    let mut readable: Vec<Vec<Entry>> = readable;
    readable.resize_with(issuers.len(), Vec::new);
    for ((issuer, mut entries), readable) in issuers.iter().zip(entries).zip(readable) {
        // Those in files come first, because only they have a place.
        entries.extend(readable);
        if entries.is_empty() && issuer != ca {
            continue;
        }
        let merged = inventory.merge(&Entry::of_ca(issuer)?, &entries)?;
        rebuilt.added += merged.added;
        rebuilt.revoked += merged.revoked;
    }
    if let Some((_, number, crl)) = &files.newest_crl {
        rebuilt.crl = add_crl(&inventory, ca, *number, crl)?;
    }
    inventory.checkpoint()?;
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
