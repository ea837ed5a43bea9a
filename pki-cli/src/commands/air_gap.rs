//! The first of the two commands of an air gap: what it checks and prints.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use pki_core::PublicKey;
use serde::Serialize;

use crate::ca;
use crate::failure::{Failure, shown};
use crate::host;
use crate::output::{Format, json};
use crate::store::{Batch, Existing};
use crate::unsigned::openssl_command;

#[derive(Serialize)]
struct TbsOutput {
    /// The file with the bytes to sign.
    tbs: String,
    /// The file that the second command reads.
    pending: String,
    key_algorithm: String,
}

/// Refuses a file of `--tbs-out` that exists or belongs to the CA of this folder.
pub(super) fn check_tbs_out(folder: &Path, tbs_out: &Path) -> Result<(), Failure> {
    ca::check_foreign(folder, tbs_out)?;
    let checked = Batch::new(Existing::Keep).check_place(tbs_out);
    checked
        .map_err(|failure| failure.hinted("name another file with --tbs-out, or remove this one"))
}

/// Prints what the first command wrote, and the two commands that follow. `ca` is the key that has to sign.
pub(super) fn print_next(
    pending: &Path,
    tbs_out: &Path,
    ca: &PublicKey,
    format: Format,
) -> Result<ExitCode, Failure> {
    let (tbs, pending) = (shown(tbs_out), shown(pending));
    if format == Format::Json {
        let key_algorithm = ca.algorithm_name();
        json::print(&TbsOutput { tbs, pending, key_algorithm })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = format!(
        "wrote {pending}, {tbs}\nnext:\n  sign {tbs} where the key of the CA is, for example with\n"
    );
    let _ = writeln!(page, "    {}", openssl_command(ca, &tbs));
    let _ = writeln!(
        page,
        "  then run this command again with --signature-in {tbs}.sig instead of --tbs-out {tbs}"
    );
    host::print(&page)?;
    Ok(ExitCode::SUCCESS)
}
