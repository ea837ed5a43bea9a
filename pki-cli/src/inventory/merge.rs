//! Records certificates that exist already.

use rusqlite::params;

use super::Inventory;
use super::entry::Entry;
use super::revocation::revoke;
use super::rows::{KEEP_PLACE, insert_missing, put_place};
use crate::failure::Failure;

/// The result of recording certificates that exist already.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// How many got a row.
    pub(crate) added: usize,
    /// How many had one.
    pub(crate) known: usize,
    /// How many had one, and are revoked now.
    pub(crate) revoked: usize,
    /// The serial numbers, in decimal, that another certificate of the CA has already.
    pub(crate) clashes: Vec<String>,
}

impl Inventory {
    /// Records a CA, and certificates that exist already, such as those of another tool, unless they have rows. Also records
    /// revocations that the inventory does not know. Everything is on disk afterwards.
    pub(crate) fn merge(&self, ca: &Entry, found: &[Entry]) -> Result<Merged, Failure> {
        let mut merged = Merged::default();
        self.0.write(|transaction| {
            insert_missing(transaction, ca)?;
            let is_same = "SELECT pem = ?3 FROM certificates
                WHERE serial_number = ?1 AND authority_key_identifier = ?2";
            for entry in found {
                if insert_missing(transaction, entry)? {
                    merged.added += 1;
                    continue;
                }
                let key = (&*entry.serial_number, &*entry.authority_key_identifier);
                let values = params![key.0, key.1, entry.pem];
                if transaction.query_row(is_same, values, |row| row.get(0))? {
                    merged.known += 1;
                    put_place(&mut transaction.prepare(KEEP_PLACE)?, entry)?;
                } else {
                    merged.clashes.push(entry.serial_number.clone());
                }
                // Verifiers know a certificate by its serial number, so a revocation also counts if the rows differ.
                if let Some((reason, at)) = entry.revocation {
                    merged.revoked += revoke(transaction, key, reason, at)?;
                }
            }
            Ok(())
        })?;
        Ok(merged)
    }
}
