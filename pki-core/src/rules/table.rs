//! The table of rules.

use super::{AtIssue, Check, Row, etcd, rfc5280};
use crate::report::{Rule, Severity, Source};

pub(crate) static CA_PATHLEN: Rule = Rule {
    id: "ca-pathlen",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "Peers refuse the chain: `x509: too many intermediates for path length constraint`.",
    remedy: "Sign leaves with this CA directly, or make it anew with a larger path length.",
    citation: "RFC 5280 section 4.2.1.9",
};

pub(crate) static CA_NAME_CONSTRAINTS: Rule = Rule {
    id: "ca-name-constraints",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "Peers refuse the certificate: its CA is `not authorized to sign for this name`.",
    remedy: "Leave the name out, or use a CA whose constraints allow it.",
    citation: "RFC 5280 section 4.2.1.10",
};

pub(crate) static DN_BYTES: Rule = Rule {
    id: "dn-bytes",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "Go finds no issuer and says `x509: certificate signed by unknown authority`, though the names read alike.",
    remedy: "Issue it anew with the CA's own subject bytes as issuer.",
    citation: "RFC 5280 section 4.1.2.4; measured on etcd 3.4, 3.5, 3.6",
};

pub(crate) static PATH_UNKNOWN_AUTHORITY: Rule = Rule {
    id: "path-unknown-authority",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "Peers refuse it: `x509: certificate signed by unknown authority`.",
    remedy: "Trust the CA that signed it, append a missing intermediate to the file, or issue it anew.",
    citation: "RFC 5280 section 6.1",
};

pub(crate) static PATH_SIGNATURE: Rule = Rule {
    id: "path-signature",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "Peers refuse it: the signature does not verify with the CA's key.",
    remedy: "Trust the CA whose key signed it (a CA made anew under its old name has another key), or issue it anew.",
    citation: "RFC 5280 section 6.1.3 (a)(1)",
};

pub(crate) static PATH_TOO_DEEP: Rule = Rule {
    id: "path-too-deep",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "The chain is longer than was asked for.",
    remedy: "Shorten the chain, or allow a larger --max-depth.",
    citation: "RFC 5280 section 6.1",
};

pub(crate) static PATH_REJECTED: Rule = Rule {
    id: "path-rejected",
    severity: Severity::Error,
    source: Source::Rfc5280,
    breaks: "Verifiers that keep to RFC 5280 refuse the chain.",
    remedy: "Look at the certificate with `etcdpki inspect`, and issue it anew.",
    citation: "RFC 5280 section 6.1",
};

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

pub(crate) static CA_KEY_ON_NODE: Rule = Rule {
    id: "ca-key-on-node",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "Whoever takes this host can mint any certificate of the cluster.",
    remedy: "Remove it from the host and make a new CA: the key counts as leaked.",
    citation: "least privilege",
};

pub(crate) static WORKER_CREDENTIAL: Rule = Rule {
    id: "worker-holds-credential",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "A worker that is taken can read and write the whole state of the cluster.",
    remedy: "Remove the folder; workers never talk to etcd.",
    citation: "least privilege",
};

pub(crate) static SHARED_KEY: Rule = Rule {
    id: "shared-key",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "Whoever steals the one file has the other's identity too: a master's file makes a member.",
    remedy: "Issue each certificate with a key of its own: etcdpki apply.",
    citation: "measured on etcd 3.4, 3.5, 3.6",
};

pub(crate) static SERIAL_DUP: Rule = Rule {
    id: "serial-dup",
    severity: Severity::Error,
    source: Source::Etcd,
    breaks: "Revoking the one revokes the other, for etcd matches CRLs by serial number alone.",
    remedy: "Issue one of the two anew.",
    citation: "RFC 5280 section 4.1.2.2; measured on etcd 3.4, 3.5, 3.6",
};

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

