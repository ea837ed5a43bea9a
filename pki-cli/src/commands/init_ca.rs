//! `etcdpki init-ca`

mod root;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{CaRequest, CsrJson, Input, KeyAlgorithm, NameConstraint, Subject};
use serde::Serialize;
use time::Duration;

use self::root::RootArgs;
use super::custody::NewCustodyArgs;
use super::{Common, complete, core, lifetime};
use crate::ca::{self, Ca, NewCa, Opened, Remains};
use crate::failure::{Failure, Kind, full, shown};
use crate::host;
use crate::output::facts::{CertificateFacts, moment};
use crate::output::{Format, json};
use crate::store;

/// Create a new CA: a root, or an intermediate under one, and its key
///
/// An existing CA is never overwritten, and there is no option to do so. With --intermediate, the CA in
/// --root-dir signs the new CA. Its key is not needed again until the intermediate CA is replaced, so it can
/// be on a medium that is kept offline, in a token, or on a machine to which only bytes and signatures travel.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki init-ca --cn 'etcd CA' --org Lab\n  \
    etcdpki init-ca --permit 192.168.29.0/24 --permit 127.0.0.1/32\n  \
    etcdpki --dir /etc/etcd/pki init-ca --csr-json ca-csr.json\n  \
    etcdpki --dir /media/root init-ca --cn 'root CA' --path-len 1 --expiry 20y\n  \
    etcdpki init-ca --intermediate --root-dir /media/root --cn 'etcd CA'\n  \
    etcdpki init-ca --intermediate --root-dir root --tbs-out ca.tbs\n  \
    etcdpki init-ca --intermediate --root-dir root --signature-in ca.tbs.sig")]
pub(crate) struct InitCaArgs {
    /// Create an intermediate CA, which the CA in --root-dir signs
    #[arg(long, requires = "root_dir")]
    intermediate: bool,

    /// Common name of the CA [default: etcd CA]
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,

    /// Organization of the CA
    #[arg(long, value_name = "NAME")]
    org: Option<String>,

    /// Key algorithm: ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, rsa-2048, rsa-3072,
    /// rsa-4096 [default: ecdsa-p256]
    #[arg(long, value_name = "ALGORITHM", conflicts_with = "public_key", add = complete::algorithms(), value_parser = |text: &str| core(text.parse::<KeyAlgorithm>()))]
    key: Option<KeyAlgorithm>,

    /// Lifetime of the CA: 10y, 3650d, 87600h [default: 10y; of an intermediate CA 5y, but not longer than
    /// that of the CA above it]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = lifetime)]
    expiry: Option<Duration>,

    /// How many intermediate CAs may follow this one in a path [default: 0]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = parse_path_len)]
    path_len: Option<u8>,

    /// Names that the CA may certify; other names of the same kind are forbidden: example.com,
    /// 192.168.29.0/24, email:example.com. May be repeated
    #[arg(long, value_name = "NAMES", value_parser = |text: &str| core(text.parse::<NameConstraint>()))]
    permit: Vec<NameConstraint>,

    /// Names that the CA must not certify. May be repeated
    #[arg(long, value_name = "NAMES", value_parser = |text: &str| core(text.parse::<NameConstraint>()))]
    exclude: Vec<NameConstraint>,

    /// Read subject, key algorithm and lifetime from cfssl's CSR JSON; the options above take precedence
    #[arg(long, value_name = "FILE")]
    csr_json: Option<PathBuf>,

    /// Create the CA even if the folder has the hosts' folders or the inventory of an earlier CA. The
    /// next apply then replaces every certificate
    #[arg(long)]
    new: bool,

    #[command(flatten)]
    custody: NewCustodyArgs,

    #[command(flatten)]
    root: RootArgs,
}

fn parse_path_len(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| {
        "expected a number from 0 to 255\n  hint: 0 allows no intermediate CA, 1 allows one below this CA".to_owned()
    })
}

/// The default lifetime of an intermediate CA: half that of a root, so that it can be replaced once within the
/// lifetime of the root.
const INTERMEDIATE_LIFETIME: Duration = Duration::days(1825);

#[derive(Serialize)]
struct InitCaOutput {
    certificate: CertificateFacts,
    files: Files,
}

#[derive(Serialize)]
struct Files {
    certificate: String,
    /// `null` if the key is in a token or behind a command.
    key: Option<String>,
}

