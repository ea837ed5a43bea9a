//! Creating a CA.

use std::path::Path;

use pki_core::{Authority, CaRequest, Issued, KeyAlgorithm};

use super::Ca;
use super::chain::Chain;
use super::folder::{Found, LockedFolder, certificate_path, key_path};
use crate::failure::Failure;
use crate::host;
use crate::inventory::{self, Inventory};
use crate::recorded::Pending;
use crate::signer::{Custody, NewKey};
use crate::store::{self, Access, Batch, Existing, Owners};

/// What to do if an earlier CA left hosts' folders or issued certificates, but neither its certificate nor its key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Remains {
    /// Create no CA: perhaps only two files were lost, and a new CA means new certificates for all hosts.
    Refuse,
    /// Create a CA next to them.
    Keep,
}

/// The CA of a folder, new or not.
pub(crate) enum Opened {
    /// There was none, and one was created.
    Created(Box<Ca>),
    /// What the folder already has. Nothing was changed.
    Found(Found),
}

/// A root that does not exist yet.
pub(crate) struct NewCa<'a> {
    pub(crate) request: &'a CaRequest,
    pub(crate) algorithm: KeyAlgorithm,
    pub(crate) remains: Remains,
    pub(crate) owners: Owners,
    pub(crate) custody: &'a Custody,
}

/// A root that signed itself. It is neither recorded nor in its place yet.
struct Root {
    certificate: Pending<Issued>,
    key: NewKey,
}

impl NewCa<'_> {
    /// Locks a folder and creates a CA in it, unless the folder has one, or half of one. A missing folder is created.
    pub(crate) fn open_or_create(&self, path: &Path) -> Result<(LockedFolder, Opened), Failure> {
        // A CA that cannot be created leaves no folder behind.
        let early = if store::is_there(path)? { None } else { Some(self.root(path)?) };
        store::make_folder(path, Access::Secret)?;
        let folder = LockedFolder::lock(path, self.owners)?;
        let opened = match (Found::find(path, self.custody)?, self.remains) {
            (Found::Nothing, _) | (Found::Remains(_), Remains::Keep) => {
                let root = early.map_or_else(|| self.root(path), Ok)?;
                Opened::Created(Box::new(root.put(&folder)?))
            }
            (found, _) => Opened::Found(found),
        };
        Ok((folder, opened))
    }

    fn root(&self, folder: &Path) -> Result<Root, Failure> {
        let key = self.custody.create(self.algorithm, &key_path(folder))?;
        let context = host::issuance_context()?;
        let draft = Authority::draft_root(self.request, key.signer.public_key(), &context)?;
        let issued = draft.sign(&*key.signer)?;
        Ok(Root { certificate: Pending::signed(issued, inventory::CA_PROFILE, context.now)?, key })
    }
}

impl Root {
    /// Records the CA, then puts its key and its certificate in place.
    fn put(self, folder: &LockedFolder) -> Result<Ca, Failure> {
        let Self { certificate, key } = self;
        let path = folder.path();
        let staged = certificate.stage(|issued| {
            let mut batch = Batch::new(Existing::Keep);
            if let Some(pem) = &key.pem {
                batch.stage(key_path(path), pem.as_bytes(), Access::Secret)?;
            }
            let pem = issued.certificate.to_pem()?;
            batch.stage(certificate_path(path), pem.as_bytes(), Access::Public)?;
            Ok((batch, issued.certificate))
        })?;
        let (batch, certificate) = staged.record_ca(&Inventory::of(path))?.into_inner();
        batch.commit()?;
        Ca::new(path, Chain::of(certificate), key.signer)
    }
}
