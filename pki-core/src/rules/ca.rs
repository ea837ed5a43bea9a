//! Rules about CA certificates: what a certificate must contain to issue others.

use super::{CertificateInPath, Row};
use crate::evidence::Evidence;
use crate::finding::{Rule, Severity, Source};
use crate::key::KeyId;
use crate::report::Place;
use crate::usage::KeyUsages;

pub(crate) static CA_PATHLEN: Rule = Rule {
    id: "ca-pathlen",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "etcd and its clients reject the chain: `x509: too many intermediates for path length constraint`.",
    remedy: "Issue leaf certificates directly from this CA: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. Or create a root that allows an intermediate CA: `etcdpki init-ca --path-len NUMBER --dir NEW-DIR`.",
    citation: "RFC 5280 section 4.2.1.9",
};

pub(super) static DN_BYTES: Rule = Rule {
    id: "dn-bytes",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Go does not find the issuer and reports `x509: certificate signed by unknown authority`, although both names may look the same.",
    remedy: "Reissue the certificate with the CA's subject, byte for byte, as its issuer: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
    citation: "RFC 5280 section 4.1.2.4; measured on etcd 3.4, 3.5, 3.6",
};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "ca-bc",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd and its clients reject every certificate that it signed: `parent certificate cannot sign this kind of certificate`.",
            remedy: "Pass the CA certificate, not a leaf certificate: `etcdpki verify --ca CA-FILE FILE`. If this is the CA certificate, create a new CA with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.9",
        },
        ca_basic_constraints,
    ),
    Row::certificate(
        &Rule {
            id: "ca-keycertsign",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd and its clients reject every certificate that it signed: `parent certificate cannot sign this kind of certificate`.",
            remedy: "Create a new CA, which may sign certificates and CRLs: `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.3",
        },
        ca_key_cert_sign,
    ),
    Row::certificate(
        &Rule {
            id: "ca-bc-noncritical",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "etcd accepts the CA; strict RFC 5280 verifiers reject it.",
            remedy: "When convenient, replace the CA: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`. The new one has critical basicConstraints.",
            citation: "RFC 5280 section 4.2.1.9; measured on etcd 3.4, 3.5, 3.6",
        },
        ca_bc_noncritical,
    ),
    Row::certificate(
        &Rule {
            id: "ca-no-ku",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "etcd accepts the CA; strict RFC 5280 verifiers reject it. Nothing restricts what its key may be used for.",
            remedy: "When convenient, replace the CA: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`. The new one has the key usages keyCertSign and cRLSign.",
            citation: "RFC 5280 section 4.2.1.3; measured on etcd 3.4, 3.5, 3.6",
        },
        ca_no_ku,
    ),
    Row::certificate(
        &Rule {
            id: "ca-no-crlsign",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Verifiers that check key usage reject the CRLs of this CA, so no certificate below it can be revoked.",
            remedy: "When convenient, replace the CA: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`. The new one has the key usages keyCertSign and cRLSign.",
            citation: "RFC 5280 section 4.2.1.3",
        },
        ca_no_crlsign,
    ),
    Row::certificate(&CA_PATHLEN, ca_path_len),
    Row::certificate(&DN_BYTES, dn_bytes),
    Row::typed(
        &Rule {
            id: "aki-ski",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "OpenSSL does not find the issuer: `unable to get local issuer certificate`. Go does.",
            remedy: "Pass the CA whose key identifier the certificate contains: `etcdpki verify --ca CA-FILE FILE`. If there is none, reissue the certificate: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.1",
        },
        aki_ski,
    ),
    Row::certificate(
        &Rule {
            id: "aki-missing",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "While two CAs have the same name, as in a rotation, OpenSSL picks the wrong one and fails.",
            remedy: "Reissue the certificate with an authorityKeyIdentifier: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
            citation: "RFC 5280 section 4.2.1.1",
        },
        aki_missing,
    ),
    Row::certificate(
        &Rule {
            id: "ski-missing",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Certificates below this CA cannot identify its key, so verifiers cannot tell two CAs apart during a rotation.",
            remedy: "Replace the CA: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`. The new one has a subjectKeyIdentifier.",
            citation: "RFC 5280 section 4.2.1.2",
        },
        ski_missing,
    ),
    Row::certificate(
        &Rule {
            id: "leaf-is-ca",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Anyone who holds this key can issue certificates that etcd accepts as clients.",
            remedy: "If the certificate is meant to be a CA, verify the certificates that it signed: `etcdpki verify --ca FILE CERT`. If not, treat everything that its key signed as forged, revoke it (`etcdpki revoke FILE --reason keyCompromise`), and reissue it as a leaf certificate: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        leaf_is_ca,
    ),
    Row::certificate(
        &Rule {
            id: "ca-subject-empty",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Programs that look up issuers by name cannot find this one, and some reject it.",
            remedy: "Replace the CA with one that has a name: `etcdpki rotate-ca begin -f MANIFEST --cn NAME`, or without a manifest `etcdpki init-ca --cn NAME --dir NEW-DIR`.",
            citation: "RFC 5280 sections 4.1.2.4 and 4.1.2.6",
        },
        ca_subject_empty,
    ),
    Row::certificate(
        &Rule {
            id: "ca-pathlen-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Strict RFC 5280 verifiers reject the certificate, because only a CA that signs certificates may have a path length.",
            remedy: "Reissue the certificate without pathLenConstraint: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.9",
        },
        ca_path_len_form,
    ),
    Row::certificate(
        &Rule {
            id: "ca-eku-nesting",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd and its clients reject the certificates below the CA: `x509: certificate specifies an incompatible key usage`.",
            remedy: "Create a new CA without extKeyUsage: `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2.1.12; Go crypto/x509 (checkChainForKeyUsage)",
        },
        ca_extended_key_usage,
    ),
];

