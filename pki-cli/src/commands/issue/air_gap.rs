//! `issue --tbs-out` and `issue --signature-in`: the CA's key is on another machine, and only bytes and signatures travel.
//!
//! Between the two commands, NAME.pending keeps the key of the leaf and what makes the second command draft the same bytes
//! again. So the second command applies the profile and the rules again, and notices a changed option.

use std::path::Path;
use std::process::ExitCode;

use pki_core::{Draft, IssuanceContext, KeyFormat, PrivateKey};
use zeroize::Zeroizing;

use crate::ca::{self, Ca};
use crate::commands::{Common, air_gap};
use crate::failure::{Failure, shown};
use crate::host;
use crate::named_pair::NamedPair;
use crate::store::Batch;
use crate::unsigned::Unsigned;

/// A certificate that waits for its signature.
pub(super) struct PendingIssue {
    pub(super) context: IssuanceContext,
    unsigned: Unsigned,
    /// The key that was generated for it, unless a PKCS #10 request came with its own.
    pub(super) key: Option<PrivateKey>,
}

impl PendingIssue {
    /// Reads what `--tbs-out` kept.
    pub(super) fn read(files: &NamedPair) -> Result<Self, Failure> {
        let path = &files.pending;
        let mut unsigned = Unsigned::read(path)?;
        let context = unsigned.again.take().ok_or_else(|| {
            Failure::usage(format!("{} is not the draft of a leaf certificate", shown(path)))
                .hinted("run the command with --tbs-out again, with another NAME or --out")
        })?;
        let key = unsigned.key.take().map(|pem| PrivateKey::from_pem(pem.as_bytes()));
        let key = key.transpose().map_err(|error| Failure::from(error).in_file(path))?;
        Ok(Self { context, unsigned, key })
    }

    /// Reads the signature of the draft. It must be of the bytes that were sent away.
    pub(super) fn signature(
        &self,
        draft: &Draft,
        files: &NamedPair,
        ca: &Ca,
        signature_in: &Path,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if draft.tbs() == self.unsigned.tbs {
            return self.unsigned.signature(&ca.certificate().public_key, signature_in);
        }
        Err(Failure::usage(format!(
            "these options describe another certificate than the one in {}",
            shown(&files.pending)
        ))
        .hinted("repeat the options of the command with --tbs-out, and only replace that option with --signature-in"))
    }
}

/// The time and a fresh serial number. The time has whole seconds, as in a certificate, so that the second command drafts
/// the same.
pub(super) fn context() -> Result<IssuanceContext, Failure> {
    let context = host::issuance_context()?;
    let now = context.now.replace_nanosecond(0).unwrap_or(context.now);
    Ok(IssuanceContext { now, ..context })
}

/// Writes the bytes to sign, and what the second command needs, including the generated `key`.
pub(super) fn send(
    draft: &Draft,
    context: &IssuanceContext,
    files: &NamedPair,
    key: Option<&PrivateKey>,
    ca: &Ca,
    tbs_out: &Path,
    common: &Common,
) -> Result<ExitCode, Failure> {
    ca::check_foreign(&common.folder(), tbs_out)?;
    let key = key.map(|key| key.to_pem(KeyFormat::Pkcs8)).transpose()?;
    let tbs = draft.tbs().to_vec();
    let unsigned = Unsigned { tbs, again: Some(context.clone()), key };
    files.make_folder()?;
    let mut batch = Batch::new(files.existing());
    unsigned.stage(&mut batch, &files.pending, tbs_out)?;
    batch.commit()?;
    air_gap::print_next(&files.pending, tbs_out, &ca.certificate().public_key, common.format)
}
