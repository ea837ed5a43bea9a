//! `etcdpki list`

use std::fmt::Write as _;
use std::process::ExitCode;

use pki_core::{SerialNumber, quote};
use serde::Serialize;
use time::Duration;

use super::cluster::{CaFolders, FolderArgs};
use super::{Common, core, lifetime};
use crate::failure::Failure;
use crate::host;
use crate::inventory::{Filter, Inventory, Row, Status};
use crate::output::record::RecordFacts;
use crate::output::{Format, json};

/// List the certificates that the CA issued, oldest first
///
/// The status is good, revoked, or replaced if a later certificate was written to the same file.
/// Several filters list the certificates that match all of them. With separate CAs, the table has the
/// certificates of all of them, with the CA of each.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki list --expiring 30d\n  \
    etcdpki list --host etcdone --profile peer\n  \
    etcdpki list --revoked --format json")]
pub(crate) struct ListArgs {
    /// Only certificates that are in use and expire within this time: 30d, 12h
    #[arg(long, value_name = "DURATION", conflicts_with = "revoked", value_parser = lifetime)]
    expiring: Option<Duration>,

    /// Only revoked certificates
    #[arg(long)]
    revoked: bool,

    /// Only certificates in the folder of this host, or for certificates of `issue`, with this common name
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// Only certificates of this signing profile; `ca` is the profile of the CA itself
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Only the certificate with this serial number, in hexadecimal
    #[arg(long, value_name = "SERIAL", value_parser = |text: &str| core(text.parse::<SerialNumber>()))]
    serial: Option<SerialNumber>,

    #[command(flatten)]
    folder: FolderArgs,
}

#[derive(Serialize)]
struct ListOutput {
    certificates: Vec<RecordFacts>,
}

pub(crate) fn run(args: &ListArgs, common: &Common) -> Result<ExitCode, Failure> {
    let now = host::now();
    let status = match (args.revoked, args.expiring) {
        (true, _) => Some(Status::Revoked),
        (false, Some(_)) => Some(Status::Good),
        (false, None) => None,
    };
    let filter = Filter {
        host: args.host.clone(),
        profile: args.profile.clone(),
        serial: args.serial.clone(),
        status,
        expires_between: args.expiring.map(|within| (now, now + within)),
    };
    let cas = args.folder.cas(common)?;
    let mut rows = Vec::new();
    let listed = cas.each(|folder| {
        let found = Inventory::of_ca(folder)?.find(&filter)?;
        rows.extend(found.into_iter().map(|row| (cas.name_of(folder), row)));
        Ok(())
    });
    if cas.are_several() {
        rows.sort_by(|(_, one), (_, other)| one.issued_at.cmp(&other.issued_at));
    }
    if listed.is_ok() || !rows.is_empty() {
        if common.format == Format::Json {
            let certificates = rows.iter().map(|(ca, row)| RecordFacts::of(row, *ca)).collect();
            json::print(&ListOutput { certificates })?;
        } else {
            host::print(&table(&rows, &cas))?;
        }
    }
    listed.map(|()| ExitCode::SUCCESS)
}

/// A table with one line for each certificate. Each has its CA if there are several.
fn table(rows: &[(Option<&str>, Row)], cas: &CaFolders) -> String {
    let shown = |text: &Option<String>| match text {
        Some(text) => quote::name(text),
        None => "-".to_owned(),
    };
    let cells = rows.iter().map(|(ca, row)| {
        let host = row.host.as_ref().or(row.common_name.as_ref()).cloned();
        let end = row.not_after.split('T').next().unwrap_or_default().to_owned();
        let status = match row.reason() {
            Some(reason) => format!("{} ({reason})", row.status.as_str()),
            None => row.status.as_str().to_owned(),
        };
        let (serial, profile) = (row.serial.clone(), quote::name(&row.profile));
        let ca = ca.unwrap_or_default().to_owned();
        [serial, ca, profile, shown(&host), end, status, shown(&row.path)]
    });
    let head = ["SERIAL", "CA", "PROFILE", "HOST", "EXPIRES", "STATUS", "FILE"].map(str::to_owned);
    let lines: Vec<[String; 7]> = std::iter::once(head).chain(cells).collect();
    let mut widths = [0; 7];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.len().max(*width);
        }
    }
    let mut text = String::new();
    for line in &lines {
        let [serial, ca, profile, host, end, status, file] = line;
        let [w0, w1, w2, w3, w4, w5, _] = widths;
        let ca = if cas.are_several() { format!("  {ca:<w1$}") } else { String::new() };
        let _ = writeln!(
            text,
            "{serial:<w0$}{ca}  {profile:<w2$}  {host:<w3$}  {end:<w4$}  {status:<w5$}  {file}"
        );
    }
    text
}
