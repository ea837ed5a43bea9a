//! Rules about the path from a leaf certificate to a trust anchor, which the verifier checks.

use super::{Policy, Row, finding};
use crate::certificate::Certificate;
use crate::finding::{Finding, Rule, Severity, Source};

pub(crate) static CHAIN_ORDER: Rule = Rule {
    id: "chain-order",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "etcd uses the first certificate in the file as its own and exits at startup: `tls: private key does not match public key`.",
    remedy: "Put the leaf certificate first, then the intermediates: `cat LEAF.pem INTERMEDIATE.pem > FILE`.",
    citation: "RFC 8446 section 4.4.2; measured on etcd 3.4, 3.5, 3.6",
};

pub(crate) static PATH_UNKNOWN_AUTHORITY: Rule = Rule {
    id: "path-unknown-authority",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "etcd and its clients reject the certificate: `x509: certificate signed by unknown authority`.",
    remedy: "Trust the CA that signed it (`etcdpki verify --ca CA-FILE FILE`), append a missing intermediate (`cat INTERMEDIATE.pem >> FILE`), or reissue the certificate: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
    citation: "RFC 5280 section 6.1",
};

pub(crate) static PATH_SIGNATURE: Rule = Rule {
    id: "path-signature",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "etcd and its clients reject the certificate, because the CA's key does not verify its signature.",
    remedy: "Trust the CA whose key signed it (`etcdpki verify --ca CA-FILE FILE`), or reissue the certificate: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `etcdpki apply -f MANIFEST`. A CA that was recreated under its old name has a different key.",
    citation: "RFC 5280 section 6.1.3 (a)(1)",
};

pub(crate) static PATH_TOO_DEEP: Rule = Rule {
    id: "path-too-deep",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "The chain contains more CAs than --max-depth allows.",
    remedy: "Allow the longer chain with `etcdpki verify --max-depth NUMBER FILE`, or issue the certificate from a CA nearer to the root: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `etcdpki apply -f MANIFEST`.",
    citation: "RFC 5280 section 6.1",
};

pub(crate) static PATH_REJECTED: Rule = Rule {
    id: "path-rejected",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Verifiers that follow RFC 5280 reject the chain.",
    remedy: "Show the certificate with `etcdpki inspect FILE`, and reissue it: `etcdpki issue --profile PROFILE NAME --force` with `--san` for each address of a member, or for a host of the manifest `rm pki/hosts/HOST/FILE && etcdpki apply -f MANIFEST`.",
    citation: "RFC 5280 section 6.1",
};

pub(super) static ROWS: &[Row] = &[
    Row::whole(&PATH_UNKNOWN_AUTHORITY),
    Row::whole(&PATH_SIGNATURE),
    Row::whole(&PATH_TOO_DEEP),
    Row::whole(&PATH_REJECTED),
];

/// Go and webpki have strict DER parsers, and reject what they cannot read.
pub(crate) fn not_der(certificate: &Certificate, policy: Policy) -> Option<Finding> {
    let evidence = format!("it is not DER: {}", certificate.der_fault?);
    Some(finding(&PATH_REJECTED, policy, certificate.subject.to_string(), evidence))
}

impl Rule {
    /// True for the rules that say why a path is not trusted. Their findings are never ignored.
    pub fn is_about_trust(&self) -> bool {
        ROWS.iter().any(|row| row.rule == self)
    }
}

/// Pairs of a rule, and the reason against trust that follows from its finding.
const EXPLANATIONS: [(&str, &Rule); 4] = [
    ("chain-missing-intermediate", &PATH_UNKNOWN_AUTHORITY),
    ("dn-bytes", &PATH_UNKNOWN_AUTHORITY),
    ("ca-bc", &PATH_REJECTED),
    ("sig-weak", &PATH_REJECTED),
];

impl Finding {
    /// True if the reason why a path is not trusted adds nothing to this finding.
    pub fn explains(&self, refusal: &Self) -> bool {
        self.severity == Severity::Error
            && self.subject == refusal.subject
            && EXPLANATIONS.contains(&(self.rule.id, refusal.rule))
    }
}
