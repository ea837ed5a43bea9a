//! Renewing what a CA issued, and its own certificate.

use pki_core::{
    Certificate, Draft, Error, IssuanceContext, Issued, Lifetime, Profile, Renewal, SigningConfig,
};
use time::{Duration, OffsetDateTime};

use super::folder::LockedFolder;
use super::paths::certificate_path;
use super::service::Ca;
use crate::failure::Failure;
use crate::host;
use crate::inventory::{self, Inventory};
use crate::recorded::Pending;
use crate::store::{Access, Batch, Existing};

/// The profile in the row of a renewed certificate that the inventory did not have.
const UNKNOWN_PROFILE: &str = "renewed";

impl Ca {
    /// Drafts a certificate like an earlier one.
    pub(crate) fn draft_renewal(
        &self,
        old: &Certificate,
        renewal: &Renewal,
        context: &IssuanceContext,
    ) -> Result<Draft<Certificate>, Error> {
        self.authority.draft_renewal(old, renewal, context)
    }

    /// Signs a renewal, but does not record it. The profile is that of the earlier certificate.
    pub(crate) fn sign_renewal(
        &self,
        draft: Draft<Certificate>,
        profile: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Pending<Issued>, Error> {
        let profile = profile.unwrap_or(UNKNOWN_PROFILE);
        Pending::signed(draft.sign(&*self.signer)?, profile, now)
    }

    /// Drafts the CA's own certificate again, for the same key.
    ///
    /// If it is being replaced, it still becomes valid before the new CA, because of the two roots of a rotation the later one is
    /// the new one ([`Rotation::find`](pki_core::Rotation::find)). Its lifetime counts from then.
    pub(crate) fn draft_own_renewal(&self) -> Result<Draft<Certificate>, Failure> {
        let context = host::issuance_context()?;
        let mut renewal = Renewal::default();
        if let Some(new) = self.chain.successor() {
            let age = context.now - (new.not_before - Duration::SECOND);
            // In whole seconds, as certificates have them.
            renewal.backdate = renewal.backdate.max(Duration::seconds(age.whole_seconds()));
        }
        Ok(self.authority.draft_ca_renewal(&renewal, &context)?)
    }

    /// Signs the CA's own certificate again, records it, and puts it in the place of the old one.
    pub(crate) fn renew_itself(
        &self,
        folder: &LockedFolder,
        draft: Draft<Certificate>,
    ) -> Result<Certificate, Failure> {
        let issued = draft.sign(&*self.signer)?;
        let signed = Pending::signed(issued, inventory::CA_PROFILE, host::now())?;
        let staged = signed.stage(|issued| {
            let mut pem = issued.certificate.to_pem()?;
            for other in self.chain.all().skip(1) {
                pem.push_str(&other.to_pem()?);
            }
            let mut batch = Batch::new(Existing::Replace);
            batch.stage(certificate_path(folder.path()), pem.as_bytes(), Access::Public)?;
            Ok((batch.sync()?, issued.certificate))
        })?;
        let (batch, certificate) = staged.record_ca(self.inventory()?)?.into_inner();
        batch.commit()?;
        Ok(certificate)
    }

    /// The inventory. The CA in another tool's files can have no inventory, and no command that needs one opens such a CA.
    pub(crate) fn inventory(&self) -> Result<&Inventory, Failure> {
        self.inventory.as_ref().ok_or_else(|| Failure::bug("this CA has no inventory"))
    }
}

/// The lifetime of a certificate that takes the place of `old`: the same, unless the end of a CA had shortened it. Then
/// it is that of its profile.
pub(crate) fn lifetime_after(
    old: &Certificate,
    profile: Option<&str>,
    cas: &[Certificate],
) -> Lifetime {
    let was_shortened =
        cas.iter().any(|ca| ca.subject.der() == old.issuer.der() && ca.not_after == old.not_after);
    let profiles = SigningConfig::etcd();
    let profile = profile.and_then(|name| profiles.profile(name).ok());
    match profile {
        Some(Profile { expiry, .. }) if was_shortened => Lifetime::UpTo(*expiry),
        _ => Lifetime::Default,
    }
}
