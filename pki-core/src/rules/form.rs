//! Rules about the form of one certificate: algorithms, serial number, version and extensions.

use super::{CertificateInPath, Row};
use crate::certificate::{
    Certificate, CertificateFields, Extension, is_weak_signature, signature_algorithm_name,
};
use crate::finding::{Rule, Severity, Source};
use crate::report::Place;

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "sig-weak",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd and the API server reject the certificate: `x509: cannot verify signature: insecure algorithm`. Only old builds of etcd 3.5 accept it.",
            remedy: "Reissue the certificate, which etcdpki signs with SHA-256 or stronger: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 9155 section 2; measured on etcd 3.4, 3.5, 3.6",
        },
        signature_weak,
    ),
    Row::certificate(
        &Rule {
            id: "serial-negative",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd 3.6 exits at startup, and the API server rejects the certificate: `x509: negative serial number`.",
            remedy: "Renew the certificate, which gives it a positive serial number: `etcdpki renew FILE`. If it is the CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.1.2.2",
        },
        serial_negative,
    ),
    Row::certificate(
        &Rule {
            id: "serial-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Strict RFC 5280 verifiers reject the certificate unless it is a trusted root, and a CRL may fail to match it.",
            remedy: "Renew the certificate, which gives it a positive serial number of at most 20 octets: `etcdpki renew FILE`. If it is the CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.1.2.2",
        },
        serial_form,
    ),
    Row::certificate(
        &Rule {
            id: "ext-unknown-critical",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd and the API server reject the certificate: `x509: unhandled critical extension`.",
            remedy: "Reissue the certificate without the extension: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.2",
        },
        unknown_critical,
    ),
    Row::certificate(
        &Rule {
            id: "sig-algorithm-mismatch",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Go cannot parse the certificate: `x509: inner and outer signature algorithm identifiers don't match`.",
            remedy: "Reissue the certificate, because it was changed after it was signed, or the software that issued it is faulty: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.1.1.2",
        },
        signature_algorithms_differ,
    ),
    Row::certificate(
        &Rule {
            id: "version-form",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "Go cannot parse a certificate of a version above 3, and ignores the extensions of versions 1 and 2, including their names, usages and restrictions.",
            remedy: "Reissue the certificate with version 3: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.1.2.1; Go crypto/x509 (parseCertificate)",
        },
        version_form,
    ),
    Row::certificate(
        &Rule {
            id: "version-old",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "The certificate cannot have extensions, so it has no names and its key may be used for anything. Go and OpenSSL accept it as a root CA or as a client certificate; other verifiers reject it.",
            remedy: "Reissue the certificate with version 3: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 sections 4.1.2.1 and 6.1.4 (k)",
        },
        version_old,
    ),
    Row::certificate(
        &Rule {
            id: "unique-id",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Strict RFC 5280 verifiers reject the certificate, because CAs must not use unique identifiers.",
            remedy: "Reissue the certificate without issuerUniqueID and subjectUniqueID: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.1.2.8",
        },
        unique_ids,
    ),
    Row::certificate(
        &Rule {
            id: "ext-critical",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Programs that do not know the extension must reject the certificate. Recent versions of Go always reject critical key identifiers.",
            remedy: "Reissue the certificate with the extension marked as not critical: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 sections 4.2.1.1, 4.2.1.2, 4.2.1.8, 4.2.1.15 and 4.2.2",
        },
        critical_without_need,
    ),
    Row::certificate(
        &Rule {
            id: "ext-not-critical",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "A program that does not know the extension ignores it, and with it the restrictions of the CA.",
            remedy: "Replace the CA with one whose extension is critical: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 sections 4.2.1.10, 4.2.1.11 and 4.2.1.14",
        },
        not_critical,
    ),
    Row::certificate(
        &Rule {
            id: "ext-der",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            impact: "Verifiers with a strict DER parser cannot read the extension and reject the certificate.",
            remedy: "Reissue the certificate in valid DER: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5280 section 4.1; X.690 sections 8.3, 11.1 and 11.5",
        },
        basic_constraints_in_der,
    ),
];

// Verifiers do not check the signature of an anchor.
fn signature_weak(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let algorithm = &in_path.certificate.signature_algorithm;
    Vec::from_iter(
        (in_path.place != Place::Anchor && is_weak_signature(algorithm))
            .then(|| format!("it is signed with {}", signature_algorithm_name(algorithm))),
    )
}

// Section 4.1.2.2
fn serial_negative(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let serial = &in_path.certificate.serial;
    let negative = serial.as_bytes().first().is_some_and(|byte| *byte >= 0x80);
    Vec::from_iter(negative.then(|| format!("the serial number {serial} is negative")))
}

// Section 4.1.2.2
fn serial_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let serial = &in_path.certificate.serial;
    let octets = serial.as_bytes().len();
    let zero = serial.as_bytes().iter().all(|byte| *byte == 0);
    let mut violations = Vec::from_iter(zero.then(|| "the serial number is 0".to_owned()));
    violations.extend(
        (octets > 20).then(|| format!("the serial number has {octets} octets, the limit is 20")),
    );
    violations
}

// Section 4.2
fn unknown_critical(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let extensions = in_path.certificate.extensions.all.iter();
    extensions
        .filter(|extension| extension.critical && !UNDERSTOOD.contains(&extension.oid.as_str()))
        .map(|extension| format!("extension {} is critical", extension.oid))
        .collect()
}

