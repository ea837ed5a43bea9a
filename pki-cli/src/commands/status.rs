//! `etcdpki status`

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::adapter::strip_str;
use clap::ValueEnum;
use pki_core::{
    CaLimit, Certificate, FileKind, FileReport, Finding, HostFile, Purpose, Severity,
    parse_duration, quote,
};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::cluster::RevokedCertificates;
use super::{Common, audit, cluster, core};
use crate::ca;
use crate::failure::{Failure, Kind, full};
use crate::host;
use crate::hosts;
use crate::output::facts::moment;
use crate::output::{Format, json, text};
use crate::store::{Access, Batch, Existing};

/// Show every certificate of the cluster: days left, and what is wrong
///
/// The exit code is 1 if a certificate has expired, is missing, or expires within the warning window. A CA that expires
/// before its certificates would be renewed is a warning, which counts from 90 days before the end. kubeadm does not watch
/// these certificates if etcd is external.
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

    /// Metrics for node_exporter's textfile collector, instead of --format
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
    /// The CA's folder, as a full path.
    folder: String,
    certificates: Vec<Row>,
    /// About a rotation of the CA that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<String>,
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
    /// Warnings, which do not affect the exit code.
    warnings: Vec<String>,
    #[serde(skip)]
    seconds: Option<i64>,
    #[serde(skip)]
    severity: Option<Severity>,
}