// Section 4.2.1.9
fn ca_basic_constraints(in_path: &CertificateInPath<'_>) -> Vec<String> {
    // An anchor from before version 3 cannot have the extension; `version-old` and `version-form` report it.
    let certificate = in_path.certificate;
    let exempt = in_path.place == Place::Anchor && certificate.version < 3;
    Vec::from_iter((in_path.is_to_sign() && !certificate.is_ca() && !exempt).then(|| {
        match &in_path.certificate.extensions.basic_constraints {
            Some(_) => "basicConstraints is CA:FALSE".to_owned(),
            None => "basicConstraints is missing".to_owned(),
        }
    }))
}

// Section 4.2.1.3
fn ca_key_cert_sign(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    // Go treats a keyUsage without any usage as absent, and `ku-empty` reports it.
    let lacks =
        usage.is_some_and(|usage| !usage.is_empty() && !usage.contains(KeyUsages::KEY_CERT_SIGN));
    Vec::from_iter((in_path.is_to_sign() && lacks).then(|| {
        let names: Vec<_> = usage.unwrap_or_default().names().collect();
        format!("keyUsage is {}, without keyCertSign", names.join(", "))
    }))
}

// Section 4.2.1.9
fn ca_bc_noncritical(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let is_critical = || {
        let found = in_path.certificate.extensions.find(BASIC_CONSTRAINTS);
        found.is_none_or(|extension| extension.critical)
    };
    // Only a CA needs the extension to be critical.
    Vec::from_iter(
        (in_path.certificate.is_ca() && !is_critical())
            .then(|| "basicConstraints is not critical".to_owned()),
    )
}

// Section 4.2.1.3
fn ca_no_ku(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let missing = in_path.certificate.extensions.key_usage.is_none();
    Vec::from_iter((is_a_ca(in_path) && missing).then(|| "keyUsage is missing".to_owned()))
}

// Section 4.2.1.3
fn ca_no_crlsign(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let usage = in_path.certificate.extensions.key_usage;
    // A certificate without keyCertSign is reported by ca-keycertsign.
    let lacks = usage.is_some_and(|usage| {
        usage.contains(KeyUsages::KEY_CERT_SIGN) && !usage.contains(KeyUsages::CRL_SIGN)
    });
    Vec::from_iter((is_a_ca(in_path) && lacks).then(|| {
        let names: Vec<_> = usage.unwrap_or_default().names().collect();
        format!("keyUsage is {}, without cRLSign", names.join(", "))
    }))
}

/// True for a certificate above the leaf that says that it is a CA.
fn is_a_ca(in_path: &CertificateInPath<'_>) -> bool {
    in_path.is_to_sign() && in_path.certificate.is_ca()
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
                "pathLenConstraint is {allowed}, but the number of CAs below it is {}",
                in_path.cas_below
            )]
        }
        _ => Vec::new(),
    }
}