pub(crate) fn run(args: &InitCaArgs, common: &Common) -> Result<ExitCode, Failure> {
    let (mut request, algorithm) = request(args)?;
    let folder = common.folder();
    let above = args.root.open(args.custody.passphrase(), common)?;
    if let (Some(above), Some(signature_in)) = (&above, &args.root.signature_in) {
        let finished = root::receive(above, &folder, signature_in, common)?;
        let key = finished.has_key_file.then(|| ca::key_path(&folder));
        return print(&finished.ca, key.as_deref(), args, &folder, common);
    }
    if let (Some(above), None, None) = (&above, args.expiry, &args.csr_json) {
        let left = above.certificate().not_after - host::now();
        request.expiry = INTERMEDIATE_LIFETIME.min(Duration::seconds(left.whole_seconds()));
    }
    let remains = if args.new { Remains::Keep } else { Remains::Refuse };
    let (above, owners) = (above.as_ref(), common.owners());
    let custody = &args.custody.custody()?.hiding(args.root.root_passphrase.as_ref());
    let new = NewCa { above, request: &request, algorithm, remains, owners, custody };
    let explain = |failure: Failure| {
        let failure = failure.naming(Input::Subject, "--cn");
        // The options were checked before, so a wrong value is in the file.
        match (failure.kind, &args.csr_json) {
            (Kind::Usage, Some(path)) => failure.in_file(path),
            _ => failure,
        }
    };
    if let (Some(above), Some(tbs_out)) = (above, &args.root.tbs_out) {
        return root::send(&new, above, &folder, tbs_out, common).map_err(explain);
    }
    let (_folder, opened) = new.open_or_create(&folder).map_err(explain)?;
    match opened {
        Opened::Created(ca) => {
            let key = custody.is_file().then(|| ca::key_path(&folder));
            print(&ca, key.as_deref(), args, &folder, common)
        }
        Opened::Found(found) => Err(found.exists(&folder)),
    }
}

/// `key` is the file of the CA's key, if it is in one.
fn print(
    ca: &Ca,
    key: Option<&Path>,
    args: &InitCaArgs,
    folder: &Path,
    common: &Common,
) -> Result<ExitCode, Failure> {
    let certificate = ca.certificate();
    let files = Files { certificate: shown(&ca::certificate_path(folder)), key: key.map(shown) };
    // In cfssl's files, the default is no limit; in etcdpki, it is 0.
    let constraints = certificate.extensions.basic_constraints;
    let path_len = match constraints.and_then(|constraints| constraints.path_len) {
        _ if args.csr_json.is_none() => String::new(),
        Some(0) => "  CAs     none below it; --path-len NUMBER allows some\n".to_owned(),
        Some(length) => {
            format!("  CAs     at most {length} below it in a path; --path-len 0 allows none\n")
        }
        None => "  CAs     any number below it in a path; --path-len 0 allows none\n".to_owned(),
    };
    let written = match &files.key {
        Some(key) => format!("{}, {key}", files.certificate),
        None => files.certificate.clone(),
    };
    let hint = format!("the CA was created nevertheless: {written}");
    let printed = match common.format {
        Format::Json => {
            json::print(&InitCaOutput { certificate: CertificateFacts::from(certificate), files })
        }
        _ => host::print(&format!(
            "created the CA {} in {}\n  valid   {} to {}\n  key     {}\n{}  wrote   {written}\n",
            certificate.subject,
            full(folder),
            moment(certificate.not_before),
            moment(certificate.not_after),
            certificate.public_key.algorithm_name(),
            path_len,
        )),
    };
    printed.map_err(|failure| failure.hinted(hint))?;
    Ok(ExitCode::SUCCESS)
}

fn request(args: &InitCaArgs) -> Result<(CaRequest, KeyAlgorithm), Failure> {
    let file = args.csr_json.as_deref().map(read_csr_json).transpose()?;
    let subject = match &file {
        Some(file) => file.subject.clone(),
        None => Subject::from_common_name("etcd CA")?,
    };
    let subject = super::override_subject(subject, args.cn.as_ref(), args.org.as_ref())?;
    let mut request = CaRequest::new(subject);
    let mut algorithm = KeyAlgorithm::default();
    if let Some(file) = file {
        algorithm = file.key;
        request.crl_url = file.crl_url;
        if let Some(ca) = file.ca {
            request.expiry = ca.expiry;
            request.backdate = ca.backdate.unwrap_or(request.backdate);
            request.path_len = ca.path_len;
        }
    }
    request.expiry = args.expiry.unwrap_or(request.expiry);
    request.path_len = args.path_len.or(request.path_len);
    request.permitted.clone_from(&args.permit);
    request.excluded.clone_from(&args.exclude);
    Ok((request, args.key.unwrap_or(algorithm)))
}

fn read_csr_json(path: &Path) -> Result<CsrJson, Failure> {
    let file = CsrJson::from_json(&store::read(path)?)
        .map_err(|error| Failure::from(error).in_file(path))?;
    if file.names.is_empty() {
        return Ok(file);
    }
    // cfssl silently drops DNS names here, and keeps addresses.
    let names: Vec<String> = file.names.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    Err(Failure::usage(format!("hosts {names:?}: a CA certificate has no host names"))
        .hinted("remove \"hosts\" from the file")
        .in_file(path))
}
