//! Correcting single rows of an inventory that SQLite can read: from their own certificates, from files, and from CRLs.

use pki_core::{Certificate, Crl, RevocationReason};
use rusqlite::{OptionalExtension, Transaction, params};
use time::OffsetDateTime;

use super::check::Stored;
use super::entry::{CrlEntry, Entry, rfc3339};
use super::revocation::{moment, revoke};
use super::{Inventory, schema};
use crate::failure::Failure;

/// What files say about the certificates and the CRLs of a CA.
pub(crate) struct Evidence<'a> {
    pub(crate) certificates: &'a [&'a Entry],
    /// The newest CRL, and what it lists: serial numbers in decimal.
    pub(crate) crl: Option<&'a CrlEntry>,
    pub(crate) listed: &'a [(String, RevocationReason, OffsetDateTime)],
}

/// Whether a certificate is revoked.
#[derive(Clone, Copy)]
enum Revocation {
    Good,
    Revoked(RevocationReason, OffsetDateTime),
}

impl Inventory {
    /// Creates tables that are missing and corrects these rows, which are wrong. What neither a row's own certificate nor a file can tell stays
    /// as it is. Returns how many rows changed.
    pub(crate) fn repair(
        &self,
        ca: &Certificate,
        wrong: &[Stored],
        files: &Evidence<'_>,
    ) -> Result<usize, Failure> {
        let mut corrected = 0;
        self.0.write(|transaction| {
            if !schema::missing_tables(transaction)?.is_empty() {
                // Every step creates only what is missing.
                transaction.pragma_update(None, "user_version", 0)?;
                schema::migrate(transaction)?;
            }
            for row in wrong {
                corrected += usize::from(row.correct(ca, files, transaction)?);
            }
            if let Some(crl) = files.crl {
                corrected += forget_unreadable_crls(crl, transaction)?;
            }
            Ok(())
        })?;
        Ok(corrected)
    }
}

impl Stored {
    /// Corrects the row, if something says what is right.
    fn correct(
        &self,
        ca: &Certificate,
        files: &Evidence<'_>,
        transaction: &Transaction<'_>,
    ) -> Result<bool, rusqlite::Error> {
        let is_same = |entry: &&Entry| {
            entry.serial_number == self.serial_number
                && entry.authority_key_identifier == self.authority_key_identifier
        };
        let own = self.certificate(ca).ok().and_then(|own| Entry::of_ca(&own).ok());
        let Some(entry) = own.as_ref().or_else(|| files.certificates.iter().copied().find(is_same))
        else {
            return Ok(false);
        };
        let Some(revocation) = self.revocation(entry, files) else { return Ok(false) };
        let key = (&*entry.serial_number, &*entry.authority_key_identifier);
        let other = "SELECT 1 FROM certificates
            WHERE serial_number = ?1 AND authority_key_identifier = ?2 AND rowid <> ?3";
        let other = transaction.query_row(other, params![key.0, key.1, self.id], |_| Ok(()));
        if other.optional()?.is_some() {
            // This row is one too many.
            transaction.execute("DELETE FROM certificates WHERE rowid = ?1", [self.id])?;
            if let Revocation::Revoked(reason, at) = revocation {
                revoke(transaction, key, reason, at)?;
            }
            return Ok(true);
        }
        let (status, reason, at) = match revocation {
            Revocation::Good => ("good", 0, None),
            Revocation::Revoked(reason, at) => ("revoked", reason.code(), Some(rfc3339(at))),
        };
        let update = "UPDATE certificates SET serial_number = ?2, authority_key_identifier = ?3, status = ?4, reason = ?5,
            expiry = ?6, revoked_at = ?7, pem = ?8, not_before = ?9, common_name = ?10 WHERE rowid = ?1";
        let values = params![
            self.id,
            key.0,
            key.1,
            status,
            reason,
            entry.expiry,
            at,
            entry.pem,
            entry.not_before,
            entry.common_name,
        ];
        Ok(transaction.execute(update, values)? == 1)
    }

    /// Whether the certificate is revoked. `None` if neither the row nor a CRL can tell.
    fn revocation(&self, entry: &Entry, files: &Evidence<'_>) -> Option<Revocation> {
        let listed = files.listed.iter().find(|(serial, ..)| *serial == entry.serial_number);
        match (&*self.status, listed) {
            ("good", None) => Some(Revocation::Good),
            ("revoked", listed) => {
                let own = RevocationReason::from_code(u8::try_from(self.reason).unwrap_or(u8::MAX));
                let reason = own.or(listed.map(|(_, reason, _)| *reason));
                let at = self.revoked_at.as_deref().and_then(moment);
                let at = at.or(listed.map(|(.., at)| *at))?;
                let reason = reason.unwrap_or(RevocationReason::Unspecified);
                Some(Revocation::Revoked(reason, at))
            }
            (_, Some((_, reason, at))) => Some(Revocation::Revoked(*reason, *at)),
            (_, None) => None,
        }
    }
}

/// Removes CRLs that cannot be read, up to the number of one that can. Returns how many there were.
fn forget_unreadable_crls(
    newest: &CrlEntry,
    transaction: &Transaction<'_>,
) -> Result<usize, rusqlite::Error> {
    let query = "SELECT rowid, CAST(pem AS BLOB) FROM crls
        WHERE authority_key_identifier = ?1 AND number <= ?2";
    let mut query = transaction.prepare(query)?;
    let rows = query.query_map(params![newest.issuer, newest.number.cast_signed()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let rows = rows.collect::<Result<Vec<(i64, Option<Vec<u8>>)>, _>>()?;
    let is_unreadable =
        |pem: &Option<Vec<u8>>| Crl::from_pem_or_der(pem.as_deref().unwrap_or_default()).is_err();
    let mut forgotten = 0;
    for (id, _) in rows.iter().filter(|(_, pem)| is_unreadable(pem)) {
        forgotten += transaction.execute("DELETE FROM crls WHERE rowid = ?1", [id])?;
    }
    Ok(forgotten)
}
