//! The command line of `renew`.

use std::path::PathBuf;

use pki_core::parse_lifetime;
use time::Duration;

use crate::commands::cluster::{FolderArgs, SeparateCa};
use crate::commands::core;
use crate::commands::custody::CustodyArgs;

/// Renew certificates: new dates and serial numbers, everything else unchanged
///
/// Renews the files given, or with --host and --all those that are due. It keeps the key unless --rekey
/// generates a new one. Subject, names and extensions stay byte for byte. A file that `issue` wrote is
/// replaced where it is; a certificate in a host's folder is replaced there, and has to be copied to the
/// host. etcd and the API server read it at the next handshake, without a restart.
///
/// The exit code is 0 if everything that was due is renewed, and 1 if a certificate is refused, for
/// example because the CA expires too soon. With separate CAs, each renews what it issued, also if another
/// one fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki renew apiserver-etcd-client.pem\n  \
    etcdpki renew --all -f cluster.yaml --before 30d\n  \
    etcdpki renew --host etcdone -f cluster.yaml --rekey\n  \
    etcdpki renew --ca -f cluster.yaml --dry-run")]
#[command(group(clap::ArgGroup::new("what").required(true).args(["files", "host", "all", "ca"])))]
pub(crate) struct RenewArgs {
    /// Certificates to renew now, however long they are valid
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,

    /// Renew what is due in the folder of this host. May be repeated
    #[arg(long, value_name = "HOST")]
    pub(super) host: Vec<String>,

    /// Renew what is due in the folders of all hosts, and in the files that `issue` wrote
    #[arg(long)]
    pub(super) all: bool,

    /// Renew the CA's own certificate, for the same key and name. Certificates that it issued stay valid.
    /// With separate CAs, renew those named, or all of them
    #[arg(long, value_enum, num_args = 0..=3, value_name = "CA", conflicts_with_all = ["rekey", "before"])]
    pub(super) ca: Option<Vec<SeparateCa>>,

    /// With --host and --all: what expires within this time is due [default: a third of its lifetime]
    #[arg(long, value_name = "DURATION", conflicts_with = "files",
        value_parser = |text: &str| core(parse_lifetime(text)))]
    pub(super) before: Option<Duration>,

    /// Generate new keys. Handshakes fail while a host has only one of the two new files
    #[arg(long)]
    pub(super) rekey: bool,

    /// Show what would be renewed, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    #[command(flatten)]
    pub(super) folder: FolderArgs,

    #[command(flatten)]
    pub(super) custody: CustodyArgs,
}