// Section 7.1 ignores case and repeated spaces; Go compares bytes.
fn dn_bytes(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let Some(issuer) = in_path.issuer() else {
        return Vec::new();
    };
    Vec::from_iter((issuer.subject.der() != in_path.certificate.issuer.der()).then(|| {
        format!(
            "issuer {:?} and the CA's subject {:?} differ in their bytes",
            in_path.certificate.issuer.to_string(),
            issuer.subject.to_string()
        )
    }))
}

// Section 4.2.1.1. A self-signed certificate is its own issuer.
fn aki_ski(in_path: &CertificateInPath<'_>) -> Vec<Evidence> {
    let itself = in_path.place == Place::Anchor && in_path.certificate.is_self_issued();
    let issuer = in_path.issuer().or(itself.then_some(in_path.certificate));
    let expected = issuer.and_then(|ca| ca.extensions.subject_key_id.as_ref());
    let found = authority_key_id(in_path);
    match (found, expected) {
        (Some(found), Some(expected)) if found != expected => {
            let (found, expected) = (found.to_string(), expected.to_string());
            vec![Evidence::OtherKeyId { found, expected }]
        }
        _ => Vec::new(),
    }
}

// Section 4.2.1.1: required, except in self-signed certificates, which may omit the whole extension.
fn aki_missing(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let certificate = in_path.certificate;
    // The key decides, not the name of the issuer.
    let signed_itself = || certificate.is_signed_by(&certificate.public_key);
    let is_root = || match in_path.place {
        Place::Anchor => certificate.is_self_issued() || signed_itself(),
        // A root certificate that is verified on its own.
        Place::Leaf => certificate.is_ca() && signed_itself(),
        // A root certificate that is not trusted.
        Place::Intermediate => in_path.above.is_empty() && signed_itself(),
    };
    let exempt = certificate.extensions.authority_key_id.is_none() && is_root();
    Vec::from_iter(
        (authority_key_id(in_path).is_none() && !exempt)
            .then(|| "authorityKeyIdentifier with a keyIdentifier is missing".to_owned()),
    )
}

// Section 4.2.1.2: required in every CA certificate.
fn ski_missing(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let missing = in_path.certificate.extensions.subject_key_id.is_none();
    Vec::from_iter(
        (in_path.is_to_sign() && missing).then(|| "subjectKeyIdentifier is missing".to_owned()),
    )
}

fn leaf_is_ca(in_path: &CertificateInPath<'_>) -> Vec<String> {
    Vec::from_iter(
        (!in_path.is_to_sign() && in_path.certificate.is_ca())
            .then(|| "basicConstraints is CA:TRUE".to_owned()),
    )
}

fn authority_key_id<'a>(in_path: &'a CertificateInPath<'_>) -> Option<&'a KeyId> {
    let aki = in_path.certificate.extensions.authority_key_id.as_ref();
    aki.and_then(|aki| aki.key_id.as_ref())
}

// Section 4.1.2.6 for the CA itself, 4.1.2.4 for the certificates that it signs.
fn ca_subject_empty(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let mut violations = Vec::from_iter(
        (in_path.certificate.is_ca() && in_path.certificate.subject.is_empty())
            .then(|| "the subject of this CA is empty".to_owned()),
    );
    violations
        .extend(in_path.certificate.issuer.is_empty().then(|| "the issuer is empty".to_owned()));
    violations
}

// Section 4.2.1.9: "MUST NOT include the pathLenConstraint field unless …".
fn ca_path_len_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let Some(constraints) = in_path.certificate.extensions.basic_constraints else {
        return Vec::new();
    };
    let usage = in_path.certificate.extensions.key_usage;
    let signs = usage.is_none_or(|usage| usage.contains(KeyUsages::KEY_CERT_SIGN));
    Vec::from_iter(
        (constraints.path_len.is_some() && !(constraints.ca && signs))
            .then(|| "it has a pathLenConstraint, but may not sign certificates".to_owned()),
    )
}

// Section 4.2.1.12 is about the certificate's own key. Go, OpenSSL and webpki also apply the usages of
// a CA to the certificates below it.
fn ca_extended_key_usage(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let required = in_path.options.purpose.usages();
    let lacks = required.iter().find(|usage| !in_path.is_leaf() && !in_path.allows(usage));
    lacks.map(|usage| format!("extKeyUsage does not allow {usage}")).into_iter().collect()
}
