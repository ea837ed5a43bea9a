//! The files of a host.

use super::{Case, Row};
use crate::report::{Rule, Severity, Source};

pub(crate) static FILE_MISSING: Rule = Rule {
    id: "file-missing",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "The program that is configured to use it exits: `open …: no such file or directory`.",
    remedy: "Run etcdpki apply, and copy the host's folder again.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

pub(crate) static FILE_MODE: Rule = Rule {
    id: "file-mode",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "Everybody on the host can read the key, and etcd does not object.",
    remedy: "chmod 600 the file.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

pub(crate) static MANIFEST_DRIFT: Rule = Rule {
    id: "manifest-drift",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "The host does not hold what the manifest says, and the next apply replaces it.",
    remedy: "Run etcdpki apply, or change the manifest.",
    citation: "the manifest",
};

pub(super) static ROWS: &[Row] = &[
    Row::certificate(
        &Rule {
            id: "key-mismatch",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "etcd exits: `tls: private key does not match public key`.",
            remedy: "Restore the pair that belongs together, or issue the certificate anew.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        key_mismatch,
    ),
    Row::whole(&FILE_MISSING),
    Row::whole(&FILE_MODE),
    Row::whole(&MANIFEST_DRIFT),
];

fn key_mismatch(case: &Case<'_>) -> Vec<String> {
    match &case.question.key {
        Some(key) if case.is_leaf() && *key != case.certificate.public_key => vec![format!(
            "the certificate is for key {} ({}), the key file holds {} ({})",
            case.certificate.public_key.key_id(),
            case.certificate.public_key.algorithm_name(),
            key.key_id(),
            key.algorithm_name()
        )],
        _ => Vec::new(),
    }
}
