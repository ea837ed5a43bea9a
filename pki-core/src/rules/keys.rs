//! Rules about the key that a certificate certifies.

use super::{CertificateInPath, Row};
use crate::finding::{Rule, Severity, Source};
use crate::key::KeyAlgorithm;

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "key-weak",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "OpenSSL and rustls reject the key because it is too small, and an attacker may be able to break it.",
            remedy: "Reissue the certificate with a stronger key: `etcdpki issue --profile PROFILE NAME --key ecdsa-p256 --force` with `--san` for each address of a member, or for a host of the manifest set `key: ecdsa-p256` and run `etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "NIST SP 800-131A revision 2",
        },
        key_weak,
    ),
    Row::certificate(
        &Rule {
            id: "key-curve",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "etcd cannot load the certificate, or every TLS handshake with it fails, because TLS has no signature algorithm for the key.",
            remedy: "Reissue the certificate with an ECDSA P-256, P-384 or P-521, Ed25519 or RSA key: `etcdpki issue --profile PROFILE NAME --key ecdsa-p256 --force` with `--san` for each address of a member, or for a host of the manifest set `key: ecdsa-p256` and run `etcdpki apply -f MANIFEST`. If it is a CA, create a new one with `etcdpki apply -f MANIFEST --dir NEW-DIR`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 5480 section 2.1.1; measured on etcd 3.4, 3.5, 3.6",
        },
        key_unsupported,
    ),
    Row::certificate(
        &Rule {
            id: "key-form",
            severity: Severity::Error,
            source: Source::Rfc5280,
            impact: "rustls and other verifiers that read only valid DER cannot use the key.",
            remedy: "Reissue the certificate; the command also generates the key: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "RFC 3279 section 2.3.1; RFC 8017 appendix A.1.1",
        },
        key_form,
    ),
    Row::certificate(
        &Rule {
            id: "key-mismatch",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "etcd exits at startup: `tls: private key does not match public key`.",
            remedy: "Restore the key that belongs to the certificate from a backup, or issue a new pair: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        key_mismatch,
    ),
    Row::at_issue(
        &Rule {
            id: "key-rsa-broken",
            severity: Severity::Error,
            source: Source::Etcd,
            impact: "Anybody can compute the private key from the public key, and then use the certificate.",
            remedy: "Revoke the certificate (`etcdpki revoke FILE --reason keyCompromise`), and issue one for another key: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "CA/Browser Forum Baseline Requirements section 6.1.6; RFC 8017 section 3.1",
        },
        rsa_broken,
    ),
    Row::at_issue(
        &Rule {
            id: "key-rsa-exponent",
            severity: Severity::Warning,
            source: Source::Etcd,
            impact: "Small public exponents make attacks on faulty software possible, and some verifiers reject them.",
            remedy: "Issue the certificate for another key: `etcdpki issue --profile PROFILE NAME --key ecdsa-p256 --force` with `--san` for each address of a member, or for a host of the manifest `etcdpki apply -f MANIFEST` with `key: ecdsa-p256`. If it is a CA, replace it: `etcdpki rotate-ca begin -f MANIFEST`, or without a manifest `etcdpki init-ca --dir NEW-DIR`.",
            citation: "NIST SP 800-56B revision 2 section 6.2; CA/Browser Forum Baseline Requirements section 6.1.6",
        },
        rsa_exponent,
    ),
];

fn key_weak(in_path: &CertificateInPath<'_>) -> Vec<String> {
    match in_path.certificate.public_key.algorithm() {
        Some(KeyAlgorithm::Rsa(bits)) if bits < 2048 => {
            vec![format!("the RSA key has {bits} bits")]
        }
        _ => Vec::new(),
    }
}

fn key_unsupported(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let key = &in_path.certificate.public_key;
    Vec::from_iter(
        (key.algorithm().is_none() && !key.is_rsa())
            .then(|| format!("the key's algorithm or curve is {}", key.algorithm_name())),
    )
}

fn key_form(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let key = &in_path.certificate.public_key;
    Vec::from_iter(
        (key.algorithm().is_none() && key.is_rsa())
            .then(|| "the RSA key is not a modulus and a public exponent in DER".to_owned()),
    )
}

fn key_mismatch(in_path: &CertificateInPath<'_>) -> Vec<String> {
    match &in_path.options.key {
        Some(key) if in_path.is_leaf() && *key != in_path.certificate.public_key => vec![format!(
            "the certificate has key id {} ({}), but the key file has key id {} ({})",
            in_path.certificate.public_key.key_id(),
            in_path.certificate.public_key.algorithm_name(),
            key.key_id(),
            key.algorithm_name()
        )],
        _ => Vec::new(),
    }
}

fn rsa_broken(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let Some(key) = in_path.certificate.public_key.rsa() else {
        return Vec::new();
    };
    let mut evidence: Vec<String> = key
        .small_factor()
        .map(|prime| format!("the modulus of the RSA key is divisible by {prime}"))
        .into_iter()
        .collect();
    // RFC 8017 section 3.1: odd and at least 3.
    if let Some(exponent) = key.exponent().filter(|exponent| *exponent < 3 || exponent % 2 == 0) {
        evidence.push(format!("the public exponent of the RSA key is {exponent}"));
    }
    evidence
}

fn rsa_exponent(in_path: &CertificateInPath<'_>) -> Vec<String> {
    let exponent = in_path.certificate.public_key.rsa().and_then(|key| key.exponent());
    match exponent {
        Some(exponent @ 3..65537) if exponent % 2 == 1 => {
            vec![format!("the public exponent of the RSA key is {exponent}")]
        }
        _ => Vec::new(),
    }
}
