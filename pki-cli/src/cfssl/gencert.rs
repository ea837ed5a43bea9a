//! `cfssl gencert`: a key, a request and a certificate.

use pki_core::{
    Asked, Authority, CaRequest, Certificate, CsrJson, PrivateKey, Renewal, Replaced, Request,
    Signer,
};
use time::Duration;

use super::answer::Answer;
use super::flags::Flags;
use super::log::Log;
use super::{authority, issue, request};
use crate::failure::Failure;

/// What cfssl says about a request without `hosts`.
const NO_HOSTS: &str = "This certificate lacks a \"hosts\" field. This makes it unsuitable for\n\
    websites. For more information see the Baseline Requirements for the Issuance and Management\n\
    of Publicly-Trusted Certificates, v.1.1.6, from the CA/Browser Forum (https://cabforum.org);\n\
    specifically, section 10.2.3 (\"Information Requirements\").";

/// The backdate of cfssl, unless a file sets another.
pub(super) const BACKDATE: Duration = Duration::minutes(5);

pub(super) fn run(flags: &Flags, log: &Log) -> Result<(), Failure> {
    match (flags.is_on("renewca"), flags.is_on("initca")) {
        (true, _) => renew_ca(flags, log),
        (_, true) => create_ca(flags, log),
        _ => leaf(flags, log),
    }
}

fn leaf(flags: &Flags, log: &Log) -> Result<(), Failure> {
    const KNOWN: &[&str] = &[
        "ca", "ca-key", "config", "profile", "hostname", "cn", "label", "initca", "renewca", "crl",
    ];
    request::warn_of_flags(flags, KNOWN, log);
    let argument = request::only_argument(flags)?;
    let mut profile = authority::profile(flags, log)?;
    if let Some(url) = flags.value("crl") {
        let url = url.parse().map_err(|error| Failure::from(error).in_flag("-crl"))?;
        profile.urls.crl = Some(url);
    }
    let purpose = request::Purpose::of(&profile);
    let mut file = request::read_leaf(argument, &request::replaced(flags), purpose, log)?;
    let has_hosts = !file.names.is_empty();
    file.subject = request::subject(flags, file.subject, log)?;
    let hostnames = request::hostnames(flags, log)?;
    if let Some(names) = hostnames.clone() {
        file.names = names;
    }
    let ca = authority::open(flags, log)?;
    let key = request::generate(file.key, log)?;
    let csr = request::csr(&file, &key, log)?;
    let mut asked =
        Request::new(file.subject.clone(), file.names.clone(), key.public_key().clone());
    // As in cfssl, the request is the one that was just made, and the profile's CSRWhitelist limits it.
    asked.subject = Asked::ByCsr(file.subject);
    if hostnames.is_none() {
        asked.names = Asked::ByCsr(file.names);
    }
    let certificate = issue::issue(&ca, &profile, asked, log)?;
    if !has_hosts && hostnames.is_none() {
        log.warning_of_cfssl(NO_HOSTS);
    }
    let (cert, csr) = (Some(certificate.to_pem()?), Some(csr.to_pem()?));
    Answer { cert, csr, key: request::key_pem(&key)? }.print(log)
}

/// `gencert -initca`
fn create_ca(flags: &Flags, log: &Log) -> Result<(), Failure> {
    request::warn_of_flags(flags, &["initca", "ca", "ca-key", "cn", "renewca"], log);
    // cfssl ignores the `key` of the file if a flag names the key.
    let replaced: Vec<_> = flags.value("ca-key").map(|_| Replaced::Key).into_iter().collect();
    let argument = request::only_argument(flags)?;
    let mut file = request::read_json(argument, &replaced, request::Purpose::Ca, log)?;
    file.subject = request::subject(flags, file.subject, log)?;
    check_contradiction(flags, &file, log)?;
    let Some(key) = flags.value("ca-key") else {
        log.info("generating a new CA key and certificate from CSR");
        return new_root(&file, log)?.print(log);
    };
    let key = authority::read_key(key, log)?;
    log.info("re-generate a CA certificate from CSR and CA key");
    log_path_len(&file, log);
    for field in unused_with_key(&file) {
        log.difference(&format!("{field} takes effect here, but cfssl ignores it with -ca-key"));
    }
    root(&file, &key, log)?.print(log)
}

