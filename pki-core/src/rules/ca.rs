//! What a CA must be to stand above others.

use super::{CertificateInPath, Position, Row, when};
use crate::key::KeyId;
use crate::report::{Rule, Severity, Source};
use crate::usage::KeyUsages;

pub(crate) static CA_PATHLEN: Rule = Rule {
    id: "ca-pathlen",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Peers refuse the chain: `x509: too many intermediates for path length constraint`.",
    remedy: "Sign leaves with this CA directly, or make it anew with a larger path length.",
    citation: "RFC 5280 section 4.2.1.9",
};

pub(crate) static DN_BYTES: Rule = Rule {
    id: "dn-bytes",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Go finds no issuer and says `x509: certificate signed by unknown authority`, though the names read alike.",
    remedy: "Issue it anew with the CA's own subject bytes as issuer.",
    citation: "RFC 5280 section 4.1.2.4; measured on etcd 3.4, 3.5, 3.6",
};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "ca-bc",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Peers refuse what it signed: `parent certificate cannot sign this kind of certificate`.",
            remedy: "Use the CA certificate, not a leaf; if it is the CA, make it anew with CA:TRUE.",
            citation: "RFC 5280 section 4.2.1.9",
        },
        ca_basic_constraints,
    ),
    Row::certificate(
        &Rule {
            id: "ca-keycertsign",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Peers refuse what it signed: `parent certificate cannot sign this kind of certificate`.",
            remedy: "Make the CA anew with the key usages keyCertSign and cRLSign.",
            citation: "RFC 5280 section 4.2.1.3",
        },
        ca_key_cert_sign,
    ),
    Row::certificate(
        &Rule {
            id: "ca-bc-noncritical",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "etcd takes it; verifiers that keep to the letter of RFC 5280 do not.",
            remedy: "Make the CA anew when convenient; etcdpki marks basicConstraints critical.",
            citation: "RFC 5280 section 4.2.1.9; measured on etcd 3.4, 3.5, 3.6",
        },
        ca_bc_noncritical,
    ),
    Row::certificate(
        &Rule {
            id: "ca-no-ku",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd takes it; verifiers that keep to the letter of RFC 5280 do not, and its key may be used for anything.",
            remedy: "Make the CA anew when convenient; etcdpki writes keyCertSign and cRLSign.",
            citation: "RFC 5280 section 4.2.1.3; measured on etcd 3.4, 3.5, 3.6",
        },
        ca_no_ku,
    ),
    Row::certificate(
        &Rule {
            id: "ca-no-crlsign",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Nobody who checks may believe a CRL of this CA, so that nothing below it can be revoked.",
            remedy: "Make the CA anew when convenient; etcdpki writes keyCertSign and cRLSign.",
            citation: "RFC 5280 section 4.2.1.3",
        },
        ca_no_crlsign,
    ),
    Row::certificate(&CA_PATHLEN, ca_path_len),
    Row::certificate(&DN_BYTES, dn_bytes),
    Row::certificate(
        &Rule {
            id: "aki-ski",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "OpenSSL finds no issuer (`unable to get local issuer certificate`); Go does.",
            remedy: "Issue it anew, or trust the CA whose key identifier it names.",
            citation: "RFC 5280 section 4.2.1.1",
        },
        aki_ski,
    ),
    Row::certificate(
        &Rule {
            id: "aki-missing",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "While two CAs share a name, as in a rotation, OpenSSL picks the wrong one and fails.",
            remedy: "Issue it anew; etcdpki writes the identifier.",
            citation: "RFC 5280 section 4.2.1.1",
        },
        aki_missing,
    ),
    Row::certificate(
        &Rule {
            id: "ski-missing",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Certificates below this CA cannot name its key, so that a rotation cannot tell two CAs apart.",
            remedy: "Make the CA anew; etcdpki writes the identifier.",
            citation: "RFC 5280 section 4.2.1.2",
        },
        ski_missing,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-is-ca",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Whoever holds this key can mint certificates that etcd accepts as clients.",
            remedy: "If it is meant to be a CA, name it with --ca and verify what it signed. If not, issue it anew as a leaf, and treat everything that its key signed as forged.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_is_ca,
    ),
    Row::certificate(
        &Rule {
            id: "ca-subject-empty",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Programs that find issuers by name cannot find this one, and some refuse it.",
            remedy: "Make the CA anew with a name.",
            citation: "RFC 5280 sections 4.1.2.4 and 4.1.2.6",
        },
        ca_subject_empty,
    ),
    Row::certificate(
        &Rule {
            id: "ca-pathlen-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Verifiers that keep to the letter of RFC 5280 refuse it: only a CA that signs certificates has a path length.",
            remedy: "Issue it anew without pathLenConstraint, or as a CA with keyCertSign.",
            citation: "RFC 5280 section 4.2.1.9",
        },
        ca_path_len_form,
    ),
    Row::certificate(
        &Rule {
            id: "ca-eku-nesting",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Peers refuse what stands below the CA: `x509: certificate specifies an incompatible key usage`.",
            remedy: "Make the CA anew without extKeyUsage, or with the usages of the leaves.",
            citation: "RFC 5280 section 4.2.1.12; Go crypto/x509 (checkChainForKeyUsage)",
        },
        ca_extended_key_usage,
    ),
];

