//! `cfssl sign`: a certificate for a request that exists.

use std::path::Path;

use pki_core::{Asked, Attribute, CertificateRequest, CsrJson, Dialect, Request, Subject, is_pem};

use super::answer::Answer;
use super::flags::Flags;
use super::log::Log;
use super::{authority, input, issue, request};
use crate::failure::Failure;
use crate::store;

pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    const KNOWN: &[&str] = &["ca", "ca-key", "config", "profile", "hostname", "csr", "label"];
    request::warn_of_flags(flags, KNOWN, log);
    let (csr_name, subject) = match (flags.value("csr"), flags.arguments.as_slice()) {
        (Some(csr), []) => (csr, None),
        (Some(csr), [subject]) => (csr, Some(subject)),
        (None, [csr]) => (csr.as_str(), None),
        (None, [csr, subject]) => (csr.as_str(), Some(subject)),
        (None, []) => {
            return Err(Failure::usage(
                "not enough arguments are supplied --- please refer to the usage",
            )
            .hinted("name the request: cfssl sign … CSR"));
        }
        (_, [.., extra]) => {
            return Err(Failure::usage(format!("too many arguments: {extra:?}"))
                .hinted("write all flags before the request"));
        }
    };
    let path = Path::new(csr_name);
    let text = input::read(csr_name)?;
    if !is_pem(&text) {
        return Err(Failure::usage("not a request in PEM")
            .hinted("convert it: openssl req -inform DER -in FILE")
            .in_file(path));
    }
    let first = first_request(&text);
    if first.len() < text.len() {
        log.difference(&format!("{csr_name} has several requests; only the first is signed"));
    }
    let csr = CertificateRequest::from_pem_or_der(first)
        .map_err(|error| Failure::from(error).in_file(path))?;
    let read =
        Request::from_csr_of_cfssl(&csr).map_err(|error| Failure::from(error).in_file(path))?;
    log.differences(csr_name, &read.warnings);
    let profile = authority::profile(flags, log)?;
    let mut asked = read.value;
    if let Some(file) = subject {
        asked.subject = Asked::ByOperator(filled(file, &profile.restrict(asked.clone()), log)?);
    }
    if let Some(names) = request::hostnames(flags, log)? {
        asked.names = Asked::ByOperator(names);
    }
    let ca = authority::open(flags, log)?;
    let certificate = issue::issue(&ca, &profile, asked, log)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Answer { cert: Some(certificate.to_pem()?), csr: Some(text), key: None }.print(log)
}

/// The text to the end of its first request, if another one follows. cfssl signs only the first.
fn first_request(text: &[u8]) -> &[u8] {
    /// The end of the first and of the last line of a request.
    const LINE: &[u8] = b"CERTIFICATE REQUEST-----";
    let lines = text.windows(LINE.len()).enumerate().filter(|(_, octets)| *octets == LINE);
    match lines.map(|(at, _)| at + LINE.len()).collect::<Vec<_>>()[..] {
        [_, end, _, ..] => &text[..end],
        _ => text,
    }
}

/// What cfssl takes from the request if a SUBJECT file lacks it.
const FILLED: [Attribute; 7] = [
    Attribute::CommonName,
    Attribute::Country,
    Attribute::State,
    Attribute::Locality,
    Attribute::Organization,
    Attribute::OrganizationalUnit,
    Attribute::SerialNumber,
];

/// The subject of a SUBJECT file, with the attributes of the request that the file does not have.
fn filled(file: &str, request: &Request, log: &Log) -> Result<Subject, Failure> {
    let path = Path::new(file);
    let read = CsrJson::read(&store::read(path)?, Dialect::Cfssl)
        .map_err(|error| Failure::from(error).in_file(path))?;
    log.differences(file, &read.warnings);
    Ok(request.subject.value().only(&FILLED).overlaid(&read.value.subject))
}
