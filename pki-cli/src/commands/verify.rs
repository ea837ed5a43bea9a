//! `etcdpki verify`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use pki_core::{
    Certificate, Content, Policy, PrivateKey, Purpose, Question, Report, San, Signer, Verifier,
    parse_duration,
};
use rustls_pki_types::ServerName;
use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::{Common, audit, cluster, core};
use crate::ca_folder::{self, read_certificates};
use crate::failure::{Failure, Kind};
use crate::output::facts::{self, FindingFacts};
use crate::output::{Format, json, text};
use crate::{host, store};

/// Verify certificates, with reasons: what is wrong, what it breaks in the cluster, how to mend it
///
/// The first certificate of a file is judged; those after it may stand between it and the CA.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    etcdpki verify etcdone.pem --purpose server --host 192.168.29.61 --key etcdone-key.pem\n  \
    etcdpki verify *.pem --ca pki/ca.pem --expires-within 30d\n  \
    etcdpki verify etcdone.pem --at 2027-06-01T00:00:00Z --format json\n  \
    etcdpki verify -f cluster.yaml")]
pub(crate) struct VerifyArgs {
    /// The certificates, PEM or DER; - is standard input
    #[arg(required_unless_present = "manifest", value_name = "LEAF")]
    files: Vec<PathBuf>,

    /// Verify the folders of all hosts against this manifest, and the certificates against each other
    #[arg(short = 'f', long = "file", value_name = "MANIFEST",
        conflicts_with_all = ["files", "ca", "intermediates", "crl", "purpose", "profile", "host",
            "key", "at", "expires_within", "max_depth", "policy"])]
    manifest: Option<PathBuf>,

    /// The CAs to trust [default: ca.pem in the CA's folder]
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,

    /// CAs that are not trusted in themselves and may stand between certificate and root
    #[arg(long, value_name = "FILE")]
    intermediates: Vec<PathBuf>,

    /// Revocation lists, PEM or DER
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// The part that the certificates play
    #[arg(long, value_enum, default_value_t = PurposeArg::Any)]
    purpose: PurposeArg,

    /// The built-in profile that the certificates should fit; the same as its --purpose
    #[arg(long, value_name = "NAME", conflicts_with = "purpose", value_enum)]
    profile: Option<ProfileArg>,

    /// A host name or address that peers dial
    #[arg(long, value_name = "NAME-or-IP", allow_hyphen_values = true, value_parser = parse_host)]
    host: Vec<ServerName<'static>>,

    /// The key that should go with the certificate
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The moment to ask about [default: now]
    #[arg(long, value_name = "RFC3339", allow_hyphen_values = true, value_parser = parse_moment)]
    at: Option<OffsetDateTime>,

    /// Warn of certificates that end within this time
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = parse_span)]
    expires_within: Option<Duration>,

    /// How many CAs may stand between certificate and root
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = parse_depth)]
    max_depth: Option<usize>,

    /// Whose rules count
    #[arg(long, value_enum, default_value_t = PolicyArg::Etcd)]
    policy: PolicyArg,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum PurposeArg {
    /// A member towards its clients
    Server,
    /// A client, such as the API server
    Client,
    /// A member towards the other members
    Peer,
    /// No part in particular
    Any,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileArg {
    Server,
    Peer,
    Client,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum PolicyArg {
    /// RFC 5280, and what etcd and the API server need beyond it
    Etcd,
    /// RFC 5280 alone, every rule an error
    Rfc5280,
}

#[derive(Serialize)]
struct Document {
    ok: bool,
    files: Vec<Judged>,
}

#[derive(Serialize)]
struct Judged {
    file: String,
    ok: bool,
    /// Subjects, the judged certificate first.
    path: Vec<String>,
    /// Why the path builder has no say about this path; null where it has.
    limit: Option<&'static str>,
    findings: Vec<FindingFacts>,
}

pub(crate) fn run(args: &VerifyArgs, common: &Common) -> Result<ExitCode, Failure> {
    let mut verdict = Verdict { format: common.format, ok: true, files: Vec::new() };
    if let Some(path) = &args.manifest {
        let manifest = cluster::read_manifest(path)?;
        for found in audit::judge(&manifest, common)? {
            verdict.add(&found.file, &found.report)?;
        }
    } else {
        let verifier = verifier(args, common)?;
        let question = question(args)?;
        for path in &args.files {
            let mut chain = read_certificates(path)?;
            let leaf = chain.remove(0);
            let report = verifier.check(&leaf, &chain, &question);
            verdict.add(&path.display().to_string(), &report)?;
        }
    }
    verdict.print()
}

/// What was found, printed file by file as text, or at the end as JSON.
struct Verdict {
    format: Format,
    ok: bool,
    files: Vec<Judged>,
}

impl Verdict {
    fn add(&mut self, file: &str, report: &Report) -> Result<(), Failure> {
        self.ok &= report.is_ok();
        if self.format == Format::Json {
            self.files.push(Judged {
                file: file.to_owned(),
                ok: report.is_ok(),
                path: report.path.clone(),
                limit: report.limit,
                findings: facts::findings(report),
            });
            return Ok(());
        }
        let path = match report.path.join(" <- ") {
            path if path.is_empty() => path,
            path => format!("  {path}\n"),
        };
        let limit = report.limit.map_or_else(String::new, text::limit);
        let (counts, findings) = (text::counts(report), text::findings(report));
        host::print(&format!("{file}: {counts}\n{path}{limit}{findings}"))
    }

    fn print(self) -> Result<ExitCode, Failure> {
        let ok = self.ok;
        if self.format == Format::Json {
            json::print(&Document { ok, files: self.files })?;
        }
        Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(Kind::Refused.exit_code()) })
    }
}

