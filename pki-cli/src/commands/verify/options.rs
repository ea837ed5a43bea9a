//! The options of `verify`: the trusted CAs, and the purpose of the certificates.

use std::path::{Path, PathBuf};

use pki_core::{
    Certificate, CertificateFile, Content, Finding, Policy, PrivateKey, Purpose, Signer, Verifier,
    VerifyOptions, crl_damage, pem_damage,
};
use rustls_pki_types::ServerName;
use time::OffsetDateTime;

use super::args::{PolicyArg, ProfileArg, PurposeArg, VerifyArgs};
use crate::ca::{self, certificate_path, read_certificate_file, read_certificates};
use crate::failure::Failure;
use crate::output::facts::moment;
use crate::{host, store};

/// True if options name CAs, or the CA's folder contains one.
pub(super) fn names_cas(args: &VerifyArgs, folder: &Path) -> Result<bool, Failure> {
    let folders = ca::folders_in(folder)?;
    Ok(!args.ca.is_empty() || store::is_there(&certificate_path(&folders[0]))?)
}

/// The CAs to trust: those of the options, otherwise that in the CA's folder.
pub(super) fn anchors(
    args: &VerifyArgs,
    folder: &Path,
) -> Result<(Vec<Certificate>, Vec<Finding>), Failure> {
    let folders = ca::folders_in(folder)?;
    let default: Vec<PathBuf> = folders.iter().map(|folder| certificate_path(folder)).collect();
    let files = if args.ca.is_empty() { &default[..] } else { &args.ca[..] };
    let (mut anchors, mut damages) = (Vec::new(), Vec::new());
    for path in files {
        if args.ca.is_empty() && !store::is_there(path)? {
            return Err(Failure::environment(format!("{}: no CA here", path.display()))
                .hinted("name the CA's certificate with --ca, or the CA's folder with --dir"));
        }
        let file = read_certificate_file(path)?;
        damages.extend(damage_of_trust(policy(args), path, &file));
        anchors.extend(file.certificates);
    }
    // The CA's file may also contain the CAs above an intermediate; then only roots are trusted.
    if args.ca.is_empty() && anchors.iter().any(Certificate::is_self_issued) {
        anchors.retain(Certificate::is_self_issued);
    }
    Ok((anchors, damages))
}

/// The finding about a file that Go, and therefore etcd, cannot read, although its certificates could be read here.
pub(super) fn damage(policy: Policy, path: &Path, file: &CertificateFile) -> Option<Finding> {
    (policy == Policy::Etcd).then(|| file.damage(&path.to_string_lossy())).flatten()
}

/// The findings about a file of trusted CAs that etcd cannot read as a whole.
pub(super) fn damage_of_trust(policy: Policy, path: &Path, file: &CertificateFile) -> Vec<Finding> {
    match policy {
        Policy::Etcd => file.damage_of_trust(&path.to_string_lossy()),
        _ => Vec::new(),
    }
}

/// The same about the file of a CRL.
fn damage_of_crl(policy: Policy, path: &Path, bytes: &[u8]) -> Option<Finding> {
    (policy == Policy::Etcd).then(|| crl_damage(&path.to_string_lossy(), bytes)).flatten()
}

/// The same about the file of a key.
pub(super) fn damage_of_key(policy: Policy, path: &Path, bytes: &[u8]) -> Option<Finding> {
    (policy == Policy::Etcd).then(|| pem_damage(&path.to_string_lossy(), bytes)).flatten()
}

pub(super) const fn policy(args: &VerifyArgs) -> Policy {
    match args.policy {
        PolicyArg::Etcd => Policy::Etcd,
        PolicyArg::Rfc5280 => Policy::Rfc5280,
    }
}

/// A CRL that an option names.
pub(super) struct GivenCrl<'a> {
    file: &'a Path,
    der: Vec<u8>,
}

