//! `etcdpki status`

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::adapter::strip_str;
use clap::ValueEnum;
use pki_core::{Certificate, FileKind, FileReport, HostFile, Severity, parse_duration, quote};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::{Common, audit, cluster, core};
use crate::ca::Chain;
use crate::failure::{Failure, Kind, full};
use crate::host;
use crate::hosts;
use crate::output::facts::moment;
use crate::output::{Format, json, text};
use crate::store::{Access, Batch, Existing};

/// Show every certificate of the cluster: days left, and what is wrong
///
/// Exit code 1 when one has ended, is missing, or ends within the warning window. kubeadm watches none of them where
/// etcd is external.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki status -f cluster.yaml\n  \
    etcdpki status -f cluster.yaml --output prometheus -o /var/lib/node_exporter/etcdpki.prom")]
pub(crate) struct StatusArgs {
    /// The manifest of the cluster, in YAML
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,

    /// Warn of certificates that end within this time
    #[arg(long, value_name = "DURATION", default_value = "30d",
        value_parser = |text: &str| core(parse_duration(text)))]
    warn: Duration,

    /// Metrics for node_exporter's textfile collector, in place of --format
    #[arg(long, value_enum)]
    output: Option<Output>,

    /// The file to write; `-` is standard output, the default
    ///
    /// The file is replaced in one step, so that a collector never reads half of it.
    #[arg(short, long, value_name = "PATH")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Output {
    /// Prometheus text format
    Prometheus,
}

#[derive(Serialize)]
struct StatusOutput {
    ok: bool,
    /// The CA's folder that was looked into, as a full path.
    folder: String,
    certificates: Vec<Row>,
}

/// One certificate.
#[derive(Serialize)]
struct Row {
    host: String,
    file: String,
    purpose: &'static str,
    serial: Option<String>,
    not_after: Option<String>,
    days_left: Option<i64>,
    problems: Vec<String>,
    #[serde(skip)]
    seconds: Option<i64>,
    #[serde(skip)]
    severity: Option<Severity>,
}

pub(crate) fn run(args: &StatusArgs, common: &Common) -> Result<ExitCode, Failure> {
    let manifest = cluster::read_manifest(&args.file)?;
    let folder = common.folder_of(&args.file, &manifest);
    let cas = Chain::read(&folder)?.cas(&folder)?;
    let files = audit::read_hosts(&folder.join(hosts::FOLDER))?;
    let now = host::now();
    let mut reports: BTreeMap<String, FileReport> = manifest
        .audit(&cas, &files, now)?
        .into_iter()
        .map(|report| (report.file().to_owned(), report))
        .collect();
    // All leaves are lost with the first CA of the file that expires.
    let ca = cas.all().into_iter().min_by_key(|ca| ca.not_after);
    let mut rows = vec![row("", &FileKind::TrustedCas.name(), "ca", ca, None, args.warn, now)];
    let held: HashMap<(&str, &str), &HostFile> =
        files.iter().map(|file| ((file.host.as_str(), file.name.as_str()), file)).collect();
    for spec in manifest.certificates()? {
        let (host, file) = (&spec.host, spec.role.certificate_file());
        let found = held.get(&(host.as_str(), file.as_str()));
        let certificate = found.and_then(|file| file.certificate());
        let report = reports.remove(&format!("{host}/{file}"));
        let purpose = spec.role.profile();
        rows.push(row(host, &file, purpose, certificate, report.as_ref(), args.warn, now));
    }
    // Files that no host should hold in that form.
    for (path, report) in reports {
        let (host, file) = path.split_once('/').unwrap_or(("", &path));
        rows.push(row(host, file, "other", None, Some(&report), args.warn, now));
    }
    let ok = rows.iter().all(|row| row.problems.is_empty());
    let page = match (args.output, common.format) {
        (Some(Output::Prometheus), _) => prometheus(&rows),
        (None, Format::Json) => {
            json::text(&StatusOutput { ok, folder: full(&folder), certificates: rows })?
        }
        (None, _) => format!("{}\n{}", full(&folder), table(&rows)),
    };
    match args.out.as_deref().filter(|path| *path != Path::new("-")) {
        None => host::print(&page)?,
        Some(path) => {
            let mut batch = Batch::new(Existing::Replace);
            let plain = strip_str(&page).to_string();
            batch.stage(path.to_owned(), plain.as_bytes(), Access::Public)?;
            batch.commit()?;
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(Kind::Refused.exit_code()) })
}

