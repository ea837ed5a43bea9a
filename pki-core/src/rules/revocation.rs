//! Rules about CRLs that the caller provides (RFC 5280 sections 5 and 6.3).
//!
//! A certificate is checked against all provided CRLs of its issuer. One CRL without faults that covers
//! the certificate is enough. If there is none, the faults of the best one are reported, because a CRL
//! that cannot be relied on does not show that a certificate is not revoked.

use time::OffsetDateTime;

#[cfg(feature = "manifest")]
use super::crls;
use super::go::{GO_CRL, crl_fault};
use super::{Policy, Row};
use crate::certificate::{Certificate, DistinguishedName, GeneralName};
use crate::crl::{Crl, Scope};
use crate::evidence::{listed, moment};
use crate::finding::{Finding, Rule, Severity, Source};
use crate::usage::KeyUsages;

static LEAF_REVOKED: Rule = Rule {
    id: "leaf-revoked",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "A member that uses this CRL rejects the certificate; the client sees only `closed connection`.",
    remedy: "Find out why the certificate was revoked, and renew it with a new key: `etcdpki renew FILE --rekey`.",
    citation: "RFC 5280 section 6.3",
};

static CRL_SIGNATURE: Rule = Rule {
    id: "crl-signature",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "The CRL proves nothing: anyone who can write the file decides what is revoked, and etcd does not check the signature.",
    remedy: "Issue the CRL again with the CA's key (`etcdpki crl --der --out FILE`), or pass the CRL of this CA: `etcdpki verify --crl CRL-FILE FILE`.",
    citation: "RFC 5280 section 6.3.3 (g)",
};

static CRL_SIGN: Rule = Rule {
    id: "crl-sign",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Verifiers reject the CRL because its CA may not sign CRLs, and then also every certificate of the CA.",
    remedy: "Replace the CA with one that may sign CRLs: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
    citation: "RFC 5280 section 6.3.3 (f)",
};

static CRL_STALE: Rule = Rule {
    id: "crl-stale",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "The CRL does not list what was revoked since. OpenSSL rejects the CA's certificates with `CRL has expired`; etcd keeps using the CRL.",
    remedy: "Issue a new CRL now, and in future before each nextUpdate: `etcdpki crl --der --out FILE`. `etcdpki crl --check --out FILE` says when one is due.",
    citation: "RFC 5280 section 5.1.2.5",
};

static CRL_CRITICAL_EXTENSION: Rule = Rule {
    id: "crl-critical-extension",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "A verifier that does not know the extension cannot tell what the CRL revokes.",
    remedy: "Issue the CRL again without the extension: `etcdpki crl --der --out FILE`. etcd does not support delta and indirect CRLs.",
    citation: "RFC 5280 sections 5.2 and 5.3",
};

static CRL_SCOPE: Rule = Rule {
    id: "crl-scope",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "The CRL does not cover this certificate, so it is unknown whether the certificate is revoked.",
    remedy: "Also pass the CA's complete CRL: `etcdpki verify --crl CRL-FILE FILE`.",
    citation: "RFC 5280 section 6.3.3 (b)(2)",
};

static CRL_NUMBER: Rule = Rule {
    id: "crl-number",
    severity: Severity::Warning,
    source: Source::Rfc5280,
    impact: "Without a valid number, nobody can tell whether the CRL was replaced by an older one.",
    remedy: "Issue the CRL again with a valid cRLNumber: `etcdpki crl --der --out FILE`.",
    citation: "RFC 5280 section 5.2.3",
};

static CRL_FORM: Rule = Rule {
    id: "crl-form",
    severity: Severity::Warning,
    source: Source::Rfc5280,
    impact: "Strict RFC 5280 verifiers reject the CRL, and then also the CA's certificates.",
    remedy: "Issue the CRL again in the form that RFC 5280 requires: `etcdpki crl --der --out FILE`.",
    citation: "RFC 5280 section 5.1",
};

static CRL_UNRELATED: Rule = Rule {
    id: "crl-unrelated",
    severity: Severity::Warning,
    source: Source::Etcd,
    impact: "The CRL has no effect: its issuer is not among the certificates of the chain.",
    remedy: "Pass the CRL of the CA that issued the certificate: `etcdpki verify --crl CRL-FILE FILE`.",
    citation: "RFC 5280 section 6.3.3 (b)(1)",
};

static CRL_MISSING: Rule = Rule {
    id: "crl-missing",
    severity: Severity::Warning,
    source: Source::Etcd,
    impact: "Revocation was not checked: CRLs were passed, but none from the CA that issued the certificate.",
    remedy: "Pass the CRL of the CA that issued the certificate: `etcdpki verify --crl CRL-FILE FILE`.",
    citation: "RFC 5280 section 6.3",
};