/// Extensions that the path builder or these rules process.
const UNDERSTOOD: [&str; 12] = [
    "2.5.29.14", // subjectKeyIdentifier
    "2.5.29.15", // keyUsage
    "2.5.29.17", // subjectAltName
    "2.5.29.19", // basicConstraints
    "2.5.29.30", // nameConstraints
    "2.5.29.31", // cRLDistributionPoints
    "2.5.29.32", // certificatePolicies
    "2.5.29.33", // policyMappings
    "2.5.29.35", // authorityKeyIdentifier
    "2.5.29.36", // policyConstraints
    "2.5.29.37", // extKeyUsage
    "2.5.29.54", // inhibitAnyPolicy
];

// Section 4.1.1.2
fn signature_algorithms_differ(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let certificate = in_path.certificate;
    Vec::from_iter((!certificate.encoding.algorithms_agree).then(|| {
        let outside = signature_algorithm_name(&certificate.signature_algorithm);
        format!("signatureAlgorithm is {outside}, but the signed part names another algorithm")
    }))
}

// Section 4.1.2.1: extensions require version 3.
fn version_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let CertificateFields { version, extensions, .. } = &**in_path.certificate;
    Vec::from_iter((*version > 3 || (*version < 3 && !extensions.all.is_empty())).then(|| {
        format!(
            "it is an X.509 version {version} certificate with {} extension(s)",
            extensions.all.len()
        )
    }))
}

// Section 6.1.4 (k): whether a certificate before version 3 is a CA is known by other means. An anchor is known
// to be one; `ca-bc` reports other CAs.
fn version_old(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let version = in_path.certificate.version;
    Vec::from_iter(
        (in_path.place != Place::Intermediate && is_before_extensions(in_path.certificate))
            .then(|| format!("it is an X.509 version {version} certificate")),
    )
}

/// True for a certificate of a version that has no extensions, and that has none.
fn is_before_extensions(certificate: &Certificate) -> bool {
    certificate.version < 3 && certificate.extensions.all.is_empty()
}

// Section 4.1.2.8
fn unique_ids(in_path: &CertificateInPath<'_>) -> Vec<String> {
    Vec::from_iter(
        in_path
            .certificate
            .encoding
            .unique_ids
            .then(|| "it contains a unique identifier".to_owned()),
    )
}

fn critical_without_need(in_path: &CertificateInPath<'_>) -> Vec<String> {
    const NEVER: [(&str, &str); 6] = [
        ("2.5.29.9", "subjectDirectoryAttributes"),
        ("2.5.29.14", "subjectKeyIdentifier"),
        ("2.5.29.35", "authorityKeyIdentifier"),
        ("2.5.29.46", "freshestCRL"),
        ("1.3.6.1.5.5.7.1.1", "authorityInfoAccess"),
        ("1.3.6.1.5.5.7.1.11", "subjectInfoAccess"),
    ];
    let critical = present(in_path, &NEVER).filter(|(_, extension)| extension.critical);
    critical.map(|(name, _)| format!("{name} is critical")).collect()
}

fn not_critical(in_path: &CertificateInPath<'_>) -> Vec<String> {
    const ALWAYS: [(&str, &str); 3] = [
        ("2.5.29.30", "nameConstraints"),
        ("2.5.29.36", "policyConstraints"),
        ("2.5.29.54", "inhibitAnyPolicy"),
    ];
    let not_critical = present(in_path, &ALWAYS).filter(|(_, extension)| !extension.critical);
    not_critical.map(|(name, _)| format!("{name} is not critical")).collect()
}

/// Those of these extensions that the certificate contains, with their names.
fn present<'p>(
    in_path: &'p CertificateInPath<'_>,
    extensions: &'p [(&str, &str)],
) -> impl Iterator<Item = (&'p str, &'p Extension)> {
    let all = &in_path.certificate.extensions;
    extensions.iter().filter_map(|(oid, name)| Some((*name, all.find(oid)?)))
}

// basicConstraints decides whether to trust a CA, and contains what DER and BER encode differently: a
// default value, a BOOLEAN and an INTEGER.
fn basic_constraints_in_der(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let extensions = &in_path.certificate.extensions;
    let (Some(constraints), Some(extension)) =
        (extensions.basic_constraints, extensions.find("2.5.29.19"))
    else {
        return Vec::new();
    };
    let mut content = if constraints.ca { vec![0x01, 0x01, 0xff] } else { Vec::new() };
    if let Some(path_len) = constraints.path_len {
        let octets = path_len.to_be_bytes();
        let mut number = &octets[..];
        while let [0, next, ..] = number
            && *next < 0x80
        {
            number = &number[1..];
        }
        let sign = &[0][..usize::from(number[0] >= 0x80)];
        content.extend([0x02, u8::try_from(sign.len() + number.len()).unwrap_or(u8::MAX)]);
        content.extend([sign, number].concat());
    }
    let in_der = matches!(&extension.value[..],
        [0x30, length, rest @ ..] if usize::from(*length) == rest.len() && rest == content);
    Vec::from_iter((!in_der).then(|| "basicConstraints is not encoded in DER".to_owned()))
}
