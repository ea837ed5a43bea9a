//! An intermediate CA whose certificate the CA above it signs on another machine.

use std::path::Path;

use pki_core::{Certificate, Draft, IssuedBy};

use super::chain::Chain;
use super::create::{NewCa, SignedCa};
use super::folder::{Found, LockedFolder};
use super::paths::{certificate_path, pending_path};
use super::service::Ca;
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::CA_PROFILE;
use crate::recorded::Pending;
use crate::signer::{Custody, NewKey};
use crate::store::{self, Access, Batch, Existing, Owners};
use crate::unsigned::{self, Unsigned};

impl NewCa<'_> {
    /// Drafts an intermediate below `above`, writes the bytes to sign to `tbs_out`, and keeps the new key in ca.pending.
    pub(crate) fn draft(&self, above: &Ca, path: &Path, tbs_out: &Path) -> Result<(), Failure> {
        // Before a key is generated, perhaps in a token.
        if store::is_there(path)? {
            self.check_free(path)?;
        }
        let (key, context) = (self.make_key(path)?, host::issuance_context()?);
        let draft = above.draft_intermediate(self.request, key.signer.public_key(), &context)?;
        let unsigned = Unsigned { tbs: draft.tbs().to_vec(), again: None, key: key.pem };
        store::make_folder(path, Access::Secret)?;
        let _folder = LockedFolder::lock(path, self.owners)?;
        self.check_free(path)?;
        let mut batch = Batch::new(Existing::Keep);
        unsigned.stage(&mut batch, &pending_path(path), tbs_out)?;
        batch.commit()
    }

    fn check_free(&self, path: &Path) -> Result<(), Failure> {
        let found = Found::find(path, self.custody)?;
        if self.is_free(&found) { Ok(()) } else { Err(found.exists(path)) }
    }
}

/// An intermediate CA that was just finished, and where its key is.
pub(crate) struct Finished {
    pub(crate) ca: Ca,
    /// Whether the key is the file in its folder.
    pub(crate) has_key_file: bool,
}

/// Adds the signature that came from elsewhere, which the rules check again, and puts the CA in place.
pub(crate) fn finish_intermediate(
    above: &Ca,
    path: &Path,
    owners: Owners,
    signature_in: &Path,
) -> Result<Finished, Failure> {
    let folder = LockedFolder::lock(path, owners)?;
    let pending = pending_path(path);
    let unsigned = Unsigned::read(&pending)?;
    let certificate = above.certificate();
    let signature = unsigned.signature(&certificate.public_key, signature_in)?;
    let now = host::now();
    let draft = Draft::<Certificate>::from_tbs(&unsigned.tbs, IssuedBy::Ca(certificate), now)?;
    let has_key_file = unsigned.key.is_some();
    if store::is_there(&certificate_path(path))? {
        // An earlier run was killed before it removed the draft.
        let chain = Chain::read(path)?;
        if chain.ca().public_key == draft.contents().public_key {
            unsigned::remove(&pending);
            let ca = Ca::with_key(path, chain, &Custody::elsewhere())?;
            return Ok(Finished { ca, has_key_file });
        }
    }
    let issued = draft.assemble(&signature)?;
    if issued.certificate.extensions.basic_constraints.is_none_or(|constraints| !constraints.ca) {
        return Err(Failure::usage(format!("{} is not the draft of a CA", shown(&pending)))
            .hinted("restore the file that init-ca --tbs-out wrote"));
    }
    let key = NewKey::elsewhere(issued.certificate.public_key.clone(), unsigned.key);
    let certificate = Pending::signed(issued, CA_PROFILE, now)?;
    let ca = SignedCa { certificate, above: Some(above), key }.put(&folder)?;
    unsigned::remove(&pending);
    Ok(Finished { ca, has_key_file })
}
