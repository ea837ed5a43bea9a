//! PEM files as Go's encoding/pem reads them.

use crate::certificate::CertificateFile;
use crate::finding::{Finding, Rule, Severity, Source};
use crate::pem;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "pem-damaged",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "etcd and the API server cannot read the certificate or the key, and exit at startup: `tls: failed to find any PEM data`. They do not trust a CA whose file they cannot read, and etcd rejects every connection if it cannot read its CRL.",
    remedy: "Copy the file again from where it was created: `scp -r pki/hosts/HOST root@HOST: && ssh root@HOST 'sh HOST/install.sh && rm -r HOST'`. If only blanks precede its lines, remove them: `sed 's/^[[:blank:]]*//' FILE > NEW`.",
    citation: "RFC 7468 section 2; Go encoding/pem (Decode)",
};

impl CertificateFile {
    /// The finding about a file that this crate can read and Go cannot. `file` is its name.
    pub fn damage(&self, file: &str) -> Option<Finding> {
        self.go_fault.as_ref().map(|fault| damaged(file, fault.clone()))
    }
}

/// The finding about a PEM file that this crate can read and Go cannot. `file` is the name of the file.
///
/// ```
/// let pem = b"  -----BEGIN PRIVATE KEY-----\n  AAAA\n  -----END PRIVATE KEY-----\n";
/// let finding = pki_core::pem_damage("etcd-key.pem", pem).expect("Go requires BEGIN at the start of its line");
/// assert_eq!(finding.rule.id, "pem-damaged");
/// assert_eq!(finding.evidence.to_string(), "line 1, BEGIN PRIVATE KEY: the lines are indented");
/// ```
pub fn pem_damage(file: &str, bytes: &[u8]) -> Option<Finding> {
    pem::go::fault(bytes).map(|fault| damaged(file, fault))
}

fn damaged(file: &str, fault: String) -> Finding {
    Finding::new(&RULE, crate::quote::name(file), fault)
}
