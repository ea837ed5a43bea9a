//! `cfssl genkey` and `cfssl gencsr`: a key and a request, or a request for a key that exists.

use pki_core::{CertificateRequest, CsrJson, PublicKey, Replaced, Request, Signer};

use super::answer::Answer;
use super::flags::Flags;
use super::log::Log;
use super::{authority, gencert, request};
use crate::failure::Failure;

pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    request::warn_of_flags(flags, &["initca"], log);
    let argument = request::only_argument(flags)?;
    if flags.is_on("initca") {
        let file = request::read_json(argument, &[], request::Purpose::Ca, log)?;
        return gencert::new_root(&file, log)?.print(log);
    }
    let file = request::read_leaf(argument, &[], request::Purpose::Leaf, log)?;
    check_names_somebody(&file)?;
    let key = request::generate(file.key, log)?;
    let csr = request::csr(&file, &key, log)?;
    Answer { cert: None, csr: Some(csr.to_pem()?), key: request::key_pem(&key)? }.print(log)
}

fn check_names_somebody(file: &CsrJson) -> Result<(), Failure> {
    if !file.subject.is_empty() || !file.names.is_empty() {
        return Ok(());
    }
    Err(Failure::usage("neither a subject nor hosts: the request would name nobody")
        .hinted("add \"CN\" or \"hosts\" to the file"))
}

/// `gencsr -key KEY (CSRJSON | -cert CERT)`
pub(super) fn run_with_key(flags: &Flags, log: &Log) -> Result<(), Failure> {
    request::warn_of_flags(flags, &["key", "cert", "hostname", "cn"], log);
    let name = flags.value("key").ok_or_else(|| {
        Failure::usage("need a key (provide one with -key)").hinted("add -key FILE")
    })?;
    let key = authority::read_key(name, log)?;
    let mut asked = if let Some(certificate) = flags.value("cert") {
        of_certificate(certificate, name, key.public_key())?
    } else {
        let argument = request::only_argument(flags)?;
        let replaced = [request::replaced(flags), vec![Replaced::Key]].concat();
        let file = request::read_leaf(argument, &replaced, request::Purpose::Leaf, log)?;
        check_names_somebody(&file)?;
        Request::new(file.subject, file.names, key.public_key().clone())
    };
    let subject = request::subject(flags, asked.subject.value().clone(), log)?;
    let names = request::hostnames(flags, log)?.unwrap_or_else(|| asked.names.value().clone());
    asked = Request::new(subject, names, asked.public_key);
    let csr = CertificateRequest::draft(&asked)?.sign(&key)?;
    log.info("encoded CSR");
    Answer { cert: None, csr: Some(csr.to_pem()?), key: request::key_pem(&key)? }.print(log)
}

/// The subject and the names of a certificate, which must be for the key: cfssl does not check that.
fn of_certificate(name: &str, key_name: &str, key: &PublicKey) -> Result<Request, Failure> {
    let certificate = authority::read_certificates(name)?.remove(0);
    if certificate.public_key != *key {
        return Err(Failure::usage(format!("{key_name} is not the key of {name}"))
            .hinted("name the key that belongs to the certificate"));
    }
    let names = certificate.extensions.subject_alt_name.as_deref().unwrap_or_default();
    let names = names.iter().map(|name| name.to_string().parse());
    let names = names.collect::<Result<_, _>>()?;
    Ok(Request::new(certificate.subject.to_subject()?, names, key.clone()))
}