pub(super) static ROWS: &[Row] = &[
    #[cfg(feature = "manifest")]
    Row::deployment(&LEAF_REVOKED, crls::revoked),
    #[cfg(not(feature = "manifest"))]
    Row::whole(&LEAF_REVOKED),
    Row::whole(&CRL_SIGNATURE),
    Row::whole(&CRL_SIGN),
    #[cfg(feature = "manifest")]
    Row::deployment(&CRL_STALE, crls::stale),
    #[cfg(not(feature = "manifest"))]
    Row::whole(&CRL_STALE),
    Row::whole(&CRL_CRITICAL_EXTENSION),
    Row::whole(&CRL_SCOPE),
    Row::whole(&CRL_NUMBER),
    Row::whole(&CRL_FORM),
    Row::whole(&GO_CRL),
    Row::whole(&CRL_UNRELATED),
    Row::whole(&CRL_MISSING),
];

/// The CRLs that say nothing about a path, and a leaf that no CRL says anything about. `known` are all certificates that
/// can be in the path. These are warnings under every policy, because RFC 5280 does not limit what a caller passes.
pub(crate) fn unused_crls(
    leaf: &Certificate,
    known: &[&Certificate],
    crls: &[Crl],
) -> Vec<Finding> {
    let is_of = |crl: &Crl, name: &DistinguishedName| {
        crl.issuer.der() == name.der() || crl.issuer.reads_like(name)
    };
    let unrelated = crls.iter().filter(|crl| !known.iter().any(|one| is_of(crl, &one.subject)));
    let finding = |rule, evidence| Finding::new(rule, leaf.subject.to_string(), evidence);
    let mut found: Vec<Finding> = unrelated
        .map(|crl| finding(&CRL_UNRELATED, format!("the CRL of {} is not used", crl.issuer)))
        .collect();
    let mut issuers: Vec<String> = crls.iter().map(|crl| crl.issuer.to_string()).collect();
    issuers.dedup();
    if !issuers.is_empty() && !crls.iter().any(|crl| is_of(crl, &leaf.issuer)) {
        let given = listed(issuers.iter(), ", ");
        let evidence = format!("no CRL from {}; the CRLs are from {given}", leaf.issuer);
        found.push(finding(&CRL_MISSING, evidence));
    }
    found
}

/// Whether the CRLs revoke a certificate, and what is wrong with them. `is_signed` tells whether a CRL is
/// signed by the issuer's key.
pub(crate) fn violations<'a>(
    certificate: &Certificate,
    issuer: &Certificate,
    crls: impl Iterator<Item = &'a Crl>,
    is_signed: impl Fn(&Crl) -> bool,
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
        let faults = faults(crl, certificate, issuer, signed.then_some(issuer), at, policy);
        // A stale CRL that lists the certificate is enough, because revocation is permanent. So is one that
        // has the issuer's name in different bytes, because some tools copy only the text of the name.
        // Under the strict policy, such a CRL must have no faults.
        let counts = is_of_issuer || policy == Policy::Etcd || faults.is_empty();
        if found.is_empty() && signed && counts && crl.lists(&certificate.serial) {
            found.push((&LEAF_REVOKED, format!("a CRL lists serial {}", certificate.serial)));
        }
        // Reports a CRL that is meant for the CA but has expired, instead of ignoring it.
        let is_relevant = is_of_issuer || (signed && policy == Policy::Etcd);
        if is_relevant && best.as_ref().is_none_or(|best| faults.len() < best.len()) {
            best = Some(faults);
        }
    }
    found.extend(best.unwrap_or_default());
    found
}

