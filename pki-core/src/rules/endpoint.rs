//! Rules about live endpoints: what an endpoint does, apart from the chain that it serves.

use super::{Policy, Row};
use crate::finding::{Finding, Rule, Severity, Source};

static PLAIN_HTTP: Rule = Rule {
    id: "endpoint-plain-http",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "Anyone on the network can read and change the traffic, and TLS clients fail: `tls: first record does not look like a TLS handshake`.",
    remedy: "Use https:// in listen-client-urls and listen-peer-urls, set cert-file and key-file (peer-cert-file and peer-key-file for peers), and restart the member.",
    citation: "measured on etcd 3.4, 3.5",
};

static HANDSHAKE: Rule = Rule {
    id: "endpoint-handshake",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "No client that uses TLS 1.2 or 1.3 can connect.",
    remedy: "Check that the port is right, search the server's log for `rejected connection`, and check that the server's cipher-suites fit the type of its key.",
    citation: "RFC 8446 section 6.2; RFC 5246 section 7.2",
};

static REFUSES_CLIENT: Rule = Rule {
    id: "endpoint-refuses-client",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "This client cannot use the endpoint. An API server reports only `context deadline exceeded`.",
    remedy: "Run `etcdpki verify --purpose client --ca TRUSTED-CA-FILE CERT` with the server's trusted-ca-file. If the server closed the connection without a TLS alert, also check the certificate's names and the server's CRL.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

static OPEN: Rule = Rule {
    id: "endpoint-open",
    severity: Severity::Warning,
    source: Source::Etcd,
    impact: "Anyone who can reach the port can use the server without a certificate; on etcd's client port, that gives access to every key of the cluster.",
    remedy: "Set client-cert-auth and trusted-ca-file (for the peer port, peer-client-cert-auth and peer-trusted-ca-file), and restart the member.",
    citation: "etcd security guide; measured on etcd 3.4, 3.5",
};

static SERVES_OTHER: Rule = Rule {
    id: "endpoint-serves-other",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "The host uses a different certificate than the last one issued for it, and fails when that certificate expires or is revoked.",
    remedy: "Copy the host's folder to the host again. etcd reads its certificates at each handshake and needs no restart.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

static STALE_TRUST: Rule = Rule {
    id: "endpoint-stale-trust",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "The member rejects valid clients, because it still trusts the CAs that it read when it started: `remote error: tls: bad certificate`.",
    remedy: "Restart the member. etcd reads its certificate at each handshake, but trusted-ca-file only when it starts.",
    citation: "measured on etcd 3.4, 3.5",
};

/// A fault of a live endpoint that does not depend on the chain it serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the code that connects decides which fault it is")]
pub enum EndpointFault {
    /// It speaks plain HTTP.
    PlainHttp,
    /// It speaks TLS, but the handshake fails.
    Handshake,
    /// It rejects the client's certificate.
    RefusesClient,
    /// It does not request a client certificate.
    Open,
    /// It serves a different certificate than the one in its host's file.
    ServesOther,
    /// It serves the certificate in its host's file, and rejects a client that its host's trust file accepts.
    StaleTrust,
}

impl EndpointFault {
    /// The finding for the endpoint with this name, or `None` if the policy does not cover the fault.
    pub fn finding(self, policy: Policy, endpoint: &str, evidence: String) -> Option<Finding> {
        let rule = match self {
            Self::PlainHttp => &PLAIN_HTTP,
            Self::Handshake => &HANDSHAKE,
            Self::RefusesClient => &REFUSES_CLIENT,
            // RFC 5280 does not require servers to request client certificates.
            Self::Open if policy == Policy::Rfc5280 => return None,
            Self::Open => &OPEN,
            Self::ServesOther => &SERVES_OTHER,
            Self::StaleTrust => &STALE_TRUST,
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
    Row::whole(&STALE_TRUST),
];
