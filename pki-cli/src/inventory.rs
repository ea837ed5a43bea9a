//! What was issued, in SQLite: a certificate is here before it is anywhere else.
//!
//! The table `certificates` is that of cfssl's certdb, so the queries of cfssl's users still work. Everything else that
//! etcdpki stores goes into tables of its own. Each method is one whole operation, which another kind of store could
//! offer as well.

mod database;
mod schema;

use std::path::Path;

use pki_core::{Certificate, Error};
use rusqlite::{OptionalExtension, ToSql, Transaction, params};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use self::database::Database;
use crate::failure::Failure;
use crate::store;

/// The file in the CA's folder.
pub(crate) const FILE: &str = "inventory.db";

/// The profile in the row of a CA's own certificate.
pub(crate) const CA_PROFILE: &str = "ca";

/// One certificate as a row.
pub(crate) struct Entry {
    serial_number: String,
    authority_key_identifier: String,
    profile: String,
    expiry: String,
    pem: String,
    issued_at: String,
    not_before: String,
    common_name: Option<String>,
}

impl Entry {
    /// The row of a certificate.
    pub(crate) fn new(
        certificate: &Certificate,
        profile: &str,
        issued_at: OffsetDateTime,
    ) -> Result<Self, Error> {
        let aki = certificate.extensions.authority_key_id.as_ref();
        let aki = aki.and_then(|aki| aki.key_id.as_ref());
        Ok(Self {
            serial_number: decimal(certificate.serial.as_bytes()),
            authority_key_identifier: aki.map_or_else(String::new, ToString::to_string),
            profile: profile.to_owned(),
            expiry: rfc3339(certificate.not_after),
            pem: certificate.to_pem()?,
            issued_at: rfc3339(issued_at),
            not_before: rfc3339(certificate.not_before),
            common_name: certificate.subject.common_name().map(ToOwned::to_owned),
        })
    }

    /// The row of a CA's own certificate. It may come from elsewhere, so it counts as issued when it became valid.
    pub(crate) fn of_ca(certificate: &Certificate) -> Result<Self, Error> {
        Self::new(certificate, CA_PROFILE, certificate.not_before)
    }
}

/// What the inventory knows about a CA.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Memory {
    /// It has a row of this CA.
    Known,
    /// There is no file.
    Missing,
    /// There is a file without rows.
    Empty,
}

/// The inventory of a CA's folder.
pub(crate) struct Inventory(Database);

impl Inventory {
    /// The inventory of a folder. Nothing is read or created yet.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(Database::of(folder.join(FILE)))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// What the inventory knows about this CA. An inventory that is damaged or belongs to another CA or program is an error.
    pub(crate) fn memory_of(&self, ca: &Certificate) -> Result<Memory, Failure> {
        if !store::is_there(self.path())? {
            return Ok(Memory::Missing);
        }
        let own = Entry::of_ca(ca)?;
        let key_id = ca.extensions.subject_key_id.as_ref().map(ToString::to_string);
        let known = self.0.read(|connection| {
            let is_there = |query: &str, values: &[&dyn ToSql]| {
                connection.query_row(query, values, |_| Ok(())).optional().map(|row| row.is_some())
            };
            let itself = "SELECT 1 FROM certificates WHERE serial_number = ?1 AND pem = ?2";
            // Older versions did not record a CA that came from elsewhere.
            let leaf = "SELECT 1 FROM certificates WHERE authority_key_identifier = ?1 LIMIT 1";
            if is_there(itself, &[&own.serial_number, &own.pem])? || is_there(leaf, &[&key_id])? {
                return Ok(Some(Memory::Known));
            }
            let any = is_there("SELECT 1 FROM certificates LIMIT 1", &[])?;
            Ok(if any { None } else { Some(Memory::Empty) })
        })?;
        known.unwrap_or(Some(Memory::Empty)).ok_or_else(|| {
            let subject = &ca.subject;
            self.0.unusable(&format!("it belongs to another CA: it has no row of {subject}"))
        })
    }

