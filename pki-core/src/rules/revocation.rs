//! Revocation lists.

use super::Row;
use crate::report::{Rule, Severity, Source};

pub(crate) static LEAF_REVOKED: Rule = Rule {
    id: "leaf-revoked",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "etcd with this CRL refuses it and says only `closed connection` to the client.",
    remedy: "Issue it anew, and find out why it was revoked.",
    citation: "RFC 5280 section 6.3",
};

pub(crate) static CRL_UNUSABLE: Rule = Rule {
    id: "crl-unusable",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "Nobody can tell from this CRL what is revoked, and etcd never checks its date or signature.",
    remedy: "Make the CRL anew with the CA's key.",
    citation: "RFC 5280 section 6.3.3",
};

pub(super) static ROWS: &[Row] = &[Row::whole(&LEAF_REVOKED), Row::whole(&CRL_UNUSABLE)];
