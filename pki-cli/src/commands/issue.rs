//! `etcdpki issue`

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::{
    Asked, CertificateRequest, CsrJson, Error, ExtendedKeyUsage, Input, Issued, KeyAlgorithm,
    LeftOut, PrivateKey, Profile, Request, San, Signer, SigningConfig, Subject,
};
use serde::Serialize;
use time::Duration;

use super::{Common, core, lifetime};
use crate::ca::{Ca, LockedFolder, certificate_path};
use crate::failure::{Failure, Kind, shown};
use crate::host;
use crate::named_pair::{NamedPair, check_name};
use crate::output::facts::{self, CertificateFacts, FindingFacts};
use crate::output::{Format, json, text};
use crate::store::{self, Existing};

/// Issue a certificate, with a key of its own or for a PKCS #10 request
///
/// Writes NAME.pem and NAME-key.pem. Without NAME, this host's own name is taken, and for a
/// certificate that serves also its addresses.
///
/// The profiles: server (a member towards its clients), peer (a member towards the other members),
/// client (the API server and other clients). Each adds the names that etcd needs: server the
/// common name, localhost and 127.0.0.1; peer the common name; client a name under .invalid, which
/// shuts etcd's peer port to it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    etcdpki issue --profile server etcdone --san 192.168.29.61 --san etcdone.example.com\n  \
    etcdpki issue --profile peer etcdone-peer --cn etcdone --san 192.168.29.61 --san etcd-peer.lab\n  \
    etcdpki issue --profile client apiserver-etcd-client\n  \
    etcdpki issue --profile server --csr etcdone.csr etcdone\n  \
    etcdpki issue --config ca-config.json --profile www --csr-json server.json server")]
pub(crate) struct IssueArgs {
    /// The base of the files that are written, and the common name unless --cn says otherwise
    name: Option<String>,

    /// The signing profile: server, peer, client, or one of --config
    #[arg(long, value_name = "NAME")]
    profile: String,

    /// A name or address that the certificate is for; dns:, ip:, email: and uri: fix its kind.
    /// Repeat it. With --csr or --csr-json it replaces the names of the file
    #[arg(long, value_name = "NAME", allow_hyphen_values = true,
        value_parser = |text: &str| core(text.parse::<San>()))]
    san: Vec<San>,

    /// The common name
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,

    /// The organization
    #[arg(long, value_name = "NAME")]
    org: Option<String>,

    /// The key's algorithm: ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, rsa-2048, rsa-3072,
    /// rsa-4096 [default: ecdsa-p256]
    #[arg(long, value_name = "ALGORITHM", conflicts_with = "csr",
        value_parser = |text: &str| core(text.parse::<KeyAlgorithm>()))]
    key: Option<KeyAlgorithm>,

    /// How long the certificate lives, in place of the profile's expiry: 90d, 8760h, 1y
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = lifetime)]
    expiry: Option<Duration>,

    /// Signing profiles in cfssl's ca-config.json, in place of the built-in ones
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Sign this PKCS #10 request (PEM or DER; - is standard input); no key is made
    #[arg(long, value_name = "FILE", conflicts_with = "csr_json")]
    csr: Option<PathBuf>,

    /// Take subject, names and key from cfssl's CSR JSON; the options above win
    #[arg(long, value_name = "FILE")]
    csr_json: Option<PathBuf>,

    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,

    /// Append the CAs between the certificate and the root to NAME.pem
    #[arg(long)]
    chain: bool,

    /// Replace NAME.pem and NAME-key.pem where they are there already
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct IssueOutput {
    certificate: CertificateFacts,
    profile: String,
    files: Files,
    findings: Vec<FindingFacts>,
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct Files {
    certificate: String,
    key: Option<String>,
}

impl Files {
    fn of(wanted: &Wanted) -> Self {
        Self {
            certificate: shown(&wanted.files.certificate),
            key: wanted.key.as_ref().map(|_| shown(&wanted.files.key)),
        }
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "{key}, ")?;
        }
        f.write_str(&self.certificate)
    }
}

/// A request, and where what is made of it goes.
struct Wanted {
    files: NamedPair,
    request: Request,
    /// The key that was made for it; none where a PKCS #10 brought its own.
    key: Option<PrivateKey>,
    /// The file that the common name comes from, where it is one.
    named_by: Option<PathBuf>,
}

