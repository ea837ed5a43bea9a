//! Creating a CA.

use std::path::Path;

use pki_core::{Authority, CaRequest, Issued, KeyAlgorithm};

use super::chain::Chain;
use super::folder::{Found, LockedFolder};
use super::paths::{certificate_path, key_path};
use super::service::Ca;
use crate::failure::Failure;
use crate::host;
use crate::inventory::{self, Entry, FilePlace, Inventory};
use crate::recorded::Pending;
use crate::signer::{Custody, NewKey};
use crate::store::{self, Access, Batch, Existing, Owners};

/// What to do if an earlier CA left hosts' folders or issued certificates, but neither its certificate nor its key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Remains {
    /// Do not create a CA: perhaps only two files were lost, and a new CA means new certificates for all hosts.
    Refuse,
    /// Create a CA next to them.
    Keep,
}

/// The CA of a folder, new or not.
pub(crate) enum Opened {
    /// The folder had no CA, and one was created.
    Created(Box<Ca>),
    /// What the folder already has. Nothing was changed.
    Found(Found),
}

/// A CA that does not exist yet.
pub(crate) struct NewCa<'a> {
    /// The CA above an intermediate; a root has none.
    pub(crate) above: Option<&'a Ca>,
    pub(crate) request: &'a CaRequest,
    pub(crate) algorithm: KeyAlgorithm,
    pub(crate) remains: Remains,
    pub(crate) owners: Owners,
    pub(crate) custody: &'a Custody,
}

/// A CA that is signed, but neither recorded nor in its place yet.
pub(super) struct SignedCa<'a> {
    pub(super) certificate: Pending<Issued>,
    /// The CA above an intermediate.
    pub(super) above: Option<&'a Ca>,
    pub(super) key: NewKey,
}

impl<'a> NewCa<'a> {
    /// Locks a folder and creates a CA in it, unless the folder has one, or half of one. A missing folder is created.
    pub(crate) fn open_or_create(&self, path: &Path) -> Result<(LockedFolder, Opened), Failure> {
        // A CA that cannot be created leaves no folder behind.
        let early = if store::is_there(path)? { None } else { Some(self.signed(path)?) };
        store::make_folder(path, Access::Secret)?;
        let folder = LockedFolder::lock(path, self.owners)?;
        let found = Found::find(path, self.custody)?;
        let opened = if self.is_free(&found) {
            let signed = early.map_or_else(|| self.signed(path), Ok)?;
            Opened::Created(Box::new(signed.put(&folder)?))
        } else {
            Opened::Found(found)
        };
        Ok((folder, opened))
    }

    /// Whether a CA may be created in a folder with these contents.
    pub(super) fn is_free(&self, found: &Found) -> bool {
        match found {
            Found::Nothing => true,
            Found::Remains(_) => self.remains == Remains::Keep,
            _ => false,
        }
    }

    pub(super) fn make_key(&self, folder: &Path) -> Result<NewKey, Failure> {
        self.custody.create(self.algorithm, &key_path(folder))
    }

    fn signed(&self, folder: &Path) -> Result<SignedCa<'a>, Failure> {
        let key = self.make_key(folder)?;
        let (public_key, context) = (key.signer.public_key(), host::issuance_context()?);
        let certificate = if let Some(above) = self.above {
            above.sign_intermediate(self.request, public_key, &context)?
        } else {
            let draft = Authority::draft_root(self.request, public_key, &context)?;
            Pending::signed(draft.sign(&*key.signer)?, inventory::CA_PROFILE, context.now)?
        };
        Ok(SignedCa { certificate, above: self.above, key })
    }
}

impl SignedCa<'_> {
    /// Records the CA, with the CA that signed it and in its own folder, then puts its key and its certificate in place.
    pub(super) fn put(self, folder: &LockedFolder) -> Result<Ca, Failure> {
        let Self { certificate, above, key } = self;
        let path = folder.path();
        // The CA above needs the place; in its own folder, the place of a CA is known.
        let certificate = match above {
            Some(_) => certificate.at(&FilePlace::elsewhere(&certificate_path(path))),
            None => certificate,
        };
        let staged = certificate.stage(|issued| {
            let chain = match above {
                Some(above) => Chain::below(issued.certificate, above.chain()),
                None => Chain::of(issued.certificate),
            };
            let mut batch = Batch::new(Existing::Keep);
            if let Some(pem) = &key.pem {
                batch.stage(key_path(path), pem.as_bytes(), Access::Secret)?;
            }
            batch.stage(certificate_path(path), chain.to_pem()?.as_bytes(), Access::Public)?;
            Ok((batch.sync()?, chain))
        })?;
        let inventory = Inventory::of(path);
        let (batch, chain) = if let Some(above) = above {
            let (batch, chain) = above.record(staged)?.into_inner();
            // The CAs above it are recorded too: after a killed run, the chain of the key is restored from here.
            let cas = chain.all().map(Entry::of_ca).collect::<Result<Vec<_>, _>>()?;
            inventory.record_cas(&cas)?;
            (batch, chain)
        } else {
            staged.record_ca(&inventory)?.into_inner()
        };
        batch.commit()?;
        Ca::new(path, chain, key.signer)
    }
}