    /// The certificates of all CAs in the inventory.
    pub(crate) fn ca_certificates(&self) -> Result<Vec<Certificate>, Failure> {
        let texts = self.0.read(|connection| {
            let mut query =
                connection.prepare("SELECT pem FROM certificates WHERE ca_label = ?1")?;
            let rows = query.query_map([CA_PROFILE], |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let mut certificates = Vec::new();
        for text in texts.unwrap_or_default() {
            let read = Certificate::from_pem_or_der(text.as_bytes());
            certificates.extend(read.map_err(|error| Failure::from(error).in_file(self.path()))?);
        }
        Ok(certificates)
    }

    /// How many certificates were issued, not counting those of CAs.
    pub(crate) fn count_issued(&self) -> Result<u32, Failure> {
        let query = "SELECT count(*) FROM certificates WHERE ca_label <> ?1";
        let count = self.0.read(|connection| {
            connection.query_row(query, [CA_PROFILE], |row| row.get::<_, u32>(0))
        })?;
        Ok(count.unwrap_or(0))
    }

    /// Whether a member of this name was given a certificate. Without an inventory nobody knows, and it may
    /// have been.
    pub(crate) fn has_issued_to_member(&self, common_name: &str) -> Result<bool, Failure> {
        let query = "SELECT EXISTS (SELECT 1 FROM certificates
            WHERE common_name = ?1 AND ca_label IN ('server', 'peer'))";
        let found = self
            .0
            .read(|connection| connection.query_row(query, [common_name], |row| row.get(0)))?;
        Ok(found.unwrap_or(true))
    }

    /// Records new CAs. They are on disk afterwards.
    pub(crate) fn record_cas(&self, cas: &[Entry]) -> Result<(), Failure> {
        self.0.write(|transaction| insert(transaction, cas))
    }

    /// Records all of what a CA issued, or nothing. It is on disk afterwards. The CA gets a row first, if it has none.
    pub(crate) fn record(&self, ca: &Entry, issued: &[Entry]) -> Result<(), Failure> {
        self.0.write(|transaction| {
            let known = "SELECT 1 FROM certificates
                WHERE serial_number = ?1 AND authority_key_identifier = ?2";
            let key = [&ca.serial_number, &ca.authority_key_identifier];
            if transaction.query_row(known, key, |_| Ok(())).optional()?.is_none() {
                insert(transaction, std::slice::from_ref(ca))?;
            }
            insert(transaction, issued)
        })
    }
}

/// Adds rows.
fn insert(transaction: &Transaction<'_>, entries: &[Entry]) -> Result<(), rusqlite::Error> {
    let insert =
        "INSERT INTO certificates VALUES (?1, ?2, ?3, 'good', 0, ?4, NULL, ?5, ?6, ?7, ?8)";
    let mut row = transaction.prepare(insert)?;
    for entry in entries {
        let changed = row.execute(params![
            entry.serial_number,
            entry.authority_key_identifier,
            entry.profile,
            entry.expiry,
            entry.pem,
            entry.issued_at,
            entry.not_before,
            entry.common_name,
        ])?;
        // A trigger can discard a row without an error.
        if changed != 1 {
            return Err(rusqlite::Error::StatementChangedRows(changed));
        }
    }
    Ok(())
}

fn rfc3339(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

/// Big-endian octets as a decimal number.
pub(crate) fn decimal(octets: &[u8]) -> String {
    // Nine digits in each, the lowest first.
    const LIMIT: u64 = 1_000_000_000;
    let mut groups: Vec<u64> = Vec::new();
    for octet in octets {
        let mut carry = u64::from(*octet);
        for group in &mut groups {
            carry += *group * 256;
            *group = carry % LIMIT;
            carry /= LIMIT;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let highest = groups.pop().unwrap_or(0).to_string();
    groups.iter().rev().fold(highest, |digits, group| digits + &format!("{group:09}"))
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn octets_become_decimal() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0xff; 8]), u64::MAX.to_string());
        assert_eq!(decimal(&[0xff; 16]), u128::MAX.to_string());
        assert_eq!(decimal(&1_000_000_000_000_000_007_u128.to_be_bytes()), "1000000000000000007");
    }
}
