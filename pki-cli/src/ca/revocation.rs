//! The CRLs of a CA: what the next one lists, when it is due, and issuing it.

use std::fmt;
use std::path::Path;

use pki_core::{Certificate, Crl, CrlRequest, Draft, RevokedCertificate, SerialNumber};
use time::{Duration, OffsetDateTime};

use super::service::Ca;
use crate::failure::Failure;
use crate::host;
use crate::inventory::{Inventory, LastCrl};
use crate::recorded::{PendingCrl, Recorded};

/// The default time until the nextUpdate of a CRL.
pub(crate) const CRL_LIFETIME: Duration = Duration::days(30);

/// The newest CRL of a CA, and whether a new one is due. Finding out does not need the CA's key.
pub(crate) struct CrlState {
    pub(crate) last: Option<LastCrl>,
    pub(crate) due: Option<CrlDue>,
}

/// The newest CRL of a CA, and what the next one lists.
struct Revocations {
    last: Option<LastCrl>,
    revoked: Vec<RevokedCertificate>,
}

/// Why a CA should issue a CRL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CrlDue {
    /// It has not issued one yet.
    First,
    /// The newest one does not list these revoked certificates.
    Lacks(Vec<SerialNumber>),
    /// Two thirds of the time until its nextUpdate have passed.
    Ends(OffsetDateTime),
}

/// How many serial numbers are shown to people.
const SHOWN: usize = 20;

impl fmt::Display for CrlDue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("the CA has not issued a CRL yet"),
            Self::Lacks(serials) => {
                write!(f, "the newest CRL does not list the revoked certificates")?;
                let more = serials.len().saturating_sub(SHOWN);
                for (index, serial) in serials.iter().take(SHOWN).enumerate() {
                    write!(f, "{} {serial}", if index == 0 { "" } else { "," })?;
                }
                if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
            }
            Self::Ends(at) => write!(f, "the nextUpdate of the newest CRL is {at}"),
        }
    }
}

impl CrlState {
    /// Reads the inventory of a CA's folder.
    pub(crate) fn read(
        folder: &Path,
        ca: &Certificate,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        let Revocations { last, revoked } = Revocations::of(&Inventory::of(folder), ca)?;
        let due = match &last {
            None => Some(CrlDue::First),
            Some(last) => due(&last.crl, &revoked, now),
        };
        Ok(Self { last, due })
    }

    /// The same, with another CRL instead of the newest one.
    pub(crate) fn of_crl(
        folder: &Path,
        ca: &Certificate,
        crl: &Crl,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        let Revocations { last, revoked } = Revocations::of(&Inventory::of(folder), ca)?;
        Ok(Self { last, due: due(crl, &revoked, now) })
    }
}

fn due(crl: &Crl, revoked: &[RevokedCertificate], now: OffsetDateTime) -> Option<CrlDue> {
    let serials = revoked.iter().map(|entry| &entry.serial);
    let missing: Vec<SerialNumber> = serials.filter(|serial| !crl.lists(serial)).cloned().collect();
    if !missing.is_empty() {
        return Some(CrlDue::Lacks(missing));
    }
    let end = crl.next_update?;
    (end - now < (end - crl.this_update) / 3).then_some(CrlDue::Ends(end))
}

