//! The input of `issue`: the request, the key, and the files.

use std::path::{Path, PathBuf};

use pki_core::{
    Asked, Attribute, CertificateRequest, CsrJson, Dialect, ExtendedKeyUsage, KeyAlgorithm,
    Lifetime, PrivateKey, Profile, Replaced, Request, San, Signer, Subject,
};

use super::air_gap::PendingIssue;
use super::args::IssueArgs;
use crate::commands::override_subject;
use crate::failure::{Failure, Kind};
use crate::host;
use crate::keygen;
use crate::named_pair::{NamedPair, check_name};
use crate::store::{self, Existing};

/// What to sign, and where to write it.
pub(super) struct IssueInput {
    pub(super) files: NamedPair,
    pub(super) request: Request,
    /// The key that was generated for it, unless a PKCS #10 request came with its own.
    pub(super) key: Option<PrivateKey>,
    /// The file that the common name comes from, if it comes from one.
    pub(super) named_by: Option<PathBuf>,
    /// What `--tbs-out` kept, if this is the command with its signature.
    pub(super) pending: Option<PendingIssue>,
}

/// Gathers the request: from a PKCS #10, from cfssl's CSR JSON, or from this host; options take precedence. `folder` is
/// that of the CA.
pub(super) fn gather(
    args: &IssueArgs,
    profile: &Profile,
    folder: &Path,
) -> Result<IssueInput, Failure> {
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
            let file = read_csr_json(args, path)?;
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
    // A CSR JSON without a common name stays without one.
    let from_name = subject.common_name().is_none() && args.csr_json.is_none() && !args.no_cn;
    let cn = args.cn.as_ref().or(args.name.as_ref().filter(|_| from_name));
    let overridden = cn.is_some() || args.org.is_some();
    subject = override_subject(subject, cn, args.org.as_ref())?;
    let overridden = overridden || args.no_cn;
    if args.no_cn {
        subject = without_common_name(&subject)?;
    }

    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let files = NamedPair::new(&args.out, name(args, &subject)?, existing)?;
    let mut pending = args.signature_in.as_ref().map(|_| PendingIssue::read(&files)).transpose()?;
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
        let key = pending.as_mut().and_then(|pending| pending.key.take());
        // Before a key is generated, which can take a second for RSA.
        match &key {
            Some(key) if files.holds(key) => files.check_certificate(folder, key.public_key())?,
            _ => files.check_both(folder)?,
        }
        let key = match key {
            Some(key) => key,
            None => keygen::generate(args.key.unwrap_or(algorithm))?,
        };
        (Request::new(subject, names, key.public_key().clone()), Some(key))
    };
    request.lifetime = args.expiry.map_or(Lifetime::Default, Lifetime::Exactly);
    request.label.clone_from(&args.name);
    Ok(IssueInput { files, request, key, named_by, pending })
}

fn read_csr_json(args: &IssueArgs, path: &Path) -> Result<CsrJson, Failure> {
    let in_file = |failure: Failure| failure.in_file(path);
    let bytes = store::read(path)?;
    let read = if args.san.is_empty() {
        CsrJson::read(&bytes, Dialect::Native)
    } else {
        CsrJson::read_without(&bytes, Dialect::Native, &[Replaced::Hosts])
    };
    let file = read.map_err(|error| in_file(error.into()))?.value;
    if file.ca.is_some() {
        return Err(in_file(
            Failure::usage("ca \"{…}\": this section is only for a CA")
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

fn without_common_name(subject: &Subject) -> Result<Subject, Failure> {
    let rdns = subject.rdns().map(|rdn| {
        let others = rdn.iter().filter(|(attribute, _)| *attribute != Attribute::CommonName);
        others.cloned().collect()
    });
    Ok(Subject::from_rdns(rdns.collect::<Vec<_>>())?)
}

/// This host's name, and for a certificate that serves also its addresses: a client certificate with its host's address
/// opens etcd's peer port to that host.
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

/// NAME, or else the common name.
fn name<'a>(args: &'a IssueArgs, subject: &'a Subject) -> Result<&'a str, Failure> {
    args.name.as_deref().or(subject.common_name()).ok_or_else(|| {
        Failure::usage("NAME is missing, and there is no common name to use instead")
            .hinted("write etcdpki issue … NAME")
    })
}
