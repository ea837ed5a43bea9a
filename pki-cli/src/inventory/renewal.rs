//! What renewals ask the inventory: where certificates are outside of the hosts' folders, and how they were issued.

use std::path::PathBuf;

use pki_core::{Certificate, SerialNumber};
use rusqlite::OptionalExtension;

use super::entry::decimal;
use super::{CA_PROFILE, Inventory, schema};
use crate::failure::Failure;

impl Inventory {
    /// The files that certificates went to outside of the hosts' folders, each once, in the order of issuing.
    pub(crate) fn placed(&self) -> Result<Vec<PathBuf>, Failure> {
        let paths = self.0.read(|connection| {
            let places = schema::places(connection)?;
            let mut query = connection.prepare(&format!(
                "SELECT p.path FROM {places} AS p
                JOIN certificates AS c USING (serial_number, authority_key_identifier)
                WHERE p.host IS NULL AND c.ca_label <> ?1 GROUP BY p.path ORDER BY min(p.rowid)"
            ))?;
            let rows = query.query_map([CA_PROFILE], |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        Ok(paths.unwrap_or_default().into_iter().map(PathBuf::from).collect())
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
