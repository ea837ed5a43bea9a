//! Revocation lists (RFC 5280 sections 5 and 6.3).
//!
//! A CA's certificates are judged by all CRLs of its name that are at hand. One that is whole and
//! covers the certificate is enough; when there is none, the faults of the best one are reported,
//! for a list that nobody can rely on must not read as an answer.

use time::OffsetDateTime;

use super::{Policy, Row, crls, moment};
use crate::certificate::{Certificate, GeneralName};
use crate::report::{Rule, Severity, Source};
use crate::revocation_list::{RevocationList, Scope};
use crate::usage::KeyUsages;

static LEAF_REVOKED: Rule = Rule {
    id: "leaf-revoked",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "etcd with this CRL refuses it and says only `closed connection` to the client.",
    remedy: "Issue it anew, and find out why it was revoked.",
    citation: "RFC 5280 section 6.3",
};

static CRL_SIGNATURE: Rule = Rule {
    id: "crl-signature",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "The CRL proves nothing: whoever can write the file decides what is revoked, and etcd never checks.",
    remedy: "Make the CRL anew with the CA's key, or name the CRL of this CA.",
    citation: "RFC 5280 section 6.3.3 (g)",
};

static CRL_SIGN: Rule = Rule {
    id: "crl-sign",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Verifiers refuse the CRL, for its CA may not sign any, and with it every certificate of the CA.",
    remedy: "Make the CA anew with the key usages keyCertSign and cRLSign.",
    citation: "RFC 5280 section 6.3.3 (f)",
};

static CRL_STALE: Rule = Rule {
    id: "crl-stale",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "What was revoked since is not on it; OpenSSL says `CRL has expired` and refuses, etcd goes on with it.",
    remedy: "Make the CRL anew, and before its nextUpdate each time.",
    citation: "RFC 5280 section 5.1.2.5",
};

static CRL_CRITICAL_EXTENSION: Rule = Rule {
    id: "crl-critical-extension",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Nobody who does not know the extension can tell what the CRL revokes.",
    remedy: "Make the CRL anew without it; delta and indirect CRLs are not for etcd.",
    citation: "RFC 5280 sections 5.2 and 5.3",
};

static CRL_SCOPE: Rule = Rule {
    id: "crl-scope",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "The CRL is about other certificates, so whether this one is revoked stays unknown.",
    remedy: "Name the CA's complete CRL as well.",
    citation: "RFC 5280 section 6.3.3 (b)(2)",
};

static CRL_NUMBER: Rule = Rule {
    id: "crl-number",
    severity: Severity::Warning,
    source: Source::Rfc5280,
    impact: "Without its number nobody can tell a newer CRL from an older one that was put in its place.",
    remedy: "Make the CRL anew with a cRLNumber of at most 20 octets that is not critical.",
    citation: "RFC 5280 section 5.2.3",
};

static CRL_FORM: Rule = Rule {
    id: "crl-form",
    severity: Severity::Warning,
    source: Source::Rfc5280,
    impact: "Verifiers that keep to the letter of RFC 5280 refuse the CRL, and with it the CA's certificates.",
    remedy: "Make the CRL anew.",
    citation: "RFC 5280 section 5.1",
};

pub(super) static ROWS: &[Row] = &[
    Row::deployment(&LEAF_REVOKED, crls::revoked),
    Row::whole(&CRL_SIGNATURE),
    Row::whole(&CRL_SIGN),
    Row::deployment(&CRL_STALE, crls::stale),
    Row::whole(&CRL_CRITICAL_EXTENSION),
    Row::whole(&CRL_SCOPE),
    Row::whole(&CRL_NUMBER),
    Row::whole(&CRL_FORM),
];

