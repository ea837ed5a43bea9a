//! `cfssl selfsign`: a leaf that is signed with its own key.

use pki_core::{Authority, Request, Signer, SigningConfig};
use time::Duration;

use super::answer::Answer;
use super::flags::Flags;
use super::log::Log;
use super::request;
use crate::failure::Failure;
use crate::host;

/// The lifetime of such a certificate in cfssl: a quarter of a year, counted from now.
const EXPIRY: Duration = Duration::hours(2190);

pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    request::warn_of_flags(flags, &[], log);
    let [hostname, argument] = flags.arguments.as_slice() else {
        return Err(Failure::usage("selfsign needs HOSTNAME and CSRJSON")
            .hinted("write cfssl selfsign HOSTNAME CSRJSON"));
    };
    let file = request::read_leaf(flags, argument, request::Key::New, log)?;
    let names: Vec<String> = file.names.iter().map(pki_core::San::value).collect();
    if !names.contains(hostname) {
        log.difference(&format!(
            "HOSTNAME {hostname} has no effect; the names are those of the file: {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        ));
    }
    let key = request::generate(file.key, log)?;
    let csr = request::csr(&file, &key, log)?;
    let asked = Request::new(file.subject, file.names, key.public_key().clone());
    let mut profile = SigningConfig::cfssl().profile("default")?.clone();
    profile.expiry = EXPIRY;
    let draft = Authority::draft_self_signed(&asked, &profile, &host::issuance_context()?)?;
    let issued = draft.sign(&key)?;
    log.findings(&issued.findings);
    host::say(
        "*** WARNING ***\n\nSelf-signed certificates are dangerous. Use this self-signed\n\
         certificate at your own risk.\n\nIt is strongly recommended that these certificates NOT be used\n\
         in production.\n\n*** WARNING ***\n\n",
    );
    let (cert, csr) = (Some(issued.certificate.to_pem()?), Some(csr.to_pem()?));
    Answer { cert, csr, key: request::key_pem(&key)? }.print(log)
}
