//! Checks of what RFC 5280 and the algorithm RFCs beside it demand.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::constraints;
use super::{Case, Position, Purpose};
use crate::certificate::{is_weak_signature, signature_algorithm_name};
use crate::key::KeyAlgorithm;
use crate::usage::{ExtendedKeyUsage, KeyUsages};

/// No breach.
const NONE: Vec<String> = Vec::new();

pub(super) fn when(broken: bool, evidence: impl FnOnce() -> String) -> Vec<String> {
    if broken { vec![evidence()] } else { NONE }
}

pub(super) fn moment(moment: OffsetDateTime) -> String {
    // Years beyond 9999 do not reach this point: no ASN.1 time holds them.
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

// Section 4.1.2.5
pub(super) fn validity_order(case: &Case<'_>) -> Vec<String> {
    let certificate = case.certificate;
    when(certificate.not_after < certificate.not_before, || {
        format!(
            "notBefore {} is after notAfter {}",
            moment(certificate.not_before),
            moment(certificate.not_after)
        )
    })
}

// Section 4.1.2.5: the period includes both ends.
pub(super) fn leaf_expired(case: &Case<'_>) -> Vec<String> {
    when(case.is_leaf() && is_past(case), || past(case))
}

pub(super) fn leaf_not_yet_valid(case: &Case<'_>) -> Vec<String> {
    when(case.is_leaf() && is_future(case), || future(case))
}

pub(super) fn ca_time(case: &Case<'_>) -> Vec<String> {
    if case.is_leaf() {
        return NONE;
    }
    let mut breaches = when(is_past(case), || past(case));
    breaches.extend(when(is_future(case), || future(case)));
    breaches
}

fn is_past(case: &Case<'_>) -> bool {
    // RFC 5280 knows whole seconds; a fraction belongs to the second that it started in.
    case.question.at.unix_timestamp() > case.certificate.not_after.unix_timestamp()
}

fn is_future(case: &Case<'_>) -> bool {
    case.question.at.unix_timestamp() < case.certificate.not_before.unix_timestamp()
}

fn past(case: &Case<'_>) -> String {
    format!(
        "notAfter {} is before {}",
        moment(case.certificate.not_after),
        moment(case.question.at)
    )
}

fn future(case: &Case<'_>) -> String {
    format!(
        "notBefore {} is after {}",
        moment(case.certificate.not_before),
        moment(case.question.at)
    )
}

// Section 4.2.1.9
pub(super) fn ca_basic_constraints(case: &Case<'_>) -> Vec<String> {
    when(!case.is_leaf() && !case.certificate.is_ca(), || {
        match &case.certificate.extensions.basic_constraints {
            Some(_) => "basicConstraints says CA:FALSE".to_owned(),
            None => "it has no basicConstraints".to_owned(),
        }
    })
}

// Section 4.2.1.3
pub(super) fn ca_key_cert_sign(case: &Case<'_>) -> Vec<String> {
    let usage = case.certificate.extensions.key_usage;
    let lacks = usage.is_some_and(|usage| !usage.contains(KeyUsages::KEY_CERT_SIGN));
    when(!case.is_leaf() && lacks, || {
        let names: Vec<_> = usage.unwrap_or_default().names().collect();
        format!("keyUsage is {}", names.join(", "))
    })
}

// Section 4.2.1.9
pub(super) fn ca_path_len(case: &Case<'_>) -> Vec<String> {
    let constraints = case.certificate.extensions.basic_constraints;
    let path_len = constraints.and_then(|constraints| constraints.path_len);
    let exceeded = |allowed: u32| case.cas_below > allowed as usize;
    match path_len {
        Some(allowed) if !case.is_leaf() && exceeded(allowed) => {
            vec![format!("pathLenConstraint is {allowed}, {} CA(s) stand below it", case.cas_below)]
        }
        _ => NONE,
    }
}

// Section 4.2.1.10; a self-issued CA is exempt.
pub(super) fn ca_name_constraints(case: &Case<'_>) -> Vec<String> {
    if case.position == Position::Intermediate && case.certificate.is_self_issued() {
        return NONE;
    }
    constraints::violations(case.certificate, case.above)
}

// Section 7.1 would fold case and blanks; Go compares bytes.
pub(super) fn dn_bytes(case: &Case<'_>) -> Vec<String> {
    let Some(issuer) = case.issuer() else {
        return NONE;
    };
    when(issuer.subject.der() != case.certificate.issuer.der(), || {
        format!(
            "issuer {:?} is not the bytes of the CA's subject {:?}",
            case.certificate.issuer.to_string(),
            issuer.subject.to_string()
        )
    })
}

// A root's signature over itself proves nothing and nobody checks it.
pub(super) fn signature_weak(case: &Case<'_>) -> Vec<String> {
    let algorithm = &case.certificate.signature_algorithm;
    let checked = case.position != Position::Anchor || !case.certificate.is_self_issued();
    when(checked && is_weak_signature(algorithm), || {
        format!("signed with {}", signature_algorithm_name(algorithm))
    })
}

pub(super) fn key_weak(case: &Case<'_>) -> Vec<String> {
    match case.certificate.public_key.algorithm() {
        Some(KeyAlgorithm::Rsa(bits)) if bits < 2048 => {
            vec![format!("an RSA key of {bits} bits")]
        }
        _ => NONE,
    }
}

pub(super) fn key_unsupported(case: &Case<'_>) -> Vec<String> {
    let key = &case.certificate.public_key;
    when(key.algorithm().is_none(), || {
        format!("the key's algorithm or curve is {}", key.algorithm_name())
    })
}

// Section 4.1.2.2
pub(super) fn serial_negative(case: &Case<'_>) -> Vec<String> {
    let serial = &case.certificate.serial;
    let negative = serial.as_bytes().first().is_some_and(|byte| *byte >= 0x80);
    when(negative, || format!("the serial number's octets are {serial}"))
}

// Section 4.1.2.2
pub(super) fn serial_form(case: &Case<'_>) -> Vec<String> {
    let serial = &case.certificate.serial;
    let octets = serial.as_bytes().len();
    let zero = serial.as_bytes().iter().all(|byte| *byte == 0);
    let mut breaches = when(zero, || "the serial number is 0".to_owned());
    breaches.extend(when(octets > 20, || {
        format!("the serial number has {octets} octets, 20 are allowed")
    }));
    breaches
}

// Section 4.2.1.1
pub(super) fn aki_ski(case: &Case<'_>) -> Vec<String> {
    let wanted = case.issuer().and_then(|ca| ca.extensions.subject_key_id.as_ref());
    let found = authority_key_id(case);
    match (found, wanted) {
        (Some(found), Some(wanted)) if found != wanted => vec![format!(
            "authorityKeyIdentifier {found} is not the CA's subjectKeyIdentifier {wanted}"
        )],
        _ => NONE,
    }
}

// Section 4.2.1.1: all but self-signed certificates.
pub(super) fn aki_missing(case: &Case<'_>) -> Vec<String> {
    let exempt = case.position == Position::Anchor && case.certificate.is_self_issued();
    when(!exempt && authority_key_id(case).is_none(), || {
        "it has no authorityKeyIdentifier with a keyIdentifier".to_owned()
    })
}

fn authority_key_id<'a>(case: &'a Case<'_>) -> Option<&'a crate::key::KeyId> {
    let aki = case.certificate.extensions.authority_key_id.as_ref();
    aki.and_then(|aki| aki.key_id.as_ref())
}

// Section 4.2.1.2: every CA.
pub(super) fn ski_missing(case: &Case<'_>) -> Vec<String> {
    let missing = case.certificate.extensions.subject_key_id.is_none();
    when(!case.is_leaf() && missing, || "it has no subjectKeyIdentifier".to_owned())
}

/// Extensions whose meaning the path builder or these rules take into account.
const UNDERSTOOD: [&str; 8] = [
    "2.5.29.14", // subjectKeyIdentifier
    "2.5.29.15", // keyUsage
    "2.5.29.17", // subjectAltName
    "2.5.29.19", // basicConstraints
    "2.5.29.30", // nameConstraints
    "2.5.29.31", // cRLDistributionPoints
    "2.5.29.35", // authorityKeyIdentifier
    "2.5.29.37", // extKeyUsage
];

// Section 4.2
pub(super) fn unknown_critical(case: &Case<'_>) -> Vec<String> {
    let extensions = case.certificate.extensions.all.iter();
    extensions
        .filter(|extension| extension.critical && !UNDERSTOOD.contains(&extension.oid.as_str()))
        .map(|extension| format!("extension {} is critical", extension.oid))
        .collect()
}

// Section 4.2.1.12: absent means any purpose.
pub(super) fn server_eku(case: &Case<'_>) -> Vec<String> {
    let lacks = asked(case, Purpose::Server) && !allows(case, &ExtendedKeyUsage::server_auth());
    when(lacks, || usages_are(case))
}

pub(super) fn client_eku(case: &Case<'_>) -> Vec<String> {
    let lacks = asked(case, Purpose::Client) && !allows(case, &ExtendedKeyUsage::client_auth());
    when(lacks, || usages_are(case))
}

pub(super) fn peer_eku(case: &Case<'_>) -> Vec<String> {
    let both = [ExtendedKeyUsage::server_auth(), ExtendedKeyUsage::client_auth()];
    let lacks = asked(case, Purpose::Peer) && !both.iter().all(|usage| allows(case, usage));
    when(lacks, || usages_are(case))
}

pub(super) fn asked(case: &Case<'_>, purpose: Purpose) -> bool {
    case.is_leaf() && case.question.purpose == purpose
}

pub(super) fn allows(case: &Case<'_>, wanted: &ExtendedKeyUsage) -> bool {
    match &case.certificate.extensions.extended_key_usage {
        Some(usages) => usages.iter().any(|usage| usage == wanted || usage.is_any()),
        None => true,
    }
}

pub(super) fn usages_are(case: &Case<'_>) -> String {
    let usages = case.certificate.extensions.extended_key_usage.iter().flatten();
    let names: Vec<String> = usages.map(ToString::to_string).collect();
    format!(
        "extKeyUsage is {}",
        if names.is_empty() { "empty".to_owned() } else { names.join(", ") }
    )
}

// RFC 6125 section 6: what a client dialled is what the certificate must name.
pub(super) fn host_mismatch(case: &Case<'_>) -> Vec<String> {
    if !case.is_leaf() || case.unmatched.is_empty() {
        return NONE;
    }
    let names = case.certificate.extensions.subject_alt_name.iter().flatten();
    let names: Vec<String> = names.map(ToString::to_string).collect();
    let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
    case.unmatched
        .iter()
        .map(|host| format!("{host} was wanted; the certificate carries {names}"))
        .collect()
}