/// Why a CRL cannot be relied on for this certificate. `signer` is the issuer if its key signed the CRL.
fn faults(
    crl: &Crl,
    certificate: &Certificate,
    issuer: &Certificate,
    signer: Option<&Certificate>,
    at: OffsetDateTime,
    policy: Policy,
) -> Vec<(&'static Rule, String)> {
    let mut faults: Vec<(&'static Rule, String)> = Vec::new();
    if policy == Policy::Etcd {
        faults.extend(crl_fault(crl).map(|evidence| (&GO_CRL, evidence)));
    }
    if signer.is_none() {
        let evidence = format!("it is not signed by the key of {}", issuer.subject);
        faults.push((&CRL_SIGNATURE, evidence));
    }
    faults.extend(issuer_may_not_sign(issuer));
    faults.extend(stale(crl, at).map(|evidence| (&CRL_STALE, evidence)));
    faults.extend(critical(crl).map(|evidence| (&CRL_CRITICAL_EXTENSION, evidence)));
    let scope = crl.scope.as_ref().and_then(|scope| outside(scope, certificate));
    faults.extend(scope.map(|evidence| (&CRL_SCOPE, evidence.to_owned())));
    faults.extend(number(crl).map(|evidence| (&CRL_NUMBER, evidence.to_owned())));
    faults.extend(form(crl, signer).map(|evidence| (&CRL_FORM, evidence.to_owned())));
    let whose = format!("the CRL of {}", crl.issuer);
    for (_, evidence) in &mut faults {
        *evidence = format!("{whose}: {evidence}");
    }
    faults
}

/// Applies the rules to a CRL that is about to be signed by `issuer`. A new CRL must not have any
/// fault, so every violation is an error.
pub(crate) fn check_crl_before_signing(
    crl: &Crl,
    issuer: &Certificate,
    at: OffsetDateTime,
) -> Vec<Finding> {
    let mut faults: Vec<(&'static Rule, String)> = Vec::new();
    faults.extend(issuer_may_not_sign(issuer));
    faults.extend(stale(crl, at).map(|evidence| (&CRL_STALE, evidence)));
    faults.extend(critical(crl).map(|evidence| (&CRL_CRITICAL_EXTENSION, evidence)));
    faults.extend(number(crl).map(|evidence| (&CRL_NUMBER, evidence.to_owned())));
    faults.extend(form(crl, Some(issuer)).map(|evidence| (&CRL_FORM, evidence.to_owned())));
    if crl.issuer.der() != issuer.subject.der() {
        let evidence = format!("its issuer is {}, the CA is {}", crl.issuer, issuer.subject);
        faults.push((&super::ca::DN_BYTES, evidence));
    }
    let subject = format!("the CRL of {}", issuer.subject);
    let findings = faults.into_iter().map(|(rule, evidence)| Finding {
        severity: Severity::Error,
        ..Finding::new(rule, subject.clone(), evidence)
    });
    findings.collect()
}

fn issuer_may_not_sign(issuer: &Certificate) -> Option<(&'static Rule, String)> {
    let usage = issuer.extensions.key_usage?;
    let lacks = !usage.contains(KeyUsages::CRL_SIGN);
    lacks.then(|| {
        (&CRL_SIGN, format!("the keyUsage of {} does not include cRLSign", issuer.subject))
    })
}

fn stale(crl: &Crl, at: OffsetDateTime) -> Option<String> {
    let now = at.unix_timestamp();
    match crl.next_update {
        None => Some("nextUpdate is missing".to_owned()),
        Some(next) if next.unix_timestamp() < now => {
            Some(format!("nextUpdate {} is before {}", moment(next), moment(at)))
        }
        _ if crl.this_update.unix_timestamp() > now => {
            Some(format!("thisUpdate {} is after {}", moment(crl.this_update), moment(at)))
        }
        _ => None,
    }
}

fn critical(crl: &Crl) -> Option<String> {
    /// issuingDistributionPoint and cRLNumber, which have their own rules.
    const KNOWN: [&str; 2] = ["2.5.29.28", "2.5.29.20"];
    let of_list = crl.extensions.all.iter().filter(|extension| extension.critical);
    let mut unknown = of_list
        .map(|extension| &extension.oid)
        .filter(|oid| !KNOWN.contains(&oid.as_str()))
        .chain(&crl.critical_in_entries);
    unknown.next().map(|oid| format!("extension {oid} is critical"))
}

/// Why the CRL does not cover the certificate.
fn outside(scope: &Scope, certificate: &Certificate) -> Option<&'static str> {
    let points = certificate.extensions.crl_distribution_points.as_deref().unwrap_or_default();
    // Section 6.3.3 (b) and (d): a CRL of any other distribution point covers only some reasons, or is
    // issued by another CA.
    let whole = || points.iter().filter(|point| !point.only_some_reasons && !point.indirect);
    let named = |names: &Vec<GeneralName>| {
        whole().flat_map(|point| &point.names).any(|name| names.contains(name))
    };
    if scope.indirect {
        Some("it is an indirect CRL, which may list certificates of other CAs")
    } else if scope.only_attributes {
        Some("it covers only attribute certificates")
    } else if scope.only_users && certificate.is_ca() {
        Some("it covers only leaf certificates, but this is a CA")
    } else if scope.only_cas && !certificate.is_ca() {
        Some("it covers only CAs, but this is a leaf certificate")
    } else if scope.only_some_reasons {
        Some("it covers only some reasons for revocation")
    } else if scope.names.as_ref().is_some_and(|names| !named(names)) {
        Some("the certificate does not name its distribution point for all reasons")
    } else {
        None
    }
}

fn number(crl: &Crl) -> Option<&'static str> {
    let critical = crl.extensions.find("2.5.29.20").is_some_and(|extension| extension.critical);
    match &crl.number {
        None => Some("cRLNumber is missing"),
        Some(_) if critical => Some("cRLNumber is critical"),
        Some(number) if !(1..=20).contains(&number.len()) || number[0] >= 0x80 => {
            Some("cRLNumber is not a positive number of at most 20 octets")
        }
        Some(_) => None,
    }
}

/// What is wrong with the form of a CRL, or with its authorityKeyIdentifier.
fn form(crl: &Crl, signer: Option<&Certificate>) -> Option<&'static str> {
    let key_id = crl.extensions.authority_key_id.as_ref().and_then(|aki| aki.key_id.as_ref());
    let of_signer = signer.and_then(|signer| signer.extensions.subject_key_id.as_ref());
    if !crl.encoding.algorithms_agree {
        Some("its two signature algorithms differ")
    } else if crl.version != 2 {
        Some("it is not an X.509 version 2 CRL")
    } else if crl.repeats {
        Some("it lists a serial number twice")
    } else if key_id.is_none() {
        Some("authorityKeyIdentifier with a keyIdentifier is missing")
    } else if of_signer.is_some() && key_id != of_signer {
        Some("authorityKeyIdentifier differs from the CA's subjectKeyIdentifier")
    } else {
        crl.encoding.times.iter().flatten().next().copied()
    }
}
