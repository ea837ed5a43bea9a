//! Rules about live endpoints: what an endpoint does, apart from the chain that it serves.

use super::{Policy, Row};
use crate::finding::{Finding, Rule, Severity, Source};

static PLAIN_HTTP: Rule = Rule {
    id: "endpoint-plain-http",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "Anyone on the network can read and change the traffic, and TLS clients fail: `tls: first record does not look like a TLS handshake`.",
    remedy: "Use https:// URLs in `listen-client-urls` and `listen-peer-urls`, set `cert-file: FILE` and `key-file: FILE` (`peer-cert-file` and `peer-key-file` for peers) in etcd.conf.yaml, or let `etcdpki apply -f MANIFEST` write the file. Then restart the member: `systemctl restart etcd`.",
    citation: "measured on etcd 3.4, 3.5",
};

static HANDSHAKE: Rule = Rule {
    id: "endpoint-handshake",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "No client that uses TLS 1.2 or 1.3 can connect.",
    remedy: "Search the server's log for `rejected connection` (`journalctl -u etcd`), check that the port is right, and check that `cipher-suites` in etcd.conf.yaml fits the type of the server's key.",
    citation: "RFC 8446 section 6.2; RFC 5246 section 7.2",
};

static REFUSES_CLIENT: Rule = Rule {
    id: "endpoint-refuses-client",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "This client cannot use the endpoint. An API server reports only `context deadline exceeded`.",
    remedy: "If the client certificate is at fault, reissue it: `etcdpki issue --profile client NAME --force`. If the server is at fault, write the CA that issued the certificate to its trusted-ca-file and restart it (`systemctl restart etcd`); `etcdpki verify --purpose client --ca TRUSTED-CA-FILE CERT` shows whether that file has the CA. If neither is known to be at fault, connect to the client port, and check the server's `client-crl-file` and its log: `journalctl -u etcd`.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

static OPEN: Rule = Rule {
    id: "endpoint-open",
    severity: Severity::Warning,
    source: Source::Etcd,
    impact: "Anyone who can reach the port can use the server without a certificate; on etcd's client port, that gives access to every key of the cluster.",
    remedy: "Set `client-cert-auth: true` and `trusted-ca-file: FILE` (for the peer port, `peer-client-cert-auth: true` and `peer-trusted-ca-file: FILE`) in etcd.conf.yaml, or let `etcdpki apply -f MANIFEST` write the file. Then restart the member: `systemctl restart etcd`.",
    citation: "etcd security guide; measured on etcd 3.4, 3.5",
};

static SERVES_OTHER: Rule = Rule {
    id: "endpoint-serves-other",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "The host uses a different certificate than the last one issued for it, and fails when that certificate expires or is revoked.",
    remedy: "Copy the host's folder to the host again: `scp -r pki/hosts/HOST root@HOST: && ssh root@HOST 'sh HOST/install.sh && rm -r HOST'`. etcd reads its certificates at each handshake and needs no restart.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

static STALE_TRUST: Rule = Rule {
    id: "endpoint-stale-trust",
    severity: Severity::Error,
    source: Source::Etcd,
    impact: "The member rejects valid clients, because it still trusts the CAs that it read when it started: `remote error: tls: bad certificate`.",
    remedy: "Restart the member: `systemctl restart etcd`. etcd reads its certificate at each handshake, but trusted-ca-file only when it starts.",
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
