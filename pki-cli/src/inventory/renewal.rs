//! What renewals ask the inventory: where certificates are outside of the hosts' folders, and how they were issued.

use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use pki_core::{Certificate, SerialNumber};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{CA_PROFILE, Entry, Inventory, decimal};
use crate::failure::Failure;

/// The migration that adds the table.
pub(super) const PLACES: &str = "CREATE TABLE IF NOT EXISTS places (
    serial_number            TEXT NOT NULL,
    authority_key_identifier TEXT NOT NULL,
    path                     BLOB NOT NULL, -- absolute, as the system has it
    PRIMARY KEY (serial_number, authority_key_identifier)
);";

/// Adds the file of a certificate.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    entry: &Entry,
    path: &Path,
) -> Result<(), rusqlite::Error> {
    let path = path.as_os_str().as_bytes();
    let values = params![entry.serial_number, entry.authority_key_identifier, path];
    transaction.execute("INSERT INTO places VALUES (?1, ?2, ?3)", values).map(drop)
}

impl Inventory {
    /// The files that certificates went to outside of the hosts' folders, each once, in the order of issuing.
    pub(crate) fn placed(&self) -> Result<Vec<PathBuf>, Failure> {
        let query = "SELECT path FROM places GROUP BY path ORDER BY min(rowid)";
        let paths = self.0.read(|connection| {
            // A file of an older version has no such table.
            if !has_places(connection)? {
                return Ok(Vec::new());
            }
            let mut query = connection.prepare(query)?;
            let rows = query.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let path = |bytes| PathBuf::from(std::ffi::OsString::from_vec(bytes));
        Ok(paths.unwrap_or_default().into_iter().map(path).collect())
    }

    /// The profile that a certificate was issued with, if it is in the inventory.
    pub(crate) fn profile_of(&self, serial: &SerialNumber) -> Result<Option<String>, Failure> {
        let query = "SELECT ca_label FROM certificates WHERE serial_number = ?1";
        let serial = decimal(serial.as_bytes());
        let label = self.0.read(|connection| {
            connection.query_row(query, [&serial], |row| row.get(0)).optional()
        })?;
        Ok(label.flatten())
    }

    /// The certificates that were issued and not revoked, without those of CAs.
    pub(crate) fn leaves(&self) -> Result<Vec<Certificate>, Failure> {
        let query = "SELECT pem FROM certificates WHERE ca_label <> ?1 AND status = 'good'";
        let texts = self.0.read(|connection| {
            let mut query = connection.prepare(query)?;
            let rows = query.query_map([CA_PROFILE], |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let read = |text: String| Certificate::from_pem_or_der(text.as_bytes());
        let read = texts.unwrap_or_default().into_iter().map(read);
        let read = read.collect::<Result<Vec<_>, _>>();
        let read = read.map_err(|error| Failure::from(error).in_file(self.path()))?;
        Ok(read.into_iter().flatten().collect())
    }
}

fn has_places(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let query = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'places')";
    connection.query_row(query, [], |row| row.get(0))
}
