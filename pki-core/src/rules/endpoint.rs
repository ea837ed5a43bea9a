//! A live endpoint: what it does beside the chain that it serves.

use super::{Policy, Row};
use crate::report::{Finding, Rule, Severity, Source};

static PLAIN_HTTP: Rule = Rule {
    id: "endpoint-plain-http",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "Everybody on the network reads and changes what passes, and TLS clients fail: `tls: first record does not look like a TLS handshake`.",
    remedy: "Write https:// in listen-client-urls and listen-peer-urls, with cert-file and key-file, and restart the member.",
    citation: "measured on etcd 3.4, 3.5",
};

static HANDSHAKE: Rule = Rule {
    id: "endpoint-handshake",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "No client of today's TLS (1.2 and 1.3) can connect.",
    remedy: "Check that it is the right port; look into the server's log for `rejected connection`; check its cipher-suites against the kind of its key.",
    citation: "RFC 8446 section 6.2; RFC 5246 section 7.2",
};

static REFUSES_CLIENT: Rule = Rule {
    id: "endpoint-refuses-client",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "This client cannot use the endpoint; an API server says no more than `context deadline exceeded`.",
    remedy: "Verify the client's certificate with --purpose client against the server's trusted-ca-file; after an end without an alert also its names and the server's CRL.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

static OPEN: Rule = Rule {
    id: "endpoint-open",
    severity: Severity::Warning,
    source: Source::Etcd,
    impact: "Whoever reaches the port talks to the server without a certificate; of etcd that is every key of the cluster.",
    remedy: "Set client-cert-auth and trusted-ca-file (of the peer port: peer-client-cert-auth and peer-trusted-ca-file).",
    citation: "etcd security guide; measured on etcd 3.4, 3.5",
};

static SERVES_OTHER: Rule = Rule {
    id: "endpoint-serves-other",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "The host works with another certificate than the one that was issued for it last: it fails when that one ends, or is revoked.",
    remedy: "Copy the host's folder to the host; etcd reads its certificates anew at each handshake and needs no restart for them.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

/// What can be wrong with an endpoint whatever its certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever dials decides which it is")]
pub enum EndpointFault {
    /// It speaks plain HTTP.
    PlainHttp,
    /// It speaks TLS, and no session comes about.
    Handshake,
    /// It refuses the client's certificate.
    RefusesClient,
    /// It asks for no client certificate.
    Open,
    /// It serves another certificate than its host's file holds.
    ServesOther,
}

impl EndpointFault {
    /// The finding about the endpoint of this name; none where the policy does not ask.
    pub fn finding(self, policy: Policy, endpoint: &str, evidence: String) -> Option<Finding> {
        let rule = match self {
            Self::PlainHttp => &PLAIN_HTTP,
            Self::Handshake => &HANDSHAKE,
            Self::RefusesClient => &REFUSES_CLIENT,
            // RFC 5280 leaves it to the server.
            Self::Open if policy == Policy::Rfc5280 => return None,
            Self::Open => &OPEN,
            Self::ServesOther => &SERVES_OTHER,
        };
        Some(super::finding(rule, policy, endpoint.to_owned(), evidence))
    }
}

pub(super) static ROWS: &[Row] = &[
    Row::whole(&PLAIN_HTTP),
    Row::whole(&HANDSHAKE),
    Row::whole(&REFUSES_CLIENT),
    Row::whole(&OPEN),
    Row::whole(&SERVES_OTHER),
];
