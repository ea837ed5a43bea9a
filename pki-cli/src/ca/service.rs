//! A CA that can sign, and the one way from a request to a recorded certificate.

use std::path::Path;

use pki_core::{
    Authority, CaRequest, Certificate, Crl, CrlRequest, Draft, Error, IssuanceContext, Issued,
    IssuedBy, Profile, PublicKey, Renewal, Request, Signer,
};
use time::OffsetDateTime;

use super::chain::Chain;
use super::folder::{Found, LockedFolder, Lost};
use super::paths::{certificate_path, key_path, next_key_path};
use crate::failure::{Failure, shown};
use crate::host;
use crate::inventory::{CA_PROFILE, Entry, Inventory, key_id_of};
use crate::recorded::{Pending, Recorded};
use crate::signer::Custody;
use crate::store::{self, Owners};

/// A CA that can sign: its certificate, its signer, and the inventory of what it issued.
///
/// It holds no lock. It can stay open as long as a process lives, and many threads can use it at once.
///
/// ```no_run
/// use pki_core::{KeyAlgorithm, PrivateKey, Request, Signer, SigningConfig, Subject};
///
/// # fn main() -> Result<(), pki_cli::Failure> {
/// let custody = pki_cli::Custody::default();
/// let ca = pki_cli::Ca::open("pki".as_ref(), pki_cli::Owners::Trusted, &custody)?;
/// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// let subject = Subject::from_common_name("backup")?;
/// let request = Request::new(subject, Vec::new(), key.public_key().clone());
/// let issued = ca.issue(&request, SigningConfig::etcd().profile("client")?)?;
/// println!("{}", issued.get().certificate.to_pem()?);
/// # Ok(())
/// # }
/// ```
pub struct Ca {
    pub(super) authority: Authority,
    pub(super) chain: Chain,
    pub(super) signer: Box<dyn Signer + Send + Sync>,
    /// Every CA that has a folder has one.
    pub(super) inventory: Option<Inventory>,
    /// The row of the CA itself.
    pub(super) entry: Entry,
    pub(super) remarks: Vec<String>,
}

impl Ca {
    /// Opens the CA of a folder: `ca.pem`, `ca-key.pem`, `inventory.db`.
    ///
    /// If a killed run did not put the certificate next to its key, it is put back from the inventory. Whatever is unusual
    /// but does not prevent issuing is in [`Ca::remarks`].
    ///
    /// # Errors
    /// There is no CA; one of its two files is missing; the folder or the key belongs to a user who may not own it; the
    /// key does not belong to the certificate, cannot be opened, or can be read by other users; the certificate's own
    /// signature is wrong.
    pub fn open(folder: &Path, owners: Owners, custody: &Custody) -> Result<Self, Failure> {
        let folder = LockedFolder::lock(folder, owners)?;
        let found = Found::find(folder.path(), custody)?;
        match found {
            Found::Complete | Found::WithoutKey => {
                Self::with_key(folder.path(), Chain::read(folder.path())?, custody)
            }
            Found::WithoutCertificate(lost) => {
                let mut ca = Self::restore(&folder, *lost)?;
                let path = shown(&certificate_path(folder.path()));
                ca.remarks.push(format!("{path} was missing; it was restored from the inventory"));
                Ok(ca)
            }
            other => Err(other.refusal(folder.path())),
        }
    }

    /// Puts the certificate of a CA back next to its key.
    pub(crate) fn restore(folder: &LockedFolder, lost: Lost) -> Result<Self, Failure> {
        folder.restore(&lost.chain)?;
        Self::new(folder.path(), lost.chain, lost.signer)
    }

    /// The CA of these certificates, with its key.
    pub(crate) fn with_key(
        folder: &Path,
        chain: Chain,
        custody: &Custody,
    ) -> Result<Self, Failure> {
        // During a rotation, either CA may be the one that issues.
        let next = next_key_path(folder);
        if custody.is_file() && store::is_there(&next)? {
            let signer = custody.open_file(&next)?;
            if *signer.public_key() == chain.ca().public_key {
                return Self::new(folder, chain, signer);
            }
        }
        let path = key_path(folder);
        if custody.is_file() && !store::is_there(&path)? {
            return Err(Found::WithoutKey.refusal(folder));
        }
        let signer = custody.open(&path, &chain.ca().public_key)?;
        let ca = chain.ca();
        if *signer.public_key() != ca.public_key {
            return Err(Failure::usage(format!(
                "{} is not the key of {}: it is {}, but the certificate is for {}",
                custody.name(&path),
                shown(&certificate_path(folder)),
                signer.public_key().key_id(),
                ca.public_key.key_id(),
            ))
            .hinted(if custody.is_file() {
                "restore the two files that belong together; the CA's own certificate comes first in ca.pem"
            } else {
                "name the key of this CA with --pkcs11 or --signer-cmd; if it is ca-key.pem, unset ETCDPKI_PKCS11 and \
                 ETCDPKI_SIGNER_CMD"
            }));
        }
        Self::new(folder, chain, signer)
    }

    pub(super) fn new(
        folder: &Path,
        chain: Chain,
        signer: Box<dyn Signer + Send + Sync>,
    ) -> Result<Self, Failure> {
        let ca = chain.ca();
        let inventory = Inventory::of(folder);
        let remarks = inventory.remark()?.into_iter().collect();
        Ok(Self {
            authority: Authority::new(ca.clone()),
            entry: Entry::of_ca(ca)?,
            chain,
            signer,
            inventory: Some(inventory),
            remarks,
        })
    }