impl Revocations {
    /// What the next CRL of `ca` lists: what any CA of the inventory has revoked, not only `ca`.
    ///
    /// During a rotation, members trust two CAs but read one CRL, in which they compare only serial numbers. So the CRL of
    /// the new CA also lists what the old CA revoked, as ordinary entries. An indirect CRL, which names the issuer of each
    /// entry (RFC 5280 section 5.2.5), has a critical extension that verifiers such as OpenSSL reject by default. To a
    /// verifier that compares issuers, the additional entries name serial numbers that `ca` never issued.
    ///
    /// The old CA is not looked up in ca.pem: members trust it until they restart, after `finish` has removed it there.
    fn of(inventory: &Inventory, ca: &Certificate) -> Result<Self, Failure> {
        let last = inventory.last_crl(ca)?;
        let mut revoked = Vec::new();
        for certificate in inventory.revoked()? {
            // An expired certificate stays until it was on a CRL that was issued after it expired (RFC 5280 section 3.3).
            let is_settled = last.as_ref().is_some_and(|last| {
                let since = last.crl.this_update;
                certificate.not_after < since && certificate.entry.revoked_at <= since
            });
            if !is_settled {
                revoked.push(certificate.entry);
            }
        }
        // A certificate that the inventory has lost is still revoked.
        for LastCrl { crl, .. } in inventory.last_crls()? {
            for entry in crl.entries()? {
                let is_known = revoked.iter().any(|known| known.serial == entry.serial);
                if !is_known && !inventory.has_serial(&entry.serial)? {
                    revoked.push(entry);
                }
            }
        }
        Ok(Self { last, revoked })
    }
}

impl Ca {
    /// Issues a CRL that lists every revoked certificate, with the number that follows that of the newest CRL. It is
    /// recorded before it is returned, and signed in the same two steps as a certificate.
    ///
    /// # Errors
    /// `lifetime`, the time until the nextUpdate, is not positive; the CA may not sign CRLs; the signer fails; or the
    /// inventory cannot be read or written, for example because another process has just recorded a CRL with the same
    /// number.
    pub fn issue_crl(&self, lifetime: Duration) -> Result<Recorded<Crl>, Failure> {
        let (draft, number) = self.next_crl(lifetime)?;
        self.record_crl(draft.sign(&*self.signer)?, number)
    }

    /// Drafts the CRL that is next, for a signature from elsewhere.
    pub(crate) fn draft_crl(&self, lifetime: Duration) -> Result<Draft<Crl>, Failure> {
        Ok(self.next_crl(lifetime)?.0)
    }

    /// Adds a signature that came from elsewhere, perhaps days after the draft, and records the CRL. The rules check it again.
    /// `tbs` is that of the draft.
    pub(crate) fn finish_crl(
        &self,
        tbs: &[u8],
        signature: &[u8],
    ) -> Result<Recorded<Crl>, Failure> {
        let ca = self.certificate();
        let crl = Draft::<Crl>::from_tbs(tbs, ca, host::now())?.assemble(signature)?;
        let last = self.inventory()?.last_crl(ca)?.map_or(0, |last| last.number);
        match crl_number(&crl).filter(|number| *number > last) {
            Some(number) => self.record_crl(crl, number),
            None => Err(Failure::usage(format!(
                "the CA has issued the CRL {last} after this one was drafted"
            ))
            .hinted("draft a new CRL with --tbs-out, and have it signed")),
        }
    }

    fn next_crl(&self, lifetime: Duration) -> Result<(Draft<Crl>, u64), Failure> {
        let ca = self.certificate();
        let Revocations { last, revoked } = Revocations::of(self.inventory()?, ca)?;
        let now = host::now();
        let number = last.map_or(0, |last| last.number) + 1;
        let request = CrlRequest { number, this_update: now, next_update: now + lifetime, revoked };
        Ok((self.authority.draft_crl(&request, now)?, number))
    }

    fn record_crl(&self, crl: Crl, number: u64) -> Result<Recorded<Crl>, Failure> {
        let pending = PendingCrl::signed(crl, number, self.certificate())?;
        pending.record(self.inventory()?, &self.entry)
    }
}

/// The number of a CRL, if it is one that etcdpki can have given.
pub(crate) fn crl_number(crl: &Crl) -> Option<u64> {
    let octets = crl.number.as_deref()?;
    let (zeros, low) = octets.split_at(octets.len().saturating_sub(8));
    let is_small = zeros.iter().all(|octet| *octet == 0) && !low.is_empty();
    let number = low.iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
    (is_small && number <= i64::MAX.cast_unsigned()).then_some(number)
}