fn verifier(args: &VerifyArgs, common: &Common) -> Result<Verifier, Failure> {
    let default = [ca_folder::certificate_path(&common.dir)];
    let files = if args.ca.is_empty() { &default[..] } else { &args.ca[..] };
    let mut anchors = Vec::new();
    for path in files {
        if args.ca.is_empty() && !store::is_there(path)? {
            return Err(Failure::environment(format!("{}: no CA here", path.display()))
                .hinted("name the CA's certificate with --ca, or the CA's folder with --dir"));
        }
        anchors.extend(read_certificates(path)?);
    }
    // The CA's own file may carry the CAs above an intermediate; only roots are trusted then.
    if args.ca.is_empty() && anchors.iter().any(Certificate::is_self_issued) {
        anchors.retain(Certificate::is_self_issued);
    }
    let mut verifier = Verifier::new(anchors)?;
    for path in &args.intermediates {
        verifier.intermediates.extend(read_certificates(path)?);
    }
    for path in &args.crl {
        add_crls(&mut verifier, path)?;
    }
    verifier.max_depth = args.max_depth;
    verifier.policy = match args.policy {
        PolicyArg::Etcd => Policy::Etcd,
        PolicyArg::Rfc5280 => Policy::Rfc5280,
    };
    Ok(verifier)
}

fn add_crls(verifier: &mut Verifier, path: &Path) -> Result<(), Failure> {
    let in_file = |error: pki_core::Error| Failure::from(error).in_file(path);
    let bytes = store::read(path)?;
    if !pki_core::is_pem(&bytes) {
        return verifier.add_crl(&bytes).map_err(in_file);
    }
    let mut found = false;
    for section in pki_core::read_pem(&bytes).map_err(in_file)? {
        if let Content::Crl(der) = section.content {
            verifier.add_crl(&der).map_err(in_file)?;
            found = true;
        }
    }
    if found {
        return Ok(());
    }
    Err(Failure::usage("not a CRL: no X509 CRL section in the PEM")
        .hinted("the file may hold a certificate; are two paths switched?")
        .in_file(path))
}

fn question(args: &VerifyArgs) -> Result<Question, Failure> {
    let mut question = Question::at(args.at.unwrap_or_else(host::now));
    question.purpose = match (args.profile, args.purpose) {
        (Some(ProfileArg::Server), _) | (None, PurposeArg::Server) => Purpose::Server,
        (Some(ProfileArg::Peer), _) | (None, PurposeArg::Peer) => Purpose::Peer,
        (Some(ProfileArg::Client), _) | (None, PurposeArg::Client) => Purpose::Client,
        (None, PurposeArg::Any) => Purpose::Any,
    };
    question.hosts.clone_from(&args.host);
    question.expires_within = args.expires_within;
    if let Some(path) = &args.key {
        if args.files.len() > 1 {
            return Err(Failure::usage("--key goes with one certificate, and several are given")
                .hinted("verify the pairs one by one"));
        }
        let key = PrivateKey::from_pem(&store::read(path)?)
            .map_err(|error| Failure::from(error).in_file(path))?;
        question.key = Some(key.public_key().clone());
    }
    Ok(question)
}

/// Takes more than a certificate of ours could carry, for others may: an underscore, a dot behind.
fn parse_host(text: &str) -> Result<ServerName<'static>, String> {
    if let Ok(name) = ServerName::try_from(text.to_owned()) {
        return Ok(name);
    }
    // The core says what is wrong with it, and reads international names.
    match core(text.parse::<San>())? {
        San::Dns(name) => ServerName::try_from(name.as_str().to_owned()).ok(),
        _ => None,
    }
    .ok_or_else(|| {
        "neither a host name nor an address\n  hint: name the host that peers dial, without `*`"
            .to_owned()
    })
}

fn parse_span(text: &str) -> Result<Duration, String> {
    match core(parse_duration(text))? {
        span if span.is_negative() => {
            Err("below zero\n  hint: write a time to come: 30d".to_owned())
        }
        span => Ok(span),
    }
}

fn parse_depth(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "not a number of CAs\n  hint: write 0, 1, 2, …".to_owned())
}

fn parse_moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "not an RFC 3339 timestamp\n  hint: write 2027-06-01T00:00:00Z".to_owned())
}
