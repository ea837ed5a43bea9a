//! `etcdpki passwd`

use std::process::ExitCode;

use serde::Serialize;

use super::Common;
use super::cluster::FolderArgs;
use super::custody::PassphraseArgs;
use crate::ca::{LockedFolder, key_path, next_key_path};
use crate::failure::{Failure, shown};
use crate::host;
use crate::output::{Format, json};
use crate::passphrase::PassphraseSource;
use crate::signer::{self, Custody};
use crate::store;

/// Add, change or remove the passphrase of the CA's key
///
/// Replaces ca-key.pem by the same key, encrypted with the new passphrase: PKCS #8 with scrypt and AES-256, which
/// OpenSSL reads. Copies of the old file, such as backups, keep the old passphrase.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  etcdpki passwd\n  \
    etcdpki passwd --ca-passphrase file:old.txt --new-passphrase file:new.txt\n  \
    etcdpki passwd --remove")]
pub(crate) struct PasswdArgs {
    /// New passphrase: file:PATH, fd:NUMBER, env:NAME or prompt
    #[arg(long, value_name = "SOURCE", default_value = "prompt", hide_default_value = true)]
    new_passphrase: PassphraseSource,

    /// Write the key without encryption
    #[arg(long, conflicts_with = "new_passphrase")]
    remove: bool,

    #[command(flatten)]
    folder: FolderArgs,

    #[command(flatten)]
    old: PassphraseArgs,
}

#[derive(Serialize)]
struct PasswdOutput {
    key: String,
    encrypted: bool,
}

pub(crate) fn run(args: &PasswdArgs, common: &Common) -> Result<ExitCode, Failure> {
    let path = args.folder.of_ca(common)?;
    let _folder = LockedFolder::lock(&path, common.owners())?;
    let key = key_path(&path);
    let new = (!args.remove).then_some(&args.new_passphrase);
    let old = Custody::file(args.old.ca_passphrase.clone());
    signer::change_passphrase(&key, &old, new)?;
    let key = shown(&key);
    let next = next_key_path(&path);
    if store::is_there(&next)? {
        host::say(&format!(
            "warning: {}, the key of the new CA, is unchanged: finish the rotation with etcdpki rotate-ca, then run this \
             again\n",
            shown(&next)
        ));
    }
    match common.format {
        Format::Json => json::print(&PasswdOutput { key, encrypted: !args.remove })?,
        _ if args.remove => host::print(&format!("{key} is not encrypted any more\n"))?,
        _ => host::print(&format!("{key} is encrypted with the new passphrase\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}
