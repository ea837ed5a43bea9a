//! The command line of `verify`.

use std::path::PathBuf;

use clap::ValueEnum;
use rustls_pki_types::ServerName;
use time::{Duration, OffsetDateTime};

use super::ignore::{Ignore, IgnoreParser};
use super::values;
use crate::commands::complete;
use crate::endpoint::Address;

/// Verify certificates: what is wrong, what fails in the cluster as a result, and how to fix it
///
/// The first certificate of a file is verified; those after it may be intermediates. A folder is searched for
/// *.pem, *.crt, *.cer and *.der; keys, requests, CRLs and CAs in it are skipped. All files are verified even if
/// one has a fault; the exit code is that of the worst.
///
/// In a folder of etcdpki, kubeadm, etcdadm, kubespray, RKE or easy-rsa, each certificate is compared with its
/// key and verified for its purpose, according to etcd's configuration in the folder or the name of the file.
/// Without --ca and without a CA of etcdpki, the folder's own CA is trusted. On the host of a member, verify also
/// reports which of etcd's files in the folder the user in etcd's unit cannot read; run it as root.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    etcdpki verify etcdone.pem --purpose server --host 192.168.29.61 --key etcdone-key.pem\n  \
    etcdpki verify certs/ --ca pki/ca.pem --expires-within 30d --format sarif > etcdpki.sarif\n  \
    etcdpki verify pki/ca.pem --purpose ca --expires-within 400d --warn-as-error\n  \
    etcdpki verify certs/ --ignore 'leaf-expiring=replaced next week, OPS-12'\n  \
    etcdpki verify etcdone.pem --at 2027-06-01T00:00:00Z --format json\n  \
    etcdpki verify --connect 192.168.29.61:2379 --cert api.pem --cert-key api-key.pem\n  \
    etcdpki verify -f cluster.yaml\n  \
    etcdpki verify -f cluster.yaml --connect --cert api.pem --cert-key api-key.pem")]
pub(crate) struct VerifyArgs {
    /// The certificates, PEM or DER, and folders of them; - is standard input
    #[arg(value_name = "LEAF")]
    pub(super) files: Vec<PathBuf>,

    /// Verify the folders of all hosts against this manifest, and the certificates against each other
    #[arg(short = 'f', long = "file", value_name = "MANIFEST",
        conflicts_with_all = ["files", "ca", "intermediates", "crl", "purpose", "profile", "host",
            "key", "at", "expires_within", "max_depth", "policy"])]
    pub(super) manifest: Option<PathBuf>,

    /// The CAs to trust [default: ca.pem in the CA's folder]
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Vec<PathBuf>,

    /// Intermediate CAs, which are not trusted themselves
    #[arg(long, value_name = "FILE")]
    pub(super) intermediates: Vec<PathBuf>,

    /// CRLs of the CAs, in PEM or DER
    #[arg(long, value_name = "FILE")]
    pub(super) crl: Vec<PathBuf>,

    /// The role to verify the certificates for [default: any; server with --connect]
    #[arg(long, value_enum)]
    pub(super) purpose: Option<PurposeArg>,

    /// The built-in profile of the certificates; the same as --purpose with this name
    #[arg(long, value_name = "NAME", conflicts_with = "purpose", value_enum)]
    pub(super) profile: Option<ProfileArg>,

    /// A host name or address that clients or peers connect to [default with --connect: the host of the endpoint]
    #[arg(long, value_name = "NAME-or-IP", allow_hyphen_values = true, value_parser = values::parse_host)]
    pub(super) host: Vec<ServerName<'static>>,

    /// The key of the certificate [default: X-key.pem beside X.pem, if it exists]
    #[arg(long, value_name = "FILE", conflicts_with = "connect")]
    pub(super) key: Option<PathBuf>,

    /// The time at which to verify [default: now]
    #[arg(long, value_name = "RFC3339", allow_hyphen_values = true, value_parser = values::parse_moment)]
    pub(super) at: Option<OffsetDateTime>,

    /// Warn of certificates that expire within this time; a warning makes the exit code 1 only with
    /// --warn-as-error
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = values::parse_span)]
    pub(super) expires_within: Option<Duration>,

    /// The maximum number of CAs between the certificate and the root
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = values::parse_depth)]
    pub(super) max_depth: Option<usize>,

    /// The set of rules to apply
    #[arg(long, value_enum, default_value_t = PolicyArg::Etcd)]
    pub(super) policy: PolicyArg,

    /// Count warnings as errors
    #[arg(long)]
    pub(super) warn_as_error: bool,

    /// Do not count the findings of a rule; the output shows the reason
    #[arg(long, value_name = "RULE=REASON", value_parser = IgnoreParser,
        add = complete::ignorable_rules())]
    pub(super) ignore: Vec<Ignore>,

    #[command(flatten)]
    pub(super) live: LiveArgs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum PurposeArg {
    /// A member, as its clients see it
    Server,
    /// A client, such as the API server
    Client,
    /// A member, as the other members see it
    Peer,
    /// A CA, verified by itself
    Ca,
    /// No specific role
    Any,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ProfileArg {
    Server,
    Peer,
    Client,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum PolicyArg {
    /// RFC 5280, and what etcd and the API server need beyond it
    Etcd,
    /// Only RFC 5280, with every violation an error
    Rfc5280,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Live endpoints")]
pub(super) struct LiveArgs {
    /// Verify what this endpoint serves; with -f and no value, both ports of every member
    #[arg(long, value_name = "HOST:PORT", num_args = 0..=1, conflicts_with = "files")]
    pub(super) connect: Option<Vec<Address>>,

    /// The client certificate to present; intermediates in the file are sent too
    #[arg(long, value_name = "FILE", requires_all = ["connect", "cert_key"],
        conflicts_with = "files")]
    pub(super) cert: Option<PathBuf>,

    /// The key of --cert
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) cert_key: Option<PathBuf>,

    /// The name in the handshake (SNI) [default: the host, if it is a DNS name]
    #[arg(long, value_name = "NAME", requires = "connect", conflicts_with = "files",
        value_parser = values::parse_host)]
    pub(super) sni: Option<ServerName<'static>>,

    /// The time limit for one endpoint
    #[arg(long, value_name = "DURATION", default_value = "5s", requires = "connect",
        conflicts_with = "files", value_parser = values::parse_timeout)]
    pub(super) timeout: std::time::Duration,
}

impl LiveArgs {
    pub(super) const fn is_requested(&self) -> bool {
        self.connect.is_some()
    }
}