fn row(
    host: &str,
    file: &str,
    purpose: &'static str,
    certificate: Option<&Certificate>,
    report: Option<&FileReport>,
    warn: Duration,
    now: OffsetDateTime,
) -> Row {
    let left = certificate.map(|certificate| certificate.not_after - now);
    let findings = || report.into_iter().flat_map(FileReport::findings);
    let mut severity = findings().map(|finding| finding.severity).max();
    let mut problems: Vec<String> =
        findings().map(|finding| format!("{}: {}", finding.rule.id, finding.evidence)).collect();
    if let Some(left) = left.filter(|left| *left < warn)
        && problems.is_empty()
    {
        problems.push(format!("ends within {} days", warn.whole_days()));
        severity = Some(if left.is_negative() { Severity::Error } else { Severity::Warning });
    }
    Row {
        host: host.to_owned(),
        file: file.to_owned(),
        purpose,
        serial: certificate.map(|certificate| certificate.serial.to_string()),
        not_after: certificate.map(|certificate| moment(certificate.not_after)),
        days_left: left.map(Duration::whole_days),
        problems,
        seconds: certificate.map(|certificate| certificate.not_after.unix_timestamp()),
        severity,
    }
}

fn table(rows: &[Row]) -> String {
    let path = |row: &Row| {
        let (host, file) = (quote::name(&row.host), quote::name(&row.file));
        if host.is_empty() { file } else { format!("{host}/{file}") }
    };
    let width = rows.iter().map(|row| path(row).len()).max().unwrap_or(0).max(4);
    let mut out =
        format!("{:<width$}  {:<8}{:>6}  {:<40}  PROBLEMS\n", "FILE", "PURPOSE", "DAYS", "SERIAL");
    for row in rows {
        let days = row.days_left.map_or("-".to_owned(), |days| days.to_string());
        // Padded before it is coloured: colour has no width.
        let days = text::coloured(row.severity, &format!("{days:>6}"));
        let serial = row.serial.as_deref().unwrap_or("-");
        let problems =
            if row.problems.is_empty() { "none".to_owned() } else { row.problems.join("; ") };
        let _ = writeln!(
            out,
            "{:<width$}  {:<8}{days}  {serial:<40}  {problems}",
            path(row),
            row.purpose
        );
    }
    out
}

/// The value of a label in the text format of Prometheus.
fn label(text: &str) -> String {
    quote::name(text).replace('\\', "\\\\").replace('"', "\\\"")
}

fn prometheus(rows: &[Row]) -> String {
    let mut text = "# HELP etcdpki_certificate_not_after_seconds When the certificate ends.\n\
         # TYPE etcdpki_certificate_not_after_seconds gauge\n"
        .to_owned();
    let labels = |row: &Row| {
        let (host, file) = (label(&row.host), label(&row.file));
        format!("host=\"{host}\",file=\"{file}\",purpose=\"{}\"", row.purpose)
    };
    for row in rows {
        if let Some(seconds) = row.seconds {
            let _ = writeln!(
                text,
                "etcdpki_certificate_not_after_seconds{{{}}} {seconds}",
                labels(row)
            );
        }
    }
    text.push_str(
        "# HELP etcdpki_certificate_problems How many problems the certificate has.\n\
         # TYPE etcdpki_certificate_problems gauge\n",
    );
    for row in rows {
        let _ = writeln!(
            text,
            "etcdpki_certificate_problems{{{}}} {}",
            labels(row),
            row.problems.len()
        );
    }
    text
}
