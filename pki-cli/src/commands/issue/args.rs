//! The command line of `issue`.

use std::path::PathBuf;

use pki_core::{KeyAlgorithm, San};
use time::Duration;

use crate::commands::custody::CustodyArgs;
use crate::commands::{complete, core, lifetime};

/// Issue a certificate, with a new key or for a PKCS #10 request
///
/// Writes NAME.pem and NAME-key.pem. Without NAME, the name of this host is used, and in a server or
/// peer certificate also its addresses.
///
/// The profiles are server (what a member shows to clients), peer (what a member shows to other
/// members) and client (the API server and other clients). Each adds the names that etcd needs:
/// server adds the common name, localhost and 127.0.0.1; peer adds the common name; client adds a
/// name under .invalid, with which etcd's peer port rejects the certificate.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    etcdpki issue --profile server etcdone --san 192.168.29.61 --san etcdone.example.com\n  \
    etcdpki issue --profile peer etcdone-peer --cn etcdone --san 192.168.29.61 --san etcd-peer.lab\n  \
    etcdpki issue --profile client apiserver-etcd-client\n  \
    etcdpki issue --profile server --csr etcdone.csr etcdone\n  \
    etcdpki issue --config ca-config.json --profile www --csr-json server.json server")]
pub(crate) struct IssueArgs {
    /// Name of the files, without .pem; also the common name, unless --cn gives another
    pub(super) name: Option<String>,

    /// Signing profile: server, peer, client, or one of --config
    #[arg(long, value_name = "NAME", add = complete::profiles())]
    pub(super) profile: String,

    /// Name or address that the certificate is for; the prefixes dns:, ip:, email: and uri: set its
    /// kind. May be repeated. Replaces the names in the file of --csr or --csr-json
    #[arg(long, value_name = "NAME", allow_hyphen_values = true,
        value_parser = |text: &str| core(text.parse::<San>()))]
    pub(super) san: Vec<San>,

    /// Common name
    #[arg(long, value_name = "NAME")]
    pub(super) cn: Option<String>,

    /// Omit the common name. etcd takes a client's common name as its user name, and etcd's gRPC
    /// proxy does not start with a client certificate that has one
    #[arg(long, conflicts_with = "cn")]
    pub(super) no_cn: bool,

    /// Organization
    #[arg(long, value_name = "NAME")]
    pub(super) org: Option<String>,

    /// Key algorithm: ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, rsa-2048, rsa-3072,
    /// rsa-4096 [default: ecdsa-p256]
    #[arg(long, value_name = "ALGORITHM", conflicts_with = "csr", add = complete::algorithms(),
        value_parser = |text: &str| core(text.parse::<KeyAlgorithm>()))]
    pub(super) key: Option<KeyAlgorithm>,

    /// Lifetime of the certificate instead of the profile's expiry: 90d, 8760h, 1y
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = lifetime)]
    pub(super) expiry: Option<Duration>,

    /// Signing profiles in the form of cfssl's ca-config.json, instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Sign this PKCS #10 request (PEM or DER; - is standard input); no key is generated
    #[arg(long, value_name = "FILE", conflicts_with = "csr_json")]
    pub(super) csr: Option<PathBuf>,

    /// Read subject, names and key algorithm from cfssl's CSR JSON; the options above take precedence
    #[arg(long, value_name = "FILE")]
    pub(super) csr_json: Option<PathBuf>,

    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) out: PathBuf,

    /// Append the CAs between the certificate and the root to NAME.pem
    #[arg(long)]
    pub(super) chain: bool,

    /// Replace NAME.pem and NAME-key.pem if they exist
    #[arg(long)]
    pub(super) force: bool,

    /// Do not sign: write the bytes to sign to this file, and keep the key in NAME.pending until the
    /// same command gets the signature with --signature-in
    #[arg(long, value_name = "PATH", conflicts_with_all = ["ca_passphrase", "signer_cmd", "pkcs11"])]
    pub(super) tbs_out: Option<PathBuf>,

    /// Take the signature of the bytes of --tbs-out from this file
    #[arg(long, value_name = "FILE",
        conflicts_with_all = ["ca_passphrase", "pkcs11", "signer_cmd", "tbs_out"])]
    pub(super) signature_in: Option<PathBuf>,

    #[command(flatten)]
    pub(super) custody: CustodyArgs,
}
