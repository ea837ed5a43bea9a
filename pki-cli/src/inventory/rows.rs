//! Adds rows to the table of certificates, and to that of the places of their files.

use rusqlite::{OptionalExtension, Statement, Transaction, params};

use super::entry::{Entry, FilePlace, rfc3339};

/// Adds a row unless it exists. Returns whether it is new.
pub(super) fn insert_missing(
    transaction: &Transaction<'_>,
    entry: &Entry,
) -> Result<bool, rusqlite::Error> {
    let known = "SELECT 1 FROM certificates
        WHERE serial_number = ?1 AND authority_key_identifier = ?2";
    let key = [&entry.serial_number, &entry.authority_key_identifier];
    let known = transaction.prepare(known)?.query_row(key, |_| Ok(())).optional()?;
    if known.is_none() {
        insert(transaction, std::slice::from_ref(entry))?;
    }
    Ok(known.is_none())
}

/// Adds rows. A row for the same certificate stays as it is; one for another certificate with that serial number is an error.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    entries: &[Entry],
) -> Result<(), rusqlite::Error> {
    let insert = "INSERT INTO certificates
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT DO UPDATE SET pem = excluded.pem WHERE pem = excluded.pem";
    let mut row = transaction.prepare(insert)?;
    let mut place = transaction.prepare(REPLACE_PLACE)?;
    for entry in entries {
        let (status, reason, revoked_at) = match entry.revocation {
            None => ("good", 0, None),
            Some((reason, at)) => ("revoked", reason.code(), Some(rfc3339(at))),
        };
        let changed = row.execute(params![
            entry.serial_number,
            entry.authority_key_identifier,
            entry.profile,
            status,
            reason,
            entry.expiry,
            revoked_at,
            entry.pem,
            entry.issued_at,
            entry.not_before,
            entry.common_name,
        ])?;
        // A conflict changes no row, and a trigger can discard one without an error.
        if changed != 1 {
            return Err(rusqlite::Error::StatementChangedRows(changed));
        }
        put_place(&mut place, entry)?;
    }
    Ok(())
}

/// Records a place. A row that was lost can have left an older one.
const REPLACE_PLACE: &str = "INSERT OR REPLACE INTO places VALUES (?1, ?2, ?3, ?4)";
/// Records a place unless there is one.
pub(super) const KEEP_PLACE: &str = "INSERT OR IGNORE INTO places VALUES (?1, ?2, ?3, ?4)";

/// Records the place of a certificate's file with one of these statements, if it has a place.
pub(super) fn put_place(
    statement: &mut Statement<'_>,
    entry: &Entry,
) -> Result<(), rusqlite::Error> {
    if let Some(FilePlace { host, path }) = &entry.place {
        let (serial, issuer) = (&entry.serial_number, &entry.authority_key_identifier);
        statement.execute(params![serial, issuer, host, path])?;
    }
    Ok(())
}