/// What the CRLs say of a certificate and what is wrong with them. `is_signed` answers whether a
/// CRL's signature is by the issuer's key.
pub(crate) fn violations<'a>(
    certificate: &Certificate,
    issuer: &Certificate,
    crls: impl Iterator<Item = &'a RevocationList>,
    is_signed: impl Fn(&RevocationList) -> bool,
    at: OffsetDateTime,
    policy: Policy,
) -> Vec<(&'static Rule, String)> {
    let mut best: Option<Vec<(&'static Rule, String)>> = None;
    let mut found = Vec::new();
    for crl in crls {
        // Section 6.3.3 (b)(1): the CRL of the certificate's issuer.
        let is_of_issuer = crl.issuer.der() == certificate.issuer.der();
        if !is_of_issuer && !crl.issuer.reads_like(&certificate.issuer) {
            continue;
        }
        let signed = is_signed(crl);
        let faults = faults(crl, certificate, issuer, signed, at);
        // A stale list that names it is reason enough: revocation is for good. So is one that writes the
        // issuer's name in other bytes, as tools do that copy its text; to the letter it has to be whole.
        let counts = is_of_issuer || policy == Policy::Etcd || faults.is_empty();
        if found.is_empty() && signed && counts && crl.lists(&certificate.serial) {
            found.push((&LEAF_REVOKED, format!("a CRL lists serial {}", certificate.serial)));
        }
        // So that a CRL that is meant for the CA and has ended is not passed over.
        let is_judged = is_of_issuer || (signed && policy == Policy::Etcd);
        if is_judged && best.as_ref().is_none_or(|best| faults.len() < best.len()) {
            best = Some(faults);
        }
    }
    found.extend(best.unwrap_or_default());
    found
}

/// Why a CRL says nothing about the certificate that can be relied on.
fn faults(
    crl: &RevocationList,
    certificate: &Certificate,
    issuer: &Certificate,
    signed: bool,
    at: OffsetDateTime,
) -> Vec<(&'static Rule, String)> {
    let mut faults: Vec<(&'static Rule, String)> = Vec::new();
    if !signed {
        let evidence = format!("it does not verify with the key of {}", issuer.subject);
        faults.push((&CRL_SIGNATURE, evidence));
    }
    let usage = issuer.extensions.key_usage;
    if usage.is_some_and(|usage| !usage.contains(KeyUsages::CRL_SIGN)) {
        faults.push((&CRL_SIGN, format!("the keyUsage of {} lacks cRLSign", issuer.subject)));
    }
    faults.extend(stale(crl, at).map(|evidence| (&CRL_STALE, evidence)));
    faults.extend(critical(crl).map(|evidence| (&CRL_CRITICAL_EXTENSION, evidence)));
    let scope = crl.scope.as_ref().and_then(|scope| outside(scope, certificate));
    faults.extend(scope.map(|evidence| (&CRL_SCOPE, evidence.to_owned())));
    faults.extend(number(crl).map(|evidence| (&CRL_NUMBER, evidence.to_owned())));
    faults.extend(
        form(crl, signed.then_some(issuer)).map(|evidence| (&CRL_FORM, evidence.to_owned())),
    );
    let whose = format!("the CRL of {}", crl.issuer);
    for (_, evidence) in &mut faults {
        *evidence = format!("{whose}: {evidence}");
    }
    faults
}

fn stale(crl: &RevocationList, at: OffsetDateTime) -> Option<String> {
    let now = at.unix_timestamp();
    match crl.next_update {
        None => Some("it has no nextUpdate".to_owned()),
        Some(next) if next.unix_timestamp() < now => {
            Some(format!("nextUpdate {} is before {}", moment(next), moment(at)))
        }
        _ if crl.this_update.unix_timestamp() > now => {
            Some(format!("thisUpdate {} is after {}", moment(crl.this_update), moment(at)))
        }
        _ => None,
    }
}

fn critical(crl: &RevocationList) -> Option<String> {
    /// issuingDistributionPoint, judged by its own rule, and cRLNumber, which may not be critical.
    const KNOWN: [&str; 2] = ["2.5.29.28", "2.5.29.20"];
    let of_list = crl.extensions.all.iter().filter(|extension| extension.critical);
    let mut unknown = of_list
        .map(|extension| &extension.oid)
        .filter(|oid| !KNOWN.contains(&oid.as_str()))
        .chain(&crl.critical_in_entries);
    unknown.next().map(|oid| format!("its extension {oid} is critical"))
}

/// Why the CRL is not about the certificate.
fn outside(scope: &Scope, certificate: &Certificate) -> Option<&'static str> {
    let points = certificate.extensions.crl_distribution_points.as_deref().unwrap_or_default();
    // Section 6.3.3 (b) and (d): of another point the CRL covers less than all, or is by somebody else.
    let whole = || points.iter().filter(|point| !point.only_some_reasons && !point.indirect);
    let named = |names: &Vec<GeneralName>| {
        whole().flat_map(|point| &point.names).any(|name| names.contains(name))
    };
    if scope.indirect {
        Some("it is indirect: it may list certificates of other CAs")
    } else if scope.only_attributes {
        Some("it is about attribute certificates")
    } else if scope.only_users && certificate.is_ca() {
        Some("it is about leaves, and this is a CA")
    } else if scope.only_cas && !certificate.is_ca() {
        Some("it is about CAs, and this is a leaf")
    } else if scope.only_some_reasons {
        Some("it covers some reasons of revocation alone")
    } else if scope.names.as_ref().is_some_and(|names| !named(names)) {
        Some("its distribution point is none that the certificate names for all reasons")
    } else {
        None
    }
}

fn number(crl: &RevocationList) -> Option<&'static str> {
    let critical = crl.extensions.find("2.5.29.20").is_some_and(|extension| extension.critical);
    match &crl.number {
        None => Some("it has no cRLNumber"),
        Some(_) if critical => Some("its cRLNumber is critical"),
        Some(number) if !(1..=20).contains(&number.len()) || number[0] >= 0x80 => {
            Some("its cRLNumber is no number of at most 20 octets")
        }
        Some(_) => None,
    }
}

/// What is wrong with how a CRL is written, and that it names another key than its signer's.
fn form(crl: &RevocationList, signer: Option<&Certificate>) -> Option<&'static str> {
    let key_id = crl.extensions.authority_key_id.as_ref().and_then(|aki| aki.key_id.as_ref());
    let of_signer = signer.and_then(|signer| signer.extensions.subject_key_id.as_ref());
    if !crl.encoding.algorithms_agree {
        Some("its two signature algorithms differ")
    } else if crl.version != 2 {
        Some("it is no X.509v2 CRL")
    } else if crl.repeats {
        Some("it lists a serial number twice")
    } else if key_id.is_none() {
        Some("it has no authorityKeyIdentifier with a keyIdentifier")
    } else if of_signer.is_some() && key_id != of_signer {
        Some("its authorityKeyIdentifier names another key than the CA's")
    } else {
        crl.encoding.times.iter().flatten().next().copied()
    }
}
