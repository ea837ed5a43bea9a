//! The request: the CSR JSON, `-hostname` and `-cn`.

use std::path::Path;

use pki_core::{
    CertificateRequest, CsrJson, Dialect, Error, KeyAlgorithm, KeyFormat, PrivateKey, Profile,
    Replaced, Request, San, Signer, Subject,
};

use super::flags::Flags;
use super::log::Log;
use crate::failure::Failure;
use crate::host;
use crate::keygen;
use crate::store;

/// The name of an argument for people.
pub(super) fn shown(argument: &str) -> &str {
    if argument == "-" { "standard input" } else { argument }
}

/// The only argument of a command.
pub(super) fn only_argument(flags: &Flags) -> Result<&str, Failure> {
    match flags.arguments.as_slice() {
        [one] => Ok(one),
        [] => {
            Err(Failure::usage("not enough arguments are supplied --- please refer to the usage")
                .hinted("name the file, or - for standard input"))
        }
        [_, second, ..] => {
            Err(Failure::usage(format!("only one argument is accepted, not also {second:?}"))
                .hinted("write all flags before the file"))
        }
    }
}

/// What the certificate of a request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    Leaf,
    /// A CA certificate has no hosts, so mistakes in them do not matter.
    Ca,
}

impl Purpose {
    pub(super) const fn of(profile: &Profile) -> Self {
        if profile.ca.is_some() { Self::Ca } else { Self::Leaf }
    }
}

/// The field that `-hostname` replaces, for a command that uses the flag.
pub(super) fn replaced(flags: &Flags) -> Vec<Replaced> {
    flags.value("hostname").map(|_| Replaced::Hosts).into_iter().collect()
}

/// Reads a CSR JSON, and logs what is unusual about it. `replaced` has the fields of which the flags have another value.
pub(super) fn read_json(
    argument: &str,
    replaced: &[Replaced],
    purpose: Purpose,
    log: &Log,
) -> Result<CsrJson, Failure> {
    let path = Path::new(argument);
    let bytes = store::read(path)?;
    let read = CsrJson::read_without(&bytes, Dialect::Cfssl, replaced).or_else(|error| {
        let replaced = [replaced, &[Replaced::Hosts]].concat();
        let without = CsrJson::read_without(&bytes, Dialect::Cfssl, &replaced).ok();
        let read = without.filter(|_| purpose == Purpose::Ca).ok_or(error)?;
        let name = shown(argument);
        log.difference(&format!(
            "{name}: a CA certificate has no hosts; its mistaken hosts are left out of the request too"
        ));
        Ok(read)
    });
    let read = read.map_err(|error: Error| Failure::from(error).in_file(path))?;
    log.differences(shown(argument), &read.warnings);
    Ok(read.value)
}

/// Reads the CSR JSON of a certificate that is not a root.
pub(super) fn read_leaf(
    argument: &str,
    replaced: &[Replaced],
    purpose: Purpose,
    log: &Log,
) -> Result<CsrJson, Failure> {
    let file = read_json(argument, replaced, purpose, log)?;
    if file.ca.is_some() {
        return Err(Failure::usage("ca section only permitted in initca")
            .hinted("remove \"ca\", or add -initca for a CA")
            .in_file(Path::new(argument)));
    }
    if file.crl_url.is_some() {
        let name = shown(argument);
        log.difference(&format!(
            "{name}: crl_url has no effect on a leaf; write it in the signing profile"
        ));
    }
    Ok(file)
}

/// The names of `-hostname`, if it is given.
pub(super) fn hostnames(flags: &Flags, log: &Log) -> Result<Option<Vec<San>>, Failure> {
    let Some(list) = flags.value("hostname") else { return Ok(None) };
    let texts: Vec<&str> = list.split(',').collect();
    let json = serde_json::json!({ "hosts": texts }).to_string();
    let read = CsrJson::read(json.as_bytes(), Dialect::Cfssl);
    let read = read.map_err(|error| Failure::from(error).in_flag("-hostname"))?;
    log.differences("-hostname", &read.warnings);
    Ok(Some(read.value.names))
}

/// The subject with the name of `-cn`, if it is given.
pub(super) fn subject(flags: &Flags, subject: Subject, log: &Log) -> Result<Subject, Failure> {
    let Some(name) = flags.value("cn") else { return Ok(subject) };
    let json = serde_json::json!({ "CN": name }).to_string();
    let read = CsrJson::read(json.as_bytes(), Dialect::Cfssl);
    let read = read.map_err(|error| Failure::from(error).in_flag("-cn"))?;
    log.differences("-cn", &read.warnings);
    Ok(subject.overlaid(&read.value.subject))
}

/// Flags that cfssl reads and ignores.
pub(super) fn warn_of_flags(flags: &Flags, known: &[&str], log: &Log) {
    for flag in flags.without_effect(known) {
        log.difference(&format!("-{flag} has no effect on this command"));
    }
}

/// A new key, logged with cfssl's text.
pub(super) fn generate(algorithm: KeyAlgorithm, log: &Log) -> Result<PrivateKey, Failure> {
    let name = match algorithm {
        KeyAlgorithm::EcdsaP256 => "ecdsa-256".to_owned(),
        KeyAlgorithm::EcdsaP384 => "ecdsa-384".to_owned(),
        KeyAlgorithm::EcdsaP521 => "ecdsa-521".to_owned(),
        KeyAlgorithm::Rsa(bits) => format!("rsa-{bits}"),
        other => other.to_string(),
    };
    if host::stdout_seems_closed() {
        log.advice("standard output is closed or discarded, so the new key is lost; send it to a file or a pipe");
    }
    log.info("generate received request");
    log.info("received CSR");
    log.info(&format!("generating key: {name}"));
    Ok(keygen::generate(algorithm)?)
}

/// The key in cfssl's form.
pub(super) fn key_pem(key: &PrivateKey) -> Result<Option<pki_core::Zeroizing<String>>, Failure> {
    Ok(Some(key.to_pem(KeyFormat::Traditional)?))
}

/// The certification request for a key. A file with a `ca` section asks for a CA.
pub(super) fn csr(
    file: &CsrJson,
    key: &PrivateKey,
    log: &Log,
) -> Result<CertificateRequest, Failure> {
    let request = Request::new(file.subject.clone(), file.names.clone(), key.public_key().clone());
    let draft = match &file.ca {
        Some(ca) => {
            let constraint = pki_core::CaConstraint { path_len: ca.path_len };
            CertificateRequest::draft_with_constraint(&request, constraint)?
        }
        None => CertificateRequest::draft(&request)?,
    };
    let csr = draft.sign(key)?;
    log.info("encoded CSR");
    Ok(csr)
}
