//! Drafts of CRLs.

use time::OffsetDateTime;

use super::{Authority, unreadable};
use crate::certificate::Certificate;
use crate::crl::{Crl, RevokedCertificate};
use crate::draft::Draft;
use crate::encode;
use crate::error::Error;
use crate::request::CrlRequest;
use crate::template::certifiable;

impl Authority {
    /// Drafts a CRL of this CA.
    ///
    /// ```
    /// use pki_core::{
    ///     Authority, CaRequest, CrlRequest, IssuanceContext, KeyAlgorithm, PrivateKey,
    ///     RevocationReason, RevokedCertificate, SerialNumber, Signer, Subject,
    /// };
    /// use time::Duration;
    /// use time::macros::datetime;
    ///
    /// # fn main() -> Result<(), pki_core::Error> {
    /// # let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    /// # let now = datetime!(2027-01-01 00:00 UTC);
    /// # let context = IssuanceContext { now, serial: SerialNumber::from_random([7; 20]) };
    /// # let request = CaRequest::new(Subject::from_common_name("etcd CA")?);
    /// # let ca = Authority::draft_root(&request, key.public_key(), &context)?.sign(&key)?;
    /// let authority = Authority::new(ca.certificate);
    /// let request = CrlRequest {
    ///     number: 1,
    ///     this_update: now,
    ///     next_update: now + Duration::days(30),
    ///     revoked: vec![RevokedCertificate {
    ///         serial: "5add56".parse()?,
    ///         revoked_at: now,
    ///         reason: Some(RevocationReason::KeyCompromise),
    ///         invalid_since: None,
    ///     }],
    /// };
    /// let crl = authority.draft_crl(&request, now)?.sign(&key)?;
    /// assert!(crl.lists(&"5add56".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    pub fn draft_crl(
        &self,
        request: &CrlRequest,
        now: OffsetDateTime,
    ) -> Result<Draft<Crl>, Error> {
        let ca = &self.certificate;
        let request = certifiable_crl(request, ca)?;
        let unsigned = Crl::from_der(&encode::crl(&request, ca)?);
        Draft::<Crl>::checked(unsigned.map_err(unreadable)?, ca, now)
    }
}

/// The request with its times in whole seconds of UTC. Returns an error for values that no CRL should contain.
fn certifiable_crl(request: &CrlRequest, ca: &Certificate) -> Result<CrlRequest, Error> {
    let time = |field: String, time: OffsetDateTime| {
        certifiable(time).ok_or_else(|| {
            Error::invalid(field, time.to_string(), "not in the years 1950 to 9999")
                .hinted("choose a time in that range")
        })
    };
    let this_update = time("thisUpdate".to_owned(), request.this_update)?;
    let next_update = time("nextUpdate".to_owned(), request.next_update)?;
    if next_update <= this_update {
        let problem = format!("not after thisUpdate, which is {this_update}");
        return Err(Error::invalid("nextUpdate", next_update.to_string(), problem)
            .hinted("choose a later time, such as 30 days after thisUpdate"));
    }
    let mut revoked: Vec<RevokedCertificate> = Vec::with_capacity(request.revoked.len());
    for (index, entry) in request.revoked.iter().enumerate() {
        let field = |name: &str| format!("revoked[{index}].{name}");
        let bad = |problem: &str, hint: &str| {
            Err(Error::invalid(field("serial"), entry.serial.to_string(), problem).hinted(hint))
        };
        if !entry.serial.is_positive() {
            return bad("not a positive number", "remove it; this CA cannot list it");
        }
        if ca.is_self_issued() && entry.serial == ca.serial {
            return bad(
                "the serial number of the CA itself, so that etcd would reject every client that sends its CA",
                "remove the CA from the trust files instead",
            );
        }
        revoked.push(RevokedCertificate {
            revoked_at: time(field("revoked_at"), entry.revoked_at)?,
            invalid_since: entry
                .invalid_since
                .map(|since| time(field("invalid_since"), since))
                .transpose()?,
            ..entry.clone()
        });
    }
    Ok(CrlRequest { this_update, next_update, revoked, number: request.number })
}
