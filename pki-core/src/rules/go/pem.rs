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

pub(in crate::rules) static FOREIGN_BLOCK: Rule = Rule {
    id: "trust-foreign-block",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "etcd reads every PEM block in the file as a certificate and exits at startup: `x509: malformed tbs certificate`.",
    remedy: "Leave only certificates in the file: `etcdpki apply -f MANIFEST` writes it again. If the other block is a private key, its CA must be considered leaked: replace it with `etcdpki rotate-ca begin -f MANIFEST`.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

/// The evidence about a block with this label in a file of trusted CAs.
pub(in crate::rules) fn foreign_block(label: &str) -> String {
    format!("the file contains a PEM block with the label {}", crate::quote::name(label))
}

impl CertificateFile {
    /// The finding about a file that this crate can read and Go cannot. `file` is its name.
    pub fn damage(&self, file: &str) -> Option<Finding> {
        self.go_fault.as_ref().map(|fault| damaged(file, fault.clone()))
    }

    /// The findings about a file of trusted CAs that this crate can read and etcd cannot. `file` is its name.
    ///
    /// ```
    /// # let ca = pki_core::CaRequest::new(pki_core::Subject::from_common_name("etcd CA")?);
    /// # let key = pki_core::PrivateKey::generate(pki_core::KeyAlgorithm::EcdsaP256)?;
    /// # let now = time::macros::datetime!(2027-01-01 12:00 UTC);
    /// # let moment = pki_core::IssuanceContext { now, serial: pki_core::SerialNumber::from_random([1; 20]) };
    /// # use pki_core::{CertificateFile, KeyFormat, Signer};
    /// # let ca = pki_core::Authority::draft_root(&ca, key.public_key(), &moment)?.sign(&key)?.certificate;
    /// let with_key = ca.to_pem()? + &key.to_pem(KeyFormat::Pkcs8)?;
    /// let file = CertificateFile::from_bytes(with_key.as_bytes())?;
    /// assert_eq!(file.damage_of_trust("ca.pem")[0].rule.id, "trust-foreign-block");
    /// # Ok::<(), pki_core::Error>(())
    /// ```
    pub fn damage_of_trust(&self, file: &str) -> Vec<Finding> {
        let subject = crate::quote::name(file);
        let other = self.other_label.as_ref().map(|label| foreign_block(label));
        let foreign = other.map(|evidence| Finding::new(&FOREIGN_BLOCK, subject, evidence));
        self.damage(file).into_iter().chain(foreign).collect()
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

/// The finding about the PEM file of a CRL that this crate can read and etcd cannot. `file` is the name of the file.
///
/// ```
/// let pem = b"text\n-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
/// let finding = pki_core::crl_damage("crl.pem", pem).expect("etcd reads such a file as DER");
/// assert_eq!(finding.rule.id, "pem-damaged");
/// ```
pub fn crl_damage(file: &str, bytes: &[u8]) -> Option<Finding> {
    pem::go::crl_fault(bytes).map(|fault| damaged(file, fault))
}

fn damaged(file: &str, fault: String) -> Finding {
    Finding::new(&RULE, crate::quote::name(file), fault)
}