pub(crate) fn run(args: &IssueArgs, common: &Common) -> Result<ExitCode, Failure> {
    let config = match &args.config {
        Some(path) => SigningConfig::from_json(&store::read(path)?)
            .map_err(|error| Failure::from(error).in_file(path))?,
        None => SigningConfig::etcd(),
    };
    let profile = config.profile(&args.profile).map_err(|error| match &args.config {
        Some(path) => Failure::from(error).in_file(path),
        None => Failure::from(error),
    })?;
    let folder = common.folder();
    let ca = Ca::open(&folder, common.owners())?;
    let wanted = wanted(args, profile, &folder)?;
    let context = host::issuance_context()?;
    let signed = ca.sign(&wanted.request, profile, &context);
    let signed = signed.map_err(|error| not_drafted(error, args, &wanted, &folder))?;

    for remark in ca.remarks() {
        host::say(&format!("warning: {remark}\n"));
    }
    // Whoever else writes files of this name waits.
    let _folder = LockedFolder::lock(&folder, common.owners())?;
    let staged = signed.stage(|issued| {
        let mut pem = issued.certificate.to_pem()?;
        for above in ca.chain().intermediates().filter(|_| args.chain) {
            pem.push_str(&above.to_pem()?);
        }
        Ok((wanted.files.stage(&pem, wanted.key.as_ref())?, issued))
    })?;
    let (pair, issued) = ca.record(staged)?.split();
    pair.put()?;
    let files = Files::of(&wanted);
    let written = files.to_string();
    print(common, profile, issued.get(), files).map_err(|failure| {
        failure.hinted(format!("the certificate was issued all the same: {written}"))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Why there is no draft, with the files that have a part in it.
fn not_drafted(error: Error, args: &IssueArgs, wanted: &Wanted, folder: &Path) -> Failure {
    let file = match (&error, error.input()) {
        // The profile makes a name of the common name.
        (Error::Invalid(_), Some(Input::Subject)) => {
            wanted.named_by.as_ref().or(args.config.as_ref())
        }
        (Error::Invalid(_), Some(Input::Profile)) => args.config.as_ref(),
        (Error::NotAdmitted(_), _) => args.config.as_ref().or(args.csr.as_ref()),
        _ => None,
    };
    let file = file.cloned();
    let mut failure = Failure::from(error).naming(Input::Subject, "--cn");
    if !failure.findings.is_empty() {
        let _ = write!(failure.message, " (CA {}", shown(&certificate_path(folder)));
        for (what, path) in [("request", &args.csr), ("profile of", &args.config)] {
            if let Some(path) = path {
                let _ = write!(failure.message, ", {what} {}", shown(path));
            }
        }
        failure.message.push(')');
    }
    match file {
        Some(path) => failure.in_file(&path),
        None => failure,
    }
}

/// Gathers the request: from a PKCS #10, from cfssl's CSR JSON, or from this host; the options win. `folder` is that
/// of the CA.
fn wanted(args: &IssueArgs, profile: &Profile, folder: &Path) -> Result<Wanted, Failure> {
    args.name.as_deref().map_or(Ok(()), check_name)?;
    let mut algorithm = KeyAlgorithm::default();
    let mut given = None;
    let (mut subject, mut names) = match (&args.csr, &args.csr_json) {
        (Some(path), _) => {
            let in_file = |error: pki_core::Error| Failure::from(error).in_file(path);
            let csr = CertificateRequest::from_pem_or_der(&store::read(path)?).map_err(in_file)?;
            let request = Request::from_csr(&csr).map_err(in_file)?;
            let subject = profile.restrict(request.clone()).subject.value().clone();
            given = Some((path, request));
            (subject, Vec::new())
        }
        (None, Some(path)) => {
            let file = read_csr_json(path)?;
            algorithm = file.key;
            (file.subject, file.names)
        }
        (None, None) if args.name.is_none() => this_host(args, profile)?,
        (None, None) => (Subject::default(), Vec::new()),
    };
    if !args.san.is_empty() {
        names.clone_from(&args.san);
    }
    let named_by = subject.common_name().filter(|_| args.cn.is_none());
    let named_by = named_by.and(args.csr.as_ref().or(args.csr_json.as_ref())).cloned();
    let cn = args.cn.as_ref().or(args.name.as_ref().filter(|_| subject.common_name().is_none()));
    let overridden = cn.is_some() || args.org.is_some();
    subject = super::override_subject(subject, cn, args.org.as_ref())?;

    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let files = NamedPair::new(&args.out, name(args, &subject)?, existing)?;
    let (mut request, key) = if let Some((csr, mut request)) = given {
        let checked = files.check_certificate(folder, &request.public_key);
        checked.map_err(|failure| match failure.kind {
            Kind::Usage => failure.in_file(csr),
            _ => failure,
        })?;
        if overridden {
            request.subject = Asked::ByOperator(subject);
        }
        if !names.is_empty() {
            request.names = Asked::ByOperator(names);
        }
        (request, None)
    } else {
        // Before a key is made, which may take a second for RSA.
        files.check_both(folder)?;
        let key = PrivateKey::generate(args.key.unwrap_or(algorithm))?;
        (Request::new(subject, names, key.public_key().clone()), Some(key))
    };
    request.expiry = args.expiry;
    Ok(Wanted { files, request, key, named_by })
}

fn read_csr_json(path: &Path) -> Result<CsrJson, Failure> {
    let in_file = |failure: Failure| failure.in_file(path);
    let file = CsrJson::from_json(&store::read(path)?).map_err(|error| in_file(error.into()))?;
    if file.ca.is_some() {
        return Err(in_file(
            Failure::usage("ca \"{…}\": this section is for a CA, not for a leaf")
                .hinted("remove it, or make the CA with etcdpki init-ca --csr-json"),
        ));
    }
    if let Some(url) = &file.crl_url {
        return Err(in_file(
            Failure::usage(format!("crl_url {:?}: cfssl ignores it for a leaf", url.as_str()))
                .hinted("write \"crl_url\" in the signing profile"),
        ));
    }
    Ok(file)
}

/// The host's own name, and its addresses where the certificate serves: a client's certificate that
/// carries its host's address opens etcd's peer port to it.
fn this_host(args: &IssueArgs, profile: &Profile) -> Result<(Subject, Vec<San>), Failure> {
    let full = host::name();
    let short = full.split('.').next().unwrap_or(&full);
    let in_host = |error: pki_core::Error| Failure::from(error.in_field("this host's name"));
    let subject = Subject::from_common_name(short).map_err(in_host)?;
    let mut names = Vec::new();
    let serves = profile.extended_key_usages.contains(&ExtendedKeyUsage::server_auth());
    if serves && args.san.is_empty() {
        if full != short {
            names.push(full.parse().map_err(in_host)?);
        }
        names.extend(host::addresses()?.into_iter().map(San::Ip));
    }
    Ok((subject, names))
}

/// NAME, or the common name in its place.
fn name<'a>(args: &'a IssueArgs, subject: &'a Subject) -> Result<&'a str, Failure> {
    args.name.as_deref().or(subject.common_name()).ok_or_else(|| {
        Failure::usage("NAME is missing, and there is no common name to take its place")
            .hinted("etcdpki issue … NAME")
    })
}

fn print(common: &Common, profile: &Profile, issued: &Issued, files: Files) -> Result<(), Failure> {
    if !issued.findings.is_empty() {
        host::say(&text::findings(&issued.findings));
    }
    for left_out in &issued.left_out {
        let profile = &profile.name;
        let advice = if matches!(left_out, LeftOut::Name(_)) { " (--san adds names)" } else { "" };
        host::say(&format!(
            "note: left out {left_out}: the profile {profile} does not take it from a request{advice}\n"
        ));
    }
    let certificate = CertificateFacts::from(&issued.certificate);
    if common.format == Format::Json {
        return json::print(&IssueOutput {
            certificate,
            profile: profile.name.clone(),
            files,
            findings: facts::findings(&issued.findings),
            left_out: issued.left_out.iter().map(ToString::to_string).collect(),
        });
    }
    let names = certificate.extensions.subject_alt_name.unwrap_or_default();
    host::print(&format!(
        "issued {} for {}\n  names   {}\n  valid   {} to {}\n  serial  {}\n  wrote   {files}\n",
        profile.name,
        certificate.subject,
        if names.is_empty() { "none".to_owned() } else { names.join(", ") },
        certificate.not_before,
        certificate.not_after,
        certificate.serial,
    ))
}
