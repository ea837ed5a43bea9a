//! `etcdpki init-ca`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{
    CaRequest, Certificate, CsrJson, Input, KeyAlgorithm, NameConstraint, PublicKey, Subject,
};
use serde::Serialize;
use time::Duration;

use super::custody::CustodyArgs;
use super::{Common, complete, core, lifetime};
use crate::ca::{self, Ca, NewCa, Opened, Remains};
use crate::failure::{Failure, Kind, full, shown};
use crate::host;
use crate::output::facts::{CertificateFacts, moment};
use crate::output::{Format, json};
use crate::signer::Custody;
use crate::store;

/// Create a new CA: a root, or an intermediate under one, and its key
///
/// An existing CA is never overwritten, and there is no option to do so. With --intermediate, the CA in
/// --root-dir signs the new CA. Its key is not needed again until the intermediate CA is replaced, so its
/// folder can be on a medium that is kept offline.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki init-ca --cn 'etcd CA' --org Lab\n  \
    etcdpki init-ca --permit 192.168.29.0/24 --permit 127.0.0.1/32\n  \
    etcdpki --dir /etc/etcd/pki init-ca --csr-json ca-csr.json\n  \
    etcdpki --dir /media/root init-ca --cn 'root CA' --path-len 1 --expiry 20y\n  \
    etcdpki init-ca --intermediate --root-dir /media/root --cn 'etcd CA'")]
pub(crate) struct InitCaArgs {
    /// Create an intermediate CA, which the CA in --root-dir signs
    #[arg(long, requires = "root_dir")]
    intermediate: bool,

    /// Folder of the CA that signs the intermediate CA, with its key
    #[arg(long, value_name = "DIR", requires = "intermediate")]
    root_dir: Option<PathBuf>,

    /// Common name of the CA [default: etcd CA]
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,

    /// Organization of the CA
    #[arg(long, value_name = "NAME")]
    org: Option<String>,

    /// Key algorithm: ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, rsa-2048, rsa-3072,
    /// rsa-4096 [default: ecdsa-p256]
    #[arg(long, value_name = "ALGORITHM", add = complete::algorithms(), value_parser = |text: &str| core(text.parse::<KeyAlgorithm>()))]
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

    /// Public key of --signer-cmd, in PEM or DER
    #[arg(long, value_name = "FILE", requires = "signer_cmd", conflicts_with = "key")]
    public_key: Option<PathBuf>,

    #[command(flatten)]
    custody: CustodyArgs,
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
    // A passphrase of the root's key is asked for.
    let open = |root| Ca::open(root, common.owners(), &Custody::default());
    let above = args.root_dir.as_deref().map(open).transpose()?;
    if let Some(above) = &above {
        check_above(above.certificate(), args.root_dir.as_deref().unwrap_or(&folder))?;
        for remark in above.remarks() {
            host::say(&format!("warning: {remark}\n"));
        }
        if args.expiry.is_none() && args.csr_json.is_none() {
            let left = above.certificate().not_after - host::now();
            request.expiry = INTERMEDIATE_LIFETIME.min(Duration::seconds(left.whole_seconds()));
        }
    }
    let remains = if args.new { Remains::Keep } else { Remains::Refuse };
    let (above, owners) = (above.as_ref(), common.owners());
    let custody = &custody(args)?;
    let new = NewCa { above, request: &request, algorithm, remains, owners, custody };
    let opened = new.open_or_create(&folder);
    let (_folder, opened) = opened.map_err(|failure| {
        let failure = failure.naming(Input::Subject, "--cn");
        // The options were checked before, so a wrong value is in the file.
        match (failure.kind, &args.csr_json) {
            (Kind::Usage, Some(path)) => failure.in_file(path),
            _ => failure,
        }
    })?;
    match opened {
        Opened::Created(ca) => print(&ca, custody, args, &folder, common),
        Opened::Found(found) => Err(found.exists(&folder)),
    }
}

/// Refuses a CA that may not have a CA below it, and says how to create one that may.
fn check_above(above: &Certificate, folder: &Path) -> Result<(), Failure> {
    let constraints = above.extensions.basic_constraints;
    if constraints.is_some_and(|constraints| constraints.path_len == Some(0)) {
        return Err(Failure::refused(format!(
            "{}: {} has the path length 0, so it cannot sign an intermediate CA",
            shown(&ca::certificate_path(folder)),
            above.subject
        ))
        .hinted("create the root with etcdpki --dir DIR init-ca --path-len 1"));
    }
    Ok(())
}

fn print(
    ca: &Ca,
    custody: &Custody,
    args: &InitCaArgs,
    folder: &Path,
    common: &Common,
) -> Result<ExitCode, Failure> {
    let certificate = ca.certificate();
    let files = Files {
        certificate: shown(&ca::certificate_path(folder)),
        key: custody.is_file().then(|| shown(&ca::key_path(folder))),
    };
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

/// Where the key will be, or is.
fn custody(args: &InitCaArgs) -> Result<Custody, Failure> {
    let custody = args.custody.custody()?;
    let Some(path) = &args.public_key else { return Ok(custody) };
    let key = PublicKey::from_pem_or_der(&store::read(path)?);
    Ok(custody.with_public_key(key.map_err(|error| Failure::from(error).in_file(path))?))
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
