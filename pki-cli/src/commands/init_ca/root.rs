//! The CA above an intermediate, and how it signs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pki_core::Certificate;

use crate::ca::{self, Ca, Finished, NewCa};
use crate::commands::custody::custody_of;
use crate::commands::{Common, air_gap};
use crate::failure::{Failure, shown};
use crate::host;
use crate::passphrase::PassphraseSource;
use crate::signer::Custody;

/// How the CA in --root-dir signs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Key of the root")]
pub(super) struct RootArgs {
    /// Folder of the CA that signs the intermediate CA. Its key can be elsewhere
    #[arg(long, value_name = "DIR", requires = "intermediate")]
    pub(super) root_dir: Option<PathBuf>,

    /// Passphrase of the root's key, or PIN of its token: file:PATH, fd:NUMBER, env:NAME or prompt
    /// [default: prompt if one is needed]
    #[arg(long, value_name = "SOURCE", requires = "root_dir")]
    pub(super) root_passphrase: Option<PassphraseSource>,

    /// Let this command sign for the root, as --signer-cmd does for the new CA
    #[arg(long, value_name = "COMMAND", requires = "root_dir")]
    root_signer_cmd: Option<String>,

    /// Let a key in a PKCS #11 token sign for the root, as --pkcs11 does for the new CA
    #[arg(long, value_name = "URI", requires = "root_dir", conflicts_with = "root_signer_cmd")]
    root_pkcs11: Option<String>,

    /// Do not sign: write the bytes to sign to this file, and keep the new key in ca.pending until
    /// --signature-in gets the signature
    #[arg(long, value_name = "PATH", requires = "root_dir",
        conflicts_with_all = ["root_passphrase", "root_signer_cmd", "root_pkcs11"])]
    pub(super) tbs_out: Option<PathBuf>,

    /// Take the root's signature of the bytes of --tbs-out from this file. The CA is the one that was
    /// drafted, so only --root-dir and --dir are repeated
    #[arg(long, value_name = "FILE", requires = "root_dir",
        conflicts_with_all = ["root_passphrase", "root_signer_cmd", "root_pkcs11", "tbs_out", "cn", "org", "key",
            "expiry", "path_len", "permit", "exclude", "csr_json", "new", "public_key", "ca_passphrase", "signer_cmd",
            "pkcs11"])]
    pub(super) signature_in: Option<PathBuf>,
}

impl RootArgs {
    /// Opens the CA above. `new` is the source of the passphrase of the new CA's key, which the root's signer command does not
    /// get.
    pub(super) fn open(
        &self,
        new: Option<&PassphraseSource>,
        common: &Common,
    ) -> Result<Option<Ca>, Failure> {
        let Some(folder) = &self.root_dir else { return Ok(None) };
        let custody = match (&self.tbs_out, &self.signature_in) {
            (None, None) => {
                let passphrase = self.root_passphrase.clone();
                let options = (&self.root_signer_cmd, &self.root_pkcs11);
                let chosen = custody_of(options, passphrase.clone());
                let chosen = chosen.map_err(|failure| failure.about("--root-pkcs11"))?;
                chosen.unwrap_or_else(|| Custody::file(passphrase)).hiding(new)
            }
            _ => Custody::elsewhere(),
        };
        let above = Ca::open(folder, common.owners(), &custody)?;
        check_above(above.certificate(), folder)?;
        for remark in above.remarks() {
            host::say(&format!("warning: {remark}\n"));
        }
        Ok(Some(above))
    }
}

/// Refuses a CA that may not have a CA below it, with the way to one that may.
fn check_above(above: &Certificate, folder: &Path) -> Result<(), Failure> {
    let constraints = above.extensions.basic_constraints;
    if constraints.is_some_and(|constraints| constraints.path_len == Some(0)) {
        return Err(Failure::refused(format!(
            "{}: {} has the path length 0, so it cannot sign an intermediate CA",
            shown(&ca::certificate_path(folder)),
            above.subject
        ))
        .hinted("create the root with etcdpki --dir DIR init-ca --path-len 1"));
    }
    Ok(())
}

/// Drafts the new CA, for a signature from elsewhere.
pub(super) fn send(
    new: &NewCa<'_>,
    above: &Ca,
    folder: &Path,
    tbs_out: &Path,
    common: &Common,
) -> Result<ExitCode, Failure> {
    air_gap::check_tbs_out(folder, tbs_out)?;
    new.draft(above, folder, tbs_out)?;
    let pending = ca::pending_path(folder);
    air_gap::print_next(&pending, tbs_out, &above.certificate().public_key, common.format)
}

/// Finishes the CA that was drafted.
pub(super) fn receive(
    above: &Ca,
    folder: &Path,
    signature_in: &Path,
    common: &Common,
) -> Result<Finished, Failure> {
    ca::finish_intermediate(above, folder, common.owners(), signature_in)
}