    /// The CA of a certificate and a key that may be anywhere, like those of cfssl. What it issues is recorded in
    /// `inventory`, if there is one. The caller has checked that the key belongs to the certificate.
    pub(crate) fn of_files(
        chain: Chain,
        signer: Box<dyn Signer + Send + Sync>,
        inventory: Option<Inventory>,
    ) -> Result<Self, Failure> {
        let ca = chain.ca();
        Ok(Self {
            authority: Authority::new(ca.clone()),
            entry: Entry::of_ca(ca)?,
            chain,
            signer,
            inventory,
            remarks: Vec::new(),
        })
    }

    /// Signs a CRL whose entries come from the caller, as for `cfssl gencrl`. It is not recorded, because it does not list
    /// what the inventory has revoked; [`Ca::issue_crl`] does.
    pub(crate) fn sign_crl(&self, request: &CrlRequest, now: OffsetDateTime) -> Result<Crl, Error> {
        self.authority.draft_crl(request, now)?.sign(&*self.signer)
    }

    /// Drafts the CA's own certificate again and signs it. It is the same CA, so nothing is recorded.
    pub(crate) fn renewed(
        &self,
        renewal: &Renewal,
        context: &IssuanceContext,
    ) -> Result<Issued, Error> {
        self.authority.draft_ca_renewal(renewal, context)?.sign(&*self.signer)
    }

    /// The CA's own certificate.
    pub const fn certificate(&self) -> &Certificate {
        self.chain.ca()
    }

    /// Checks that the inventory can be read and is that of this CA, before much is signed. [`Ca::record`] checks it too.
    pub(crate) fn check_inventory(&self) -> Result<(), Failure> {
        self.inventory()?.examine(self.certificate()).map(drop)
    }

    /// What is unusual about the CA's folder, for people: a lost inventory, a certificate that was put back.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The certificates of its ca.pem.
    pub(crate) const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Issues the certificate that a profile makes of a request: drafts it, which applies the rules, signs and records it.
    ///
    /// # Errors
    /// The request or the profile is wrong, the rules refuse the certificate, the signer fails, or the inventory is damaged,
    /// belongs to another CA or cannot be written. Then no certificate leaves.
    pub fn issue(&self, request: &Request, profile: &Profile) -> Result<Recorded<Issued>, Failure> {
        self.record(self.sign(request, profile, &host::issuance_context()?)?)
    }

    /// Drafts and signs, but does not record: many certificates can be recorded together.
    pub(crate) fn sign(
        &self,
        request: &Request,
        profile: &Profile,
        context: &IssuanceContext,
    ) -> Result<Pending<Issued>, Error> {
        let draft = self.authority.draft(request, profile, context)?;
        Pending::signed(draft.sign(&*self.signer)?, &profile.name, context.now)
    }

    /// Drafts and signs a certificate of this CA's own key and name: the same CA, with the contents that a profile gives it.
    pub(crate) fn sign_itself(
        &self,
        request: &Request,
        profile: &Profile,
        context: &IssuanceContext,
    ) -> Result<Pending<Issued>, Error> {
        let draft = Authority::draft_self_signed(request, profile, context)?;
        Pending::signed(draft.sign(&*self.signer)?, &profile.name, context.now)
    }

    /// Drafts and signs an intermediate CA below this one, but does not record it.
    pub(crate) fn sign_intermediate(
        &self,
        request: &CaRequest,
        public_key: &PublicKey,
        context: &IssuanceContext,
    ) -> Result<Pending<Issued>, Error> {
        let draft = self.draft_intermediate(request, public_key, context)?;
        Pending::signed(draft.sign(&*self.signer)?, CA_PROFILE, context.now)
    }

    /// Drafts an intermediate CA below this one, for a signature from elsewhere.
    pub(crate) fn draft_intermediate(
        &self,
        request: &CaRequest,
        public_key: &PublicKey,
        context: &IssuanceContext,
    ) -> Result<Draft, Error> {
        self.authority.draft_intermediate(request, public_key, context)
    }

    /// Drafts a certificate whose signature comes from elsewhere.
    pub(crate) fn draft(
        &self,
        request: &Request,
        profile: &Profile,
        context: &IssuanceContext,
    ) -> Result<Draft, Error> {
        self.authority.draft(request, profile, context)
    }

    /// Adds a signature that came from elsewhere, perhaps days after the draft. The rules check the certificate again.
    pub(crate) fn finish(
        &self,
        draft: &Draft,
        signature: &[u8],
        profile: &Profile,
        now: OffsetDateTime,
    ) -> Result<Pending<Issued>, Error> {
        let ca = IssuedBy::Ca(self.certificate());
        let mut issued =
            Draft::<Certificate>::from_tbs(draft.tbs(), ca, now)?.assemble(signature)?;
        issued.left_out = draft.left_out().to_vec();
        Pending::signed(issued, &profile.name, now)
    }

    /// Records everything that was signed, in one transaction that is on disk afterwards.
    pub(crate) fn record<T>(&self, pending: Pending<T>) -> Result<Recorded<T>, Failure> {
        match &self.inventory {
            Some(inventory) => pending.record(inventory, &self.entry),
            None => Ok(pending.without_inventory()),
        }
    }

    /// Records what several CAs signed, each in its own inventory.
    pub(crate) fn record_all<T>(
        cas: &[&Self],
        pending: Pending<T>,
    ) -> Result<Recorded<T>, Failure> {
        let mut rows = Vec::new();
        for ca in cas {
            rows.push((ca.inventory()?, &ca.entry, key_id_of(ca.certificate())));
        }
        pending.record_each(&rows)
    }
}