pub(crate) fn run(args: &StatusArgs, common: &Common) -> Result<ExitCode, Failure> {
    let manifest = cluster::read_manifest(&args.file)?;
    let folder = common.folder_of(&args.file, &manifest);
    let cas = ca::read_cluster(&ca::folders_of(&manifest, &folder))?;
    let files = audit::read_hosts(&folder.join(hosts::FOLDER))?;
    let now = host::now();
    let mut reports: BTreeMap<String, FileReport> = manifest
        .audit(&cas, &files, now)?
        .into_iter()
        .map(|report| (report.file().to_owned(), report))
        .collect();
    let limits = manifest.ca_limits(&cas, now)?;
    let is_urgent = limits.iter().any(CaLimit::is_urgent);
    // When the first CA of the file expires, all leaf certificates stop being valid.
    let ca = cas.all().into_iter().min_by_key(|ca| ca.not_after);
    let ca_file = FileKind::TrustedCas.name();
    let report = reports.remove(&*ca_file);
    let row = |host: &str, file: &str, purpose, certificate, report: Option<&FileReport>| {
        Row::new(
            (host, file, purpose),
            certificate,
            report,
            Window { warn: args.warn, is_urgent, now },
        )
    };
    let revoked = RevokedCertificates::read(&manifest, &folder)?;
    let mut rows = vec![row("", &ca_file, "ca", ca, report.as_ref())];
    let held: HashMap<(&str, &str), &HostFile> =
        files.iter().map(|file| ((file.host.as_str(), file.name.as_str()), file)).collect();
    for spec in manifest.certificates()? {
        let (host, file) = (&spec.host, spec.role.certificate_file());
        let found = held.get(&(host.as_str(), file.as_str()));
        let certificate = found.and_then(|file| file.certificate());
        let report = reports.remove(&format!("{host}/{file}"));
        // The host uses the files of another tool instead.
        if found.is_none() && report.is_none() {
            continue;
        }
        let purpose = spec.role.profile();
        let mut row = row(host, &file, purpose, certificate, report.as_ref());
        if certificate.is_some_and(|certificate| revoked.contains(&spec.role, certificate)) {
            row.problems.push("revoked".to_owned());
            row.severity = Some(Severity::Error);
        }
        rows.push(row);
    }
    // The certificates of another tool, and files that should not be on a host in this format.
    for (path, report) in reports {
        let (host, file) = path.split_once('/').unwrap_or(("", &path));
        let found = held.get(&(host, file)).filter(|_| report.purpose().is_some());
        let certificate = found.and_then(|file| file.certificate());
        let purpose = match report.purpose() {
            Some(Purpose::Server) => "server",
            Some(Purpose::Peer) => "peer",
            Some(Purpose::Client) => "client",
            _ => "other",
        };
        rows.push(row(host, file, purpose, certificate, Some(&report)));
    }
    let rotation = cluster::rotation_summary(&manifest, &cas, &folder)?;
    let ok = rows.iter().all(|row| row.problems.is_empty());
    let page = match (args.output, common.format) {
        (Some(Output::Prometheus), _) => prometheus(&rows),
        (None, Format::Json) => {
            json::text(&StatusOutput { ok, folder: full(&folder), certificates: rows, rotation })?
        }
        (None, _) => {
            let rotation = rotation.map_or(String::new(), |text| format!("{text}\n"));
            format!("{}\n{}{rotation}", full(&folder), table(&rows))
        }
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

/// When a date becomes a problem.
#[derive(Clone, Copy)]
struct Window {
    warn: Duration,
    /// Whether a CA expires so soon that this is a problem.
    is_urgent: bool,
    now: OffsetDateTime,
}

/// What the end of a CA means for certificates, long before it is urgent.
const OF_CA_END: [&str; 2] = ["ca-limits-leaves", "leaf-ends-with-ca"];

impl Row {
    fn new(
        (host, file, purpose): (&str, &str, &'static str),
        certificate: Option<&Certificate>,
        report: Option<&FileReport>,
        window: Window,
    ) -> Self {
        let left = certificate.map(|certificate| certificate.not_after - window.now);
        let findings = || report.into_iter().flat_map(FileReport::findings);
        let mut severity = findings().map(|finding| finding.severity).max();
        let counts = |finding: &&Finding| window.is_urgent || !OF_CA_END.contains(&finding.rule.id);
        let (problems, warnings): (Vec<_>, Vec<_>) = findings().partition(counts);
        let text = |finding: &Finding| format!("{}: {}", finding.rule.id, finding.evidence);
        let mut problems: Vec<String> = problems.into_iter().map(text).collect();
        if let Some(left) = left.filter(|left| *left < window.warn)
            && problems.is_empty()
        {
            problems.push(if left.is_negative() {
                format!("expired {} days ago", left.abs().whole_days())
            } else {
                format!("expires within {} days", window.warn.whole_days())
            });
            severity = Some(if left.is_negative() { Severity::Error } else { Severity::Warning });
        }
        Self {
            host: host.to_owned(),
            file: file.to_owned(),
            purpose,
            serial: certificate.map(|certificate| certificate.serial.to_string()),
            not_after: certificate.map(|certificate| moment(certificate.not_after)),
            days_left: left.map(Duration::whole_days),
            problems,
            warnings: warnings.into_iter().map(text).collect(),
            seconds: certificate.map(|certificate| certificate.not_after.unix_timestamp()),
            severity,
        }
    }

    /// The problems, then the warnings, for people.
    fn remarks(&self) -> String {
        let warnings = self.warnings.iter().map(|warning| format!("(warning) {warning}"));
        let all: Vec<String> = self.problems.iter().cloned().chain(warnings).collect();
        if all.is_empty() { "none".to_owned() } else { all.join("; ") }
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
        // Padded before the colour codes are added, which have no width.
        let days = text::coloured(row.severity, &format!("{days:>6}"));
        let serial = row.serial.as_deref().unwrap_or("-");
        let remarks = row.remarks();
        let _ = writeln!(
            out,
            "{:<width$}  {:<8}{days}  {serial:<40}  {remarks}",
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
    let problems = ("problems", "The number of problems of the certificate.");
    let warnings = ("warnings", "The number of warnings, such as that the CA expires too early.");
    for (name, help) in [problems, warnings] {
        let metric = format!("etcdpki_certificate_{name}");
        let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} gauge");
        for row in rows {
            let counted = if name == problems.0 { &row.problems } else { &row.warnings };
            let _ = writeln!(text, "{metric}{{{}}} {}", labels(row), counted.len());
        }
    }
    text
}
