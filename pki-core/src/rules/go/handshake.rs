//! What crypto/tls rejects in a handshake although crypto/x509 accepts the chain.

use super::Demand;
use crate::certificate::Certificate;
use crate::finding::{Finding, Rule, Severity, Source};
use crate::key::KeyAlgorithm;
use crate::report::Place;
use crate::rules::CertificateInPath;

pub(super) static RULE: Rule = Rule {
    id: "go-handshake",
    severity: Severity::Error,
    source: Source::Go,
    impact: "Every TLS handshake with this certificate fails in etcd and the API server, although the chain is valid.",
    remedy: "Reissue the certificate with an ECDSA P-256 key, with fewer names, and leave only the certificate and its intermediates in the file: `etcdpki issue --profile PROFILE NAME --key ecdsa-p256 --force` with `--san` for each address of a member, or for a host of the manifest set `key: ecdsa-p256` and run `etcdpki apply -f MANIFEST`.",
    citation: "Go crypto/tls (checkKeySize, maxHandshakeCertificateMsg)",
};

static KEY_SIZE: Demand = Demand {
    name: "rsa-size",
    rule: &RULE,
    refused: "An RSA key with more than 8192 bits in a certificate that a peer sends",
    words: "tls: … sent certificate containing RSA key larger than 8192 bits",
    versions: "1.21 and later, and patch releases of 1.19 and 1.20",
    rfc5280: "allows it",
};

static MESSAGE_SIZE: Demand = Demand {
    name: "message-size",
    rule: &RULE,
    refused: "More than 262,144 octets of certificates from a peer",
    words: "tls: handshake message of length … bytes exceeds maximum of … bytes",
    versions: "1.23 and later; before that the limit is 65,536",
    rfc5280: "allows it",
};

pub(super) static DEMANDS: &[&Demand] = &[&KEY_SIZE, &MESSAGE_SIZE];

/// A Certificate message (RFC 8446 section 4.4.2) has a context and a length, and for each certificate a length and
/// extensions.
const LARGEST_MESSAGE: usize = 262_144;
const MESSAGE_FRAME: usize = 4;
const ENTRY_FRAME: usize = 5;

pub(super) fn check(in_path: &CertificateInPath<'_>) -> Vec<String> {
    if in_path.place == Place::Anchor {
        return Vec::new();
    }
    let mut violations: Vec<String> = too_large_key(in_path.certificate).into_iter().collect();
    if in_path.is_leaf() {
        let sent = in_path.above.iter().rev().skip(1).copied().chain([in_path.certificate]);
        violations.extend(too_large(sent));
    }
    violations
}

/// The findings about the certificates of a file that a peer rejects, whether they belong to the path or not: etcd sends
/// all of them.
pub(crate) fn unsendable<'c>(
    leaf: &'c Certificate,
    others: impl Iterator<Item = &'c Certificate> + Clone,
) -> Vec<Finding> {
    let keys = others.clone().filter_map(|one| Some((one, too_large_key(one)?)));
    let all = too_large(others.chain([leaf])).map(|evidence| (leaf, evidence));
    let found = keys.chain(all);
    found.map(|(one, evidence)| Finding::new(&RULE, one.subject.to_string(), evidence)).collect()
}

fn too_large_key(certificate: &Certificate) -> Option<String> {
    let Some(KeyAlgorithm::Rsa(bits @ 8193..)) = certificate.public_key.algorithm() else {
        return None;
    };
    Some(KEY_SIZE.violated(format_args!("its RSA key has {bits} bits")))
}

fn too_large<'c>(sent: impl Iterator<Item = &'c Certificate>) -> Option<String> {
    let entries = sent.map(|certificate| certificate.der().len() + ENTRY_FRAME);
    let size = MESSAGE_FRAME + entries.sum::<usize>();
    (size > LARGEST_MESSAGE).then(|| {
        MESSAGE_SIZE
            .violated(format_args!("the Certificate message has {} KiB", size.div_ceil(1024)))
    })
}