/// Findings come in this order, worst first.
pub(super) static ROWS: [Row; 45] = [
    Row {
        rule: &Rule {
            id: "validity-order",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "The certificate is valid at no moment at all, so every handshake with it fails.",
            remedy: "Issue it anew with an end that is after its beginning.",
            citation: "RFC 5280 section 4.1.2.5",
        },
        check: Check::Certificate(rfc5280::validity_order),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "leaf-expired",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "New handshakes fail with `x509: certificate has expired or is not yet valid`; open connections hide it until the next restart.",
            remedy: "Issue it anew and put it in place; etcd reads it at the next handshake, no restart is needed.",
            citation: "RFC 5280 section 4.1.2.5; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(rfc5280::leaf_expired),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "leaf-not-yet-valid",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "Handshakes fail with `x509: certificate has expired or is not yet valid` until its time comes.",
            remedy: "Set the clock of the host right, or issue it anew with a backdate.",
            citation: "RFC 5280 section 4.1.2.5",
        },
        check: Check::Certificate(rfc5280::leaf_not_yet_valid),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "ca-time",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "Every certificate below this CA is refused, for Go checks the dates of the root too.",
            remedy: "Renew the CA with the same key, name and key identifier, then restart what trusts it.",
            citation: "RFC 5280 section 6.1.3 (a)(2); measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(rfc5280::ca_time),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "ca-bc",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "Peers refuse what it signed: `parent certificate cannot sign this kind of certificate`.",
            remedy: "Use the CA certificate, not a leaf; if it is the CA, make it anew with CA:TRUE.",
            citation: "RFC 5280 section 4.2.1.9",
        },
        check: Check::Certificate(rfc5280::ca_basic_constraints),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "ca-keycertsign",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "Peers refuse what it signed: `parent certificate cannot sign this kind of certificate`.",
            remedy: "Make the CA anew with the key usages keyCertSign and cRLSign.",
            citation: "RFC 5280 section 4.2.1.3",
        },
        check: Check::Certificate(rfc5280::ca_key_cert_sign),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &CA_PATHLEN,
        check: Check::Certificate(rfc5280::ca_path_len),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &CA_NAME_CONSTRAINTS,
        check: Check::Certificate(rfc5280::ca_name_constraints),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &DN_BYTES,
        check: Check::Certificate(rfc5280::dn_bytes),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "sig-weak",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "etcd and the API server refuse it with `x509: cannot verify signature: insecure algorithm`; only old 3.5 builds let it pass.",
            remedy: "Issue it anew; etcdpki signs with SHA-256 and stronger.",
            citation: "RFC 9155 section 2; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(rfc5280::signature_weak),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "key-weak",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "OpenSSL and rustls refuse the key as too small, and it can be broken.",
            remedy: "Issue it anew for an ECDSA P-256 key, or RSA from 2048 bits.",
            citation: "NIST SP 800-131A revision 2",
        },
        check: Check::Certificate(rfc5280::key_weak),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "key-curve",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "etcd does not load it: `x509: unsupported elliptic curve`, or fails each handshake.",
            remedy: "Issue it anew for ECDSA P-256, P-384, P-521, Ed25519 or RSA.",
            citation: "RFC 5480 section 2.1.1.1; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(rfc5280::key_unsupported),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "serial-negative",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "etcd 3.6 exits and the API server refuses it: `x509: negative serial number`.",
            remedy: "Issue it anew; etcdpki's serial numbers are positive.",
            citation: "RFC 5280 section 4.1.2.2",
        },
        check: Check::Certificate(rfc5280::serial_negative),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "serial-form",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            breaks: "Verifiers that keep to the letter of RFC 5280 refuse it, and revoking it may miss it.",
            remedy: "Issue it anew with a positive serial number of at most 20 octets.",
            citation: "RFC 5280 section 4.1.2.2",
        },
        check: Check::Certificate(rfc5280::serial_form),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "aki-ski",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            breaks: "OpenSSL finds no issuer (`unable to get local issuer certificate`); Go does.",
            remedy: "Issue it anew, or trust the CA whose key identifier it names.",
            citation: "RFC 5280 section 4.2.1.1",
        },
        check: Check::Certificate(rfc5280::aki_ski),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "aki-missing",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            breaks: "While two CAs share a name, as in a rotation, OpenSSL picks the wrong one and fails.",
            remedy: "Issue it anew; etcdpki writes the identifier.",
            citation: "RFC 5280 section 4.2.1.1",
        },
        check: Check::Certificate(rfc5280::aki_missing),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "ski-missing",
            severity: Severity::Warning,
            source: Source::Rfc5280,
            breaks: "Certificates below this CA cannot name its key, so that a rotation cannot tell two CAs apart.",
            remedy: "Make the CA anew; etcdpki writes the identifier.",
            citation: "RFC 5280 section 4.2.1.2",
        },
        check: Check::Certificate(rfc5280::ski_missing),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "ext-unknown-critical",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "etcd and the API server refuse it: `x509: unhandled critical extension`.",
            remedy: "Issue it anew without the extension, or with the extension not critical.",
            citation: "RFC 5280 section 4.2",
        },
        check: Check::Certificate(rfc5280::unknown_critical),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "srv-eku-server",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "Clients refuse the member: `x509: certificate specifies an incompatible key usage`.",
            remedy: "Issue it anew with --profile server.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(rfc5280::server_eku),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "cli-eku",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "etcd refuses the client with `x509: certificate specifies an incompatible key usage`; the client sees `tls: bad certificate`.",
            remedy: "Issue it anew with --profile client.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(rfc5280::client_eku),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "peer-eku-both",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "The cluster looks healthy until a member lags behind a snapshot or restarts, and then that member never comes back.",
            remedy: "Issue it anew with --profile peer, which carries serverAuth and clientAuth.",
            citation: "RFC 5280 section 4.2.1.12; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(rfc5280::peer_eku),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "host-mismatch",
            severity: Severity::Error,
            source: Source::Rfc5280,
            breaks: "Whoever dials that host refuses the certificate: `x509: certificate is valid for …, not …`.",
            remedy: "Issue it anew with the name or address that is dialled (--san).",
            citation: "RFC 6125 section 6; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(rfc5280::host_mismatch),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "key-mismatch",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "etcd exits: `tls: private key does not match public key`.",
            remedy: "Restore the pair that belongs together, or issue the certificate anew.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(etcd::key_mismatch),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "leaf-is-ca",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "Whoever holds this key can mint certificates that etcd accepts as clients.",
            remedy: "Issue it anew as a leaf, and treat everything that its key signed as forged.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(etcd::leaf_is_ca),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "leaf-outlives-ca",
            severity: Severity::Warning,
            source: Source::Etcd,
            breaks: "It dies with its CA, long before the date that it promises.",
            remedy: "Renew the CA first, or choose a shorter lifetime (--expiry).",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(etcd::leaf_outlives_ca),
        at_issue: AtIssue::Refuse,
    },
    Row {
        rule: &Rule {
            id: "leaf-expiring",
            severity: Severity::Warning,
            source: Source::Etcd,
            breaks: "It soon ends, and then new handshakes and restarts fail.",
            remedy: "Renew it now; etcd reads the new one at the next handshake.",
            citation: "measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(etcd::leaf_expiring),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "srv-eku-client",
            severity: Severity::Warning,
            source: Source::Etcd,
            breaks: "etcd's gateway dials its own member with this certificate: an endless `rejected connection` log, and /v3 answers 503.",
            remedy: "Issue it anew with --profile server, which carries clientAuth too.",
            citation: "etcd-io/etcd#9785; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(etcd::server_without_client_auth),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "cli-has-serverauth",
            severity: Severity::Warning,
            source: Source::Etcd,
            breaks: "Whoever steals the client's file can pose as a member.",
            remedy: "Issue it anew with --profile client, which carries clientAuth alone.",
            citation: "least privilege; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(etcd::client_with_server_auth),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "san-none-cn-only",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "Go refuses it: `x509: certificate relies on legacy Common Name field, use SANs instead`.",
            remedy: "Issue it anew with the host's names and addresses (--san).",
            citation: "RFC 6125 section 6.4.4; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(etcd::no_san),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "san-ip-as-dns",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "Whoever dials the address refuses it: `cannot validate certificate for … because it doesn't contain any IP SANs`.",
            remedy: "Issue it anew with the address as an address (--san ip:…).",
            citation: "RFC 5280 section 4.2.1.6; measured on etcd 3.4, 3.5, 3.6",
        },
        check: Check::Certificate(etcd::san_ip_as_dns),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "san-dns-form",
            severity: Severity::Error,
            source: Source::Etcd,
            breaks: "No client ever matches such a name, or only some do.",
            remedy: "Issue it anew with the name as `hostname -f` prints it.",
            citation: "RFC 5280 section 4.2.1.6",
        },
        check: Check::Certificate(etcd::san_dns_form),
        at_issue: AtIssue::BySeverity,
    },
    Row {
        rule: &Rule {
            id: "peer-port-open-to-clients",
            severity: Severity::Warning,
            source: Source::Etcd,
            breaks: "etcd's peer port takes a client certificate without names for a member, so its holder can speak Raft.",
            remedy: "Issue it anew with --profile client, whose name under .invalid shuts that port; set --peer-cert-allowed-hostname too.",
            citation: "measured on etcd 3.4, 3.5, 3.6 (checkCertSAN)",
        },
        check: Check::Certificate(etcd::peer_port_open),
        at_issue: AtIssue::BySeverity,
    },
    Row { rule: &PATH_UNKNOWN_AUTHORITY, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &PATH_SIGNATURE, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &PATH_TOO_DEEP, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &PATH_REJECTED, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &FILE_MISSING, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &FILE_MODE, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &MANIFEST_DRIFT, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &CA_KEY_ON_NODE, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &WORKER_CREDENTIAL, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &SHARED_KEY, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &SERIAL_DUP, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &LEAF_REVOKED, check: Check::Whole, at_issue: AtIssue::BySeverity },
    Row { rule: &CRL_UNUSABLE, check: Check::Whole, at_issue: AtIssue::BySeverity },
];
