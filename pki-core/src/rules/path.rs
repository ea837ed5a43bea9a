//! The path from a leaf to an anchor, judged by the verifier.

use super::Row;
use crate::report::{Rule, Severity, Source};

pub(crate) static PATH_UNKNOWN_AUTHORITY: Rule = Rule {
    id: "path-unknown-authority",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Peers refuse it: `x509: certificate signed by unknown authority`.",
    remedy: "Trust the CA that signed it, append a missing intermediate to the file, or issue it anew.",
    citation: "RFC 5280 section 6.1",
};

pub(crate) static PATH_SIGNATURE: Rule = Rule {
    id: "path-signature",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Peers refuse it: the signature does not verify with the CA's key.",
    remedy: "Trust the CA whose key signed it (a CA made anew under its old name has another key), or issue it anew.",
    citation: "RFC 5280 section 6.1.3 (a)(1)",
};

pub(crate) static PATH_TOO_DEEP: Rule = Rule {
    id: "path-too-deep",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "The chain is longer than was asked for.",
    remedy: "Shorten the chain, or allow a larger --max-depth.",
    citation: "RFC 5280 section 6.1",
};

pub(crate) static PATH_REJECTED: Rule = Rule {
    id: "path-rejected",
    severity: Severity::Error,
    source: Source::Rfc5280,
    impact: "Verifiers that keep to RFC 5280 refuse the chain.",
    remedy: "Look at the certificate with `etcdpki inspect`, and issue it anew.",
    citation: "RFC 5280 section 6.1",
};

pub(super) static ROWS: &[Row] = &[
    Row::whole(&PATH_UNKNOWN_AUTHORITY),
    Row::whole(&PATH_SIGNATURE),
    Row::whole(&PATH_TOO_DEEP),
    Row::whole(&PATH_REJECTED),
];