// Section 4.2.1.9
fn ca_basic_constraints(in_path: &CertificateInPath<'_>) -> Vec<String> {
    when(!in_path.is_leaf() && !in_path.certificate.is_ca(), || {
        match &in_path.certificate.extensions.basic_constraints {
            Some(_) => "basicConstraints says CA:FALSE".to_owned(),
            None => "it has no basicConstraints".to_owned(),
        }
    })
}

// Section 4.2.1.3
fn ca_key_cert_sign(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    let lacks = usage.is_some_and(|usage| !usage.contains(KeyUsages::KEY_CERT_SIGN));
    when(!in_path.is_leaf() && lacks, || {
        let names: Vec<_> = usage.unwrap_or_default().names().collect();
        format!("keyUsage is {}", names.join(", "))
    })
}

// Section 4.2.1.9
fn ca_bc_noncritical(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let found = in_path.certificate.extensions.find(BASIC_CONSTRAINTS);
    // Of what is no CA it may say so in passing.
    let critical = found.is_none_or(|extension| extension.critical);
    when(in_path.certificate.is_ca() && !critical, || "basicConstraints is not critical".to_owned())
}

// Section 4.2.1.3
fn ca_no_ku(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let missing = in_path.certificate.extensions.key_usage.is_none();
    when(is_a_ca(in_path) && missing, || "it has no keyUsage".to_owned())
}

// Section 4.2.1.3
fn ca_no_crlsign(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    // Without keyCertSign it is no CA at all, and that is said already.
    let lacks = usage.is_some_and(|usage| {
        usage.contains(KeyUsages::KEY_CERT_SIGN) && !usage.contains(KeyUsages::CRL_SIGN)
    });
    when(is_a_ca(in_path) && lacks, || {
        let names: Vec<_> = usage.unwrap_or_default().names().collect();
        format!("keyUsage is {}", names.join(", "))
    })
}

/// True above the leaf, where what stands there says that it is a CA.
fn is_a_ca(in_path: &CertificateInPath<'_>) -> bool {
    !in_path.is_leaf() && in_path.certificate.is_ca()
}

const BASIC_CONSTRAINTS: &str = "2.5.29.19";

// Section 4.2.1.9
fn ca_path_len(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let constraints = in_path.certificate.extensions.basic_constraints;
    let path_len = constraints.and_then(|constraints| constraints.path_len);
    let exceeded = |allowed: u32| in_path.cas_below > allowed as usize;
    match path_len {
        Some(allowed) if !in_path.is_leaf() && exceeded(allowed) => {
            vec![format!(
                "pathLenConstraint is {allowed}, {} CA(s) stand below it",
                in_path.cas_below
            )]
        }
        _ => Vec::new(),
    }
}

