//! `etcdpki init-ca`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{
    Attribute, Authority, CaRequest, Certificate, CsrJson, KeyAlgorithm, KeyFormat, NameConstraint,
    PrivateKey, Signer, Subject,
};
use serde::Serialize;
use time::Duration;

use super::{Common, core, lifetime};
use crate::ca_folder;
use crate::failure::{Failure, Kind};
use crate::host;
use crate::inventory::Inventory;
use crate::output::facts::{CertificateFacts, moment};
use crate::output::{Format, json};
use crate::store::{self, Access, Batch, Existing, Lock};

/// Make a new CA: a self-signed root and its key
///
/// A CA that is there already is never overwritten, and there is no option to do so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki init-ca --cn 'etcd CA' --org Lab\n  \
    etcdpki init-ca --permit 192.168.29.0/24 --permit 127.0.0.1/32\n  \
    etcdpki --dir /etc/etcd/pki init-ca --csr-json ca-csr.json")]
pub(crate) struct InitCaArgs {
    /// The CA's common name [default: etcd CA]
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,

    /// The CA's organization
    #[arg(long, value_name = "NAME")]
    org: Option<String>,

    /// The key's algorithm: ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, rsa-2048, rsa-3072,
    /// rsa-4096 [default: ecdsa-p256]
    #[arg(long, value_name = "ALGORITHM", value_parser = |text: &str| core(text.parse::<KeyAlgorithm>()))]
    key: Option<KeyAlgorithm>,

    /// How long the CA lives: 10y, 3650d, 87600h [default: 10y]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = lifetime)]
    expiry: Option<Duration>,

    /// How many CAs may stand below this one [default: 0]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    path_len: Option<u8>,

    /// Names that the CA may certify, and no other of their kind: example.com, 192.168.29.0/24,
    /// email:example.com
    #[arg(long, value_name = "NAMES", value_parser = |text: &str| core(text.parse::<NameConstraint>()))]
    permit: Vec<NameConstraint>,

    /// Names that the CA may not certify
    #[arg(long, value_name = "NAMES", value_parser = |text: &str| core(text.parse::<NameConstraint>()))]
    exclude: Vec<NameConstraint>,

    /// Take subject, key and lifetime from cfssl's CSR JSON; the options above win
    #[arg(long, value_name = "FILE")]
    csr_json: Option<PathBuf>,
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
    let certificate = make(&request, algorithm, &common.dir).map_err(|failure| {
        // The options are checked already; what is wrong with a value is wrong in the file.
        match (failure.kind, &args.csr_json) {
            (Kind::Usage, Some(path)) => failure.in_file(path),
            _ => failure,
        }
    })?;
    let (certificate_path, key_path) =
        (ca_folder::certificate_path(&common.dir), ca_folder::key_path(&common.dir));
    let Some(certificate) = certificate else {
        return Err(existing(&common.dir)?);
    };
    let printed = match common.format {
        Format::Json => json::print(&InitCaOutput {
            certificate: CertificateFacts::from(&certificate),
            files: Files {
                certificate: certificate_path.display().to_string(),
                key: key_path.display().to_string(),
            },
        }),
        _ => host::print(&format!(
            "made the CA {}\n  valid   {} to {}\n  key     {}\n  wrote   {}, {}\n",
            certificate.subject,
            moment(certificate.not_before),
            moment(certificate.not_after),
            algorithm,
            certificate_path.display(),
            key_path.display(),
        )),
    };
    printed.map_err(|failure| {
        let (certificate, key) = (certificate_path.display(), key_path.display());
        failure.hinted(format!("the CA was made all the same: {certificate}, {key}"))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a CA in a folder that has none; gives nothing where there is one, or half of one.
pub(super) fn make(
    request: &CaRequest,
    algorithm: KeyAlgorithm,
    folder: &Path,
) -> Result<Option<Certificate>, Failure> {
    let (certificate_path, key_path) =
        (ca_folder::certificate_path(folder), ca_folder::key_path(folder));
    let is_there = || -> Result<bool, Failure> {
        Ok(store::is_there(&certificate_path)? || store::is_there(&key_path)?)
    };
    // Before a key is made, which may take a second for RSA.
    if is_there()? {
        return Ok(None);
    }

    let context = host::issuance_context()?;
    let key = PrivateKey::generate(algorithm)?;
    let certificate =
        Authority::draft_root(request, key.public_key(), &context)?.sign(&key)?.certificate;

    store::make_folder(folder, Access::Secret)?;
    let _lock = Lock::take(folder)?;
    // Somebody else may have been faster.
    if is_there()? {
        return Ok(None);
    }
    store::sweep_own(folder)?;
    let mut batch = Batch::new(Existing::Keep);
    batch.stage(key_path, key.to_pem(KeyFormat::Pkcs8)?.as_bytes(), Access::Secret)?;
    batch.stage(certificate_path, certificate.to_pem()?.as_bytes(), Access::Public)?;
    Inventory::open(folder)?.record(&certificate, ca_folder::CA_PROFILE, context.now)?;
    batch.commit()?;
    Ok(Some(certificate))
}

fn request(args: &InitCaArgs) -> Result<(CaRequest, KeyAlgorithm), Failure> {
    let file = args.csr_json.as_deref().map(read_csr_json).transpose()?;
    let mut attributes = match &file {
        Some(file) => file.subject.attributes().to_vec(),
        None => vec![(Attribute::CommonName, "etcd CA".to_owned())],
    };
    super::set_attribute(&mut attributes, Attribute::CommonName, args.cn.as_ref());
    super::set_attribute(&mut attributes, Attribute::Organization, args.org.as_ref());
    let mut request = CaRequest::new(Subject::new(attributes)?);
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
    // cfssl drops DNS names here, keeps addresses, and says neither.
    let names: Vec<String> = file.names.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    Err(Failure::usage(format!("hosts {names:?}: a CA certificate carries no host names"))
        .hinted("remove \"hosts\" from the file")
        .in_file(path))
}

/// A CA that is there, or half of one, is never replaced: everything that it signed depends on it.
fn existing(folder: &Path) -> Result<Failure, Failure> {
    let certificate = ca_folder::certificate_path(folder);
    let key = ca_folder::key_path(folder);
    let there = if store::is_there(&certificate)? { certificate } else { key };
    let there = there.display();
    let failure =
        Failure::environment(format!("{there} exists already; a CA is never overwritten"));
    Ok(failure.hinted(if ca_folder::lost_certificate(folder)?.is_some() {
        "a run was killed half-way; etcdpki issue and apply put the certificate back from the inventory"
    } else {
        "choose another folder with --dir, or move the old CA away yourself"
    }))
}
