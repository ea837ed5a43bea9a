//! `etcdpki verify`

mod checker;
mod folders;
mod ignore;
mod inputs;
mod live;
mod options;
mod readers;
mod refusal;
mod stream;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use pki_core::FileReport;
use rustls_pki_types::ServerName;
use time::{Duration, OffsetDateTime};

use self::checker::Checker;
use self::ignore::{Exceptions, Ignore, IgnoreParser};
use self::inputs::Input;
use self::live::LiveArgs;
use self::readers::Unreadable;
use self::stream::Pace;
use super::{Common, audit, cluster, complete};
use crate::failure::{Failure, full};
use crate::host;
use crate::hosts;
use crate::output::Format;
use crate::output::verdict::{Location, Outcome, Rendered, Verdict, Verified, View};

/// Verify certificates: what is wrong, what fails in the cluster as a result, and how to fix it
///
/// The first certificate of a file is verified; those after it may be intermediates. A folder is searched for
/// *.pem, *.crt, *.cer and *.der; keys, requests, CRLs and CAs in it are skipped. All files are verified even if
/// one has a fault; the exit code is that of the worst.
///
/// In a folder of etcdpki, kubeadm, etcdadm, kubespray, RKE or easy-rsa, each certificate is compared with its
/// key and verified for its purpose, according to etcd's configuration in the folder or the name of the file.
/// Without --ca and without a CA of etcdpki, the folder's own CA is trusted. On the host of a member, verify also
/// reports which of etcd's files in the folder the user in etcd's unit cannot read; run it as root.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    etcdpki verify etcdone.pem --purpose server --host 192.168.29.61 --key etcdone-key.pem\n  \
    etcdpki verify certs/ --ca pki/ca.pem --expires-within 30d --format sarif > etcdpki.sarif\n  \
    etcdpki verify pki/ca.pem --purpose ca --expires-within 400d --warn-as-error\n  \
    etcdpki verify certs/ --ignore 'leaf-expiring=replaced next week, OPS-12'\n  \
    etcdpki verify etcdone.pem --at 2027-06-01T00:00:00Z --format json\n  \
    etcdpki verify --connect 192.168.29.61:2379 --cert api.pem --cert-key api-key.pem\n  \
    etcdpki verify -f cluster.yaml\n  \
    etcdpki verify -f cluster.yaml --connect --cert api.pem --cert-key api-key.pem")]
pub(crate) struct VerifyArgs {
    /// The certificates, PEM or DER, and folders of them; - is standard input
    #[arg(value_name = "LEAF")]
    files: Vec<PathBuf>,

    /// Verify the folders of all hosts against this manifest, and the certificates against each other
    #[arg(short = 'f', long = "file", value_name = "MANIFEST",
        conflicts_with_all = ["files", "ca", "intermediates", "crl", "purpose", "profile", "host",
            "key", "at", "expires_within", "max_depth", "policy"])]
    manifest: Option<PathBuf>,

    /// The CAs to trust [default: ca.pem in the CA's folder]
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,

    /// Intermediate CAs, which are not trusted themselves
    #[arg(long, value_name = "FILE")]
    intermediates: Vec<PathBuf>,

    /// CRLs of the CAs, in PEM or DER
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// The role to verify the certificates for [default: any; server with --connect]
    #[arg(long, value_enum)]
    purpose: Option<PurposeArg>,

    /// The built-in profile of the certificates; the same as --purpose with this name
    #[arg(long, value_name = "NAME", conflicts_with = "purpose", value_enum)]
    profile: Option<ProfileArg>,

    /// A host name or address that clients or peers connect to [default with --connect: the host of the endpoint]
    #[arg(long, value_name = "NAME-or-IP", allow_hyphen_values = true, value_parser = options::parse_host)]
    host: Vec<ServerName<'static>>,

    /// The key of the certificate [default: X-key.pem beside X.pem, if it exists]
    #[arg(long, value_name = "FILE", conflicts_with = "connect")]
    key: Option<PathBuf>,

    /// The time at which to verify [default: now]
    #[arg(long, value_name = "RFC3339", allow_hyphen_values = true, value_parser = options::parse_moment)]
    at: Option<OffsetDateTime>,

    /// Warn of certificates that expire within this time; a warning makes the exit code 1 only with
    /// --warn-as-error
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = options::parse_span)]
    expires_within: Option<Duration>,

    /// The maximum number of CAs between the certificate and the root
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = options::parse_depth)]
    max_depth: Option<usize>,

    /// The set of rules to apply
    #[arg(long, value_enum, default_value_t = PolicyArg::Etcd)]
    policy: PolicyArg,

    /// Count warnings as errors
    #[arg(long)]
    warn_as_error: bool,

    /// Do not count the findings of a rule; the output shows the reason
    #[arg(long, value_name = "RULE=REASON", value_parser = IgnoreParser,
        add = complete::ignorable_rules())]
    ignore: Vec<Ignore>,

    #[command(flatten)]
    live: LiveArgs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum PurposeArg {
    /// A member, as its clients see it
    Server,
    /// A client, such as the API server
    Client,
    /// A member, as the other members see it
    Peer,
    /// A CA, verified by itself
    Ca,
    /// No specific role
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
    /// Only RFC 5280, with every violation an error
    Rfc5280,
}