// Section 7.1 would fold case and blanks; Go compares bytes.
fn dn_bytes(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let Some(issuer) = in_path.issuer() else {
        return Vec::new();
    };
    when(issuer.subject.der() != in_path.certificate.issuer.der(), || {
        format!(
            "issuer {:?} is not the bytes of the CA's subject {:?}",
            in_path.certificate.issuer.to_string(),
            issuer.subject.to_string()
        )
    })
}

// Section 4.2.1.1. What signed itself names itself.
fn aki_ski(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let itself = in_path.position == Position::Anchor && in_path.certificate.is_self_issued();
    let issuer = in_path.issuer().or(itself.then_some(in_path.certificate));
    let wanted = issuer.and_then(|ca| ca.extensions.subject_key_id.as_ref());
    let found = authority_key_id(in_path);
    match (found, wanted) {
        (Some(found), Some(wanted)) if found != wanted => vec![format!(
            "authorityKeyIdentifier {found} is not the CA's subjectKeyIdentifier {wanted}"
        )],
        _ => Vec::new(),
    }
}

// Section 4.2.1.1: all but self-signed certificates, which may leave the extension out as a whole.
fn aki_missing(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let certificate = in_path.certificate;
    // What counts is its key, whatever name stands there as the issuer's.
    let signed_itself = || certificate.is_signed_by(&certificate.public_key);
    let is_root = || match in_path.position {
        Position::Anchor => certificate.is_self_issued() || signed_itself(),
        // A root that is judged by itself.
        Position::Leaf => certificate.is_ca() && signed_itself(),
        Position::Intermediate => false,
    };
    let exempt = certificate.extensions.authority_key_id.is_none() && is_root();
    when(authority_key_id(in_path).is_none() && !exempt, || {
        "it has no authorityKeyIdentifier with a keyIdentifier".to_owned()
    })
}

// Section 4.2.1.2: every CA.
fn ski_missing(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let missing = in_path.certificate.extensions.subject_key_id.is_none();
    when(!in_path.is_leaf() && missing, || "it has no subjectKeyIdentifier".to_owned())
}

fn leaf_is_ca(in_path: &CertificateInPath<'_>) -> Vec<String> {
    when(in_path.is_leaf() && in_path.certificate.is_ca(), || {
        "basicConstraints says CA:TRUE".to_owned()
    })
}

fn authority_key_id<'a>(in_path: &'a CertificateInPath<'_>) -> Option<&'a KeyId> {
    let aki = in_path.certificate.extensions.authority_key_id.as_ref();
    aki.and_then(|aki| aki.key_id.as_ref())
}

// Section 4.1.2.6, and 4.1.2.4 of whatever it signs.
fn ca_subject_empty(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let mut violations =
        when(in_path.certificate.is_ca() && in_path.certificate.subject.is_empty(), || {
            "it is a CA and its subject is empty".to_owned()
        });
    violations
        .extend(when(in_path.certificate.issuer.is_empty(), || "its issuer is empty".to_owned()));
    violations
}

// Section 4.2.1.9: "MUST NOT include the pathLenConstraint field unless …".
fn ca_path_len_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let Some(constraints) = in_path.certificate.extensions.basic_constraints else {
        return Vec::new();
    };
    let usage = in_path.certificate.extensions.key_usage;
    let signs = usage.is_none_or(|usage| usage.contains(KeyUsages::KEY_CERT_SIGN));
    when(constraints.path_len.is_some() && !(constraints.ca && signs), || {
        "it has a pathLenConstraint and may not sign certificates".to_owned()
    })
}

// Section 4.2.1.12 speaks of the certificate's own key. Go, OpenSSL and webpki hold what a CA signs
// to the CA's usages too.
fn ca_extended_key_usage(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let wanted = in_path.options.purpose.usages();
    let lacks = wanted.iter().find(|usage| !in_path.is_leaf() && !in_path.allows(usage));
    lacks.map(|usage| format!("its extKeyUsage does not allow {usage}")).into_iter().collect()
}
