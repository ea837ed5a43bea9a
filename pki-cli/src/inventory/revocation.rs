//! Revocations and CRLs in the inventory.

use std::collections::HashSet;

use pki_core::{Certificate, Crl, RevocationReason, RevokedCertificate, SerialNumber};
use rusqlite::{Transaction, params};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::entry::{CrlEntry, decimal, hexadecimal, key_id_of, rfc3339};
use super::rows::insert_missing;
use super::{Entry, Inventory, schema};
use crate::failure::Failure;

/// A revoked certificate.
pub(crate) struct Revoked {
    pub(crate) entry: RevokedCertificate,
    pub(crate) not_after: OffsetDateTime,
}

/// The newest CRL of a CA, by the inventory.
pub(crate) struct LastCrl {
    /// The identifier of the CA's key.
    pub(crate) issuer: String,
    pub(crate) number: u64,
    pub(crate) crl: Crl,
}

/// The result of revoking a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Revocation {
    Done,
    /// It was revoked before, at this time. Nothing has changed.
    Already(String),
}

impl Inventory {
    /// Revokes certificates: all of them, or none. It is on disk afterwards. A certificate that the inventory does not have,
    /// because it was lost, gets a row.
    pub(crate) fn revoke(
        &self,
        ca: &Entry,
        certificates: &[Entry],
        reason: RevocationReason,
        at: OffsetDateTime,
    ) -> Result<Vec<Revocation>, Failure> {
        let mut done = Vec::new();
        self.0.write(|transaction| {
            insert_missing(transaction, ca)?;
            for entry in certificates {
                insert_missing(transaction, entry)?;
                let key = (&*entry.serial_number, &*entry.authority_key_identifier);
                done.push(if revoke(transaction, key, reason, at)? == 1 {
                    Revocation::Done
                } else {
                    let before = "SELECT revoked_at FROM certificates WHERE status = 'revoked'
                        AND serial_number = ?1 AND authority_key_identifier = ?2";
                    let before: Option<String> =
                        transaction.query_row(before, params![key.0, key.1], |row| row.get(0))?;
                    Revocation::Already(before.unwrap_or_default())
                });
            }
            Ok(())
        })?;
        Ok(done)
    }

    /// The revoked certificates of every CA of the inventory: the one that issues, and those that it replaced.
    pub(crate) fn revoked(&self) -> Result<Vec<Revoked>, Failure> {
        let rows = self.0.read(|connection| {
            let mut query = connection.prepare(
                "SELECT serial_number, reason, revoked_at, expiry FROM certificates
                WHERE status = 'revoked'",
            )?;
            let rows = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            rows.collect::<Result<Vec<(String, u8, Option<String>, String)>, _>>()
        })?;
        let rows = rows.unwrap_or_default().into_iter();
        rows.map(|(serial, reason, revoked_at, expiry)| {
            let read = || -> Option<Revoked> {
                let serial: SerialNumber = hexadecimal(&serial)?.parse().ok()?;
                Some(Revoked {
                    entry: RevokedCertificate {
                        serial,
                        revoked_at: moment(revoked_at.as_deref()?)?,
                        reason: RevocationReason::from_code(reason)
                            .filter(|reason| *reason != RevocationReason::Unspecified),
                        invalid_since: None,
                    },
                    not_after: moment(&expiry)?,
                })
            };
            read().ok_or_else(|| {
                self.0.unusable(&format!(
                    "the row of the revoked certificate {serial} cannot be read"
                ))
            })
        })
        .collect()
    }

    /// The serial numbers of the revoked certificates of every CA.
    pub(crate) fn revoked_serials(&self) -> Result<HashSet<SerialNumber>, Failure> {
        let revoked = self.revoked()?;
        Ok(revoked.into_iter().map(|revoked| revoked.entry.serial).collect())
    }

    /// Whether any CA of the inventory issued a certificate with this serial number.
    pub(crate) fn has_serial(&self, serial: &SerialNumber) -> Result<bool, Failure> {
        let query = "SELECT EXISTS (SELECT 1 FROM certificates WHERE serial_number = ?1)";
        let key = [decimal(serial.as_bytes())];
        let found = self.0.read(|connection| connection.query_row(query, key, |row| row.get(0)))?;
        Ok(found.unwrap_or(false))
    }

    /// The newest CRL that a CA issued.
    pub(crate) fn last_crl(&self, ca: &Certificate) -> Result<Option<LastCrl>, Failure> {
        let id = key_id_of(ca);
        Ok(self.last_crls()?.into_iter().find(|last| last.issuer == id))
    }

    /// The newest CRL of each CA of the inventory.
    pub(crate) fn last_crls(&self) -> Result<Vec<LastCrl>, Failure> {
        let rows = self.0.read(|connection| {
            if !schema::has_crls(connection)? {
                return Ok(Vec::new());
            }
            let mut query = connection.prepare(
                "SELECT authority_key_identifier, number, pem FROM crls AS one WHERE number =
                (SELECT max(number) FROM crls WHERE authority_key_identifier = one.authority_key_identifier)",
            )?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<Result<Vec<(String, i64, String)>, _>>()
        })?;
        let rows = rows.unwrap_or_default().into_iter();
        rows.map(|(issuer, number, pem)| {
            let crl = Crl::from_pem_or_der(pem.as_bytes()).map_err(|error| {
                self.0
                    .unusable(&format!("the CRL with the number {number} cannot be read: {error}"))
            })?;
            Ok(LastCrl { issuer, number: number.cast_unsigned(), crl })
        })
        .collect()
    }

    /// Records a CRL. It is on disk afterwards. Another one with the same number is refused.
    pub(crate) fn record_crl(&self, ca: &Entry, crl: &CrlEntry) -> Result<(), Failure> {
        let CrlEntry { issuer, number, this_update, next_update, pem } = crl;
        self.write_as(ca, issuer, |transaction| {
            let insert = "INSERT INTO crls VALUES (?1, ?2, ?3, ?4, ?5)";
            let values = params![issuer, number.cast_signed(), this_update, next_update, pem];
            match transaction.execute(insert, values)? {
                1 => Ok(()),
                changed => Err(rusqlite::Error::StatementChangedRows(changed)),
            }
        })
    }
}

/// Marks a certificate as revoked. Returns how many rows changed: none if it was revoked before.
pub(super) fn revoke(
    transaction: &Transaction<'_>,
    (serial, issuer): (&str, &str),
    reason: RevocationReason,
    at: OffsetDateTime,
) -> Result<usize, rusqlite::Error> {
    let revoke = "UPDATE certificates SET status = 'revoked', reason = ?3, revoked_at = ?4
        WHERE serial_number = ?1 AND authority_key_identifier = ?2 AND status <> 'revoked'";
    transaction.execute(revoke, params![serial, issuer, reason.code(), rfc3339(at)])
}

/// Reads a time as the inventory keeps it.
pub(super) fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}