pub(crate) fn run(args: &VerifyArgs, common: &Common) -> Result<ExitCode, Failure> {
    if args.files.is_empty() && args.manifest.is_none() && !args.live.is_requested() {
        return Err(Failure::usage("nothing to verify").hinted(
            "name certificates or folders (etcdpki verify etcdone.pem), - for standard input, a manifest \
             (-f cluster.yaml) or a live endpoint (--connect HOST:2379)",
        ));
    }
    let exceptions = Exceptions { ignored: args.ignore.clone(), warn_as_error: args.warn_as_error };
    let manifest = args.manifest.as_deref().map(cluster::read_manifest).transpose()?;
    let folder = match (&args.manifest, &manifest) {
        (Some(file), Some(manifest)) => common.folder_of(file, manifest),
        _ => common.folder(),
    };
    if args.live.is_requested() {
        let targets = args.live.targets(manifest.as_ref(), &folder)?;
        let checker = Checker::new(args, &folder, exceptions)?;
        return live::run(args, targets, &checker, common.format);
    }
    if let Some(manifest) = manifest {
        let reports = audit::run(&manifest, &folder)?;
        return print_audit(reports, &folder, common.format, &exceptions);
    }
    let checker = Checker::new(args, &folder, exceptions)?;
    let mut asked = checker.words();
    if args.host.is_empty() && args.files.iter().any(|path| path.is_dir()) {
        asked.push_str(", without a host name (--host)");
    }
    let view = View {
        format: common.format,
        asked,
        alone: args.files.len() == 1 && !args.files[0].is_dir(),
    };
    let work = |input: Input| inputs::verify(input, &checker, &view);
    let mut verdict = Verdict::new(&view);
    stream::in_order(inputs::expand(&args.files), &Pace::files(), work, |done| verdict.add(done))?;
    if args.policy == PolicyArg::Etcd {
        verdict.add(verify_readers(&args.files, &checker, &view))?;
    }
    verdict.finish()
}

/// What etcd's user cannot read in these folders, if this is the host of that etcd.
fn verify_readers(files: &[PathBuf], checker: &Checker, view: &View) -> Vec<Rendered> {
    let unreadable = readers::unreadable(files).into_iter();
    unreadable
        .map(|Unreadable { path, finding }| {
            let found = checker.exceptions.apply(vec![finding]);
            let result = Ok(Verified { path: None, endpoint: None, found });
            let name = path.display().to_string();
            view.render(&Outcome { name, location: Location::File(path), result })
        })
        .collect()
}

fn print_audit(
    reports: Vec<FileReport>,
    folder: &Path,
    format: Format,
    exceptions: &Exceptions,
) -> Result<ExitCode, Failure> {
    let now = options::second(host::now());
    let view = View {
        format,
        asked: format!("against the manifest, in {}, at {now}", full(folder)),
        alone: false,
    };
    let folder = folder.join(hosts::FOLDER);
    let mut verdict = Verdict::new(&view);
    for found in reports {
        let name = found.file().to_owned();
        let expects_certificate = found.purpose().is_some();
        let (path, findings) = found.into_parts();
        // A file that cannot be read as a certificate proves nothing, whatever is ignored.
        let is_unread = expects_certificate
            && path.is_none()
            && findings.iter().any(|found| found.rule.id.starts_with("pem-"));
        let found = if is_unread {
            exceptions.ignoring_nothing().apply(findings)
        } else {
            exceptions.apply(findings)
        };
        let verified = Verified { path, endpoint: None, found };
        let location = Location::File(folder.join(&name));
        verdict.add(vec![view.render(&Outcome { name, location, result: Ok(verified) })])?;
    }
    verdict.finish()
}