/// The CRLs that options name, and the findings about their files.
pub(super) fn crls(args: &VerifyArgs) -> Result<(Vec<GivenCrl<'_>>, Vec<Finding>), Failure> {
    let (mut crls, mut damages) = (Vec::new(), Vec::new());
    for file in &args.crl {
        let bytes = store::read(file)?;
        if !pki_core::is_pem(&bytes) {
            crls.push(GivenCrl { file, der: bytes.to_vec() });
            continue;
        }
        let sections = pki_core::read_pem(&bytes);
        let sections = sections.map_err(|error| Failure::from(error).in_file(file))?;
        let before = crls.len();
        crls.extend(sections.into_iter().filter_map(|section| match section.content {
            Content::Crl(der) => Some(GivenCrl { file, der }),
            _ => None,
        }));
        if crls.len() == before {
            return Err(Failure::usage("not a CRL: no X509 CRL section in the PEM")
                .hinted("the file may be a certificate; check that two paths are not swapped")
                .in_file(file));
        }
        damages.extend(damage_of_crl(policy(args), file, &bytes));
    }
    Ok((crls, damages))
}

/// The verifier that trusts these CAs and uses these CRLs.
pub(super) fn verifier(
    args: &VerifyArgs,
    crls: &[GivenCrl<'_>],
    anchors: Vec<Certificate>,
) -> Result<Verifier, Failure> {
    let mut builder = Verifier::builder(anchors).policy(policy(args));
    for path in &args.intermediates {
        builder = builder.intermediates(read_certificates(path)?);
    }
    for crl in crls {
        let added = builder.crl(&crl.der);
        builder = added.map_err(|error| Failure::from(error).in_file(crl.file))?;
    }
    Ok(builder.max_depth(args.max_depth).build()?)
}

/// The options for the verifier, and the finding about the key's file.
pub(super) fn options(args: &VerifyArgs) -> Result<(VerifyOptions, Option<Finding>), Failure> {
    let mut of_key = None;
    let mut options = VerifyOptions::at(args.at.unwrap_or_else(host::now));
    options.purpose = match (args.profile, args.purpose) {
        (Some(ProfileArg::Server), _) | (None, Some(PurposeArg::Server)) => Purpose::Server,
        (Some(ProfileArg::Peer), _) | (None, Some(PurposeArg::Peer)) => Purpose::Peer,
        (Some(ProfileArg::Client), _) | (None, Some(PurposeArg::Client)) => Purpose::Client,
        (None, Some(PurposeArg::Ca)) => Purpose::Ca,
        (None, Some(PurposeArg::Any) | None) => Purpose::Any,
    };
    options.hosts.clone_from(&args.host);
    options.expires_within = args.expires_within;
    if let Some(path) = &args.key {
        if args.files.len() > 1 || args.files.iter().any(|path| path.is_dir()) {
            return Err(Failure::usage(
                "--key works with only one certificate, but several are given",
            )
            .hinted("verify the pairs one by one"));
        }
        let bytes = store::read(path)?;
        let key = PrivateKey::from_pem(&bytes);
        let key = key.map_err(|error| Failure::from(error).in_file(path))?;
        options.key = Some(key.public_key().clone());
        of_key = damage_of_key(policy(args), path, &bytes);
    }
    Ok((options, of_key))
}

/// The options as text: `as server, for etcdone, with its key, at 2027-01-01T00:00:00Z`
pub(super) fn words(options: &VerifyOptions, policy: Policy) -> String {
    let mut parts = vec![match options.purpose {
        Purpose::Server => "as server".to_owned(),
        Purpose::Peer => "as peer".to_owned(),
        Purpose::Client => "as client".to_owned(),
        Purpose::Ca => "as CA".to_owned(),
        _ => "for any purpose".to_owned(),
    }];
    if !options.hosts.is_empty() {
        let hosts: Vec<_> = options.hosts.iter().map(ServerName::to_str).collect();
        parts.push(format!("for {}", hosts.join(" and ")));
    }
    if options.key.is_some() {
        parts.push("with its key".to_owned());
    }
    if policy == Policy::Rfc5280 {
        parts.push("only by RFC 5280".to_owned());
    }
    parts.push(format!("at {}", second(options.at)));
    parts.join(", ")
}

/// A time in whole seconds.
pub(super) fn second(at: OffsetDateTime) -> String {
    moment(at.replace_nanosecond(0).unwrap_or(at))
}
