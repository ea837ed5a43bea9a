//! `cfssl selfsign`: a certificate that is signed with its own key.

use pki_core::{Authority, Profile, Request, San, Signer, SigningConfig};
use time::Duration;

use super::answer::Answer;
use super::flags::Flags;
use super::log::Log;
use super::{authority, issue, request};
use crate::failure::Failure;
use crate::host;

/// The lifetime of such a certificate in cfssl: a quarter of a year, counted from now.
const EXPIRY: Duration = Duration::hours(2190);

pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    let has_profile = flags.value("profile").is_some();
    let known: &[&str] =
        if has_profile { &["config", "profile", "hostname"] } else { &["hostname"] };
    request::warn_of_flags(flags, known, log);
    // As in cfssl, -hostname takes the place of HOSTNAME, and with -initca there is none.
    let given = flags.value("hostname");
    let (hostname, argument) = match (given, flags.arguments.as_slice()) {
        (Some(_), [argument]) => (given, argument),
        (None, [argument]) if flags.is_on("initca") => (None, argument),
        (None, [hostname, argument]) if !flags.is_on("initca") => {
            (Some(hostname.as_str()), argument)
        }
        _ => {
            return Err(Failure::usage("selfsign needs HOSTNAME and CSRJSON")
                .hinted("write cfssl selfsign HOSTNAME CSRJSON"));
        }
    };
    let profile = profile(flags, log)?;
    let purpose = request::Purpose::of(&profile);
    let file = request::read_leaf(argument, &[], purpose, log)?;
    let names: Vec<String> = file.names.iter().map(San::value).collect();
    if let Some(hostname) = hostname.filter(|hostname| !names.iter().any(|name| name == hostname)) {
        log.difference(&format!(
            "HOSTNAME {hostname} has no effect; the names are those of the file: {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        ));
    }
    let key = request::generate(file.key, log)?;
    let csr = request::csr(&file, &key, log)?;
    let mut asked = Request::new(file.subject, file.names, key.public_key().clone());
    issue::drop_names_of_ca(&profile, &mut asked, log);
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

/// The profile that `-profile` chooses, or else cfssl's own. Only the usages, the lifetime and whether the certificate is one
/// of a CA are taken from it.
fn profile(flags: &Flags, log: &Log) -> Result<Profile, Failure> {
    let mut profile = SigningConfig::cfssl().default_profile()?.clone();
    profile.expiry = EXPIRY;
    if flags.value("profile").is_some() {
        let chosen = authority::profile(flags, log)?;
        // Counted from now.
        profile.expiry = chosen.expiry + chosen.backdate;
        profile.key_usages = chosen.key_usages;
        profile.extended_key_usages = chosen.extended_key_usages;
        profile.ca = chosen.ca;
        if !chosen.urls.issuer.is_empty() {
            log.difference(
                "issuer_urls has no effect: a certificate that signs itself has no other issuer",
            );
        }
        if profile.ca.is_some_and(|ca| ca.path_len.is_some()) {
            log.difference("max_path_len takes effect here, but cfssl ignores it in selfsign");
        }
    }
    Ok(profile)
}
