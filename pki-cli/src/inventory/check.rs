//! Checks whether the inventory is intact, and renames a damaged one.

use std::fs;
use std::path::PathBuf;

use pki_core::Certificate;

use super::entry::{Entry, issuer_of, key_id_of};
use super::{Inventory, Memory};
use crate::failure::Failure;
use crate::store;

/// The state of the file.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// It can be read and written.
    Usable,
    /// There is no file, or no row.
    Empty,
    /// SQLite cannot read it, or found something wrong in it.
    Damaged(String),
}

/// A row as it is stored.
pub(crate) struct Stored {
    serial_number: String,
    authority_key_identifier: String,
    expiry: String,
    not_before: String,
    common_name: Option<String>,
    pem: String,
}

impl Stored {
    /// What is wrong with the row, if something is: its columns must agree with its certificate, and a certificate that
    /// names
    /// the CA as its issuer must be signed by it.
    pub(crate) fn problem(&self, ca: &Certificate) -> Option<String> {
        let about = |problem: &str| Some(format!("the row {}: {problem}", self.serial_number));
        let certificate = match Certificate::from_pem_or_der(self.pem.as_bytes()) {
            Ok(mut read) => read.swap_remove(0),
            Err(error) => return about(&format!("its certificate cannot be read: {error}")),
        };
        let Ok(expected) = Entry::of_ca(&certificate) else {
            return about("its certificate cannot be written in PEM");
        };
        let differing: Vec<&str> = [
            ("serial_number", self.serial_number == expected.serial_number),
            (
                "authority_key_identifier",
                self.authority_key_identifier == expected.authority_key_identifier,
            ),
            ("expiry", self.expiry == expected.expiry),
            ("not_before", self.not_before == expected.not_before),
            ("common_name", self.common_name == expected.common_name),
        ]
        .into_iter()
        .filter_map(|(column, is_equal)| (!is_equal).then_some(column))
        .collect();
        if !differing.is_empty() {
            let columns = differing.join(", ");
            return about(&format!("{columns}: differs from its certificate"));
        }
        let is_ours = issuer_of(&certificate) == key_id_of(ca) && !certificate.is_self_issued();
        if is_ours && !certificate.is_signed_by(&ca.public_key) {
            return about("the signature of its certificate is wrong");
        }
        None
    }
}

impl Inventory {
    /// Examines the file. Changes nothing. A file of another CA, of another program or of a newer version is an error.
    pub(crate) fn condition(&self, ca: &Certificate) -> Result<Condition, Failure> {
        if let Some(damage) = self.0.damage()? {
            return Ok(Condition::Damaged(damage));
        }
        Ok(match self.memory_of(ca)? {
            Memory::Missing | Memory::Empty => Condition::Empty,
            Memory::Known => Condition::Usable,
        })
    }

    /// The rows after `after`, up to a limit, and the position to continue from, or `None` at the end.
    pub(crate) fn stored(&self, after: i64, count: u32) -> Result<(Vec<Stored>, i64), Failure> {
        let rows = self.0.read(|connection| {
            let mut query = connection.prepare(
                "SELECT rowid, serial_number, authority_key_identifier, expiry, not_before, common_name, pem
                FROM certificates WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
            )?;
            let rows = query.query_map((after, count), |row| {
                let stored = Stored {
                    serial_number: row.get(1)?,
                    authority_key_identifier: row.get(2)?,
                    expiry: row.get(3)?,
                    not_before: row.get(4)?,
                    common_name: row.get(5)?,
                    pem: row.get(6)?,
                };
                Ok((row.get(0)?, stored))
            })?;
            rows.collect::<Result<Vec<(i64, Stored)>, _>>()
        })?;
        let rows = rows.unwrap_or_default();
        let last = rows.last().map_or(after, |(id, _)| *id);
        Ok((rows.into_iter().map(|(_, stored)| stored).collect(), last))
    }

    /// Renames a damaged file, so that a new one can be created. Returns the new name.
    pub(crate) fn set_aside(self) -> Result<PathBuf, Failure> {
        let path = self.path().to_owned();
        drop(self);
        let mut aside = path.with_extension("db.damaged");
        let mut number = 1;
        while store::is_there(&aside)? {
            number += 1;
            aside = path.with_extension(format!("db.damaged-{number}"));
        }
        let failed = |error: &std::io::Error| Failure::file("renaming", &path, error);
        // SQLite would play the journal of the old file back into the new one.
        let journal = path.with_extension("db-journal");
        if store::is_there(&journal)? {
            let mut name = aside.clone().into_os_string();
            name.push("-journal");
            fs::rename(&journal, name).map_err(|error| failed(&error))?;
        }
        fs::rename(&path, &aside).map_err(|error| failed(&error))?;
        Ok(aside)
    }
}
