//! The command line of `rotate-ca`.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::commands::cluster::SeparateCa;
use crate::commands::custody::NewCustodyArgs;

/// Replace the cluster's CA by a new one without an outage, in steps
///
/// begin creates a new CA, and adds it to the ca.pem of every host. Copy the folders to the hosts, and restart
/// every member, API server and other client, one at a time.
///
/// reissue issues all certificates from the new CA, with the same keys. Copy the folders to the hosts;
/// nothing has to be restarted.
///
/// finish removes the old CA from the ca.pem of every host. Copy the folders to the hosts, and restart
/// every process again.
///
/// With separate CAs (cas in the manifest), --ca says which one is replaced. The CA for servers is trusted by members and
/// clients, those for peers and clients only by members, so only these are restarted.
///
/// abort goes back to the old CA, and status shows how far each host is. It is safe to stop after each step,
/// and to run a step again. A step is refused, with the hosts and the reason, if a host would reject
/// certificates that are in use. Programs read ca.pem only when they start, so reissue and finish need
/// proof: --connect checks every member, and with --restarted you confirm it yourself.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki rotate-ca begin -f cluster.yaml\n  \
    etcdpki rotate-ca reissue -f cluster.yaml --connect --restarted masterone\n  \
    etcdpki rotate-ca finish -f cluster.yaml --restarted all\n  \
    etcdpki rotate-ca begin -f cluster.yaml --ca peer\n  \
    etcdpki rotate-ca status -f cluster.yaml --connect")]
pub(crate) struct RotateCaArgs {
    /// What to do
    #[arg(value_enum, value_name = "STEP")]
    pub(super) step: Step,

    /// The manifest of the cluster, in YAML
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: PathBuf,

    /// With separate CAs: which of them is replaced
    #[arg(long, value_enum, value_name = "CA")]
    pub(super) ca: Option<SeparateCa>,

    /// Connect to every member to see which CA it trusts and which one issued its certificates
    #[arg(long)]
    pub(super) connect: bool,

    /// Every process on this host uses the files that the last step wrote, and was restarted since its ca.pem changed.
    /// May be repeated; `all` stands for all hosts
    #[arg(long, value_name = "HOST")]
    pub(super) restarted: Vec<String>,

    /// With begin: common name of the new CA [default: that in the manifest, or the old one with a number]
    #[arg(long, value_name = "NAME")]
    pub(super) cn: Option<String>,

    #[command(flatten)]
    pub(super) custody: NewCustodyArgs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Step {
    /// Every host trusts a new CA beside the old one
    Begin,
    /// The new CA issues all certificates
    Reissue,
    /// No host trusts the old CA any more
    Finish,
    /// Go back to the old CA
    Abort,
    /// Show how far each host is
    Status,
}