/// A CA that signs itself, and its new key.
pub(super) fn new_root(file: &CsrJson, log: &Log) -> Result<Answer, Failure> {
    log_path_len(file, log);
    // Checked before the key is generated.
    if file.subject.is_empty() {
        return Err(Failure::usage("missing subject information: a CA needs a name")
            .hinted("add \"CN\" to the file"));
    }
    let key = request::generate(file.key, log)?;
    Ok(Answer { key: request::key_pem(&key)?, ..root(file, &key, log)? })
}

/// cfssl's line about a `pathlenzero` beside a path length.
fn log_path_len(file: &CsrJson, log: &Log) {
    if file.ca.as_ref().is_some_and(|ca| ca.path_len_zero && ca.path_len != Some(0)) {
        log.info("ignore invalid 'pathlenzero' value");
    }
}

fn root(file: &CsrJson, key: &PrivateKey, log: &Log) -> Result<Answer, Failure> {
    issue::warn_of_ca_names(&file.names, log);
    let csr = request::csr(file, key, log)?;
    let ca = file.ca.as_ref();
    let expiry = ca.map_or(Duration::hours(43_800), |ca| ca.expiry);
    let backdate = ca.and_then(|ca| ca.backdate).unwrap_or(BACKDATE);
    let asked = CaRequest {
        // cfssl counts from notBefore.
        expiry: expiry - backdate,
        backdate,
        path_len: ca.and_then(|ca| ca.path_len),
        crl_url: file.crl_url.clone(),
        ..CaRequest::new(file.subject.clone())
    };
    let draft = Authority::draft_root(&asked, key.public_key(), &issue::root_context()?)?;
    let issued = draft.sign(key)?;
    log.findings(&issued.findings);
    log.check_strict()?;
    issue::log_certificate(&issued.certificate, log);
    Ok(Answer { cert: Some(issued.certificate.to_pem()?), csr: Some(csr.to_pem()?), key: None })
}

/// Fields that cfssl ignores if the key is given.
fn unused_with_key(file: &CsrJson) -> Vec<&'static str> {
    let backdate = file.ca.as_ref().and_then(|ca| ca.backdate);
    let fields = [("crl_url", file.crl_url.is_some()), ("ca.backdate", backdate.is_some())];
    fields.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
}

/// With `-ca`, cfssl puts a self-signed certificate of another name on the key of that CA, which users take for an
/// intermediate CA.
fn check_contradiction(flags: &Flags, file: &CsrJson, log: &Log) -> Result<(), Failure> {
    let Some(name) = flags.value("ca") else { return Ok(()) };
    let ca = authority::read_certificates(name)?.remove(0);
    let same = ca.subject.to_subject().is_ok_and(|subject| subject == file.subject);
    if !same {
        return Err(Failure::usage(format!(
            "-initca makes a root, so {name} would not sign it, and its key would get a second name, {}",
            file.subject
        ))
        .hinted(
            "for an intermediate CA: cfssl genkey -initca CSRJSON, then cfssl sign -profile PROFILE; \
             for a root, leave -ca out",
        ));
    }
    log.difference("-ca has no effect with -initca");
    Ok(())
}

/// `gencert -renewca`
fn renew_ca(flags: &Flags, log: &Log) -> Result<(), Failure> {
    request::warn_of_flags(flags, &["renewca", "ca", "ca-key", "initca"], log);
    let ca = authority::open(flags, log)?;
    log.info("re-generate a CA certificate from CA cert and key");
    let old = ca.certificate();
    // The lifetime of the old certificate, counted from notBefore.
    let renewal = Renewal::default();
    let issued = ca.renewed(&renewal, &issue::root_context()?)?;
    log.info("encoded CSR");
    if lost_by_cfssl(old) {
        log.difference(&format!(
            "the renewed {} keeps all of its extensions; cfssl would have dropped some",
            flags.value("ca").unwrap_or_default()
        ));
    }
    log.findings(&issued.findings);
    log.check_strict()?;
    issue::log_certificate(&issued.certificate, log);
    Answer { cert: Some(issued.certificate.to_pem()?), csr: None, key: None }.print(log)
}

/// Whether a root has more than what cfssl writes into each.
fn lost_by_cfssl(ca: &Certificate) -> bool {
    const KEPT: [&str; 3] = ["2.5.29.15", "2.5.29.19", "2.5.29.14"];
    ca.extensions.all.iter().any(|extension| !KEPT.contains(&extension.oid.as_str()))
}
