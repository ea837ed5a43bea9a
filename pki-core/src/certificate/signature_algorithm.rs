//! The names of signature algorithms, and which of them are weak.

use crate::oid::Oid;

/// Signature algorithms: OID, name, and whether the hash is still secure.
const SIGNATURE_ALGORITHMS: [(&str, &str, bool); 14] = [
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption", false),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", false),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", false),
    ("1.2.840.113549.1.1.10", "rsassaPss", true),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", true),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", true),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", true),
    ("1.2.840.10040.4.3", "dsa-with-sha1", false),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1", false),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", true),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", true),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", true),
    ("1.3.14.3.2.29", "sha1WithRSA", false),
    ("1.3.101.112", "Ed25519", true),
];

/// The name of a signature algorithm, or its OID if it has no name here.
pub fn signature_algorithm_name(oid: &Oid) -> &str {
    signature_row(oid).map_or(oid.as_str(), |(_, name, _)| *name)
}

/// True for signatures with SHA-1, MD5 or MD2.
pub(crate) fn is_weak_signature(oid: &Oid) -> bool {
    signature_row(oid).is_some_and(|(_, _, strong)| !strong)
}

fn signature_row(oid: &Oid) -> Option<&'static (&'static str, &'static str, bool)> {
    SIGNATURE_ALGORITHMS.iter().find(|(dotted, ..)| *dotted == oid.as_str())
}
