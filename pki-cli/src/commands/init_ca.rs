//! `etcdpki init-ca`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{CaRequest, CsrJson, Input, KeyAlgorithm, NameConstraint, Subject};
use serde::Serialize;
use time::Duration;

use super::{Common, core, lifetime};
use crate::ca::{self, Ca, Found, NewCa, Opened, Remains};
use crate::failure::{Failure, Kind, full, shown};
use crate::host;
use crate::output::facts::{CertificateFacts, moment};
use crate::output::{Format, json};
use crate::store;

/// Create a new CA: a self-signed root and its key
///
/// An existing CA is never overwritten, and there is no option to do so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki init-ca --cn 'etcd CA' --org Lab\n  \
    etcdpki init-ca --permit 192.168.29.0/24 --permit 127.0.0.1/32\n  \
    etcdpki --dir /etc/etcd/pki init-ca --csr-json ca-csr.json")]
pub(crate) struct InitCaArgs {
    /// Common name of the CA [default: etcd CA]
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,

    /// Organization of the CA
    #[arg(long, value_name = "NAME")]
    org: Option<String>,

    /// Key algorithm: ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, rsa-2048, rsa-3072,
    /// rsa-4096 [default: ecdsa-p256]
    #[arg(long, value_name = "ALGORITHM", value_parser = |text: &str| core(text.parse::<KeyAlgorithm>()))]
    key: Option<KeyAlgorithm>,

    /// Lifetime of the CA: 10y, 3650d, 87600h [default: 10y]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = lifetime)]
    expiry: Option<Duration>,

    /// How many intermediate CAs may follow this one in a path [default: 0]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
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
}

#[derive(Serialize)]
struct InitCaOutput {
    certificate: CertificateFacts,
    files: Files,
}

#[derive(Serialize)]
struct Files {
    certificate: String,
    key: String,
}

pub(crate) fn run(args: &InitCaArgs, common: &Common) -> Result<ExitCode, Failure> {
    let (request, algorithm) = request(args)?;
    let folder = common.folder();
    let remains = if args.new { Remains::Keep } else { Remains::Refuse };
    let new = NewCa { request: &request, algorithm, remains, owners: common.owners() };
    let opened = new.open_or_create(&folder);
    let (_folder, opened) = opened.map_err(|failure| {
        let failure = failure.naming(Input::Subject, "--cn");
        // The options are checked already, so a wrong value is in the file.
        match (failure.kind, &args.csr_json) {
            (Kind::Usage, Some(path)) => failure.in_file(path),
            _ => failure,
        }
    })?;
    match opened {
        Opened::Created(ca) => print(&ca, algorithm, args, &folder, common),
        Opened::Found(found) => Err(existing(&found, &folder)),
    }
}

fn print(
    ca: &Ca,
    algorithm: KeyAlgorithm,
    args: &InitCaArgs,
    folder: &Path,
    common: &Common,
) -> Result<ExitCode, Failure> {
    let certificate = ca.certificate();
    let files = Files {
        certificate: shown(&ca::certificate_path(folder)),
        key: shown(&ca::key_path(folder)),
    };
    // cfssl's files set no limit unless they say so, and our own default is 0.
    let constraints = certificate.extensions.basic_constraints;
    let path_len = match constraints.and_then(|constraints| constraints.path_len) {
        _ if args.csr_json.is_none() => String::new(),
        Some(0) => "  CAs     none below it; --path-len NUMBER allows some\n".to_owned(),
        Some(length) => {
            format!("  CAs     at most {length} below it in a path; --path-len 0 allows none\n")
        }
        None => "  CAs     any number below it in a path; --path-len 0 allows none\n".to_owned(),
    };
    let hint = format!("the CA was created nevertheless: {}, {}", files.certificate, files.key);
    let printed = match common.format {
        Format::Json => {
            json::print(&InitCaOutput { certificate: CertificateFacts::from(certificate), files })
        }
        _ => host::print(&format!(
            "created the CA {} in {}\n  valid   {} to {}\n  key     {}\n{}  wrote   {}, {}\n",
            certificate.subject,
            full(folder),
            moment(certificate.not_before),
            moment(certificate.not_after),
            algorithm,
            path_len,
            files.certificate,
            files.key,
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

/// Why no CA was created. An existing one, or half of one, is never replaced, because everything that it signed depends
/// on it.
fn existing(found: &Found, folder: &Path) -> Failure {
    let there = match found {
        Found::Nothing | Found::Remains(_) => return found.refusal(folder),
        Found::Complete | Found::WithoutKey => ca::certificate_path(folder),
        Found::WithoutCertificate(_) | Found::KeyAlone => ca::key_path(folder),
    };
    let there = shown(&there);
    let failure =
        Failure::environment(format!("{there} exists already; a CA is never overwritten"));
    failure.hinted(if matches!(found, Found::WithoutCertificate(_)) {
        "an earlier run was killed; etcdpki issue and apply put the certificate back from the inventory"
    } else {
        "choose another folder with --dir, or move the old CA away yourself"
    })
}
