//! Issuing a leaf or an intermediate CA with a profile, as `gencert` and `sign` do.

use pki_core::{Certificate, IssuanceContext, KeyAlgorithm, KeyUsages, Profile, Request, San};
use time::{Duration, OffsetDateTime};

use super::log::Log;
use crate::ca::Ca;
use crate::failure::Failure;
use crate::host;
use crate::inventory::decimal;
use crate::output::facts::moment;

/// The time and a new serial number for a root, whose dates cfssl rounds to the nearest minute.
pub(super) fn root_context() -> Result<IssuanceContext, Failure> {
    let context = host::issuance_context()?;
    Ok(IssuanceContext { now: rounded(context.now), ..context })
}

fn rounded(now: OffsetDateTime) -> OffsetDateTime {
    let into = Duration::seconds(i64::from(now.second()))
        + Duration::nanoseconds(i64::from(now.nanosecond()));
    let begin = now - into;
    if into < Duration::seconds(30) { begin } else { begin + Duration::MINUTE }
}

/// Issues a certificate, and logs how it differs from what cfssl would have made.
pub(super) fn issue(
    ca: &Ca,
    profile: &Profile,
    mut request: Request,
    log: &Log,
) -> Result<Certificate, Failure> {
    if request.subject.value().is_empty() && request.names.value().is_empty() {
        return Err(Failure::usage(
            "neither a subject nor hosts: the certificate would name nobody",
        )
        .hinted("add \"CN\" or \"hosts\" to the request"));
    }
    let context = host::issuance_context()?;
    let profile = &dated(profile, context.now);
    // cfssl issues until the CA expires, so the lifetime is shortened, however little time the CA has left.
    request.renew_before = Duration::ZERO;
    drop_names_of_ca(profile, &mut request, log);
    warn_of_usages(profile, &request, log);
    warn_of_addresses(profile, &request, log);
    let signed = if is_its_own(ca.certificate(), profile, &request) {
        ca.sign_itself(&request, profile, &context)
    } else {
        ca.sign(&request, profile, &context)
    };
    // Nothing is recorded if warnings are errors.
    let checked = signed?.stage(|issued| {
        warn_of_end(&issued.certificate, profile, ca.certificate(), log);
        for left_out in &issued.left_out {
            log.difference(&format!("the profile does not take the {left_out} from the request"));
        }
        log.findings(&issued.findings);
        log.check_strict()?;
        Ok(issued)
    })?;
    let issued = ca.record(checked)?.into_inner();
    log_certificate(&issued.certificate, log);
    Ok(issued.certificate)
}

/// Labs have a root sign its own request again, to give it the lifetime of a profile.
fn is_its_own(ca: &Certificate, profile: &Profile, request: &Request) -> bool {
    let has_name = || ca.subject.to_subject().is_ok_and(|name| name == *request.subject.value());
    profile.ca.is_some() && request.public_key == ca.public_key && has_name()
}

/// The line that scripts take the number from.
pub(super) fn log_certificate(certificate: &Certificate, log: &Log) {
    let number = decimal(certificate.serial.as_bytes());
    log.info(&format!("signed certificate with serial number {number}"));
}

/// The profile with the dates of this certificate, rounded to the nearest minute as in cfssl.
fn dated(profile: &Profile, now: OffsetDateTime) -> Profile {
    let mut profile = profile.clone();
    let begin = rounded(now).checked_sub(profile.backdate).unwrap_or(now).min(now);
    profile.not_before = profile.not_before.or(Some(begin));
    profile.not_after = profile.not_after.or_else(|| rounded(now).checked_add(profile.expiry));
    profile
}

/// Logs that the certificate ends with its CA, earlier than its profile says.
fn warn_of_end(certificate: &Certificate, profile: &Profile, ca: &Certificate, log: &Log) {
    let is_cut = profile.not_after.is_none_or(|end| end > ca.not_after);
    if is_cut && certificate.not_after == ca.not_after {
        log.difference(&format!(
            "the certificate would outlive its CA; it is shortened to the CA's end, {}",
            moment(ca.not_after)
        ));
    }
}

/// cfssl drops all names of a CA except its addresses.
pub(super) fn drop_names_of_ca(profile: &Profile, request: &mut Request, log: &Log) {
    if profile.ca.is_none() || request.names.value().is_empty() {
        return;
    }
    warn_of_ca_names(request.names.value(), log);
    request.names = pki_core::Asked::ByOperator(Vec::new());
}

/// Logs which names a CA certificate does not get.
pub(super) fn warn_of_ca_names(names: &[pki_core::San], log: &Log) {
    let names: Vec<String> = names.iter().map(pki_core::San::value).collect();
    if !names.is_empty() {
        log.difference(&format!("a CA certificate has no hosts; left out: {}", names.join(", ")));
    }
}

/// A `name_whitelist` does not limit addresses, here as in cfssl.
fn warn_of_addresses(profile: &Profile, request: &Request, log: &Log) {
    let Some(whitelist) = &profile.name_whitelist else { return };
    let addresses = request.names.value().iter().filter(|name| matches!(name, San::Ip(_)));
    for address in addresses.map(San::value).filter(|address| !whitelist.admits(address)) {
        log.advice(&format!(
            "the name_whitelist of the profile {:?} does not match {address}, but it limits only names",
            profile.name
        ));
    }
}

/// RFC 8813 section 3 and RFC 9295 section 3 forbid these usages for keys that are not RSA.
fn warn_of_usages(profile: &Profile, request: &Request, log: &Log) {
    let is_rsa = matches!(request.public_key.algorithm(), Some(KeyAlgorithm::Rsa(_)));
    let of_rsa = [KeyUsages::KEY_ENCIPHERMENT, KeyUsages::DATA_ENCIPHERMENT];
    if !is_rsa && of_rsa.iter().any(|usage| profile.key_usages.contains(*usage)) {
        log.advice(&format!(
            "the profile {:?} sets key or data encipherment, which RFC 8813 forbids for this key; \
             programs accept it, and the native commands leave it out",
            profile.name
        ));
    }
}
