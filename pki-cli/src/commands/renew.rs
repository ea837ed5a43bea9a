//! `etcdpki renew`

mod ca;
mod target;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;

use pki_core::{Severity, parse_lifetime, quote};
use serde::Serialize;
use time::Duration;

use self::target::{RenewalTargets, Selection, Target};
use super::cluster::{FolderArgs, SeparateCa};
use super::custody::CustodyArgs;
use super::{Common, core};
use crate::ca::{Chain, LockedFolder, hosts_of};
use crate::failure::Failure;
use crate::host;
use crate::hosts;
use crate::inventory::Inventory;
use crate::output::facts::moment;
use crate::output::{Format, json, text};
use crate::signer::Custody;

/// Renew certificates: new dates and serial numbers, everything else unchanged
///
/// Renews the files given, or with --host and --all those that are due. It keeps the key unless --rekey
/// generates a new one. Subject, names and extensions stay byte for byte. A file that `issue` wrote is
/// replaced where it is; a certificate in a host's folder is replaced there, and has to be copied to the
/// host. etcd and the API server read it at the next handshake, without a restart.
///
/// The exit code is 0 if everything that was due is renewed, and 1 if a certificate is refused, for
/// example because the CA expires too soon. With separate CAs, each renews what it issued, also if another
/// one fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki renew apiserver-etcd-client.pem\n  \
    etcdpki renew --all -f cluster.yaml --before 30d\n  \
    etcdpki renew --host etcdone -f cluster.yaml --rekey\n  \
    etcdpki renew --ca -f cluster.yaml --dry-run")]
#[command(group(clap::ArgGroup::new("what").required(true).args(["files", "host", "all", "ca"])))]
pub(crate) struct RenewArgs {
    /// Certificates to renew now, however long they are valid
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Renew what is due in the folder of this host. May be repeated
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,

    /// Renew what is due in the folders of all hosts, and in the files that `issue` wrote
    #[arg(long)]
    all: bool,

    /// Renew the CA's own certificate, for the same key and name. Certificates that it issued stay valid.
    /// With separate CAs, renew those named, or all of them
    #[arg(long, value_enum, num_args = 0..=3, value_name = "CA", conflicts_with_all = ["rekey", "before"])]
    ca: Option<Vec<SeparateCa>>,

    /// With --host and --all: what expires within this time is due [default: a third of its lifetime]
    #[arg(long, value_name = "DURATION", conflicts_with = "files",
        value_parser = |text: &str| core(parse_lifetime(text)))]
    before: Option<Duration>,

    /// Generate new keys. Handshakes fail while a host has only one of the two new files
    #[arg(long)]
    rekey: bool,

    /// Show what would be renewed, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    folder: FolderArgs,

    #[command(flatten)]
    custody: CustodyArgs,
}

/// Whether a renewed certificate has a new key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Key {
    Keep,
    Replace,
}

#[derive(Default, Serialize)]
struct RenewOutput {
    changed: bool,
    dry_run: bool,
    certificates: Vec<Line>,
    warnings: Vec<String>,
    next: Vec<String>,
}

/// The result for one certificate.
#[derive(Serialize)]
struct Line {
    /// The path of the certificate.
    file: String,
    subject: String,
    serial: String,
    not_after: String,
    /// `None` with --dry-run.
    new_serial: Option<String>,
    new_not_after: Option<String>,
}

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

impl Line {
    fn planned(target: &Target) -> Self {
        let old = target.certificate();
        Self {
            file: target.name(),
            subject: old.subject.to_string(),
            serial: old.serial.to_string(),
            not_after: moment(old.not_after),
            new_serial: None,
            new_not_after: None,
        }
    }

    fn renewed(target: &Target, new: &pki_core::Certificate) -> Self {
        Self {
            new_serial: Some(new.serial.to_string()),
            new_not_after: Some(moment(new.not_after)),
            ..Self::planned(target)
        }
    }

    fn text(&self) -> String {
        let (file, subject) = (quote::name(&self.file), &self.subject);
        match &self.new_not_after {
            Some(end) => {
                format!("renewed {file} ({subject}): expires {end}, was {}\n", self.not_after)
            }
            None => format!("would renew {file} ({subject}), which expires {}\n", self.not_after),
        }
    }
}

impl RenewOutput {
    fn print(&self, format: Format) -> Result<(), Failure> {
        if format == Format::Json {
            return json::print(self);
        }
        warn(&self.warnings);
        let mut page: String = self.certificates.iter().map(Line::text).collect();
        if self.certificates.is_empty() {
            page.push_str("nothing is due\n");
        }
        page.extend(self.next.iter().map(|next| format!("next: {next}\n")));
        host::print(&page)
    }
}

/// Warnings, for people.
fn warn(warnings: &[String]) {
    let word = text::coloured(Some(Severity::Warning), "warning");
    for warning in warnings {
        host::say(&format!("{word}: {warning}\n"));
    }
}
